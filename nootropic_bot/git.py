"""The only door to git.

Reading goes through git's plumbing (`cat-file --batch`, `diff-index`, `ls-files`): it runs no filter, text
conversion, hook or external diff of the repository, and a process start costs 3 ms where GitPython's import
costs 76 (docs/decisions/0002). GitPython writes the sample repository of `demo`.

No value from outside becomes an option: revisions are resolved once, after `--end-of-options`, to object
ids, and paths travel over standard input or after `--`. `GIT_*` variables that a hook sets are removed, so
that a hook, a linked worktree and a plain shell see the same repository.
"""

from __future__ import annotations

import base64
import copy
import os
import re
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from nootropic_bot import process
from nootropic_bot.errors import EnvironmentFault, NootropicError, UsageError

# Nothing that the repository configures may run: no fsmonitor daemon, hook, or pager (row A42).
_SAFE_CONFIG = (
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.quotePath=false"),
    *("-c", "core.untrackedCache=false"),
    *("-c", "protocol.ext.allow=never"),
    *("-c", "core.alternateRefsCommand=true"),
)
_DIFF_OPTIONS = ("--no-ext-diff", "--no-textconv", "--no-color", "--full-index", "--find-renames", "-r")
# What a hook's environment keeps: the index that `git commit -a` or `git commit PATH` prepares is the one to review.
_KEPT_VARIABLES = frozenset({"GIT_INDEX_FILE", "GIT_SSL_CAINFO", "GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_GLOBAL"})

REGULAR_MODES = frozenset({"100644", "100755"})
SYMLINK_MODE = "120000"
SUBMODULE_MODE = "160000"
UNMERGED_MODE = "unmerged"


