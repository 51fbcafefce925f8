"""The writing half of the door to git: objects, refs, and the way to and from a remote.

Objects are written by plumbing (`hash-object`, `mktree`, `commit-tree`), refs in transactions that name the old value
(`update-ref --stdin`), so that a reader sees the old state or the new one. Everything is flushed to the disk before a
ref names it (`core.fsync`). Ref names are made by our own code and a remote is one that the repository already knows;
both travel after `--end-of-options` or over standard input all the same. No hook runs (`core.hooksPath`, `git.py`).

What git says when it refuses is for people and changes with version and language; it is passed on, never matched:
callers read the refs again and see for themselves what happened.
"""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from nootropic_bot.errors import EnvironmentFault, RemoteError, UsageError
from nootropic_bot.git import Repository, network_environment
from nootropic_bot.process import Completed

# What a ref names must survive a power cut (git-config(1), core.fsync; git before 2.36 ignores the setting).
DURABLE = ("-c", "core.fsync=loose-object,pack,pack-metadata,reference", "-c", "core.fsyncMethod=fsync")
NETWORK_SECONDS = 600.0
# What a fetch writes can be fetched again: its refs, of which there may be thousands, need no flush each.
_FETCHED = ("-c", "core.fsync=loose-object,pack,pack-metadata")
# Milliseconds: `git gc` packs refs now and then and holds their locks for a moment.
_PATIENT = ("-c", "core.filesRefLockTimeout=3000", "-c", "core.packedRefsTimeout=3000")
_QUIET_TRANSFER = (
    *("-c", "gc.auto=0"),
    *("-c", "maintenance.auto=false"),
    *("-c", "push.recurseSubmodules=no"),
    *("-c", "fetch.recurseSubmodules=no"),
    *("-c", "fetch.writeCommitGraph=false"),
)
_IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "nootropic-bot"), ("EMAIL", "nootropic-bot@localhost"))
}
# Each costs some 150 bytes of the command line, of which macOS allows a megabyte.
REFS_A_PUSH = 2000


class RefConflict(Exception):
    """A ref was not what the transaction expected; nothing of the transaction happened."""


class Ref(NamedTuple):
    """A ref, the id it holds, and of its commit the time (Unix seconds) and first line."""

    name: str
    oid: str
    time: int
    subject: str


class RefUpdate(NamedTuple):
    """`new` None deletes the ref; `old` None means that it must not exist yet."""

    name: str
    new: str | None
    old: str | None


def write_blob(repo: Repository, data: bytes) -> str:
    """Store bytes; the blob's id."""
    return _oid(repo.run(*DURABLE, "hash-object", "-w", "--stdin", feed=data))


def write_blobs(repo: Repository, contents: Sequence[bytes]) -> list[str]:
    """Store several blobs with one process; their ids, in order."""
    if len(contents) == 1:
        return [write_blob(repo, contents[0])]
    with tempfile.TemporaryDirectory(prefix="nootropic-") as scratch:
        paths = []
        for number, content in enumerate(contents):
            paths.append(Path(scratch) / str(number))
            paths[-1].write_bytes(content)
        feed = "".join(f"{path}\n" for path in paths).encode()
        done = repo.run(*DURABLE, "hash-object", "-w", "--no-filters", "--stdin-paths", feed=feed)
    return _oids(done, len(contents))


def write_tree(repo: Repository, entries: Iterable[tuple[str, str]]) -> str:
    """Store a tree of blobs (name, blob id), one folder deep at most (`folder/name`); its id."""
    top: list[str] = []
    folders: dict[str, list[str]] = {}
    for path, oid in entries:
        folder, _slash, name = path.rpartition("/")
        (folders.setdefault(folder, []) if folder else top).append(f"100644 blob {oid}\t{name}")
    if folders:
        # One process for all folders: a blank line ends a tree.
        feed = "\n".join("".join(f"{line}\n" for line in lines) for lines in folders.values())
        done = repo.run(*DURABLE, "mktree", "--batch", feed=f"{feed}\n".encode())
        oids = _oids(done, len(folders))
        top += [f"040000 tree {oid}\t{name}" for name, oid in zip(folders, oids, strict=True)]
    return _oid(repo.run(*DURABLE, "mktree", feed="".join(f"{line}\n" for line in top).encode()))


