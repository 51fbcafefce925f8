import logging
import os
import pathlib
import shutil
import sqlite3
import tempfile
import uuid
from os import makedirs as make_folders
from pathlib import Path

STATE = "/tmp/stock-state.json"


def save_report(rows):
    # ruleid: hardcoded-tmp-path
    with open("/tmp/report.csv", "w", encoding="utf-8") as out:
        out.writelines(rows)


def save_state(text):
    # ruleid: hardcoded-tmp-path
    with open(STATE, mode="w", encoding="utf-8") as out:
        out.write(text)


def append_log(user, line):
    # ruleid: hardcoded-tmp-path
    with open(f"/tmp/{user}.log", "a", encoding="utf-8") as out:
        out.write(line)


def save_named(name, data):
    # ruleid: hardcoded-tmp-path
    with open("/var/tmp/" + name, "wb") as out:
        out.write(data)
    # ruleid: hardcoded-tmp-path
    with open("/tmp/%s.bak" % name, "wb") as out:
        out.write(data)
    # ruleid: hardcoded-tmp-path
    with open(os.path.join("/tmp", name), "wb") as out:
        out.write(data)
    # ruleid: hardcoded-tmp-path
    with open(os.path.join(tempfile.gettempdir(), "stock.bak"), "wb") as out:
        out.write(data)


def save_paths(text):
    # ruleid: hardcoded-tmp-path
    Path("/tmp/stock.txt").write_text(text, encoding="utf-8")
    # ruleid: hardcoded-tmp-path
    return pathlib.Path("/dev/shm/stock.bin").open("wb")


class Cache:
    def __init__(self, job):
        # ruleid: hardcoded-tmp-path
        make_folders("/tmp/stock/cache", exist_ok=True)
        # ruleid: hardcoded-tmp-path
        self.db = sqlite3.connect(
            "/tmp/stock/cache.db",
            timeout=5,
        )
        # ruleid: hardcoded-tmp-path
        shutil.copy(job, "/tmp/job.yaml")
        # ruleid: hardcoded-tmp-path
        logging.getLogger(__name__).addHandler(logging.FileHandler("/tmp/stock.log"))


def save_variable(user, rows):
    path = f"/tmp/{user}.csv"
    # ruleid: hardcoded-tmp-path
    with open(path, "w", encoding="utf-8") as out:
        out.writelines(rows)
    target = Path("/tmp") / user
    # ruleid: hardcoded-tmp-path
    target.mkdir(exist_ok=True)
    private = f"/tmp/{uuid.uuid4()}.csv"
    # ok: hardcoded-tmp-path
    with open(private, "w", encoding="utf-8") as out:
        out.writelines(rows)


def lock(pid):
    # ruleid: hardcoded-tmp-path
    return os.open("/tmp/stock.lock", os.O_CREAT | os.O_RDWR)


def lock_exclusive():
    # ok: hardcoded-tmp-path
    return os.open("/tmp/stock.lock", os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)


def read_report():
    # ok: hardcoded-tmp-path
    with open("/tmp/report.csv", encoding="utf-8") as source:
        return source.read()


def create_only(data):
    # ok: hardcoded-tmp-path
    with open("/tmp/report.bin", "xb") as out:
        out.write(data)


def unguessable(data):
    # ok: hardcoded-tmp-path
    with open(f"/tmp/{uuid.uuid4().hex}.bin", "wb") as out:
        out.write(data)


def save_well(rows):
    # ok: hardcoded-tmp-path
    with tempfile.NamedTemporaryFile("w", suffix=".csv", delete=False) as out:
        out.writelines(rows)


def in_own_folder(rows):
    # ok: hardcoded-tmp-path
    with open("/srv/stock/tmp/report.csv", "w", encoding="utf-8") as out:
        out.writelines(rows)
    # ok: hardcoded-tmp-path
    with open("tmp/report.csv", "w", encoding="utf-8") as out:
        out.writelines(rows)
    # ok: hardcoded-tmp-path
    with open(os.path.join(tempfile.mkdtemp(), "report.csv"), "w", encoding="utf-8") as out:
        out.writelines(rows)
