import os
import os as system
from os import chmod
from pathlib import Path

LOG_MODE = 0o666


def publish(path):
    # ruleid: world-writable-data-file
    os.chmod(path, 0o666)


def publish_all(paths):
    # ruleid: world-writable-data-file
    return [system.chmod(path, mode=0o666) for path in paths]


def publish_decimal(path):
    # ruleid: world-writable-data-file
    chmod(path, 438)


def publish_path(path):
    # ruleid: world-writable-data-file
    Path(path).chmod(0o666)


class Log:
    def __init__(self, path):
        self.out = open(path, "a", encoding="utf-8")
        # ruleid: world-writable-data-file
        os.fchmod(self.out.fileno(), LOG_MODE)

    def share(self, sftp, name):
        # ruleid: world-writable-data-file
        sftp.chmod(
            name,
            0o666,
        )


def publish_read_only(path):
    # ok: world-writable-data-file
    os.chmod(path, 0o644)


def create(path):
    # ok: world-writable-data-file
    return os.open(path, os.O_CREAT | os.O_WRONLY, 0o666)


def group_file(path):
    # ok: world-writable-data-file
    Path(path).chmod(0o660)


def touch(path):
    # ok: world-writable-data-file
    Path(path).touch(mode=0o666)