def clean_environment(**extra: str) -> dict[str, str]:
    """The process environment without what would redirect git, plus `extra`."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_") or k in _KEPT_VARIABLES}
    env.update(GIT_OPTIONAL_LOCKS="0", GIT_TERMINAL_PROMPT="0", GIT_NO_REPLACE_OBJECTS="1", LC_ALL="C")
    env.update(extra)
    return env


@contextmanager
def without_git_variables() -> Iterator[None]:
    """This process without `GIT_*` variables, for GitPython, which reads them from the environment."""
    saved = {key: value for key, value in os.environ.items() if key.startswith("GIT_")}
    for key in saved:
        del os.environ[key]
    os.environ.update(GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1")
    try:
        yield
    finally:
        for key in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM"):
            os.environ.pop(key, None)
        os.environ.update(saved)


def network_environment() -> dict[str, str]:
    """What reaching a remote takes of the `GIT_*` variables: how to connect and whom to ask, nothing that redirects."""
    wanted = ("GIT_SSH", "GIT_ASKPASS", "GIT_SSL_", "GIT_PROXY_", "GIT_HTTP_", "GIT_CONFIG_")
    return {key: value for key, value in os.environ.items() if key.startswith(wanted)}


class TreeEntry(NamedTuple):
    """A file of a tree: its mode (six octal digits), object id and path."""

    mode: str
    oid: str
    path: str


@dataclass(frozen=True, slots=True)
class Change:
    """One changed path between two trees. `old_oid` is None for an added file, `new_oid` for a deleted one."""

    path: str
    old_path: str
    mode: str
    old_oid: str | None
    new_oid: str | None


class Repository:
    """A git repository, opened by `Repository.open`; its methods only read; writing is `gitwrite.py`'s."""

    def __init__(self, top: Path, common_dir: Path, object_format: str, index: Path | None = None) -> None:
        self.top = top
        self.common_dir = common_dir
        self.object_format = object_format
        self._env = clean_environment()
        # What reaching a remote takes besides; see `with_token`.
        self.network: Mapping[str, str] = {}
        if index is not None:
            self._env["GIT_INDEX_FILE"] = str(index)

    @classmethod
    def open(cls, start: Path) -> Repository:
        """The repository that `start` lies in.

        Raises:
            UsageError: `start` is in no git repository, or in a bare one.
            EnvironmentFault: git is missing, too old, or refuses the repository.
        """
        fields = ("--show-toplevel", "--git-common-dir", "--show-object-format", "--git-path", "index")
        args = ("git", *_SAFE_CONFIG, "rev-parse", "--path-format=absolute", *fields)
        done = process.run(args, cwd=start, env=clean_environment())
        if done.returncode:
            raise _open_failure(done.error_text, start)
        top, common_dir, object_format, index = done.stdout.decode("utf-8", "surrogateescape").split("\n")[:4]
        # A hook's GIT_INDEX_FILE may be relative to the top; git's own answer is absolute.
        keep = Path(index) if "GIT_INDEX_FILE" in os.environ else None
        return cls(Path(top), Path(common_dir), object_format, keep)

    def with_token(self, server: str, token: str) -> Repository:
        """This repository, whose transfers show a token to one server (`https://github.com`).

        It stands in the environment of those processes alone: not in arguments, which others can see, nor in a file.
        The empty value lets go of what a checkout may have left in the configuration, or two tokens would be sent.
        """
        pair = base64.b64encode(f"x-access-token:{token}".encode()).decode()
        before = os.environ.get("GIT_CONFIG_COUNT", "")
        start = int(before) if before.isascii() and before.isdigit() and len(before) < 5 else 0
        added: dict[str, str] = {"GIT_CONFIG_COUNT": str(start + 2)}
        for number, value in enumerate(("", f"AUTHORIZATION: basic {pair}"), start):
            added[f"GIT_CONFIG_KEY_{number}"] = f"http.{server.rstrip('/')}/.extraHeader"
            added[f"GIT_CONFIG_VALUE_{number}"] = value
        found = copy.copy(self)
        found.network = added
        return found

    @property
    def cache_dir(self) -> Path:
        """Where caches and indexes live; deleting it loses nothing."""
        return self.common_dir / "nootropic"

    def run(
        self,
        *args: str,
        feed: bytes | None = None,
        check: bool = True,
        timeout: float | None = None,
        env: Mapping[str, str] | None = None,
    ) -> process.Completed:
        """Run one git command at the top of the work tree.

        Raises:
            EnvironmentFault: `check` is set and git failed.
        """
        command = ("git", *_SAFE_CONFIG, *args)
        done = process.run(command, feed=feed, cwd=self.top, env={**self._env, **(env or {})}, timeout=timeout)
        if check and done.returncode:
            verb = next((arg for arg, before in zip(args, ("", *args), strict=False) if "-c" not in (arg, before)), "")
            raise EnvironmentFault(f"`git {verb}` failed: {done.error_text}")
        return done

    def resolve(self, revision: str) -> str | None:
        """The commit id that a revision from outside names, or None."""
        if not is_safe_revision(revision):
            return None
        verify = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        done = self.run(*verify, check=False)
        return done.stdout.decode("ascii").strip() if done.returncode == 0 else None

    def commit(self, revision: str) -> str:
        """Like `resolve`, for a revision that must exist.

        Raises:
            UsageError: it does not.
        """
        found = self.resolve(revision)
        if found is None:
            remedy = "check the name with `git rev-parse`, or fetch it first"
            if self.is_shallow():
                remedy = "this clone is shallow: fetch it first, with `git fetch --unshallow` or a larger `--depth`"
            raise UsageError(f"unknown revision {revision!r}", remedy)
        return found

    def is_shallow(self) -> bool:
        """Whether history is cut off."""
        return (self.common_dir / "shallow").exists()

    def head(self) -> str | None:
        """The id of HEAD's commit, or None before the first commit."""
        return self.resolve("HEAD")

    def merge_base(self, one: str, other: str) -> str | None:
        """The best common ancestor of two commit ids, or None when there is none (or history is cut off)."""
        done = self.run("merge-base", one, other, check=False)
        return done.stdout.decode("ascii").split("\n", 1)[0] if done.returncode == 0 else None

    @property
    def empty_tree(self) -> str:
        """The tree before the first commit."""
        from nootropic_bot.constants import EMPTY_TREE

        return EMPTY_TREE[self.object_format]

    def changes(self, base: str, head: str | None) -> list[Change]:
        """What changed from tree-ish `base` to tree-ish `head`, or to the index when `head` is None."""
        done = self.run(*_diff_command(base, head), "--raw", "-z", *_trees(base, head))
        return list(_parse_raw(done.stdout))

    def patch(
        self, base: str, head: str | None, *, context: int = 0, by_indent: bool = True, paths: Iterable[str] = ()
    ) -> bytes:
        """The patch that belongs to `changes`, with that many unchanged lines around each change.

        `by_indent`: a change that could as well begin lines earlier or later begins where its indentation suggests.
        `paths`: of these files alone, old names among them; all, if none is given.
        """
        heuristic = "--indent-heuristic" if by_indent else "--no-indent-heuristic"
        options = ("--patch", heuristic, f"--unified={context}")
        wanted = [f":(top,literal){path}" for path in paths]
        return self.run(*_diff_command(base, head), *options, *_trees(base, head), *wanted).stdout

    def index_entries(self) -> list[TreeEntry]:
        """Every file of the index; a path in conflict appears once, with our side."""
        done = self.run("ls-files", "--stage", "-z")
        entries: dict[str, TreeEntry] = {}
        for record in _records(done.stdout):
            meta, path = record.split("\t", 1)
            mode, oid, _stage = meta.split(" ")
            entries.setdefault(path, TreeEntry(mode, oid, path))
        return list(entries.values())

    def tree_entries(self, commit: str) -> list[TreeEntry]:
        """Every file of a commit id."""
        done = self.run("ls-tree", "-r", "-z", "--full-tree", commit)
        entries = []
        for record in _records(done.stdout):
            meta, path = record.split("\t", 1)
            mode, _type, oid = meta.split(" ")
            entries.append(TreeEntry(mode, oid, path))
        return entries

    def read_blobs(self, oids: Iterable[str]) -> dict[str, bytes]:
        """The contents of blobs by object id, without filters; an id that is missing here is left out."""
        wanted = list(dict.fromkeys(oids))
        if not wanted:
            return {}
        done = self.run("cat-file", "--batch", "--buffer", feed="".join(f"{oid}\n" for oid in wanted).encode())
        return dict(_parse_batch(done.stdout))

    def sizes(self, oids: Iterable[str]) -> dict[str, int]:
        """The sizes of objects in bytes, by id; an id that is missing here is left out."""
        feed = "".join(f"{oid}\n" for oid in dict.fromkeys(oids)).encode()
        done = self.run("cat-file", "--batch-check=%(objectname) %(objectsize)", "--buffer", feed=feed)
        lines = (line.split(" ") for line in done.stdout.decode("ascii").splitlines())
        return {oid: int(size) for oid, size in lines if size.isdecimal()}

    def read_path(self, commit: str, path: str) -> bytes | None:
        """The content of one regular file of a commit id (`""`: of the index), or None."""
        feed = f"{commit}:{path}\n".encode("utf-8", "surrogateescape")
        if "\n" in path:
            return None
        done = self.run("cat-file", "--batch", feed=feed)
        return next((content for _oid, content in _parse_batch(done.stdout)), None)

    @contextmanager
    def worktree_snapshot(self) -> Iterator[Repository]:
        """This repository with an index that holds the work tree's content, tracked and untracked.

        The files are hashed by us, not by `git add`, so no clean filter runs and no link is followed; index and
        objects are temporary, so the repository itself is not written to.
        """
        with tempfile.TemporaryDirectory(prefix="nootropic-") as scratch:
            objects = Path(scratch) / "objects"
            objects.mkdir()
            snapshot = Repository(self.top, self.common_dir, self.object_format, Path(scratch) / "index")
            real = self.run("rev-parse", "--path-format=absolute", "--git-path", "objects").stdout.decode().strip()
            alternates = os.pathsep.join(filter(None, (real, os.environ.get("GIT_ALTERNATE_OBJECT_DIRECTORIES"))))
            snapshot._env.update(GIT_OBJECT_DIRECTORY=str(objects), GIT_ALTERNATE_OBJECT_DIRECTORIES=alternates)
            self._fill(snapshot)
            yield snapshot

    def _fill(self, snapshot: Repository) -> None:
        entries = {entry.path: entry for entry in self.index_entries()}
        # `diff-files` compares stat data only; what it names may still be unchanged, which hashing settles.
        touched = self.run("diff-files", "--name-only", "-z", "--ignore-submodules=all")
        untracked = self.run("ls-files", "--others", "--exclude-standard", "-z")
        candidates = [*_records(touched.stdout), *_records(untracked.stdout)]
        modes: dict[str, str] = {}
        for path in dict.fromkeys(candidates):
            if path in entries and entries[path].mode == SUBMODULE_MODE:
                continue
            mode = _worktree_mode(self.top / path)
            entries.pop(path, None)
            if mode is not None:
                modes[path] = mode
        for path, oid in snapshot._store(modes):
            entries[path] = TreeEntry(modes[path], oid, path)
        lines = (f"{entry.mode} {entry.oid}\t{entry.path}\0" for entry in entries.values())
        feed = "".join(lines).encode("utf-8", "surrogateescape")
        snapshot.run("update-index", "-z", "--index-info", feed=feed)

    def _store(self, modes: dict[str, str]) -> Iterator[tuple[str, str]]:
        """Write work-tree files as blobs; links are stored as their text, like git does."""
        plain = [path for path, mode in modes.items() if mode in REGULAR_MODES and "\n" not in path]
        feed = "".join(f"{path}\n" for path in plain).encode("utf-8", "surrogateescape")
        done = self.run("hash-object", "-w", "--no-filters", "--stdin-paths", feed=feed)
        yield from zip(plain, done.stdout.decode("ascii").split(), strict=True)
        for path in modes.keys() - set(plain):
            full = self.top / path
            content = os.fsencode(os.readlink(full)) if modes[path] == SYMLINK_MODE else full.read_bytes()
            yield path, self.run("hash-object", "-w", "--stdin", feed=content).stdout.decode("ascii").strip()


