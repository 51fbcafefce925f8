"""GitHub's cache of Actions, played: `actions/cache/restore` and `actions/cache/save`, and who may read what.

What counts for the code under test: an entry belongs to the ref whose run saved it and to the exact list of paths; it
is never replaced; a run reads its own ref, then the base of its pull request, then the default branch; a key is found
exactly, otherwise by its beginning, the newest first; and runs that anybody can start on the default branch only read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.expressions import Unsupported

DEFAULT_BRANCH = "refs/heads/main"
# Whoever has an account can start these; GitHub lets them read what the default branch keeps, not write there.
_READ_ONLY = frozenset({"issue_comment", "pull_request_target", "workflow_run"})
_MAX_KEY = 512


@dataclass(frozen=True)
class Entry:
    """What was saved. `scope`: the ref of the run; `paths`: the input, as it was written; `files`: by place."""

    scope: str
    key: str
    paths: str
    files: Mapping[str, bytes]


@dataclass(frozen=True)
class Reached:
    """What one step reaches: its run's own scope first. `folders`: what places are relative to, by what stands for them."""

    scopes: tuple[str, ...]
    may_save: bool
    folders: Mapping[str, Path]

    @classmethod
    def by(cls, github: Mapping[str, Any], folders: Mapping[str, Path]) -> Reached:
        """Of a run, as its `github` context tells."""
        own = str(github["ref"])
        pull = github["event"].get("pull_request") if github["event_name"].startswith("pull_request") else None
        base = (f"refs/heads/{pull['base']['ref']}",) if pull else ()
        scopes = tuple(dict.fromkeys((own, *base, DEFAULT_BRANCH)))
        return cls(scopes, not (own == DEFAULT_BRANCH and github["event_name"] in _READ_ONLY), folders)

    def named(self, paths: str) -> str:
        """The input `path` with the folders of this machine as what stands for them: another machine's are its own."""
        for name, folder in self.folders.items():
            paths = paths.replace(str(folder), name)
        return paths

    def place(self, name: str) -> Path:
        """Where a file lies on this machine."""
        head, _slash, rest = name.partition("/")
        return self.folders[head] / rest if head in self.folders else self.folders["workspace"] / name


@dataclass
class Caches:
    """All entries of a repository, the oldest first."""

    entries: list[Entry] = field(default_factory=list)

    def restore(self, given: Mapping[str, str], reached: Reached) -> dict[str, str] | None:
        """Unpack the entry that fits best; the outputs of the action, None where it fails."""
        if not _is_acceptable(given, {"path", "key", "restore-keys"}):
            return None
        wanted = [given["key"], *filter(None, given.get("restore-keys", "").splitlines())]
        found = next(self._fitting(reached.named(given["path"]), wanted, reached.scopes), None)
        outputs = {"cache-primary-key": given["key"], "cache-hit": ""}
        if found is None:
            return outputs
        for name, data in found.files.items():
            place = reached.place(name)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        hit = "true" if found.key == given["key"] else "false"
        return {**outputs, "cache-hit": hit, "cache-matched-key": found.key}

    def _fitting(self, paths: str, keys: list[str], scopes: tuple[str, ...]) -> Iterator[Entry]:
        for scope in scopes:
            there = [entry for entry in reversed(self.entries) if (entry.scope, entry.paths) == (scope, paths)]
            yield from (entry for entry in there if entry.key == keys[0])
            for key in keys:
                yield from (entry for entry in there if entry.key.startswith(key))

    def save(self, given: Mapping[str, str], reached: Reached) -> str:
        """Keep what lies at the paths; the warning of the action, which fails no job, or ""."""
        if not _is_acceptable(given, {"path", "key"}):
            return "Warning: the key is not acceptable"
        if not reached.may_save:
            return "Warning: cache write denied: the token is read-only"
        paths, scope = reached.named(given["path"]), reached.scopes[0]
        if any((entry.scope, entry.key, entry.paths) == (scope, given["key"], paths) for entry in self.entries):
            return f"Warning: unable to reserve the cache with key {given['key']}"
        files = {name: data for line in paths.split("\n") for name, data in _files(reached, line.strip())}
        if not files:
            return "Warning: the paths that are to be kept do not exist, so nothing is saved"
        self.entries.append(Entry(scope, given["key"], paths, files))
        return ""


def _files(reached: Reached, name: str) -> Iterator[tuple[str, bytes]]:
    if set(name) & set("*?[!"):
        raise Unsupported(f"the pattern {name} as a path of a cache")
    root = reached.place(name)
    for path in sorted(root.rglob("*")) if name else ():
        if path.is_file():
            yield f"{name}/{path.relative_to(root).as_posix()}", path.read_bytes()


def _is_acceptable(given: Mapping[str, str], known: set[str]) -> bool:
    """Whether GitHub takes these keys."""
    if given.keys() - known or not given.get("path", "").strip():
        raise Unsupported(f"a cache with {dict(given)}")
    keys = [given.get("key", ""), *given.get("restore-keys", "").splitlines()]
    return bool(keys[0]) and not any("," in key or len(key) > _MAX_KEY for key in keys)
