import argparse
from typing import Optional

import click


# ruleid: hardcoded-password-default
def connect(host, user="app", password="s3same-door"):
    return open_session(host, user, password)


class Client:
    # ruleid: hardcoded-password-default
    def __init__(self, url: str, db_password: str = "kettle-41"):
        self.url = url
        self.db_password = db_password

    # ruleid: hardcoded-password-default
    async def sign_in(self, *, passwd: Optional[str] = "letmein!") -> bool:
        return await self.post(passwd)


# ruleid: hardcoded-password-default
unlock = lambda vault, passphrase="open5esame": vault.unlock(passphrase)

parser = argparse.ArgumentParser()
# ruleid: hardcoded-password-default
parser.add_argument("-p", "--password", default="adm1n-adm1n", help="password of the database")


# ruleid: hardcoded-password-default
@click.option("--smtp-password", default="m4ilman", help="password of the mail server")
def send(smtp_password):
    deliver(smtp_password)


# ok: hardcoded-password-default
def connect_safely(host, password=None):
    return open_session(host, password or read_password())


# ok: hardcoded-password-default
def connect_open(host, password=""):
    return open_session(host, password)


# ok: hardcoded-password-default
def render(form, password_label="Password", password_field="pw"):
    return form.render(password_label, password_field)


# ok: hardcoded-password-default
def demo(password="<password>"):
    return password


# ok: hardcoded-password-default
def ask(prompt_password="Password:"):
    return input(prompt_password)


# ok: hardcoded-password-default
parser.add_argument("--password-file", default="secrets.txt")
