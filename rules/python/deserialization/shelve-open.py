import dbm
import os
import shelve
import shelve as sh
import sys
import tempfile
from shelve import open as open_shelf


def main():
    # ruleid: shelve-open
    with shelve.open(sys.argv[1]) as store:
        print(sorted(store))


def results_of(project, root):
    # ruleid: shelve-open
    return sh.open(os.path.join(root, project, "results"), flag="r")


class Registry:
    def __init__(self, path):
        # ruleid: shelve-open
        self.store = open_shelf(
            str(path),
            writeback=True,
        )

    def other(self, path):
        # ruleid: shelve-open
        return shelve.DbfilenameShelf(filename=path)

    def wrap(self, database):
        # ruleid: shelve-open
        return shelve.Shelf(database, protocol=4)

    def many(self, paths):
        # ruleid: shelve-open
        return {p: dict(shelve.open(p)) for p in paths}


def fixed_place():
    # ok: shelve-open
    return shelve.open("/var/lib/planner/state")


def fresh(path):
    # ok: shelve-open
    return shelve.open(path, flag="n")


def in_memory():
    # ok: shelve-open
    return shelve.Shelf({})


def plain(path):
    # ok: shelve-open
    return dbm.open(path, "c")


def scratch():
    with tempfile.TemporaryDirectory() as folder:
        # ok: shelve-open
        with shelve.open(os.path.join(folder, "scratch")) as store:
            return len(store)


def valve(pump):
    # ok: shelve-open
    return pump.open(pump.position)
