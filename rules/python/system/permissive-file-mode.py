import os
import os as system
import stat
from os import chmod, makedirs
from pathlib import Path

SHARED = 0o777


def install(program):
    # ruleid: permissive-file-mode
    os.chmod(program, 0o777)


def install_all(programs):
    # ruleid: permissive-file-mode
    return [system.chmod(path, mode=0o757) for path in programs]


def install_decimal(program):
    # ruleid: permissive-file-mode
    chmod(program, 511)


def prepare(folder):
    # ruleid: permissive-file-mode
    makedirs(folder, 0o777, exist_ok=True)
    # ruleid: permissive-file-mode
    os.chmod(
        folder,
        SHARED,
    )


def prepare_upload(folder):
    # ruleid: permissive-file-mode
    Path(folder).mkdir(mode=0o777, parents=True, exist_ok=True)


def open_up(path):
    # ruleid: permissive-file-mode
    os.chmod(path, stat.S_IRUSR | stat.S_IWUSR | stat.S_IWOTH)
    # ruleid: permissive-file-mode
    os.chmod(path, os.stat(path).st_mode | stat.S_IRWXO)


class Spool:
    def __init__(self, root: Path):
        self.root = root
        # ruleid: permissive-file-mode
        self.root.chmod(0o777)

    def entry(self, name):
        # ruleid: permissive-file-mode
        return os.open(self.root / name, os.O_CREAT | os.O_WRONLY, 0o777)

    def add_bits(self, name):
        path = self.root / name
        # ruleid: permissive-file-mode
        path.chmod(path.stat().st_mode | 0o222)


def upload_program(sftp, name):
    # ruleid: permissive-file-mode
    sftp.chmod(name, 0o777)


def install_well(program):
    # ok: permissive-file-mode
    os.chmod(program, 0o755)


def private(path: Path):
    # ok: permissive-file-mode
    path.chmod(0o600)


def shared_scratch(folder):
    # ok: permissive-file-mode
    os.chmod(folder, 0o1777)


def take_away(path):
    # ok: permissive-file-mode
    os.chmod(path, os.stat(path).st_mode & ~(stat.S_IWGRP | stat.S_IWOTH))


def make_executable(path):
    # ok: permissive-file-mode
    os.chmod(path, os.stat(path).st_mode | stat.S_IXOTH | 0o111)


def lock_file(path):
    # ok: permissive-file-mode
    return os.open(path, os.O_CREAT | os.O_EXCL, 0o600)


def copy_mode(source, target):
    # ok: permissive-file-mode
    os.chmod(target, os.stat(source).st_mode & 0o777)


def by_umask(target, umask):
    # ok: permissive-file-mode
    os.chmod(target, 0o777 & ~umask)


def open_folder(folder):
    # ruleid: permissive-file-mode
    os.chmod(
        folder,
        mode=0o777,  # the web server writes here
    )


def is_shared(path):
    # ok: permissive-file-mode
    return bool(os.stat(path).st_mode & stat.S_IWOTH)
