import os
from collections import OrderedDict


def settings(path, table):
    # ruleid: keys-membership
    if "HOME" in os.environ.keys():
        path = os.environ["HOME"]
    # ruleid: keys-membership
    if path not in table.keys():
        table[path] = OrderedDict()
    # ruleid: keys-membership
    while "include" in table[path].keys() and path:
        path = table[path]["include"]
    # ruleid: keys-membership
    return (path in list(table.keys()))


class Registry:
    def __init__(self, handlers):
        self.handlers = handlers

    def handles(self, names):
        # ruleid: keys-membership
        assert not ("default" in self.handlers.keys()), "reserved"
        # ruleid: keys-membership
        known = [name for name in names if name in self.handlers.keys()]
        # ruleid: keys-membership
        rest = filter(lambda name: name not in set(self.handlers.keys()), names)
        return known, rest

    def keys(self):
        return list(self.handlers)

    def has(self, name):
        # ok: keys-membership
        return name in self.keys()


def safe(table, cursor, redis, names):
    # ok: keys-membership
    if "name" in table:
        return table["name"]
    # ok: keys-membership
    for key in table.keys():
        print(key)
    row = cursor.fetchone()
    # ok: keys-membership
    if "name" in row.keys():
        return row["name"]
    # ok: keys-membership
    if b"jobs" in redis.keys():
        return redis.get("jobs")
    # ok: keys-membership
    if "name" in table.values() or "name" in table.keys("n*"):
        return None
    # ok: keys-membership
    return [key for key in table.keys() if key]
