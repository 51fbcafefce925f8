"""A bare repository as the server sees it: git's own answers, nothing kept beside them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_FIELDS = "%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B%x00%x01"


class GitFailed(Exception):
    """git said no; the text is its own."""


@dataclass(frozen=True)
class Person:
    """Who made a commit, and when (ISO 8601)."""

    name: str
    email: str
    date: str


@dataclass(frozen=True)
class Commit:
    """A commit as `git log` tells it."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Person
    committer: Person
    message: str


@dataclass(frozen=True)
class Entry:
    """A line of `git ls-tree`."""

    mode: str
    kind: str
    sha: str
    size: int | None
    path: str


class BareRepository:
    """git in one bare repository. No configuration of the user's and no `GIT_*` variable reaches it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # Commits don't change, nor does what lies between two of them.
        self._bases: dict[tuple[str, str], str | None] = {}

    @classmethod
    def init(cls, path: Path, default_branch: str) -> BareRepository:
        """A new, empty one."""
        path.mkdir(parents=True)
        repository = cls(path)
        repository.run("init", "--quiet", "--bare", f"--initial-branch={default_branch}")
        return repository

    @classmethod
    def clone(cls, path: Path, origin: BareRepository) -> BareRepository:
        """A copy of another's branches."""
        repository = cls(path)
        origin.run("clone", "--quiet", "--bare", "--no-hardlinks", str(origin.path), str(path))
        return repository

    def run(self, *args: str, feed: bytes | None = None, who: Sequence[Person] = ()) -> bytes:
        """git's standard output. `who`: author and committer of what it makes."""
        done = self._start(args, feed, who)
        if done.returncode:
            raise GitFailed(f"git {args[0]}: {done.stderr.decode('utf-8', 'replace').strip()}")
        return done.stdout

    def line(self, *args: str, feed: bytes | None = None, who: Sequence[Person] = ()) -> str:
        """The same as text without the line end."""
        return self.run(*args, feed=feed, who=who).decode().strip()

    def holds(self, *args: str) -> bool:
        """Whether git exits with 0."""
        return self._start(args, None, ()).returncode == 0

    def _start(
        self, args: Sequence[str], feed: bytes | None, who: Sequence[Person]
    ) -> subprocess.CompletedProcess[bytes]:
        env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        env |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "LC_ALL": "C", "GIT_DIR": str(self.path)}
        for role, person in zip(("AUTHOR", "COMMITTER"), who, strict=False):
            env |= {f"GIT_{role}_NAME": person.name, f"GIT_{role}_EMAIL": person.email, f"GIT_{role}_DATE": person.date}
        if "clone" in args or "init" in args:
            del env["GIT_DIR"]
        return subprocess.run(["git", *args], cwd=self.path, env=env, input=feed, capture_output=True, check=False)

    def refs(self, prefix: str = "refs/heads/") -> dict[str, str]:
        """Commit ids (or those of tags) by full name."""
        lines = self.run("for-each-ref", "--format=%(refname)%00%(objectname)", prefix).decode().splitlines()
        return {name: sha for name, _, sha in (line.partition("\0") for line in lines)}

    def head_of(self, branch: str) -> str | None:
        """The commit at the tip of a branch."""
        return self.refs(f"refs/heads/{branch}").get(f"refs/heads/{branch}")

    def resolve(self, revision: str) -> str | None:
        """The commit that a branch, tag or id names."""
        for name in (f"refs/heads/{revision}", f"refs/tags/{revision}", revision):
            done = self._start(("rev-parse", "--quiet", "--verify", "--end-of-options", f"{name}^{{commit}}"), None, ())
            if done.returncode == 0:
                return done.stdout.decode().strip()
        return None

    def kind(self, sha: str) -> str | None:
        """`commit`, `tree`, `blob` or `tag`; None when there is no such object."""
        done = self._start(("cat-file", "-t", sha), None, ())
        return done.stdout.decode().strip() if done.returncode == 0 else None

    def log(self, *revisions: str, limit: int | None = None, path: str | None = None) -> list[Commit]:
        """Commits, the newest first."""
        count = [] if limit is None else [f"--max-count={limit}"]
        paths = [] if path is None else ["--", path]
        raw = self.run("log", f"--format={_FIELDS}", *count, *revisions, *paths)
        return [_commit(record) for record in raw.decode("utf-8", "replace").split("\x01") if record.strip("\n")]

    def commit(self, sha: str) -> Commit:
        """One commit."""
        return self.log(sha, limit=1)[0]

    def merge_base(self, one: str, other: str) -> str | None:
        """The best common ancestor of two ids."""
        if (one, other) not in self._bases:
            done = self._start(("merge-base", one, other), None, ())
            self._bases[one, other] = done.stdout.decode().strip() if done.returncode == 0 else None
        return self._bases[one, other]

    def is_ancestor(self, old: str, new: str) -> bool:
        """Whether the commit `old` is reachable from `new`, both ids."""
        return self.merge_base(old, new) == old

    def count(self, range_: str) -> int:
        """How many commits a range has."""
        return int(self.line("rev-list", "--count", range_))

    def test_merge(self, base: str, head: str) -> str | None:
        """The tree of a merge without conflicts; None when there are some."""
        done = self._start(("merge-tree", "--write-tree", base, head), None, ())
        return done.stdout.decode().splitlines()[0] if done.returncode == 0 else None

    def entries(self, treeish: str, *, is_recursive: bool = False) -> list[Entry]:
        """What a tree holds."""
        deep = ["-r", "-t"] if is_recursive else []
        raw = self.run("ls-tree", "-z", "--long", *deep, treeish).decode("utf-8", "surrogateescape")
        return [_entry(line) for line in raw.split("\0") if line]

    def blob(self, sha: str) -> bytes:
        """The bytes of a blob."""
        return self.run("cat-file", "blob", sha)

    def point(self, refs: Mapping[str, str]) -> None:
        """Let each ref name that object."""
        self.run("update-ref", "--stdin", feed="".join(f"update {name} {sha}\n" for name, sha in refs.items()).encode())

    def update_refs(self, updates: Sequence[tuple[str, str, str | None]]) -> None:
        """Let each ref name an object, all of them or none; with a third id, only where the ref is at that before."""
        lines = [f"update {name} {after}{f' {before}' if before else ''}\n" for name, after, before in updates]
        self.run("update-ref", "--stdin", feed="".join(lines).encode())

    def import_commit(
        self, branch: str, files: Mapping[str, bytes | None], message: str, who: Sequence[Person], parent: str | None
    ) -> str:
        """A commit on a branch that changes these files (None: removes), in one process however many they are."""
        feed = [f"commit refs/heads/{branch}\n".encode()]
        for role, person in zip(("author", "committer"), who, strict=True):
            feed.append(f"{role} {person.name} <{person.email}> {person.date}\n".encode())
        feed.append(_data(message.encode()))
        if parent is not None:
            feed.append(f"from {parent}\n".encode())
        for path, data in files.items():
            feed.append(f"D {path}\n".encode() if data is None else f"M 100644 inline {path}\n".encode() + _data(data))
        self.run("fast-import", "--quiet", "--force", "--date-format=raw", feed=b"".join(feed))
        return self.line("rev-parse", f"refs/heads/{branch}")

    def store_blob(self, data: bytes) -> str:
        """Keep these bytes; their id."""
        return self.line("hash-object", "-w", "--stdin", feed=data)


def _data(data: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(data), data)


def _commit(record: str) -> Commit:
    sha, tree, parents, *people, message, _ = record.lstrip("\n").split("\0")
    author, committer = Person(*people[:3]), Person(*people[3:])
    return Commit(sha, tree, tuple(parents.split()), author, committer, message.rstrip("\n"))


def _entry(line: str) -> Entry:
    head, path = line.split("\t", 1)
    mode, kind, sha, size = head.split()
    return Entry(mode, kind, sha, None if size == "-" else int(size), path)