def is_safe_revision(revision: str) -> bool:
    """Whether a revision from outside may be handed to git at all: no option, no control character."""
    return bool(revision) and not revision.startswith("-") and not re.search(r"[\x00-\x20\x7f]", revision)


def _open_failure(text: str, start: Path) -> NootropicError:
    if "dubious ownership" in text:
        return EnvironmentFault(
            "git refuses this repository because another user owns it",
            "if you trust it: `git config --global --add safe.directory <path>`",
        )
    if "must be run in a work tree" in text:
        return UsageError("this is a bare repository, there is no work tree to review", "run in a clone of it")
    if "not a git repository" in text:
        return UsageError(f"{start} is not in a git repository", "change to one, or create it with `git init`")
    return EnvironmentFault(f"git could not open the repository: {text}", "git 2.31 or newer is needed")


def _diff_command(base: str, head: str | None) -> tuple[str, ...]:
    if head is None:
        return ("diff-index", "--cached", *_DIFF_OPTIONS)
    return ("diff-tree", "--no-commit-id", *_DIFF_OPTIONS)


def _trees(base: str, head: str | None) -> Sequence[str]:
    return (base, "--") if head is None else (base, head, "--")


def _records(output: bytes) -> list[str]:
    return [part.decode("utf-8", "surrogateescape") for part in output.split(b"\0") if part]


