"""Sharing: fetch what others recorded, take the union, push what only this clone has.

Every writer has a ref of its own, so a push normally meets nobody. What can go wrong, and what happens then:

1. A push is refused, whatever the reason: read the remote again, wait a random moment, try again; its text is not
   looked at.
2. Another clone writes under our id (a copied clone): our log goes on under a new id.
3. A log of ours is gone from the remote: when all its records are in the remote's other refs it was compacted, and we
   let it go; otherwise we publish it again.
4. A ref of the remote was rewritten or deleted: what we have seen of it stays here, and records that the remote no
   longer has are published again, word for word, in our log.
5. The remote can't be reached or refuses all: everything stays here, for the next sync.

Nothing that was fetched is let go before its records are safe: fetches neither force nor prune, the old tip of a
rewritten ref keeps its name until then, so being killed at any point costs no more than doing it again.
"""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from nootropic_bot.errors import RemoteError
from nootropic_bot.git import Repository
from nootropic_bot.gitwrite import (
    REFS_A_PUSH,
    Ref,
    RefConflict,
    RefUpdate,
    check_remote,
    exist,
    fetch,
    is_ancestor,
    list_refs,
    list_remote,
    push,
    update_refs,
    without_credentials,
)
from nootropic_bot.process import Completed
from nootropic_bot.state import refs, writers
from nootropic_bot.state.schema import line_id
from nootropic_bot.state.segments import find_attachments, find_segments, read_segments, salvage
from nootropic_bot.state.store import Store
from nootropic_bot.state.tables import chunks

ATTEMPTS = 6
_FIRST_WAIT_SECONDS = 0.05

Sleep = Callable[[float], None]


