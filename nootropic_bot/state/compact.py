"""Compaction: the logs of finished writers are folded into the base, and their refs removed.

Every CI job is a writer of its own, so refs pile up. A writer is finished when it closed its log or has been silent for
`SILENCE_SECONDS`; should one of the silent come back, its log is there again and the union takes care of it.

No record is changed or dropped: lines are moved as they are, unknown kinds, held-back and malformed ones among them
(a blob with a line that is no record stays whole, under `quarantine/`). The base moves by compare-and-swap: of
two compactions at once one wins, the other's work is thrown away. Only then are the folded refs removed, each only if
it still holds what was folded. Being killed in between leaves records twice, which the union does not mind, and the
next compaction removes the refs.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from nootropic_bot.gitwrite import (
    REFS_A_PUSH,
    Ref,
    RefConflict,
    RefUpdate,
    is_commit,
    list_refs,
    push,
    update_refs,
    write_blobs,
    write_commit,
    write_tree,
)
from nootropic_bot.state import refs, writers
from nootropic_bot.state.schema import MAX_LINE_BYTES, line_id
from nootropic_bot.state.segments import (
    MAX_SEGMENT_BYTES,
    SEGMENT_SUFFIX,
    blob_sizes,
    find_attachments,
    find_segments,
    read_segments,
    split_segments,
    tree_blobs,
)
from nootropic_bot.state.store import Store
from nootropic_bot.state.sync import Sleep, Sync, Synced
from nootropic_bot.state.tables import chunks

SILENCE_SECONDS = 7 * 24 * 3600
# A sync that sees this many finished writers compacts by itself.
PILE = 64


@dataclass(frozen=True, slots=True)
class Compacted:
    """What a compaction did: writers folded, records gained, and whether the base had moved (or was refused)."""

    writers: int = 0
    records: int = 0
    was_overtaken: bool = False


class Folded(NamedTuple):
    """The base's new commit (None: it holds everything already), the records it gained, and the logs it holds."""

    commit: str | None
    records: int
    logs: list[Ref]


def finished(tracked: Mapping[str, Ref], now: float | None = None) -> list[Ref]:
    """The remote's logs that no one writes any more, as last seen."""
    moment = time.time() if now is None else now
    return [ref for name, ref in sorted(tracked.items()) if not refs.is_base(name) and _is_finished(ref, moment)]


def _is_finished(ref: Ref, moment: float) -> bool:
    return refs.Tip.parse(ref.subject).closed or moment - ref.time > SILENCE_SECONDS


def compact_remote(store: Store, sync: Sync, now: float | None = None) -> Compacted:
    """Fold the finished writers of the remote into its base; the store has just been synced.

    Raises:
        RemoteError: the remote can't be reached.
    """
    with writers.alone(store.writers_folder):
        return _compact_remote(store, sync, now)


def _compact_remote(store: Store, sync: Sync, now: float | None) -> Compacted:
    tracked = store.tracked()
    logs = finished(tracked, now)
    if not logs:
        return Compacted()
    base = tracked.get(refs.TRACKED_BASE)
    folded = fold(store, base, logs)
    if folded.commit is not None:
        lease = f"{store.namespace.base}:{base.oid if base else ''}"
        if push(store.repo, sync.remote, [f"{folded.commit}:{store.namespace.base}"], leases=[lease]).returncode:
            return Compacted(was_overtaken=True)
        with contextlib.suppress(RefConflict):
            update_refs(store.repo, [RefUpdate(refs.TRACKED_BASE, folded.commit, base.oid if base else None)])
    for part in chunks(folded.logs, REFS_A_PUSH):
        names = [(store.namespace.on_remote(ref.name), ref.oid) for ref in part]
        leases = [f"{name}:{oid}" for name, oid in names]
        removals = [f":{name}" for name, _oid in names]
        # In one transaction it is much faster; by itself each where one has moved on, or the server can't do that.
        if push(store.repo, sync.remote, removals, leases=leases, atomic=True).returncode:
            push(store.repo, sync.remote, removals, leases=leases)
    # What is gone there now is let go here by the rules of a sync.
    sync.pull()
    return Compacted(len(folded.logs), folded.records)


