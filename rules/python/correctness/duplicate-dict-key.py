import enum


class Color(enum.Enum):
    RED = 1
    BLUE = 2


LABELS = {
    # ruleid: duplicate-dict-key
    "red": "Red",
    "blue": "Blue",
    # ruleid: duplicate-dict-key
    "red": "Crimson",
}
# ruleid: duplicate-dict-key
CODES = {200: "ok", 404: "not found", 200: "fine"}
# ruleid: duplicate-dict-key
NAMES = {Color.RED: "red", Color.BLUE: "blue", Color.RED: "rot"}


class Client:
    # ruleid: duplicate-dict-key
    headers = {"accept": "*/*", "accept": "text/html"}

    def send(self, name, path):
        # ruleid: duplicate-dict-key
        return self.post(path, params={name: {"a": (1, 2)}, "limit": 10, name: 2})

    def rows(self, names):
        # ruleid: duplicate-dict-key
        return [{"id": index, "name": name, "id": name} for index, name in enumerate(names)]


def safe(name, other, roll, defaults):
    # ok: duplicate-dict-key
    labels = {"red": "Red", "Red": "Crimson", "r": "Red"}
    # ok: duplicate-dict-key
    mixed = {1: "one", "1": "text"}
    # ok: duplicate-dict-key
    rolled = {roll(): 1, roll(): 2}
    # ok: duplicate-dict-key
    merged = {**defaults, "name": name, **other}
    # ok: duplicate-dict-key
    nested = {"name": {"name": name}, "other": {"name": other}}
    # ok: duplicate-dict-key
    return {name: 1, other: 2}, {"name", name}, labels, mixed, rolled, merged, nested