@dataclass(slots=True)
class Synced:
    """What a sync did. `notes` are for people: what was found wrong and mended."""

    received: int = 0
    pushed_logs: int = 0
    republished: int = 0
    damaged: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class Sync:
    """One sync of a store with its remote."""

    def __init__(self, store: Store, *, sleep: Sleep = time.sleep) -> None:
        self.store = store
        self.repo = store.repo
        self.namespace = store.namespace
        self.remote = check_remote(store.repo, store.settings.remote)
        self.result = Synced()
        self._sleep = sleep

    def run(self) -> Synced:
        """Fetch, take the union, push.

        Raises:
            RemoteError: the remote can't be read, or refuses our records; nothing is lost, sync again later.
            UsageError: the repository has no such remote.
        """
        with writers.alone(self.store.writers_folder):
            seen = self.pull()
            self._hand_over_local_base(seen)
            self.publish(seen)
        return self.result

    def fetch_alone(self) -> Synced:
        """Fetch and take in, but push nothing: for who only reads.

        Raises:
            RemoteError: the remote can't be read.
            UsageError: the repository has no such remote.
        """
        with writers.alone(self.store.writers_folder):
            self.pull()
        return self.result

    def pull(self) -> dict[str, str]:
        """Fetch and take in; what the remote has, by the names it has here."""
        before = self.store.tracked()
        # What a sync that was killed had fetched aside: let go only when its records are safe, too.
        left = list_refs(self.repo, refs.INCOMING.rstrip("/"))
        seen = self._fetch(self._look())
        replaced = self._rewritten(before, seen)
        updated = self.store.index.update()
        self.result.received += updated.records
        self.result.damaged.update(updated.damaged)
        gone = [*left, *(ref for name, ref in before.items() if name not in seen or name in replaced)]
        if gone:
            tracked = self.store.tracked()
            live = {**{name: ref.oid for name, ref in tracked.items() if name in seen}, **replaced}
            held = set(find_segments(self.repo, live.items()).oids)
            self._let_go_compacted(gone, held)
            self._save_lost(gone, held)
        self._settle(gone, replaced)
        return seen

    def publish(self, seen: Mapping[str, str] | None = None) -> None:
        """Push the logs that the remote lacks.

        Args:
            seen: what the remote has, by the names it has here; None: as last seen, without asking it first.

        Raises:
            RemoteError: it refuses them.
        """
        failure = ""
        for attempt in range(ATTEMPTS):
            here = {ref.name: ref for ref in self.store.state_refs()}
            tracked = {name: ref.oid for name, ref in here.items() if refs.is_tracked(name)}
            waiting = self._unpublished(here, tracked if seen is None else seen)
            if not waiting:
                return
            failed = [done for done in self._push(waiting) if done.returncode]
            if not failed:
                self._pushed(waiting, tracked)
                return
            failure = failed[0].error_text
            self._set_aside_damaged(waiting)
            seen = self._look()
            arrived = [ref for ref in waiting if seen.get(_tracked_name(ref.name)) == ref.oid]
            self._pushed(arrived, tracked)
            self._resolve_shared_ids(seen, [ref for ref in waiting if ref not in arrived])
            if attempt + 1 < ATTEMPTS:
                self._sleep(_FIRST_WAIT_SECONDS * 2**attempt * (0.5 + random.random()))  # noqa: S311 (jitter)
        raise RemoteError(
            f"the remote {self.remote!r} does not take the records of this clone: {without_credentials(failure)}",
            "they stay here and are pushed by the next sync; if you may push branches only, "
            'set `[state] namespace = "heads/nootropic"`',
        )

    def _set_aside_damaged(self, logs: Sequence[Ref]) -> None:
        """A log that lacks an object would make every push fail: what can be read of it goes on under another id.

        The rest keeps a name, `refs/nootropic/damaged/…`, should the object turn up again.
        """
        damaged = find_segments(self.repo, [(ref.name, ref.oid) for ref in logs]).damaged
        self.result.damaged.update(damaged)
        for ref in logs:
            if ref.name not in damaged:
                continue
            writer = _writer(ref.name)
            if writer == self.store.writer_id:
                self.store.abandon_log()
            writers.retire(self.store.writers_folder, writer)
            readable = dict(_records_of(self.repo, salvage(self.repo, ref.oid)))
            self.store.append_verbatim(list(readable.values()))
            updates = [RefUpdate(ref.name, None, ref.oid)]
            if exist(self.repo, [ref.oid]):
                updates.append(RefUpdate(f"{refs.LOCAL}/damaged/{writers.new_id()}", ref.oid, None))
            with contextlib.suppress(RefConflict):
                update_refs(self.repo, updates)
            self.result.notes.append(f"a log of this clone is damaged: {len(readable)} of its records can be read")

    def _push(self, logs: Sequence[Ref]) -> Iterator[Completed]:
        for part in chunks(logs, REFS_A_PUSH):
            yield push(self.repo, self.remote, [f"{ref.name}:{self.namespace.log(_writer(ref.name))}" for ref in part])

    def _look(self) -> dict[str, str]:
        return self.namespace.tracked(list_remote(self.repo, self.remote, self.namespace.patterns()))

    def _fetch(self, seen: dict[str, str]) -> dict[str, str]:
        """Bring tracked refs up to what the remote has, but for rewritten ones; what it has and can give."""
        for attempt in range(2):
            tracked = {name: ref.oid for name, ref in self.store.tracked().items()}
            changed = [name for name, oid in seen.items() if tracked.get(name) != oid]
            if not changed:
                return seen
            done = fetch(self.repo, self.remote, self._refspecs(changed))
            if done.returncode == 0 or not self._absent(changed):
                return seen
            # A ref vanished between looking and fetching, or something went wrong.
            self._sleep(_FIRST_WAIT_SECONDS * 2**attempt * (0.5 + random.random()))  # noqa: S311 (jitter)
            seen = self._look()
        # One ref that the remote can't give must not keep the others back.
        absent = self._absent(seen)
        failed = {}
        for name in absent:
            done = fetch(self.repo, self.remote, self._refspecs([name]))
            if done.returncode:
                failed[name] = without_credentials(done.error_text)
        if failed and len(failed) == len(seen):
            raise self._fetch_failure(done)
        self.result.damaged.update(failed)
        return {name: oid for name, oid in seen.items() if name not in failed}

    def _absent(self, names: Iterable[str]) -> list[str]:
        tracked = self.store.tracked()
        return [name for name in names if name not in tracked]

    def _refspecs(self, names: Iterable[str]) -> list[str]:
        return [f"{self.namespace.on_remote(name)}:{name}" for name in names]

    def _rewritten(self, before: Mapping[str, Ref], seen: dict[str, str]) -> dict[str, str]:
        """Refs whose commit on the remote does not contain what was tracked before, with that commit, fetched aside."""
        tracked = self.store.tracked()
        found = {}
        for name, ref in before.items():
            # git moves a ref without force when one side is no commit.
            is_moved = name in tracked and tracked[name].oid != ref.oid
            if is_moved and not is_ancestor(self.repo, ref.oid, tracked[name].oid):
                found[name] = tracked[name].oid
        if all(tracked[name].oid == oid for name, oid in seen.items() if name in tracked):
            return found
        # Looked at again, for what was pushed meanwhile.
        for name, oid in self._look().items():
            if name not in tracked or tracked[name].oid == oid:
                continue
            aside = f"{refs.INCOMING}{writers.new_id()}"
            done = fetch(self.repo, self.remote, [f"+{self.namespace.on_remote(name)}:{aside}"])
            fetched = next(iter(list_refs(self.repo, aside)), None)
            if fetched is None or done.returncode:
                raise self._fetch_failure(done)
            seen[name] = fetched.oid
            if is_ancestor(self.repo, tracked[name].oid, fetched.oid):
                # The fetch could have moved it, but did not; this says why not (row F2).
                update_refs(self.repo, [RefUpdate(name, fetched.oid, tracked[name].oid)])
            else:
                found[name] = fetched.oid
        return found

    def _fetch_failure(self, done: Completed) -> RemoteError:
        return RemoteError(
            f"the state of the remote {self.remote!r} can't be fetched: {without_credentials(done.error_text)}",
            "what was recorded here stays, sync again later",
        )

    def _save_lost(self, gone: Sequence[Ref], held: set[str]) -> None:
        """Publish again the records of vanished refs that no ref of the remote holds any more."""
        lost = self._missing([(ref.name, ref.oid) for ref in gone], held)
        if not lost:
            return
        attached = find_attachments(self.repo, [ref.oid for ref in gone])
        # What our own logs hold is pushed with them.
        own = find_segments(self.repo, [(ref.name, ref.oid) for ref in self.store.logs()]).oids
        foreign = dict(lost)
        for _oid, content in read_segments(self.repo, own):
            for identity, _line in _records(content):
                foreign.pop(identity, None)
        attachments = [content for _oid, content in read_segments(self.repo, list(attached.values())) if content]
        self.store.append_verbatim(list(foreign.values()), attachments if foreign else [])
        self.result.republished += len(lost)
        self.result.notes.append(
            f"the remote lost {len(lost)} records that it had (a state ref was rewritten or deleted there); "
            "this clone publishes them again"
        )

    def _missing(self, tips: Sequence[tuple[str, str]], held: set[str]) -> dict[str, bytes]:
        """The records of refs that are in none of the segments `held`, as lines by id."""
        lines: dict[str, bytes] = {}
        for _oid, content in read_segments(
            self.repo, [o for o in find_segments(self.repo, tips).oids if o not in held]
        ):
            lines.update(_records(content))
        for identity, place in self.store.index.places(lines).items():
            if place.oid in held:
                del lines[identity]
        # The index knows one place of a record; where that says no, only reading tells.
        if lines:
            for _oid, content in read_segments(self.repo, list(held)):
                for identity, _line in _records(content):
                    lines.pop(identity, None)
        return lines

    def _settle(self, gone: Sequence[Ref], replaced: Mapping[str, str]) -> None:
        """The tracked refs now say what the remote has."""
        tracked = self.store.tracked()
        updates = [RefUpdate(r.name, replaced.get(r.name), tracked[r.name].oid) for r in gone if r.name in tracked]
        updates += [RefUpdate(ref.name, None, ref.oid) for ref in list_refs(self.repo, refs.INCOMING.rstrip("/"))]
        # On a conflict another sync of this clone was quicker; the next one looks again.
        with contextlib.suppress(RefConflict):
            update_refs(self.repo, updates)

    def _let_go_compacted(self, gone: Sequence[Ref], held: set[str]) -> None:
        """Drop own logs that are gone from the remote and whose records its other refs hold."""
        names = {ref.name for ref in gone}
        for ref in self.store.logs():
            if _tracked_name(ref.name) not in names or self._missing([(ref.name, ref.oid)], held):
                continue
            writer = _writer(ref.name)
            if writer == self.store.writer_id:
                self.store.abandon_log()
            elif writers.is_in_use(self.store.writers_folder, writer):
                continue
            writers.retire(self.store.writers_folder, writer)
            with contextlib.suppress(RefConflict):
                update_refs(self.repo, [RefUpdate(ref.name, None, ref.oid)])

    def _hand_over_local_base(self, seen: Mapping[str, str]) -> None:
        """What was compacted here, before there was a remote, goes into our log."""
        local = next(iter(list_refs(self.repo, refs.BASE)), None)
        if local is None:
            return
        tracked = self.store.tracked()
        held = set(find_segments(self.repo, [(n, r.oid) for n, r in tracked.items() if n in seen]).oids)
        lines = self._missing([(local.name, local.oid)], held)
        attachments = read_segments(self.repo, list(find_attachments(self.repo, [local.oid]).values()))
        self.store.append_verbatim(list(lines.values()), [content for _oid, content in attachments if content])
        with contextlib.suppress(RefConflict):
            update_refs(self.repo, [RefUpdate(local.name, None, local.oid)])

    def _unpublished(self, here: Mapping[str, Ref], seen: Mapping[str, str]) -> list[Ref]:
        return [
            ref
            for name, ref in here.items()
            if refs.is_log(name)
            and seen.get(_tracked_name(ref.name)) != ref.oid
            and not (_tracked_name(ref.name) in seen and is_ancestor(self.repo, ref.oid, seen[_tracked_name(ref.name)]))
        ]

    def _pushed(self, logs: Sequence[Ref], tracked: Mapping[str, str]) -> None:
        updates = [RefUpdate(name, ref.oid, tracked.get(name)) for ref in logs if (name := _tracked_name(ref.name))]
        # On a conflict another sync of this clone has been here; what it tracked is true as well.
        with contextlib.suppress(RefConflict):
            update_refs(self.repo, updates)
        self.result.pushed_logs += len(logs)

    def _resolve_shared_ids(self, seen: Mapping[str, str], refused: Sequence[Ref]) -> None:
        """Give a log of ours a new id where the remote's log of this id is not a beginning of it."""
        for ref in refused:
            theirs = seen.get(_tracked_name(ref.name))
            if theirs is None or is_ancestor(self.repo, theirs, ref.oid):
                continue
            writer = _writer(ref.name)
            if writer == self.store.writer_id:
                self.store.abandon_log()
            writers.retire(self.store.writers_folder, writer)
            renamed = f"{refs.LOCAL}/log/{writers.new_id()}"
            with contextlib.suppress(RefConflict):
                update_refs(self.repo, [RefUpdate(renamed, ref.oid, None), RefUpdate(ref.name, None, ref.oid)])
            self.result.notes.append(
                "another clone writes under the same id (was this one copied?): a new id was taken"
            )


def _writer(name: str) -> str:
    return name.rsplit("/", 1)[1]


def _tracked_name(log: str) -> str:
    return f"{refs.TRACKED_LOG}{_writer(log)}"


def _records_of(repo: Repository, oids: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    for _oid, content in read_segments(repo, oids):
        yield from _records(content)


def _records(content: bytes | None) -> Iterator[tuple[str, bytes]]:
    """The lines of a segment that are what their ids say, by id."""
    for line in (content or b"").split(b"\n"):
        identity = line_id(line)
        if identity is not None:
            yield identity, line
