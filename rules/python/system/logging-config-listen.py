import hashlib
import hmac
import logging.config
import logging.config as log_config
import socket
from logging.config import listen, listen as accept_config

PORT = 9099


def check_signature(data):
    tag, body = data[:32], data[32:]
    good = hmac.compare_digest(tag, hmac.digest(read_key(), body, hashlib.sha256))
    return body if good else None


def start_default():
    # ruleid: logging-config-listen
    thread = logging.config.listen()
    thread.start()
    return thread


def start_on_port():
    # ruleid: logging-config-listen
    return log_config.listen(PORT)


def start_keyword(settings):
    # ruleid: logging-config-listen
    listen(
        port=settings["port"],
    ).start()


class Service:
    def __init__(self, port):
        # ruleid: logging-config-listen
        self.listener = accept_config(port)


def start_unverified():
    # ruleid: logging-config-listen
    return logging.config.listen(PORT, verify=None)


# ruleid: logging-config-listen
LISTENERS = [listen(port) for port in (9030, 9031)]


def start_verified():
    # ok: logging-config-listen
    return logging.config.listen(PORT, verify=check_signature)


def start_positional():
    # ok: logging-config-listen
    return listen(PORT, check_signature)


def start_socket(server: socket.socket):
    # ok: logging-config-listen
    server.listen(5)


def from_file(path):
    # ok: logging-config-listen
    logging.config.fileConfig(path)


def start_with(**options):
    # ok: logging-config-listen
    return logging.config.listen(PORT, **options)
