import os


def load(path, mode, limit=None):
    # ruleid: self-assignment
    path = path
    if limit:
        # ruleid: self-assignment
        limit = limit
    for mode in ("r", "rb"):
        # ruleid: self-assignment
        mode, path = mode, path
    return path, mode, limit


class Reader:
    def __init__(self, stream, name):
        # ruleid: self-assignment
        self.stream = self.stream
        # ruleid: self-assignment
        name = name

    async def read(self, size: int):
        # ruleid: self-assignment
        size = size
        return await self.stream.read(size)


class Temperature:
    environ = os.environ

    def __init__(self, degrees):
        self.degrees = degrees

    @property
    def degrees(self):
        return self._degrees

    @degrees.setter
    def degrees(self, value):
        self._degrees = round(value, 2)

    def refresh(self):
        # ok: self-assignment
        self.degrees = self.degrees


# ok: self-assignment
os = os


def safe(path, first, second, row):
    class Local:
        # ok: self-assignment
        path = path

    # ok: self-assignment
    first, second = second, first
    # ok: self-assignment
    row.path = path
    # ok: self-assignment
    row["path"] = row["path"]
    # ok: self-assignment
    local = Local(path=path, first=first)
    # ok: self-assignment
    path = path + second
    return local, path
