"""Which files a review looks at, and what of each is in scope before any finding is known."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from nootropic_bot.critique.critic import Blob
from nootropic_bot.critique.languages import Coverage
from nootropic_bot.git import REGULAR_MODES, SUBMODULE_MODE, SYMLINK_MODE, UNMERGED_MODE, Change, TreeEntry
from nootropic_bot.records import NotScanned

_SPECIAL_MODES = {
    SYMLINK_MODE: "symbolic link, never followed",
    SUBMODULE_MODE: "submodule, reviewed where it lives",
    UNMERGED_MODE: "in conflict, resolve it first",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file under review. `base`: what it was before, None for a new file; `whole`: every line is in scope."""

    path: str
    oid: str
    base: Blob | None = None
    whole: bool = True

    @property
    def blob(self) -> Blob:
        """What to analyse."""
        return Blob(self.path, self.oid)


@dataclass(slots=True)
class Selection:
    """The files under review, and those that are listed without being analysed."""

    files: list[Candidate] = field(default_factory=list)
    not_scanned: list[NotScanned] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Filters:
    """What narrows a selection: paths the user named, exclusion patterns, a shard `(I, N)`, and what rules can read."""

    coverage: Coverage
    paths: Sequence[str] = ()
    exclude: Sequence[str] = ()
    shard: tuple[int, int] | None = None

    def wants(self, path: str) -> bool:
        """Whether a path is asked for at all; what is not asked for isn't listed either."""
        if self.paths and not any(is_within(path, wanted) for wanted in self.paths):
            return False
        return self.shard is None or in_shard(path, *self.shard)


def is_within(path: str, wanted: str) -> bool:
    """Whether `path` is `wanted` or lies below it; `""` is the top of the repository."""
    return not wanted or path == wanted or path.startswith(f"{wanted}/")


def in_shard(path: str, number: int, count: int) -> bool:
    """Whether a path belongs to shard `number` of `count` (1-based); it depends on the path alone."""
    digest = hashlib.sha256(path.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big") % count == number - 1


def select_changes(changes: Iterable[Change], filters: Filters) -> Selection:
    """The files that a diff added, changed or renamed; deleted ones need no review."""
    selection = Selection()
    is_excluded = _excluder(filters.exclude)
    for change in changes:
        if change.new_oid is None:
            continue
        entry = TreeEntry(change.mode, change.new_oid, change.path)
        if _admit(entry, filters, is_excluded, selection):
            base = None if change.old_oid is None else Blob(change.old_path, change.old_oid)
            selection.files.append(Candidate(change.path, change.new_oid, base, whole=base is None))
    return selection


def select_entries(entries: Iterable[TreeEntry], filters: Filters) -> Selection:
    """Whole files of a tree or an index."""
    selection = Selection()
    is_excluded = _excluder(filters.exclude)
    for entry in entries:
        if _admit(entry, filters, is_excluded, selection):
            selection.files.append(Candidate(entry.path, entry.oid))
    return selection


def _admit(entry: TreeEntry, filters: Filters, is_excluded: Callable[[str], bool], selection: Selection) -> bool:
    if not filters.wants(entry.path):
        return False
    reason = None
    if entry.mode not in REGULAR_MODES:
        reason = _SPECIAL_MODES.get(entry.mode, f"mode {entry.mode}")
    elif not filters.coverage.may_apply(entry.path):
        return False
    elif is_excluded(entry.path):
        reason = "excluded by configuration"
    if reason is not None:
        selection.not_scanned.append(NotScanned(entry.path, reason))
    return reason is None


def _excluder(patterns: Sequence[str]) -> Callable[[str], bool]:
    if not patterns:
        return lambda _path: False
    import pathspec

    spec = pathspec.PathSpec.from_lines("gitwildmatch", patterns)
    return lambda path: spec.match_file(path)
