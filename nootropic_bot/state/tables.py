"""The tables of the local index, and how records get into them.

`record` has a row for every record of the fold; the table of a kind has one for every record of the kind, joined by the
row number. `outcome_latest`, `outcome_by_rule` and `cost_by_day` are folds kept ready. Unknown kinds are rows of
`record` alone. A database of another `VERSION` is not migrated but built again: the refs hold everything.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from nootropic_bot.state.schema import MAX_CLOCK_JUMP, SCHEMA, Record

# Goes up with every change of the tables or of what goes into them.
VERSION = 2
_USER_VERSION = VERSION * 1000 + SCHEMA
_BUSY_SECONDS = 30.0
_CACHE_KIB = 64 << 10
# Checking a larger index would be felt in every commit; damage to it is met when it is asked.
_MAX_CHECKED_BYTES = 1 << 20
_T = TypeVar("_T")

_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE ref (name TEXT PRIMARY KEY, tip TEXT);
CREATE TABLE segment (n INTEGER PRIMARY KEY, oid TEXT UNIQUE);
CREATE TABLE unread (oid TEXT PRIMARY KEY);
CREATE TABLE record (n INTEGER PRIMARY KEY, id BLOB, kind TEXT, clock INTEGER, segment INTEGER,
                     offset INTEGER, length INTEGER);
CREATE TABLE held (id BLOB PRIMARY KEY, clock INTEGER, segment INTEGER, offset INTEGER, length INTEGER);
CREATE TABLE quarantine (hash BLOB PRIMARY KEY, segment INTEGER, offset INTEGER, length INTEGER, reason TEXT);
CREATE TABLE run (record INTEGER PRIMARY KEY, run TEXT, mode TEXT, pull_request INTEGER, findings INTEGER,
                  in_scope INTEGER, verified INTEGER, total_ms INTEGER);
CREATE TABLE finding (record INTEGER PRIMARY KEY, finding TEXT, rule_id TEXT, pull_request INTEGER);
CREATE TABLE suggestion (record INTEGER PRIMARY KEY, suggestion TEXT, finding TEXT, rule_id TEXT, path TEXT,
                         pull_request INTEGER, source TEXT, verified INTEGER);
CREATE TABLE outcome (record INTEGER PRIMARY KEY, suggestion TEXT, rule_id TEXT, result TEXT);
CREATE TABLE triage (record INTEGER PRIMARY KEY, action TEXT, target TEXT, finding TEXT, rule_id TEXT, path TEXT,
                     reason TEXT, author TEXT, expires TEXT, at TEXT, pull_request INTEGER, command TEXT);
CREATE TABLE note (record INTEGER PRIMARY KEY, finding TEXT, vote TEXT, pull_request INTEGER, command TEXT);
CREATE TABLE cost (record INTEGER PRIMARY KEY, day TEXT, backend TEXT, input_tokens INTEGER, output_tokens INTEGER,
                   milliseconds INTEGER, microdollars INTEGER);
CREATE TABLE outcome_latest (suggestion TEXT PRIMARY KEY, rule_id TEXT, result TEXT, clock INTEGER, id BLOB)
    WITHOUT ROWID;
CREATE TABLE outcome_by_rule (rule_id TEXT, result TEXT, count INTEGER, PRIMARY KEY (rule_id, result)) WITHOUT ROWID;
CREATE TABLE cost_by_day (day TEXT, backend TEXT, runs INTEGER, input_tokens INTEGER, output_tokens INTEGER,
                          milliseconds INTEGER, microdollars INTEGER, PRIMARY KEY (day, backend)) WITHOUT ROWID;
CREATE TRIGGER outcome_first AFTER INSERT ON outcome_latest BEGIN
    INSERT INTO outcome_by_rule VALUES (new.rule_id, new.result, 1)
        ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER outcome_later AFTER UPDATE ON outcome_latest BEGIN
    UPDATE outcome_by_rule SET count = count - 1 WHERE rule_id = old.rule_id AND result = old.result;
    INSERT INTO outcome_by_rule VALUES (new.rule_id, new.result, 1)
        ON CONFLICT DO UPDATE SET count = count + 1;
END;
"""

# Made after a first bulk load: sorting once is several times faster than keeping a tree in order.
_INDEXES = {
    "record_id": "UNIQUE INDEX record_id ON record (id)",
    "record_clock": "INDEX record_clock ON record (clock)",
    "finding_id": "INDEX finding_id ON finding (finding, pull_request)",
    "suggestion_id": "INDEX suggestion_id ON suggestion (suggestion)",
    "suggestion_pull": "INDEX suggestion_pull ON suggestion (pull_request) WHERE pull_request IS NOT NULL",
}

