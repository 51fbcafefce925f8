import json
import pathlib
from importlib.metadata import distribution
from pathlib import Path, Path as FilePath

# ruleid: path-read-without-encoding
README = Path(__file__).with_name("README.md").read_text()


def settings(folder):
    # ruleid: path-read-without-encoding
    return json.loads((folder / "settings.json").read_text())


def lines(path):
    # ruleid: path-read-without-encoding
    with pathlib.Path(path).open() as source:
        return source.readlines()


def typed(path: Path):
    # ruleid: path-read-without-encoding
    with path.open() as source:
        return source.readlines()


def everything(folder):
    for path in Path(folder).rglob("*.txt"):
        # ruleid: path-read-without-encoding
        yield path.open().read()


class Templates:
    def __init__(self, root):
        self.root = FilePath(root)

    def load(self, name):
        # ruleid: path-read-without-encoding
        return (
            self.root
            .joinpath(name)
            .read_text()
        )

    def all(self):
        # ruleid: path-read-without-encoding
        return {path.stem: path.read_text() for path in self.root.glob("*.html")}


def good(path):
    # ok: path-read-without-encoding
    return Path(path).read_text(encoding="utf-8")


def positional(path):
    # ok: path-read-without-encoding
    return Path(path).read_text("latin-1")


def in_bytes(path):
    # ok: path-read-without-encoding
    return Path(path).read_bytes()


def metadata(name):
    # ok: path-read-without-encoding
    return distribution(name).read_text("METADATA")


def unlock(door):
    # ok: path-read-without-encoding
    door.open()


def typed_well(path: Path):
    # ok: path-read-without-encoding
    with path.open("rb") as source:
        return source.read()


def pasted(clipboard):
    # ok: path-read-without-encoding
    return clipboard.read_text()
