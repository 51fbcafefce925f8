import contextlib
import csv
import gzip
import json
import pickle as pk
from io import open as text_open
from pathlib import Path


def read_text(path):
    # ruleid: file-not-closed
    return open(path, encoding="utf-8").read()


def read_settings(path):
    # ruleid: file-not-closed
    return json.load(open(path, "rb"))


def save_model(model, path):
    # ruleid: file-not-closed
    pk.dump(
        model,
        open(path, "wb"),
    )


def totals(path):
    # ruleid: file-not-closed
    return [int(line) for line in open(path, encoding="utf-8")]


def rows(path):
    # ruleid: file-not-closed
    for row in csv.reader(open(path, newline="", encoding="utf-8")):
        yield row


def head(path):
    # ruleid: file-not-closed
    return gzip.open(path, "rt").readline()


def count(path):
    # ruleid: file-not-closed
    source = text_open(path, encoding="utf-8")
    total = 0
    for _ in source:
        total += 1
    return total


class Report:
    # ruleid: file-not-closed
    TEMPLATE = open("report.html", encoding="utf-8").read()

    def save(self, path):
        # ruleid: file-not-closed
        out = open(path, "w", encoding="utf-8")
        out.write(self.TEMPLATE)

    def show(self, path):
        # ruleid: file-not-closed
        for line in open(path, encoding="utf-8"):
            print(line, end="")


def read_well(path):
    # ok: file-not-closed
    with open(path, encoding="utf-8") as source:
        return source.read()


def closed_later(path):
    # ok: file-not-closed
    source = open(path, encoding="utf-8")
    try:
        return source.read()
    finally:
        source.close()


def opened_for_caller(path):
    # ok: file-not-closed
    source = open(path, "rb")
    source.seek(16)
    return source


def in_stack(paths):
    with contextlib.ExitStack() as stack:
        # ok: file-not-closed
        files = [stack.enter_context(open(path, "rb")) for path in paths]
        return [file.read() for file in files]


class Log:
    def __init__(self, path):
        # ok: file-not-closed
        self.out = open(path, "a", encoding="utf-8")

    def close(self):
        self.out.close()


def read_path(path):
    # ok: file-not-closed
    return Path(path).read_text(encoding="utf-8")


def fetch(archive, name):
    # ok: file-not-closed
    return archive.open(name).read()


def guarded(path):
    # ok: file-not-closed
    source = open(path, "rb")
    with source:
        return source.read()
