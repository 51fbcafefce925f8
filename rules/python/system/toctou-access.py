import contextlib
import os
import os.path as paths
from os import access, remove
from os.path import exists, isfile


def read_spool(path):
    # ruleid: toctou-access
    if os.access(path, os.R_OK):
        with open(path, "rb") as source:
            return source.read()
    return b""


def create_once(path):
    # ruleid: toctou-access
    if not paths.exists(path):
        with open(path, "w", encoding="utf-8") as out:
            out.write("{}")


def drop(path):
    # ruleid: toctou-access
    if exists(path):
        remove(path)


def load(path):
    # ruleid: toctou-access
    return open(path, "rb").read() if isfile(path) else b""


class Spool:
    def lines(self):
        # ruleid: toctou-access
        if access(self.path, os.R_OK) and self.enabled:
            source = open(self.path, encoding="utf-8")
            return source.readlines()
        return []

    def entry(self, name):
        # ruleid: toctou-access
        if not os.path.isfile(self.path + name):
            raise KeyError(name)
        with open(self.path + name, encoding="utf-8") as source:
            return source.read()

    def reset(self):
        # ruleid: toctou-access
        if os.path.lexists(self.path):
            self.log("reset")
            os.unlink(self.path)


def read_well(path):
    # ok: toctou-access
    try:
        with open(path, "rb") as source:
            return source.read()
    except FileNotFoundError:
        return b""


def another_file(path, other):
    # ok: toctou-access
    if os.path.exists(path):
        with open(other, "rb") as source:
            return source.read()
    return b""


def guarded(path):
    try:
        # ok: toctou-access
        if os.path.exists(path):
            os.remove(path)
    except OSError:
        pass


def create_well(path):
    # ok: toctou-access
    with contextlib.suppress(FileExistsError), open(path, "x", encoding="utf-8") as out:
        out.write("{}")


def report(path):
    # ok: toctou-access
    if os.access(path, os.W_OK):
        print(path, "can be written")


def in_store(store, path):
    # ok: toctou-access
    if store.exists(path):
        return store.open(path)
    return None
