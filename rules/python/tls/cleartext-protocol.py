import ftplib
import imaplib
import poplib
import smtplib
import ssl
import telnetlib
from ftplib import FTP
from smtplib import SMTP as Mail

import httpx
import requests


def reboot(host):
    # ruleid: cleartext-protocol
    with telnetlib.Telnet(host, 23, timeout=5) as device:
        device.write(b"reboot\n")


def upload(host, user, word, stream):
    # ruleid: cleartext-protocol
    server = ftplib.FTP(host, user, word)
    server.storbinary("STOR report.csv", stream)


def upload_short(host, settings, stream):
    with FTP(host, timeout=10) as server:
        # ruleid: cleartext-protocol
        server.login(settings.user, settings.word)
        server.storbinary("STOR report.csv", stream)


class Mailer:
    def __init__(self, host, user, word):
        self.host, self.user, self.word = host, user, word

    def send(self, message):
        server = Mail(self.host, 587)
        server.ehlo()
        # ruleid: cleartext-protocol
        server.login(self.user, self.word)
        server.send_message(message)
        server.quit()

    def send_managed(self, message):
        with smtplib.SMTP(self.host) as server:
            # ruleid: cleartext-protocol
            server.login(user=self.user, password=self.word)
            server.send_message(message)

    def unread(self):
        box = imaplib.IMAP4(self.host)
        # ruleid: cleartext-protocol
        box.login(self.user, self.word)
        return box.search(None, "UNSEEN")

    def waiting(self):
        box = poplib.POP3(self.host)
        box.user(self.user)
        # ruleid: cleartext-protocol
        box.pass_(self.word)
        return box.stat()


def daily(user, word):
    # ruleid: cleartext-protocol
    return requests.get("http://reports.example.org/daily", auth=(user, word), timeout=5)


def orders(number, token):
    # ruleid: cleartext-protocol
    return httpx.get(f"http://shop.example.org/orders/{number}", headers={"Authorization": token})


def send_encrypted(host, user, word, message):
    with smtplib.SMTP(host, 587) as server:
        server.starttls(context=ssl.create_default_context())
        # ok: cleartext-protocol
        server.login(user, word)
        server.send_message(message)


def send_by_option(settings, message):
    server = smtplib.SMTP(settings.host)
    if settings.use_tls:
        server.starttls()
    # ok: cleartext-protocol
    server.login(settings.user, settings.word)
    server.send_message(message)


def download(host):
    with ftplib.FTP(host) as server:
        # ok: cleartext-protocol
        server.login()
        server.retrlines("LIST")


def upload_encrypted(host, user, word, stream):
    # ok: cleartext-protocol
    with ftplib.FTP_TLS(host, user, word) as server:
        server.prot_p()
        server.storbinary("STOR report.csv", stream)


def relay(user, word, message):
    server = smtplib.SMTP("localhost", 2525)
    # ok: cleartext-protocol
    server.login(user, word)
    server.send_message(message)


def local(user, word):
    # ok: cleartext-protocol
    return requests.get("http://localhost:8080/daily", auth=(user, word), timeout=5)


def public():
    # ok: cleartext-protocol
    return requests.get("http://reports.example.org/daily", timeout=5)


def daily_encrypted(user, word):
    # ok: cleartext-protocol
    return requests.get("https://reports.example.org/daily", auth=(user, word), timeout=5)