def compact_local(store: Store, now: float | None = None) -> Compacted:
    """The same for a repository without a remote: its own finished logs go into its own base."""
    moment = time.time() if now is None else now
    folder = store.writers_folder
    logs = [
        ref
        for ref in store.logs()
        if _is_finished(ref, moment) and not writers.is_in_use(folder, ref.name.rsplit("/", 1)[1])
    ]
    if not logs:
        return Compacted()
    base = next(iter(list_refs(store.repo, refs.BASE)), None)
    folded = fold(store, base, logs)
    updates = [RefUpdate(ref.name, None, ref.oid) for ref in folded.logs]
    if folded.commit is not None:
        updates.append(RefUpdate(refs.BASE, folded.commit, base.oid if base else None))
    for ref in folded.logs:
        writers.retire(folder, ref.name.rsplit("/", 1)[1])
    try:
        update_refs(store.repo, updates)
    except RefConflict:
        return Compacted(was_overtaken=True)
    store.index.update()
    return Compacted(len(folded.logs), folded.records)


def share(store: Store, *, closing: bool = False, sleep: Sleep = time.sleep) -> tuple[Synced, Compacted]:
    """Sync with the remote, and compact there when finished writers have piled up.

    Args:
        store: what to share.
        closing: this clone ends with this sync (a CI job): its writers close their logs, to be folded.
        sleep: waits a number of seconds between attempts.

    Raises:
        RemoteError, UsageError: see `Sync.run`.
    """
    if closing:
        store.close_logs()
    sync = Sync(store, sleep=sleep)
    synced = sync.run()
    piled = finished(store.tracked())
    return synced, compact_remote(store, sync) if len(piled) >= PILE else Compacted()


def fold(store: Store, base: Ref | None, logs: Sequence[Ref]) -> Folded:
    """The base with logs added, as a commit that no ref names yet.

    Raises:
        EnvironmentFault: the base itself is damaged.
    """
    repo = store.repo
    entries = dict(tree_blobs(repo, base.oid)) if base else {}
    before = dict(entries)
    present = set(entries.values())
    found = find_segments(repo, [(ref.name, ref.oid) for ref in logs])
    blobs = blob_sizes(repo, found.oids)
    whole = [ref for ref in logs if ref.name not in found.damaged]
    gained: dict[str, bytes] = {}
    for oid, content in read_segments(repo, [oid for oid in found.oids if oid not in present]):
        good = _good_lines(content or b"")
        if content is None or len(good) < sum(1 for line in content.split(b"\n") if line):
            # What is no blob can't be kept, and never was a segment.
            entries.update({f"quarantine/{oid}{SEGMENT_SUFFIX}": oid} if oid in blobs else {})
        gained.update(good)
    for identity, place in store.index.places(gained).items():
        if place.oid in present:
            del gained[identity]
    if gained:
        _add(store, entries, list(gained.values()))
    entries.update(find_attachments(repo, [ref.oid for ref in whole]))
    if entries == before:
        return Folded(None, 0, whole)
    tree = write_tree(repo, sorted(entries.items()))
    message = f"nootropic state: base, {len(gained)} records more [skip ci]"
    parents = [base.oid] if base and is_commit(repo, base.oid) else []
    return Folded(write_commit(repo, tree, parents, message), len(gained), whole)


def _good_lines(content: bytes) -> list[tuple[str, bytes]]:
    lines = ((line_id(line), line) for line in content.split(b"\n") if len(line) <= MAX_LINE_BYTES)
    return [(identity, line) for identity, line in lines if identity is not None]


def _add(store: Store, entries: dict[str, str], lines: list[bytes]) -> None:
    """Put lines into the base's segments; small ones are filled up in their order, so that git's deltas stay small."""
    sizes = blob_sizes(store.repo, list(entries.values()))
    small = [
        (path, oid)
        for path, oid in sorted(entries.items())
        if path.startswith("segments/") and sizes.get(oid, MAX_SEGMENT_BYTES) < MAX_SEGMENT_BYTES // 2
    ]
    contents = dict(read_segments(store.repo, [oid for _path, oid in small]))
    older: list[bytes] = []
    for path, oid in small:
        content = contents.get(oid)
        if content is not None:
            older += [line for line in content.split(b"\n") if line]
            del entries[path]
    for oid in write_blobs(store.repo, split_segments([*older, *lines])):
        entries[f"segments/{oid}{SEGMENT_SUFFIX}"] = oid
