import getpass
import os
from dataclasses import dataclass

import psycopg2
import pymysql as mysql

# ruleid: hardcoded-password
ADMIN_PASSWORD = "kettle-blue-41"


def open_database():
    return psycopg2.connect(
        host="db.internal",
        # ruleid: hardcoded-password
        password="kettle-blue-41",
    )


def open_reports():
    # ruleid: hardcoded-password
    password = "w1nter!"
    return mysql.connect(host="reports", passwd=password)


class Mailer:
    # ruleid: hardcoded-password
    smtp_password: str = "m4ilman"

    def __init__(self):
        # ruleid: hardcoded-password
        self.passphrase = "correct-horse-7"

    def settings(self):
        return {
            "user": "mailer",
            # ruleid: hardcoded-password
            "password": "m4ilman",
        }


def allowed(request):
    # ruleid: hardcoded-password
    return request.form["password"] == "open5esame"


# ruleid: hardcoded-password
redis_password = os.environ.get("REDIS_PASSWORD", "r3dis-cache")

# ok: hardcoded-password
db_password = os.environ["DB_PASSWORD"]
# ok: hardcoded-password
empty_password = ""
# ok: hardcoded-password
PASSWORD = "password"
# ok: hardcoded-password
sample = open_session(user="demo", password="<your password>")
# ok: hardcoded-password
password = getpass.getpass("Password: ")
# ok: hardcoded-password
invalid_password = "The_password_is_wrong"
# ok: hardcoded-password
test_password = "abc12345"
# ok: hardcoded-password
labels = {"password": "Enter your password", "user": "Name"}


@dataclass
class LoginForm:
    # ok: hardcoded-password
    password_field: str = "input#pw"


def same(password, stored):
    # ok: hardcoded-password
    return password == stored
