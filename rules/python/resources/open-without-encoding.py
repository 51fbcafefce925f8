import csv
import gzip
import io
import os
import tempfile
import webbrowser
from pathlib import Path
from zipfile import ZipFile


def read_lines(path):
    # ruleid: open-without-encoding
    with open(path) as source:
        return source.readlines()


def save_rows(rows, path):
    # ruleid: open-without-encoding
    with open(
        path,
        "w",
        newline="",  # csv writes its own line ends
    ) as out:
        csv.writer(out).writerows(rows)


def append(path, line):
    # ruleid: open-without-encoding
    with io.open(os.path.join(path, "log.txt"), mode="a+") as out:
        out.write(line)


def read_aligned(path):
    # ruleid: open-without-encoding
    return open(path, "r",
                errors="replace").read()


def read_packed(path):
    # ruleid: open-without-encoding
    return gzip.open(path, "rt").read()


def save_temporary(text):
    # ruleid: open-without-encoding
    with tempfile.NamedTemporaryFile("w", suffix=".txt", delete=False) as out:
        out.write(text)
    return out.name


class Report:
    # ruleid: open-without-encoding
    TEMPLATE = open("report.html").read()

    def save(self, folder, text):
        # ruleid: open-without-encoding
        (Path(folder) / "report.html").write_text(text)
        # ruleid: open-without-encoding
        with Path(folder, "report.txt").open("w") as out:
            out.write(text)

    def load_all(self, paths):
        # ruleid: open-without-encoding
        return [open(path, 'r').read() for path in paths]


def read_well(path):
    # ok: open-without-encoding
    with open(path, encoding="utf-8") as source:
        return source.read()


def read_bytes(path):
    # ok: open-without-encoding
    with open(path, "rb") as source:
        return source.read()


def read_any(path, mode):
    # ok: open-without-encoding
    return open(path, mode).read()


def read_positional(path):
    # ok: open-without-encoding
    return open(path, "r", -1, "latin-1").read()


def silence():
    # ok: open-without-encoding
    return open(os.devnull, "w")


def packed_bytes(path):
    # ok: open-without-encoding
    return gzip.open(path, "r").read()


def members(path):
    # ok: open-without-encoding
    return ZipFile(path).open("data.csv", "r").read()


def show(url):
    # ok: open-without-encoding
    webbrowser.open(url)


def temporary_bytes():
    # ok: open-without-encoding
    return tempfile.NamedTemporaryFile(suffix=".bin")


def passed_on(path, **options):
    # ok: open-without-encoding
    return open(path, **options)


def in_parentheses(folder, name):
    # ruleid: open-without-encoding
    return (open(
        folder + name,
    ))


def chained(folder, name):
    return (
        # ruleid: open-without-encoding
        open(folder + name)
        .read()
        .splitlines()
    )


def show_text(console, text):
    # ok: open-without-encoding
    console.write_text(text)


def save_path(folder: Path, text):
    target = folder / "report.txt"
    # ruleid: open-without-encoding
    with target.open("w") as out:
        out.write(text)
