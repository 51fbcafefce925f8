"""The store: what the rest of the program uses of the state. Append here, ask the views, share with `sync.py`.

An append is acknowledged when it returns: its objects and its ref are on the disk. Nothing is shared before a sync.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from nootropic_bot.config import StateSettings
from nootropic_bot.errors import EnvironmentFault, UsageError
from nootropic_bot.git import Repository
from nootropic_bot.gitwrite import (
    Ref,
    RefConflict,
    RefUpdate,
    exist,
    list_refs,
    lock_age,
    remove_lock,
    update_refs,
    write_blobs,
    write_commit,
    write_tree,
)
from nootropic_bot.state import refs, writers
from nootropic_bot.state.index import Index
from nootropic_bot.state.redact import redact
from nootropic_bot.state.schema import MAX_LINE_BYTES, SCHEMA, Draft, Record, encode, now
from nootropic_bot.state.segments import SEGMENT_SUFFIX, attachment_path, split_segments
from nootropic_bot.state.tables import Line

# A log longer than this is closed and the next append begins a new one, so that compaction can fold it.
MAX_LOG_SEGMENTS = 1000
# Objects that git's garbage collection took between their writing and the ref that names them are written again.
_ATTEMPTS = 3
_STALE_LOCK_SECONDS = 60.0
# Appends of more records leave the index to the next reader, who reads them in bulk.
_MAX_INDEXED = 500


@dataclass(frozen=True, slots=True)
class Appended:
    """The ids of the new records, in order, and how many secrets were taken out before they were written."""

    ids: tuple[str, ...]
    redacted: int


class Store:
    """The state of one repository. Threads may share a store; processes each have their own.

    Raises:
        EnvironmentFault: on any write, when the disk is full or the git directory can't be written.
    """

    def __init__(self, repo: Repository, settings: StateSettings) -> None:
        self.repo = repo
        self.settings = settings
        self.namespace = refs.Namespace(f"refs/{settings.namespace}")
        self.writers_folder = repo.cache_dir / "writers"
        self._lock = threading.RLock()
        self._index: Index | None = None
        self._writer: writers.Writer | None = None
        self._head: str | None = None
        self._tip = refs.Tip(0, 0, closed=False)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the writer id and the index."""
        with self._lock:
            self._release()
            if self._index is not None:
                self._index.close()
                self._index = None

    @property
    def index(self) -> Index:
        """The local index as it is; `index.update()` brings it up to date."""
        if self._index is None:
            self._index = Index.open(self.repo)
        return self._index

    def append(self, drafts: Sequence[Draft], attachments: Sequence[bytes] = (), *, closing: bool = False) -> Appended:
        """Write records, durably, as one segment; all of them or none.

        Args:
            drafts: records to write; secrets are taken out of every string.
            attachments: texts that records name by SHA-256; the caller has looked for secrets in them.
            closing: this clone's current writer writes no more.
        """
        if not drafts:
            return Appended((), 0)
        clean, redacted = redact(drafts)
        with self._lock:
            writer = self._acquire()
            at, clock = now(), max(self._tip.clock, self._known_clock())
            lines, records = [], []
            for draft in clean:
                clock += 1
                identity, line = encode(draft, writer.id, clock, at)
                if len(line) > MAX_LINE_BYTES:
                    raise UsageError(
                        f"a record of kind {draft.kind} has {len(line)} bytes, {MAX_LINE_BYTES} is the most"
                    )
                lines.append(line)
                records.append(Record(identity, draft.kind, SCHEMA, writer.id, clock, at, draft.data, known=True))
            self._write(lines, records, attachments, clock, closing=closing)
        return Appended(tuple(record.id for record in records), redacted)

    def append_verbatim(self, lines: Sequence[bytes], attachments: Sequence[bytes] = ()) -> None:
        """Write lines that were records before, as they are: what the remote lost, other writers' records among it."""
        if not lines and not attachments:
            return
        with self._lock:
            self._acquire()
            self._write(lines, (), attachments, max(self._tip.clock, self._known_clock()), closing=False)

    def close_logs(self) -> None:
        """Say that this clone's writers are finished, but for those in use: a job that ends leaves logs to compact."""
        with self._lock:
            self._release()
            for ref in self.logs():
                if refs.Tip.parse(ref.subject).closed:
                    continue
                writer = writers.take(self.writers_folder, ref.name.rsplit("/", 1)[1])
                if writer is not None:
                    self._use(writer, ref)
                    self._write((), (), (), self._tip.clock, closing=True)

    def state_refs(self, below: str = refs.LOCAL) -> list[Ref]:
        """The refs of the state in this clone, its own and tracked ones."""
        return [ref for ref in list_refs(self.repo, below) if refs.is_ours(ref.name)]

    def logs(self) -> list[Ref]:
        """This clone's own logs."""
        return self.state_refs(f"{refs.LOCAL}/log")

    def tracked(self) -> dict[str, Ref]:
        """What the remote had when last seen, by local name."""
        return {ref.name: ref for ref in self.state_refs(refs.TRACKED)}

    def abandon_log(self) -> None:
        """Write under another id from now on: this one is in use elsewhere, or its log was compacted."""
        with self._lock:
            self._release(retire=True)

    @property
    def writer_id(self) -> str | None:
        """The id this process writes under, if it has written."""
        return None if self._writer is None else self._writer.id

    def _known_clock(self) -> int:
        if not self._index_exists():
            self.index.update()
        return self.index.max_clock

    def _acquire(self) -> writers.Writer:
        locked: set[str] = set()
        while self._writer is None:
            writer = writers.acquire(self.writers_folder, but=locked)
            if self._is_locked(writer.id):
                locked.add(writer.id)
                writer.release()
                continue
            ref = next(iter(list_refs(self.repo, f"{refs.LOCAL}/log/{writer.id}")), None)
            tip = refs.Tip.parse(ref.subject) if ref else refs.Tip(0, 0, closed=False)
            if tip.closed or (ref is not None and not exist(self.repo, [ref.oid])):
                writer.release(retire=True)
                continue
            self._use(writer, ref)
        return self._writer

    def _use(self, writer: writers.Writer, ref: Ref | None) -> None:
        self._writer = writer
        self._head = ref.oid if ref else None
        self._tip = refs.Tip.parse(ref.subject) if ref else refs.Tip(0, 0, closed=False)

    def _is_locked(self, writer: str) -> bool:
        """Whether git has the ref of an id locked; a lock that a killed process left is removed (row F2).

        The id is ours alone, but `git gc` locks all refs for a moment: a young lock is left alone, and so is the id.
        """
        name = f"{refs.LOCAL}/log/{writer}"
        age = lock_age(self.repo, name)
        if age is not None and age > _STALE_LOCK_SECONDS:
            remove_lock(self.repo, name)
            return False
        return age is not None

    def _release(self, *, retire: bool = False) -> None:
        if self._writer is not None:
            self._writer.release(retire=retire)
        self._writer, self._head, self._tip = None, None, refs.Tip(0, 0, closed=False)

    def _write(
        self,
        lines: Sequence[bytes],
        records: Sequence[Record],
        attachments: Sequence[bytes],
        clock: int,
        *,
        closing: bool,
    ) -> None:
        segments = split_segments(lines)
        parent = self._head
        for attempt in range(_ATTEMPTS):
            ref = f"{refs.LOCAL}/log/{self._acquire().id}"
            count = self._tip.segments + 1
            tip = refs.Tip(count, clock, closed=closing or count >= MAX_LOG_SEGMENTS)
            try:
                blobs, tree, head = self._store(segments, attachments, parent, tip)
            except EnvironmentFault:
                # It removes empty folders of objects, too, just before git writes into one.
                if attempt + 1 < _ATTEMPTS:
                    continue
                raise
            try:
                update_refs(self.repo, [RefUpdate(ref, head, self._head)])
            except RefConflict:
                # A sync of this clone gave our log another id, or somebody moved the ref by hand.
                self._release()
                self._acquire()
                parent = self._head
                continue
            self._head = head
            if exist(self.repo, [*blobs, tree, head]):
                break
        else:
            raise EnvironmentFault(
                "git's garbage collection, or something else that moves refs, keeps getting in the way of recording",
                "try again when it is done",
            )
        self._tip = tip
        if 0 < len(records) <= _MAX_INDEXED and self._index_exists():
            located = _locate(segments, records)
            self.index.add(ref, parent, head, [(blobs[n], part) for n, part in enumerate(located)])
        if tip.closed:
            self._release(retire=True)

    def _store(
        self, segments: Sequence[bytes], attachments: Sequence[bytes], parent: str | None, tip: refs.Tip
    ) -> tuple[list[str], str, str]:
        """The ids of the blobs, the tree and the commit."""
        blobs = write_blobs(self.repo, [*segments, *attachments]) if segments or attachments else []
        names = [f"{number}{SEGMENT_SUFFIX}" for number in range(len(segments))]
        names += map(attachment_path, attachments)
        tree = write_tree(self.repo, zip(names, blobs, strict=True))
        return blobs, tree, write_commit(self.repo, tree, [parent] if parent else [], tip.subject())

    def _index_exists(self) -> bool:
        return self._index is not None or (self.repo.cache_dir / "state.sqlite").exists()


def _locate(segments: Sequence[bytes], records: Sequence[Record]) -> list[list[Line]]:
    """Records with their places, by segment."""
    remaining = iter(records)
    located = []
    for segment in segments:
        offset, found = 0, []
        for line in segment.split(b"\n")[:-1]:
            found.append(Line(next(remaining), offset, len(line)))
            offset += len(line) + 1
        located.append(found)
    return located