# What two clones with the same records agree on: everything but places, row numbers and lines that are no records.
FOLD = (
    "SELECT id, kind, clock FROM record ORDER BY id",
    "SELECT id FROM held ORDER BY id",
    "SELECT suggestion, rule_id, result, clock, id FROM outcome_latest ORDER BY suggestion",
    "SELECT rule_id, result, count FROM outcome_by_rule WHERE count > 0 ORDER BY rule_id, result",
    "SELECT * FROM cost_by_day ORDER BY day, backend",
    "SELECT r.id, t.action, t.target FROM triage t JOIN record r ON r.n = t.record ORDER BY r.id",
)

_AFTER_OUTCOMES = """
INSERT INTO outcome_latest
    SELECT o.suggestion, o.rule_id, o.result, r.clock, r.id FROM outcome o JOIN record r ON r.n = o.record
    WHERE o.record > ? ORDER BY o.record
    ON CONFLICT (suggestion) DO UPDATE SET
        rule_id = excluded.rule_id, result = excluded.result, clock = excluded.clock, id = excluded.id
    WHERE (excluded.clock, excluded.id) > (clock, id)
"""
_AFTER_COSTS = """
INSERT INTO cost_by_day
    SELECT day, backend, count(*), sum(input_tokens), sum(output_tokens), sum(milliseconds), sum(microdollars)
    FROM cost WHERE record > ? GROUP BY day, backend
    ON CONFLICT (day, backend) DO UPDATE SET
        runs = runs + excluded.runs,
        input_tokens = input_tokens + excluded.input_tokens,
        output_tokens = output_tokens + excluded.output_tokens,
        milliseconds = milliseconds + excluded.milliseconds,
        microdollars = microdollars + excluded.microdollars
"""

_KIND_TABLES = ("run", "finding", "suggestion", "outcome", "triage", "cost", "note")


class Line(NamedTuple):
    """A record together with its place in a segment."""

    record: Record
    offset: int
    length: int


