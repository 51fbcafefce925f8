"""The queue and what was done before, in one SQLite file, so that neither a restart nor a replay repeats anything.

    delivery ─▶ accept ─▶ take ─▶ settle

A delivery is recognised by its number and by what it asks for (rows A17, F17). Work is let go of only when it is
settled: a process that dies leaves it in the file, and the next one does it. Every table has a bounded number of rows.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from nootropic_bot.errors import EnvironmentFault
from nootropic_bot.serve.deliveries import Asked, Kind

Accepted = Literal["queued", "known", "full"]
Settled = Literal["done", "dropped", "failed"]

# How often work is begun that takes the process down with it.
MAX_ATTEMPTS = 3
MAX_KNOWN = 20_000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    repository TEXT NOT NULL,
    place TEXT NOT NULL,
    number INTEGER NOT NULL,
    subject TEXT NOT NULL,
    content TEXT NOT NULL,
    payload TEXT NOT NULL,
    delivery TEXT NOT NULL,
    is_running INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS deliveries (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS done (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    subject TEXT NOT NULL UNIQUE,
    content TEXT NOT NULL
);
"""
_NEXT = """
SELECT id, kind, repository, number, subject, content, payload, attempts FROM jobs AS job
WHERE is_running = 0 AND NOT EXISTS (SELECT 1 FROM jobs AS other WHERE other.is_running = 1 AND other.place = job.place)
ORDER BY id LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Job:
    """Work that was begun. `attempts`: how often, this time included."""

    id: int
    asked: Asked
    attempts: int


@dataclass(slots=True)
class Ledger:
    """Made by `open_ledger`; threads may share it. Every method raises an `EnvironmentFault` where the file fails."""

    connection: sqlite3.Connection
    max_queued: int
    max_known: int = MAX_KNOWN
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def accept(self, delivery: str, asked: Asked) -> Accepted:
        """Take work in, unless it was taken in before or there is too much of it.

        A newer push takes the place of an older one that still waits: what is reviewed is the head as it is then.
        """
        with self._writing() as write:
            if self._is_known(delivery, asked):
                self._remember(delivery)
                return "known"
            place = _place(asked)
            replaced = "SELECT id FROM jobs WHERE place = ? AND kind = 'review' AND is_running = 0 AND ? = 'review'"
            older = [row[0] for row in write(replaced, (place, asked.kind))]
            (waiting,) = write("SELECT count(*) FROM jobs WHERE is_running = 0").fetchone()
            if waiting - len(older) >= self.max_queued:
                return "full"
            for number in older:
                write("DELETE FROM jobs WHERE id = ?", (number,))
            write(
                "INSERT INTO jobs (key, kind, repository, place, number, subject, content, payload, delivery) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (asked.key, asked.kind, asked.repository, place, asked.number, asked.subject, asked.content,
                 asked.payload, delivery),
            )  # fmt: skip
            self._remember(delivery)
            return "queued"

    def take(self) -> Job | None:
        """Begin the oldest work of which nothing else is done on the same pull request; None when there is none."""
        with self._writing() as write:
            row = write(_NEXT).fetchone()
            if row is None:
                return None
            number, kind, repository, pull, subject, content, payload, attempts = row
            write("UPDATE jobs SET is_running = 1, attempts = attempts + 1 WHERE id = ?", (number,))
            which: Kind = "review" if kind == "review" else "command"
            return Job(number, Asked(which, repository, pull, subject, content, payload), attempts + 1)

    def settle(self, job: Job, how: Settled) -> None:
        """Let go of work. What failed may be delivered again; what was done is known from now on."""
        with self._writing() as write:
            row = write("SELECT delivery FROM jobs WHERE id = ?", (job.id,)).fetchone()
            write("DELETE FROM jobs WHERE id = ?", (job.id,))
            if how == "failed" and row is not None:
                write("DELETE FROM deliveries WHERE name = ?", row)
        if how == "done" and job.asked.kind == "command":
            self.note(job.asked.subject, job.asked.content)

    def put_back(self, job: Job, *, counts: bool) -> None:
        """Let it be begun again. `counts`: as an attempt; what was interrupted is not to blame."""
        with self._writing() as write:
            write("UPDATE jobs SET is_running = 0, attempts = ? WHERE id = ?", (job.attempts - (not counts), job.id))

    def note(self, subject: str, content: str) -> None:
        """Remember what was done last of a subject."""
        with self._writing() as write:
            write("INSERT OR REPLACE INTO done (subject, content) VALUES (?, ?)", (subject, content))
            self._forget("done")

    def is_done(self, subject: str, content: str) -> bool:
        """Whether that was done last."""
        with self._writing() as write:
            found = write("SELECT content FROM done WHERE subject = ?", (subject,)).fetchone()
            return found is not None and found[0] == content

    def waiting(self) -> int:
        """How much was taken in and not begun."""
        with self._writing() as write:
            (count,) = write("SELECT count(*) FROM jobs WHERE is_running = 0").fetchone()
            return int(count)

    def recover(self) -> int:
        """What an earlier process began and did not settle waits again; how much was given up, having been begun
        too often."""
        with self._writing() as write:
            gone = write("DELETE FROM jobs WHERE is_running = 1 AND attempts >= ?", (MAX_ATTEMPTS,)).rowcount
            write("UPDATE jobs SET is_running = 0")
            return int(gone)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self.connection.close()

    def _is_known(self, delivery: str, asked: Asked) -> bool:
        def has(query: str, *values: str) -> bool:
            return self.connection.execute(query, values).fetchone() is not None

        return (
            has("SELECT 1 FROM deliveries WHERE name = ?", delivery)
            or has("SELECT 1 FROM jobs WHERE key = ?", asked.key)
            or has("SELECT 1 FROM done WHERE subject = ? AND content = ?", asked.subject, asked.content)
        )

    def _remember(self, delivery: str) -> None:
        self.connection.execute("INSERT OR IGNORE INTO deliveries (name) VALUES (?)", (delivery,))
        self._forget("deliveries")

    def _forget(self, table: Literal["deliveries", "done"]) -> None:
        query = f"DELETE FROM {table} WHERE id <= (SELECT max(id) FROM {table}) - ?"  # noqa: S608 (a name of ours)
        self.connection.execute(query, (self.max_known,))

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Callable[..., sqlite3.Cursor]]:
        """One transaction."""
        try:
            with self._lock, self.connection:
                yield self.connection.execute
        except sqlite3.Error as error:
            raise _unusable(error) from error


def open_ledger(path: Path, max_queued: int) -> Ledger:
    """The ledger in a file, which is made if it is not there.

    Raises:
        EnvironmentFault: it can't be written, or is damaged.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.close(handle)
        connection = sqlite3.connect(path, timeout=10, check_same_thread=False)
        try:
            connection.executescript(_SCHEMA)
        except sqlite3.Error:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise _unusable(error) from error
    except OSError as error:
        raise EnvironmentFault(f"{path} can't be written: {error.strerror}", "see who may write there") from error
    return Ledger(connection, max_queued)


def _place(asked: Asked) -> str:
    return f"{asked.repository.lower()}#{asked.number}"


def _unusable(error: sqlite3.Error) -> EnvironmentFault:
    remedy = "free the disk; or remove `ledger.sqlite` from the state folder: what was not done is forgotten then"
    return EnvironmentFault(f"the ledger can't be used: {error}", remedy)