def write_commit(repo: Repository, tree: str, parents: Sequence[str], message: str) -> str:
    """Store a commit by the bot, whatever the user's name and signing settings are; its id."""
    options = [part for parent in parents for part in ("-p", parent)]
    date = f"@{int(time.time())} +0000"
    env = {**_IDENTITY, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
    return _oid(repo.run(*DURABLE, "commit-tree", "--no-gpg-sign", tree, *options, feed=message.encode(), env=env))


def _oid(done: Completed) -> str:
    return _oids(done, 1)[0]


def _oids(done: Completed, count: int) -> list[str]:
    """The object ids that git printed; a full disk has been seen to give none (row F5)."""
    oids = done.stdout.decode("ascii", "replace").split()
    if len(oids) != count or not all(re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", oid) for oid in oids):
        raise EnvironmentFault("git stored an object but named none", "free space on the disk, then run again")
    return oids


def exist(repo: Repository, oids: Sequence[str]) -> bool:
    """Whether all objects are there: by looking at their files, or by asking git when one has none."""
    folder = repo.common_dir / "objects"
    if all((folder / oid[:2] / oid[2:]).exists() for oid in oids):
        return True
    feed = "".join(f"{oid}\n" for oid in oids).encode()
    return b" missing\n" not in repo.run("cat-file", "--batch-check", feed=feed).stdout


def list_refs(repo: Repository, *prefixes: str) -> list[Ref]:
    """The refs below prefixes (whole path components), sorted by name.

    Of a ref whose commit is damaged the subject is empty and the time is now: nobody takes it for an old one.
    """
    done = repo.run("for-each-ref", _RICH, *prefixes, check=False)
    if done.returncode == 0:
        return list(_parse_refs(done))
    # One damaged commit makes git tell nothing of any ref.
    found = []
    for name, oid, _when, _subject in _parse_refs(repo.run("for-each-ref", _PLAIN, *prefixes)):
        alone = repo.run("for-each-ref", _RICH, name, check=False)
        found += [ref for ref in _parse_refs(alone) if ref.name == name] or [Ref(name, oid, int(time.time()), "")]
    return found


_RICH = "--format=%(refname)%00%(objectname)%00%(committerdate:unix)%00%(contents:subject)"
_PLAIN = "--format=%(refname)%00%(objectname)%00%00"


def _parse_refs(done: Completed) -> Iterator[Ref]:
    for line in done.stdout.decode("utf-8", "replace").split("\n"):
        if line:
            name, oid, when, subject = line.split("\0")
            yield Ref(name, oid, int(when or 0), subject)


def update_refs(repo: Repository, updates: Sequence[RefUpdate]) -> None:
    """Change refs, all or none.

    Raises:
        RefConflict: one was not what `old` says.
        EnvironmentFault: git could not write, for example because another process holds a lock (row F2).
    """
    if not updates:
        return
    zero = "0" * (64 if repo.object_format == "sha256" else 40)
    feed = ["start\0"]
    for update in updates:
        if update.new is None:
            feed.append(f"delete {update.name}\0{update.old or ''}\0")
        else:
            feed.append(f"update {update.name}\0{update.new}\0{update.old or zero}\0")
    feed += ["prepare\0", "commit\0"]
    done = repo.run(*DURABLE, *_PATIENT, "update-ref", "-z", "--stdin", feed="".join(feed).encode(), check=False)
    if done.returncode == 0:
        return
    held = next(iter(_locks(repo, updates)), None)
    if held is not None:
        age = int(time.time() - held.stat().st_mtime)
        raise EnvironmentFault(
            f"another git process has held the lock {held.relative_to(repo.common_dir)} for {age} s",
            "if none is running, delete that file in the git directory and run again",
        )
    current = {ref.name: ref.oid for ref in list_refs(repo, *{update.name for update in updates})}
    if any(current.get(update.name) != update.old for update in updates):
        raise RefConflict(done.error_text)
    raise EnvironmentFault(f"git could not write its refs: {done.error_text}")


def _locks(repo: Repository, updates: Sequence[RefUpdate]) -> Iterator[Path]:
    for name in ("packed-refs", *(update.name for update in updates)):
        path = repo.common_dir / f"{name}.lock"
        if path.exists():
            yield path


def has_remote(repo: Repository, name: str) -> bool:
    """Whether the repository has a remote of this name."""
    return name in repo.run("remote").stdout.decode("utf-8", "surrogateescape").splitlines()


def check_remote(repo: Repository, name: str) -> str:
    """The name of a remote, if the repository has one of this name.

    Raises:
        UsageError: it has not; a URL or an option is no name.
    """
    known = repo.run("remote").stdout.decode("utf-8", "surrogateescape").splitlines()
    if name not in known or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._/-]*", name):
        there_are = f"there are: {', '.join(known)}" if known else "this repository has none"
        raise UsageError(f"there is no remote {name!r}", f"{there_are}; the configuration's `state.remote` names it")
    return name


def list_remote(repo: Repository, remote: str, patterns: Sequence[str]) -> dict[str, str]:
    """Ref name → object id on the remote.

    Raises:
        RemoteError: it can't be reached.
    """
    done = _transfer(repo, "ls-remote", "--end-of-options", remote, *patterns)
    if done.returncode:
        raise _unreachable(remote, done)
    found = {}
    for line in done.stdout.decode("utf-8", "replace").splitlines():
        oid, _tab, name = line.partition("\t")
        found[name] = oid
    return found


def fetch(repo: Repository, remote: str, refspecs: Sequence[str], *, refetch: bool = False) -> Completed:
    """Fetch exactly these refspecs, no tags, nothing pruned.

    A refused update of a single ref fails the command although the others went well: callers look at the refs.
    """
    options = ["--refetch"] if refetch else []
    return _transfer(
        repo,
        *("fetch", "--quiet", "--no-tags", "--no-prune", "--no-filter", "--no-write-fetch-head", "--stdin", *options),
        *("--end-of-options", remote),
        feed="".join(f"{refspec}\n" for refspec in refspecs).encode(),
    )


def push(
    repo: Repository, remote: str, refspecs: Sequence[str], *, leases: Sequence[str] = (), atomic: bool = False
) -> Completed:
    """Push refspecs; each ref by itself succeeds or fails, or with `atomic` all do. `leases`: `<ref>:<expected id>`."""
    options = [f"--force-with-lease={lease}" for lease in leases]
    options += ["--atomic"] if atomic else []
    return _transfer(
        repo,
        "push",
        "--quiet",
        "--porcelain",
        "--no-verify",
        "--no-signed",
        *options,
        "--end-of-options",
        remote,
        *refspecs,
    )


def _transfer(repo: Repository, *args: str, feed: bytes | None = None) -> Completed:
    settings = (*(_FETCHED if args[0] == "fetch" else DURABLE), *_PATIENT, *_QUIET_TRANSFER)
    env = {**network_environment(), **repo.network}
    done = repo.run(*settings, *args, feed=feed, check=False, timeout=NETWORK_SECONDS, env=env)
    if done.timed_out:
        raise RemoteError(f"`git {args[0]}` did not end within {NETWORK_SECONDS:.0f} s", "try again later")
    return done


def _unreachable(remote: str, done: Completed) -> RemoteError:
    return RemoteError(
        f"the remote {remote!r} can't be read: {without_credentials(done.error_text)}",
        "check the network and your permission with `git ls-remote`; what was recorded here stays, sync again later",
    )


def without_credentials(text: str) -> str:
    """A message of git without the user and password of a URL."""
    return re.sub(r"(\w+://)[^\s/@]+@", r"\1", text)


def is_commit(repo: Repository, oid: str) -> bool:
    """Whether an object is a commit itself, not a tag of one."""
    return repo.run("cat-file", "-t", oid, check=False).stdout.strip() == b"commit"


def is_ancestor(repo: Repository, one: str, other: str) -> bool:
    """Whether commit `one` is reachable from commit `other`; False as well when one of them is missing here."""
    return repo.run("merge-base", "--is-ancestor", one, other, check=False).returncode == 0


def user_ident(repo: Repository) -> str:
    """`Name <address>` as the user's commits carry it, or "": never git's guess, which is made of login and host."""
    done = repo.run("config", "-z", "--get-regexp", r"^user\.(name|email)$", check=False)
    found = {}
    for entry in done.stdout.decode("utf-8", "replace").split("\0"):
        key, _newline, value = entry.partition("\n")
        found[key] = value.strip()
    name = os.environ.get("GIT_AUTHOR_NAME") or found.get("user.name", "")
    address = os.environ.get("GIT_AUTHOR_EMAIL") or found.get("user.email", "")
    return f"{name} <{address}>".strip() if name or address else ""


def lock_age(repo: Repository, ref: str) -> float | None:
    """For how many seconds a ref has been locked by a git process, or by the file that a killed one left (row F2)."""
    try:
        return time.time() - (repo.common_dir / f"{ref}.lock").stat().st_mtime
    except FileNotFoundError:
        return None


def remove_lock(repo: Repository, ref: str) -> None:
    """Remove the lock file of a ref that only the caller writes."""
    (repo.common_dir / f"{ref}.lock").unlink(missing_ok=True)
