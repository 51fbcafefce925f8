import os
import sqlite3
import subprocess
import tempfile
import tempfile as tf
from dataclasses import dataclass, field
from tempfile import mktemp, mktemp as fresh_name


def export_rows(rows):
    # ruleid: tempfile-mktemp
    path = tempfile.mktemp(suffix=".csv")
    with open(path, "w", encoding="utf-8") as out:
        out.writelines(rows)
    return path


def export_inline(rows):
    # ruleid: tempfile-mktemp
    with open(tempfile.mktemp(), "w") as out:
        out.writelines(rows)
        return out.name


def export_bytes(data, folder):
    # ruleid: tempfile-mktemp
    out = open(tf.mktemp(prefix="export-", dir=folder), 'wb')
    out.write(data)
    out.close()
    return out.name


def export_encoded(rows):
    # ruleid: tempfile-mktemp
    with open(tempfile.mktemp(suffix=".txt"), "w", encoding="utf-8") as out:
        out.writelines(rows)
        return out.name


def export_positional(rows):
    # ruleid: tempfile-mktemp
    with open(tempfile.mktemp(".txt"), "w") as out:
        out.writelines(rows)
        return out.name


def scratch_database():
    # ruleid: tempfile-mktemp
    return sqlite3.connect(mktemp(".db", "scratch-"))


def render(source):
    # ruleid: tempfile-mktemp
    subprocess.run(["pandoc", source, "-o", tf.mktemp(
        prefix="render-",
        suffix=".pdf",
    )], check=True)


# ruleid: tempfile-mktemp
NAMES = [fresh_name() for _ in range(3)]


@dataclass
class Job:
    # ruleid: tempfile-mktemp
    output: str = field(default_factory=tempfile.mktemp)


def export_safely(rows):
    # ok: tempfile-mktemp
    with tempfile.NamedTemporaryFile("w", suffix=".csv", delete=False) as out:
        out.writelines(rows)
        return out.name


def export_fd(data):
    # ok: tempfile-mktemp
    fd, path = tempfile.mkstemp(suffix=".csv")
    with os.fdopen(fd, "wb") as out:
        out.write(data)
    return path


def scratch_folder():
    # ok: tempfile-mktemp
    return tempfile.mkdtemp(prefix="scratch-")


class Templates:
    def mktemp(self, name):
        return f"<{name}>"


def render_template(templates: Templates):
    # ok: tempfile-mktemp
    return templates.mktemp("invoice")


def pytest_folder(tmp_path_factory):
    # ok: tempfile-mktemp
    return tmp_path_factory.mktemp("data")
