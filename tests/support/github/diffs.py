"""What git says changed, and where a review comment may stand in it.

A reading of git's output of its own, on purpose: the bot's reader is what the tests are about.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from tests.support.github.git import BareRepository

_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_STATUS = {"A": "added", "D": "removed", "M": "modified", "R": "renamed", "C": "copied", "T": "changed"}
SIDES = ("LEFT", "RIGHT")
# "Limits for viewing content and diffs" of GitHub's documentation: a file whose diff is longer is listed without it.
PATCH_LINES, PATCH_BYTES = 20_000, 500_000


@dataclass(frozen=True)
class Line:
    """A line of a hunk: its number on each side where it exists, and how many lines below the first `@@` it stands."""

    text: str
    left: int | None
    right: int | None
    position: int

    def number(self, side: str) -> int | None:
        """Where a comment on that side finds it: added and context lines right; deleted and context lines left."""
        return self.right if side == "RIGHT" else self.left


@dataclass(frozen=True)
class Hunk:
    """A hunk with its header."""

    header: str
    old: tuple[int, int]
    new: tuple[int, int]
    lines: tuple[Line, ...]
    texts: tuple[str, ...]


@dataclass(frozen=True)
class FileDiff:
    """One file of a comparison."""

    path: str
    previous: str | None
    status: str
    sha: str
    is_binary: bool
    hunks: tuple[Hunk, ...]

    @cached_property
    def additions(self) -> int:
        return sum(text.startswith("+") for hunk in self.hunks for text in hunk.texts)

    @cached_property
    def deletions(self) -> int:
        return sum(text.startswith("-") for hunk in self.hunks for text in hunk.texts)

    @cached_property
    def patch(self) -> str | None:
        """The hunks as GitHub gives them; None for binary files, renames without a change, and what is too long."""
        texts = [text for hunk in self.hunks for text in (hunk.header, *hunk.texts)]
        whole = "\n".join(texts)
        too_long = len(texts) > PATCH_LINES or len(whole.encode()) > PATCH_BYTES
        return None if self.is_binary or not texts or too_long else whole

    @cached_property
    def _index(self) -> dict[tuple[str, int], tuple[int, Line]]:
        return {
            (side, number): (at, line)
            for at, hunk in enumerate(self.hunks)
            for line in hunk.lines
            for side in SIDES
            if (number := line.number(side)) is not None
        }

    def find(self, side: str, number: int) -> tuple[int, Line] | None:
        """The index of the hunk, and the line in it."""
        return self._index.get((side, number))

    def at_position(self, position: int) -> Line | None:
        """The line so many lines below the first `@@`."""
        return next((line for hunk in self.hunks for line in hunk.lines if line.position == position), None)

    def excerpt(self, side: str, number: int) -> str:
        """A comment's `diff_hunk`: the hunk down to its line."""
        found = self.find(side, number)
        if found is None:
            return ""
        at, wanted = found
        hunk = self.hunks[at]
        return "\n".join([hunk.header, *(line.text for line in hunk.lines if line.position <= wanted.position)])

    def moved(self, number: int) -> int | None:
        """Where a line of the old version stands in the new one; None when it was changed. For diffs without context."""
        shift = 0
        for hunk in self.hunks:
            (start, count), (_, now) = hunk.old, hunk.new
            if start <= number < start + count:
                return None
            if (start + count if count else start + 1) <= number:
                shift += now - count
        return number + shift


@dataclass(frozen=True)
class Comparison:
    """All files that differ between two commits."""

    files: tuple[FileDiff, ...]

    @cached_property
    def _by_path(self) -> dict[str, FileDiff]:
        return {file.path: file for file in self.files}

    def file(self, path: str) -> FileDiff | None:
        return self._by_path.get(path)

    @property
    def lines(self) -> int:
        return sum(len(hunk.texts) for file in self.files for hunk in file.hunks)


def diff_text(git: BareRepository, old: str, new: str, *, context: int = 3) -> bytes:
    """The unified diff with renames."""
    return git.run("diff", *_OPTIONS, "-p", f"-U{context}", old, new)


def compare(git: BareRepository, old: str, new: str, *, context: int = 3) -> Comparison:
    """What differs, read from `--raw` (names, states, ids) and `-p` (hunks), which list files in one order."""
    raw = git.run("diff", *_OPTIONS, "--raw", "-z", "--no-abbrev", old, new).decode("utf-8", "surrogateescape")
    sections = _sections(diff_text(git, old, new, context=context))
    files = []
    for status, sha, previous, path in _raw(raw):
        # A file that became a link is shown by git as removed and added.
        parts = [next(sections) for _ in range(2 if status == "T" else 1)]
        hunks, is_binary = tuple(hunk for part, _ in parts for hunk in part), any(binary for _, binary in parts)
        files.append(FileDiff(path, previous, _STATUS[status], sha, is_binary, hunks))
    return Comparison(tuple(files))


_OPTIONS = (
    "--no-color", "--no-ext-diff", "--no-textconv", "--find-renames", "-l0", "--full-index", "--src-prefix=a/",
    "--dst-prefix=b/", "--diff-algorithm=myers", "--submodule=short", "--no-indent-heuristic",
)  # fmt: skip


def _raw(text: str) -> Iterator[tuple[str, str, str | None, str]]:
    parts = iter(text.split("\0"))
    for head in parts:
        if not head:
            return
        _, _, old, new, status = head.split()
        previous = next(parts) if status[0] in "RC" else None
        yield status[0], old if status[0] == "D" else new, previous, next(parts)


def _sections(data: bytes) -> Iterator[tuple[tuple[Hunk, ...], bool]]:
    """Each file's hunks, and whether it is binary. Hunks are read by their counts: their lines may hold anything."""
    lines = data.split(b"\n")
    at = 0
    while at < len(lines) and lines[at].startswith(b"diff --git "):
        at += 1
        hunks: list[Hunk] = []
        is_binary, position = False, 0
        while at < len(lines) and lines[at] and not lines[at].startswith(b"diff --git "):
            if match := _HUNK.match(lines[at]):
                hunk, at = _hunk(lines, at, match, position)
                position += len(hunk.texts) + 1
                hunks.append(hunk)
            else:
                is_binary |= lines[at].startswith(b"Binary files ")
                at += 1
        yield tuple(hunks), is_binary


def _hunk(lines: list[bytes], at: int, match: re.Match[bytes], position: int) -> tuple[Hunk, int]:
    left, had, right, has = (int(group) if group is not None else 1 for group in match.groups())
    header = lines[at].decode("utf-8", "replace")
    old, new = (left, had), (right, has)
    left_end, right_end = left + had, right + has
    found: list[Line] = []
    texts: list[str] = []
    at += 1
    while at < len(lines):
        raw = lines[at]
        is_done = left >= left_end and right >= right_end
        if raw[:1] != b"\\" and (is_done or raw[:1] not in b" +-" or not raw):
            break
        text = raw.decode("utf-8", "replace")
        texts.append(text)
        if raw[:1] != b"\\":
            is_left, is_right = raw[:1] in b" -", raw[:1] in b" +"
            found.append(Line(text, left if is_left else None, right if is_right else None, position + len(texts)))
            left, right = left + is_left, right + is_right
        at += 1
    return Hunk(header, old, new, tuple(found), tuple(texts)), at