def _parse_raw(output: bytes) -> Iterator[Change]:
    fields = iter(_records(output))
    for meta in fields:
        old_mode, mode, old_oid, new_oid, status = meta.lstrip(":").split(" ")
        old_path = next(fields)
        path = next(fields) if status[0] in "RC" else old_path
        added, deleted = status[0] == "A" or not int(old_mode, 8), status[0] == "D"
        if status[0] == "U":
            yield Change(path, old_path, UNMERGED_MODE, None, old_oid)
            continue
        yield Change(path, old_path, mode, None if added else old_oid, None if deleted else new_oid)


def _parse_batch(output: bytes) -> Iterator[tuple[str, bytes]]:
    position = 0
    while position < len(output):
        end = output.index(b"\n", position)
        header = output[position:end].decode("utf-8", "surrogateescape").rsplit(" ", 2)
        position = end + 1
        if len(header) != 3 or not header[2].isdigit():
            continue  # "<name> missing"
        size = int(header[2])
        if header[1] == "blob":
            yield header[0], output[position : position + size]
        position += size + 1


def _worktree_mode(path: Path) -> str | None:
    """The git mode of a work-tree file, or None for what git doesn't keep (missing, a directory, a device)."""
    try:
        mode = path.lstat().st_mode
    except (OSError, ValueError):
        return None
    if stat.S_ISLNK(mode):
        return SYMLINK_MODE
    if not stat.S_ISREG(mode):
        return None
    return "100755" if mode & stat.S_IXUSR else "100644"