def connect(path: Path | None) -> sqlite3.Connection:
    """A database with these tables, in memory for None.

    Raises:
        sqlite3.DatabaseError: the file is none, or of another version.
    """
    name = ":memory:" if path is None else str(path)
    database = sqlite3.connect(name, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version == 0:
            _create(database)
        elif version != _USER_VERSION:
            raise sqlite3.DatabaseError("another version")
        elif path is not None and path.stat().st_size <= _MAX_CHECKED_BYTES:
            # What a crash left is found out here, not in the middle of a question.
            (answer,) = database.execute("PRAGMA quick_check(1)").fetchone()
            if answer != "ok":
                raise sqlite3.DatabaseError(answer)
    except BaseException:
        database.close()
        raise
    return database


def _create(database: sqlite3.Connection) -> None:
    database.execute("BEGIN IMMEDIATE")
    # Another process may have been quicker.
    if database.execute("PRAGMA user_version").fetchone()[0] == 0:
        for statement in _statements(_TABLES):
            database.execute(statement)
        create_indexes(database)
        database.execute(f"PRAGMA user_version = {_USER_VERSION}")
    database.execute("COMMIT")


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines():
        statement += f"{line}\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def create_indexes(database: sqlite3.Connection) -> None:
    """Make the indexes that are missing."""
    for index in _INDEXES.values():
        database.execute(f"CREATE {index.replace('INDEX ', 'INDEX IF NOT EXISTS ')}")


def drop_indexes(database: sqlite3.Connection) -> None:
    """Drop the indexes for a first bulk load."""
    for name in _INDEXES:
        database.execute(f"DROP INDEX IF EXISTS {name}")


def clear(database: sqlite3.Connection) -> None:
    """Empty all tables, for building them again."""
    names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for name in names:
        database.execute(f"DELETE FROM {name}")  # noqa: S608 (names of ours)


class Loader:
    """Puts lines into the tables inside one transaction; call `finish` at its end."""

    def __init__(self, database: sqlite3.Connection, *, bulk: bool) -> None:
        self._db = database
        self._seen: set[bytes] | None = set() if bulk else None
        (last,) = database.execute("SELECT coalesce(max(n), 0) FROM record").fetchone()
        self._first = self._next = last + 1
        if bulk:
            drop_indexes(database)

    @property
    def count(self) -> int:
        """New records so far."""
        return int(self._next - self._first)

    def load(self, segment: int, lines: Sequence[Line]) -> None:
        """Insert what is new; of known records the place is renewed."""
        new: dict[bytes, Line] = {}
        known = self._known(lines)
        for line in lines:
            identity = bytes.fromhex(line.record.id)
            if identity in known:
                continue
            new.setdefault(identity, line)
        if self._seen is not None:
            self._seen.update(new)
        elif known:
            moved = [(segment, at, size, i) for r, at, size in lines if (i := bytes.fromhex(r.id)) in known]
            for table in ("record", "held"):
                query = f"UPDATE {table} SET segment = ?, offset = ?, length = ? WHERE id = ?"  # noqa: S608 (names of ours)
                self._db.executemany(query, moved)
        self._insert(segment, new)

    def _known(self, lines: Sequence[Line]) -> set[bytes]:
        if self._seen is not None:
            return self._seen
        ids = (bytes.fromhex(line.record.id) for line in lines)
        found: set[bytes] = set()
        for part in chunks(ids, 500):
            marks = ",".join("?" * len(part))
            for table in ("record", "held"):
                query = f"SELECT id FROM {table} WHERE id IN ({marks})"  # noqa: S608 (only question marks)
                found.update(identity for (identity,) in self._db.execute(query, part))
        return found

    def _insert(self, segment: int, new: Mapping[bytes, Line]) -> None:
        rows = []
        of_kind: dict[str, list[tuple[Any, ...]]] = {}
        number = self._next
        for identity, (record, offset, length) in new.items():
            rows.append((number, identity, record.kind, record.clock, segment, offset, length))
            row = _ROWS.get(record.kind)
            if row is not None and record.known:
                of_kind.setdefault(record.kind, []).append((number, *row(record)))
            number += 1
        self._next = number
        if rows:
            self._db.executemany("INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        for kind, values in of_kind.items():
            marks = ", ".join("?" * len(values[0]))
            self._db.executemany(f"INSERT INTO {kind} VALUES ({marks})", values)  # noqa: S608 (names of ours)

    def finish(self) -> None:
        """Hold back what jumps ahead, and bring the folds up to date."""
        if self._seen is not None:
            create_indexes(self._db)
        if not self.count:
            return
        top = self._admit()
        if self._db.execute("SELECT 1 FROM record WHERE clock > ? LIMIT 1", (top,)).fetchone():
            self._hold_back(top)
        self._db.execute(_AFTER_OUTCOMES, (self._first - 1,))
        self._db.execute(_AFTER_COSTS, (self._first - 1,))

    def _admit(self) -> int:
        """The highest clock that lower ones lead up to, from 0."""
        row = self._db.execute("SELECT value FROM meta WHERE key = 'max_clock'").fetchone()
        top = 0 if row is None else int(row[0])
        while True:
            query = "SELECT max(clock) FROM record WHERE clock <= ?"
            (higher,) = self._db.execute(query, (top + MAX_CLOCK_JUMP,)).fetchone()
            if higher is None or higher <= top:
                break
            top = higher
        self._db.execute("INSERT OR REPLACE INTO meta VALUES ('max_clock', ?)", (str(top),))
        return top

    def _hold_back(self, top: int) -> None:
        self._db.execute(
            "INSERT OR IGNORE INTO held SELECT id, clock, segment, offset, length FROM record WHERE clock > ?", (top,)
        )
        for kind in _KIND_TABLES:
            self._db.execute(
                f"DELETE FROM {kind} WHERE record IN (SELECT n FROM record WHERE clock > ?)",  # noqa: S608 (names of ours)
                (top,),
            )
        self._db.execute("DELETE FROM record WHERE clock > ?", (top,))


def chunks(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """Lists of at most `size` items."""
    iterator = iter(items)
    while part := list(islice(iterator, size)):
        yield part


def _run(record: Record) -> tuple[Any, ...]:
    d = record.data
    return d["run"], d["mode"], d["pull_request"], d["findings"], d["in_scope"], d["verified"], d["total_ms"]


def _finding(record: Record) -> tuple[Any, ...]:
    d = record.data
    return d["finding"], d["rule_id"], d["pull_request"]


def _suggestion(record: Record) -> tuple[Any, ...]:
    d = record.data
    return (
        *(d["suggestion"], d["finding"], d["rule_id"], d["path"]),
        *(d["pull_request"], d["source"], int(d["verified"])),
    )


def _outcome(record: Record) -> tuple[Any, ...]:
    d = record.data
    return d["suggestion"], d["rule_id"], d["result"]


def _triage(record: Record) -> tuple[Any, ...]:
    names = ("action", "target", "finding", "rule_id", "path", "reason", "author", "expires")
    return (
        *(record.data.get(name) for name in names),
        record.at,
        record.data.get("pull_request"),
        record.data.get("command"),
    )


def _note(record: Record) -> tuple[Any, ...]:
    return tuple(record.data.get(name) for name in ("finding", "vote", "pull_request", "command"))


def _cost(record: Record) -> tuple[Any, ...]:
    d = record.data
    return (
        *(record.at[:10], d["backend"], d["input_tokens"], d["output_tokens"]),
        *(d["milliseconds"], d["microdollars"]),
    )


_ROWS: Mapping[str, Callable[[Record], tuple[Any, ...]]] = {
    "run": _run,
    "finding": _finding,
    "suggestion": _suggestion,
    "outcome": _outcome,
    "triage": _triage,
    "cost": _cost,
    "note": _note,
}
