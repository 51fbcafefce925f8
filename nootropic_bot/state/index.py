"""The local index: an SQLite database that folds the union of all segments into tables, so that questions are quick.

It lies in the git directory, is brought up to date from what the refs gained, and can be deleted at any time: the next
reader builds it again. What it says does not depend on the order in which segments came, and two clones with the same
records give the same answers:

- a record is known by its id, however many segments hold it;
- a line that is no record is quarantined by the hash of its bytes;
- a record whose clock is more than `MAX_CLOCK_JUMP` above the next lower one (or 0) is held back, with all above it,
  until others fill the gap;
- of several outcomes of a suggestion the one with the highest (clock, id) counts; a triage entry that was removed stays
  removed.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from nootropic_bot.errors import EnvironmentFault
from nootropic_bot.git import Repository
from nootropic_bot.gitwrite import list_refs
from nootropic_bot.state import indexfile, refs, tables
from nootropic_bot.state.schema import MAX_CLOCK_JUMP, Invalid, decode
from nootropic_bot.state.segments import find_segments, read_segments
from nootropic_bot.state.tables import Line, Loader, chunks

_HELD = f"its clock is more than {MAX_CLOCK_JUMP} ahead of all others"
# More rows a batch cost memory and gain nothing.
_BATCH = 20_000


class Place(NamedTuple):
    """Where a record's line is: the segment's blob, and the bytes in it."""

    oid: str
    offset: int
    length: int


class Quarantined(NamedTuple):
    """A line that is not part of the fold: SHA-256 of its bytes, its segment, its size in bytes, and why."""

    hash: str
    segment: str
    size: int
    reason: str


@dataclass(slots=True)
class Updated:
    """What an update brought: new records, and what could not be read (ref or blob id → why)."""

    records: int = 0
    damaged: dict[str, str] = field(default_factory=dict)


class Index:
    """Use `Index.open`, and `update` before asking."""

    def __init__(self, repo: Repository, database: sqlite3.Connection) -> None:
        self.repo = repo
        self.db = database

    @classmethod
    def open(cls, repo: Repository) -> Index:
        """The index of a repository, made anew when it is missing, damaged or of another version.

        Where the git directory can't be written it lives in memory.
        """
        return cls(repo, indexfile.connect(repo))

    def close(self) -> None:
        """Close the database."""
        self.db.close()

    def discard(self) -> None:
        """Throw the database away, because it is damaged, and begin a new one; `update` fills it."""
        self.db.close()
        self.db = indexfile.connect_anew(self.repo)

    @property
    def max_clock(self) -> int:
        """The highest clock of the fold, 0 when it is empty."""
        row = self.db.execute("SELECT value FROM meta WHERE key = 'max_clock'").fetchone()
        return 0 if row is None else int(row[0])

    def tips(self) -> dict[str, str]:
        """The refs that the index has read, and their commits then."""
        return dict(self.db.execute("SELECT name, tip FROM ref"))

    def rebuild(self) -> Updated:
        """Forget everything and read it again."""
        with self._transaction():
            tables.clear(self.db)
        return self.update()

    def update(self) -> Updated:
        """Read what the refs gained since the last time.

        Raises:
            EnvironmentFault: the database can't be written (disk full).
        """
        try:
            return self._update()
        except sqlite3.OperationalError as error:
            remedy = "free space on the disk, then run again"
            raise EnvironmentFault(f"the index of the state could not be written: {error}", remedy) from error
        except sqlite3.DatabaseError:
            self.discard()
            return self._update()

    def _update(self) -> Updated:
        listed = list_refs(self.repo, refs.LOCAL)
        current = {ref.name: ref.oid for ref in listed if refs.is_ours(ref.name)}
        if current == self.tips() and not self._unread():
            return Updated()
        result = Updated()
        with self._transaction():
            # Looked at again inside: another process may have read the same meanwhile.
            before = self.tips()
            changed = [(name, oid) for name, oid in current.items() if before.get(name) != oid]
            found = find_segments(self.repo, changed, [o for n, o in before.items() if not refs.is_base(n)])
            result.damaged.update(found.damaged)
            seen = {oid for (oid,) in self.db.execute("SELECT oid FROM segment")}
            again = self._unread()
            if again:
                again &= set(find_segments(self.repo, current.items()).oids)
            new = [oid for oid in found.oids if oid not in seen and oid not in again]
            result.records = self._read([*new, *sorted(again)], result.damaged)
            self._remember_unread(result.damaged.keys() - found.damaged.keys())
            self._readmit()
            # What could not be read is tried again next time.
            tips = {n: before.get(n) if n in found.damaged else oid for n, oid in current.items()}
            self.db.execute("DELETE FROM ref")
            self.db.executemany("INSERT INTO ref VALUES (?, ?)", [(n, o) for n, o in tips.items() if o is not None])
        return result

    def add(self, ref: str, before: str | None, tip: str, segments: Sequence[tuple[str, Sequence[Line]]]) -> None:
        """Take in what this process just appended, if the index knew all of the log before; else an update will.

        It is in the refs already: a database that fails is the next reader's to mend.
        """
        with contextlib.suppress(sqlite3.DatabaseError), self._transaction():
            known = self.db.execute("SELECT tip FROM ref WHERE name = ?", (ref,)).fetchone()
            if known != (None if before is None else (before,)):
                return
            loader = Loader(self.db, bulk=False)
            for oid, lines in segments:
                loader.load(self._segment(oid), lines)
            loader.finish()
            self._readmit()
            self.db.execute("INSERT OR REPLACE INTO ref VALUES (?, ?)", (ref, tip))

    def places(self, ids: Iterable[str]) -> dict[str, Place]:
        """Where records are, by id."""
        found = {}
        for part in chunks(ids, 500):
            marks = ",".join("?" * len(part))
            query = (
                "SELECT lower(hex(r.id)), s.oid, r.offset, r.length FROM record r JOIN segment s ON s.n = r.segment "  # noqa: S608 (only question marks)
                f"WHERE r.id IN ({marks})"
            )
            for identity, *place in self.db.execute(query, [bytes.fromhex(each) for each in part]):
                found[identity] = Place(*place)
        return found

    def lines(self, ids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """The lines of records with their ids, in the order asked for; one whose segment is gone is left out."""
        for part in chunks(ids, 2000):
            places = self.places(part)
            contents = dict(read_segments(self.repo, list(dict.fromkeys(place.oid for place in places.values()))))
            for identity in part:
                place = places.get(identity)
                content = contents.get(place.oid) if place else None
                if place is not None and content is not None:
                    yield identity, content[place.offset : place.offset + place.length]

    def quarantined(self) -> list[Quarantined]:
        """The lines that are no part of the fold, malformed ones first."""
        malformed = (
            "SELECT lower(hex(q.hash)), s.oid, q.length, q.reason FROM quarantine q JOIN segment s ON s.n = q.segment "
            "ORDER BY q.hash"
        )
        held = "SELECT lower(hex(h.id)), s.oid, h.length FROM held h JOIN segment s ON s.n = h.segment ORDER BY h.id"
        found = [Quarantined(*row) for row in self.db.execute(malformed)]
        return found + [Quarantined(oid, segment, size, _HELD) for oid, segment, size in self.db.execute(held)]

    def digest(self) -> str:
        """A hash over the whole fold: equal in every clone that has the same records."""
        digest = hashlib.sha256()
        for query in tables.FOLD:
            for row in self.db.execute(query):
                digest.update(json.dumps(row, default=bytes.hex).encode())
        return digest.hexdigest()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def _unread(self) -> set[str]:
        """Segments that could not be read; each update tries again."""
        return {oid for (oid,) in self.db.execute("SELECT oid FROM unread")}

    def _remember_unread(self, oids: Iterable[str]) -> None:
        self.db.execute("DELETE FROM unread")
        self.db.executemany("INSERT INTO unread VALUES (?)", [(oid,) for oid in oids])

    def _segment(self, oid: str) -> int:
        self.db.execute("INSERT OR IGNORE INTO segment (oid) VALUES (?)", (oid,))
        return int(self.db.execute("SELECT n FROM segment WHERE oid = ?", (oid,)).fetchone()[0])

    def _read(self, oids: Sequence[str], damaged: dict[str, str]) -> int:
        if not oids:
            return 0
        is_empty = self.db.execute("SELECT 1 FROM record LIMIT 1").fetchone() is None
        loader = Loader(self.db, bulk=is_empty and len(oids) > 1)
        with _no_garbage_collection():
            self._load(loader, oids, damaged)
        loader.finish()
        return loader.count

    def _load(self, loader: Loader, oids: Sequence[str], damaged: dict[str, str]) -> None:
        for oid, content in read_segments(self.repo, oids):
            if content is None:
                damaged[oid] = "missing, damaged or too large"
                continue
            segment = self._segment(oid)
            for part in chunks(self._lines(segment, content), _BATCH):
                loader.load(segment, part)

    def _lines(self, segment: int, content: bytes) -> Iterator[Line]:
        offset = 0
        for line in content.split(b"\n"):
            if line:
                try:
                    yield Line(decode(line), offset, len(line))
                except Invalid as error:
                    row = (hashlib.sha256(line).digest(), segment, offset, len(line), str(error))
                    self.db.execute("INSERT OR IGNORE INTO quarantine VALUES (?, ?, ?, ?, ?)", row)
            offset += len(line) + 1

    def _readmit(self) -> None:
        """Let held-back records in again as far as lower clocks now lead up to them."""
        while True:
            query = (
                "SELECT lower(hex(h.id)), s.oid, s.n, h.offset, h.length FROM held h JOIN segment s ON s.n = h.segment "
                "WHERE h.clock <= ? ORDER BY h.clock"
            )
            rows = list(self.db.execute(query, (self.max_clock + MAX_CLOCK_JUMP,)))
            if not rows:
                return
            contents = dict(read_segments(self.repo, list(dict.fromkeys(row[1] for row in rows))))
            loader = Loader(self.db, bulk=False)
            for identity, oid, segment, offset, length in rows:
                self.db.execute("DELETE FROM held WHERE id = ?", (bytes.fromhex(identity),))
                line = (contents.get(oid) or b"")[offset : offset + length]
                if line:
                    loader.load(segment, [Line(decode(line), offset, length)])
            loader.finish()


@contextlib.contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Millions of small containers come and go here without a cycle among them; looking for one took a tenth."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
