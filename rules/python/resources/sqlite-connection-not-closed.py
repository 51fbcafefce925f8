import contextlib
import sqlite3
import sqlite3 as sql
from sqlite3 import connect, connect as open_db


def item_names(path):
    # ruleid: sqlite-connection-not-closed
    db = sqlite3.connect(path)
    return [row[0] for row in db.execute("SELECT name FROM item")]


def add(path, name):
    # ruleid: sqlite-connection-not-closed
    db = sql.connect(
        path,
        timeout=5,
    )
    cursor = db.cursor()
    cursor.execute("INSERT INTO item (name) VALUES (?)", (name,))
    db.commit()


def clear(path):
    # ruleid: sqlite-connection-not-closed
    with connect(path) as db:
        db.execute("DELETE FROM item")


def count(path):
    # ruleid: sqlite-connection-not-closed
    return open_db(path).execute("SELECT count(*) FROM item").fetchone()[0]


def tables(paths):
    # ruleid: sqlite-connection-not-closed
    return [sql.connect(path).execute("SELECT name FROM sqlite_master").fetchall() for path in paths]


class Store:
    def __init__(self, path):
        self.path = path
        # ok: sqlite-connection-not-closed
        self.db = sqlite3.connect(path)

    def close(self):
        self.db.close()

    def rename(self, old, new):
        # ruleid: sqlite-connection-not-closed
        db = sqlite3.connect(self.path)
        with db:
            db.execute("UPDATE item SET name = ? WHERE name = ?", (new, old))


def item_names_well(path):
    # ok: sqlite-connection-not-closed
    with contextlib.closing(sqlite3.connect(path)) as db:
        return [row[0] for row in db.execute("SELECT name FROM item")]


def closed_later(path):
    # ok: sqlite-connection-not-closed
    db = sqlite3.connect(path)
    try:
        return db.execute("SELECT count(*) FROM item").fetchone()[0]
    finally:
        db.close()


def opened_for_caller(path):
    # ok: sqlite-connection-not-closed
    db = sqlite3.connect(path)
    db.row_factory = sqlite3.Row
    return db


def handed_on(path):
    # ok: sqlite-connection-not-closed
    db = sqlite3.connect(path)
    return Repository(db)


def other_connection(client, path):
    # ok: sqlite-connection-not-closed
    session = client.connect(path)
    return session.execute("status")
