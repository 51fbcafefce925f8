"""Segments: the blobs of JSON lines that refs of the state lead to, found and read in bulk.

A writer's log is a chain of commits; the tree of each holds only what that append added (`0.jsonl`, …), so appending
costs the same whatever came before. The tree of the base holds everything (`segments/<blob id>.jsonl`). Beside them
lie `attachments/<SHA-256>.json`: texts that records name by hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from nootropic_bot.errors import EnvironmentFault
from nootropic_bot.git import REGULAR_MODES, Repository
from nootropic_bot.gitwrite import exist
from nootropic_bot.state.refs import is_base

SEGMENT_SUFFIX = ".jsonl"
MAX_SEGMENT_BYTES = 4 << 20
# A blob above this is not read into memory.
MAX_BLOB_BYTES = 256 << 20
_BYTES_A_READ = 16 << 20


class Segment(NamedTuple):
    """A blob of lines and its size in bytes."""

    oid: str
    size: int


@dataclass(slots=True)
class Found:
    """Segments in the order of their logs, and what could not be read: ref name → what git says."""

    oids: list[str] = field(default_factory=list)
    damaged: dict[str, str] = field(default_factory=dict)


def find_segments(repo: Repository, tips: Iterable[tuple[str, str]], known: Iterable[str] = ()) -> Found:
    """The segments that refs (name, commit id) lead to.

    Args:
        repo: where to look.
        tips: refs to read; of a base its tree as it is now, of a log its whole chain.
        known: commits whose chains are known already; what they lead to may be left out.
    """
    found = Found()
    logs = []
    for name, oid in tips:
        if is_base(name):
            _add_tree(repo, name, oid, found)
        else:
            logs.append((name, oid))
    if logs:
        _add_logs(repo, logs, list(known), found)
    found.oids = list(dict.fromkeys(found.oids))
    return found


def _add_tree(repo: Repository, name: str, commit: str, found: Found) -> None:
    done = repo.run("ls-tree", "-r", "-z", "--full-tree", commit, check=False)
    if done.returncode:
        found.damaged[name] = done.error_text
        return
    for entry in done.stdout.decode("utf-8", "replace").split("\0"):
        meta, _tab, path = entry.partition("\t")
        if path.endswith(SEGMENT_SUFFIX):
            found.oids.append(meta.split(" ")[2])


def _add_logs(repo: Repository, logs: Sequence[tuple[str, str]], known: Sequence[str], found: Found) -> None:
    done = _walk(repo, [oid for _name, oid in logs], known)
    if done is not None:
        found.oids += done
        return
    # One damaged log must not hide the others (row F6).
    for name, oid in logs:
        alone = _walk(repo, [oid], known)
        if alone is None:
            found.damaged[name] = "an object that it needs is missing or damaged"
        else:
            found.oids += alone


def salvage(repo: Repository, tip: str) -> list[str]:
    """The segments of a damaged log that can still be reached: from its end back to the commit that is missing."""
    found = []
    commit: str | None = tip
    while commit is not None:
        listed = repo.run("ls-tree", "-r", "-z", "--full-tree", commit, check=False)
        for entry in listed.stdout.decode("utf-8", "replace").split("\0"):
            meta, _tab, path = entry.partition("\t")
            if path.endswith(SEGMENT_SUFFIX):
                found.append(meta.split(" ")[2])
        header = (
            repo.run("cat-file", "commit", commit, check=False).stdout.partition(b"\n\n")[0].decode("ascii", "replace")
        )
        parents = [line.removeprefix("parent ") for line in header.split("\n") if line.startswith("parent ")]
        commit = parents[0] if parents else None
    return found


def _walk(repo: Repository, tips: Sequence[str], known: Sequence[str]) -> list[str] | None:
    feed = "".join([*(f"{oid}\n" for oid in tips), *(f"^{oid}\n" for oid in known)]).encode()
    options = ("--objects", "--reverse", "--ignore-missing", "--stdin")
    done = repo.run("rev-list", *options, feed=feed, check=False)
    if done.returncode:
        return None
    oids = []
    for line in done.stdout.decode("utf-8", "replace").splitlines():
        oid, _space, path = line.partition(" ")
        if path.endswith(SEGMENT_SUFFIX):
            oids.append(oid)
    # `--ignore-missing` passes over a tip that is missing, too.
    return oids if exist(repo, list(tips)) else None


def read_segments(repo: Repository, oids: Sequence[str]) -> Iterator[tuple[str, bytes | None]]:
    """The content of segments, in order; None for one that is missing, damaged or too large to be read.

    The next part is read while the caller works on this one.
    """
    from concurrent.futures import ThreadPoolExecutor

    sizes = blob_sizes(repo, oids)
    parts: list[list[str]] = [[]]
    room = _BYTES_A_READ
    for oid in oids:
        size = sizes.get(oid)
        if size is None or size > MAX_BLOB_BYTES:
            continue
        if room < size and parts[-1]:
            parts.append([])
            room = _BYTES_A_READ
        parts[-1].append(oid)
        room -= size
    readable = {oid for part in parts for oid in part}
    with ThreadPoolExecutor(max_workers=1) as reader:
        pending = reader.submit(_read, repo, parts[0])
        for number in range(len(parts)):
            contents = pending.result()
            if number + 1 < len(parts):
                pending = reader.submit(_read, repo, parts[number + 1])
            for oid in parts[number]:
                yield oid, contents.get(oid)
    for oid in oids:
        if oid not in readable:
            yield oid, None


def blob_sizes(repo: Repository, oids: Sequence[str]) -> dict[str, int]:
    """Sizes of blobs in bytes, without reading them; what is missing, damaged or no blob is left out."""
    if not oids:
        return {}
    feed = "".join(f"{oid}\n" for oid in oids).encode()
    options = ("--batch-check=%(objectname) %(objecttype) %(objectsize)", "--buffer")
    done = repo.run("cat-file", *options, feed=feed, check=False)
    found = {}
    for line in done.stdout.decode("ascii", "replace").splitlines():
        oid, _space, rest = line.partition(" ")
        kind, _space, size = rest.partition(" ")
        if kind == "blob":
            found[oid] = int(size)
    if done.returncode and len(oids) > 1:
        return {oid: size for each in oids for oid, size in blob_sizes(repo, [each]).items()}
    return found


def _read(repo: Repository, oids: Sequence[str]) -> dict[str, bytes]:
    try:
        return repo.read_blobs(oids)
    except EnvironmentFault:
        if len(oids) <= 1:
            return {}
    return {oid: content for each in oids for oid, content in _read(repo, [each]).items()}


def split_segments(lines: Iterable[bytes]) -> list[bytes]:
    """Lines (without line ends) as segments, none much larger than `MAX_SEGMENT_BYTES`."""
    segments: list[list[bytes]] = []
    room = 0
    for line in lines:
        if room < len(line) or not segments:
            segments.append([])
            room = MAX_SEGMENT_BYTES
        segments[-1] += (line, b"\n")
        room -= len(line) + 1
    return [b"".join(segment) for segment in segments]


def attachment_path(content: bytes) -> str:
    """Where an attachment lies in a tree."""
    return f"attachments/{hashlib.sha256(content).hexdigest()}.json"


def tree_blobs(repo: Repository, commit: str) -> list[tuple[str, str]]:
    """Path and id of every ordinary file in a commit's tree.

    Raises:
        EnvironmentFault: it can't be read.
    """
    return [(entry.path, entry.oid) for entry in repo.tree_entries(commit) if entry.mode in REGULAR_MODES]


def find_attachments(repo: Repository, tips: Iterable[str]) -> dict[str, str]:
    """Path → blob id of all attachments that commits lead to."""
    feed = "".join(f"{oid}\n" for oid in tips).encode()
    done = repo.run("rev-list", "--objects", "--ignore-missing", "--stdin", feed=feed, check=False)
    found = {}
    for line in done.stdout.decode("utf-8", "replace").splitlines():
        oid, _space, path = line.partition(" ")
        if path.startswith("attachments/") and path.endswith(".json"):
            found[path] = oid
    return found


def read_attachment(repo: Repository, tips: Iterable[str], sha256: str) -> bytes | None:
    """An attachment by its hash, or None when no ref leads to it."""
    oid = find_attachments(repo, tips).get(f"attachments/{sha256}.json")
    content = repo.read_blobs([oid]).get(oid) if oid else None
    return content if content is not None and hashlib.sha256(content).hexdigest() == sha256 else None
