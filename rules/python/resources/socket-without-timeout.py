import ftplib
import http.client
import imaplib
import smtplib
import socket
import socket as net
from smtplib import SMTP, SMTP_SSL as SecureMail

import paramiko


def ask(host, question):
    # ruleid: socket-without-timeout
    with socket.create_connection((host, 7000)) as connection:
        connection.sendall(question)
        return connection.recv(1024)


def ask_from(address, source):
    # ruleid: socket-without-timeout
    return net.create_connection(
        address,
        source_address=(source, 0),  # the second network card
    )


def send(message, host="mail.example"):
    # ruleid: socket-without-timeout
    with SMTP(host, 587) as server:
        server.send_message(message)


def send_later(message, host):
    # ruleid: socket-without-timeout
    server = smtplib.SMTP()
    server.connect(host)
    server.send_message(message)


class Mailbox:
    def __init__(self, host, user, password):
        # ruleid: socket-without-timeout
        self.box = imaplib.IMAP4_SSL(host=host)
        self.box.login(user, password)
        # ruleid: socket-without-timeout
        self.out = SecureMail(host,
                              port=465)


def status(hosts):
    # ruleid: socket-without-timeout
    return [http.client.HTTPConnection(host, 8080) for host in hosts]


def upload(host, name, data):
    # ruleid: socket-without-timeout
    with ftplib.FTP_TLS(host) as server:
        server.storbinary(f"STOR {name}", data)


def uptime(host, user):
    client = paramiko.SSHClient()
    client.load_system_host_keys()
    # ruleid: socket-without-timeout
    client.connect(host, username=user)
    return client.exec_command("uptime")[1].read()


def ask_well(host, question):
    # ok: socket-without-timeout
    with socket.create_connection((host, 7000), timeout=5) as connection:
        connection.sendall(question)
        return connection.recv(1024)


def ask_positional(host):
    # ok: socket-without-timeout
    return socket.create_connection((host, 7000), 5)


def ask_set_after(host):
    # ok: socket-without-timeout
    connection = socket.create_connection((host, 7000))
    connection.settimeout(5)
    return connection


def send_well(message, host):
    # ok: socket-without-timeout
    with smtplib.SMTP(host, 587, timeout=20) as server:
        server.send_message(message)


def passed_on(host, **options):
    # ok: socket-without-timeout
    return http.client.HTTPSConnection(host, **options)


def connect_later(host):
    # ok: socket-without-timeout
    server = ftplib.FTP()
    server.connect(host, timeout=20)
    return server


def database(pool, host):
    # ok: socket-without-timeout
    return pool.create_connection(host)
