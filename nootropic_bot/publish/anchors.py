"""Where a comment can stand, and which fixes can be applied in the page: decided by git's own diff.

A forge takes a comment on the lines that the diff shows on its new side, a range only within one hunk. A suggestion
block replaces whole lines, so it is offered where the result is, byte for byte, the file that was proved:

- not in a file with a carriage return: with what a block's lines end when they are applied is not documented, and pull
  requests report line feeds that became CRLF as well as the reverse;
- not in a file that is not UTF-8: a block can't say other bytes;
- not over the byte order mark, which the proof leaves out of line 1;
- not over a last line without a line end, since nothing says whether one is added;
- not where the new text holds characters that are not seen (row A30), or is blank, which a forge may read as empty.

Such a fix is shown as a patch instead.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from nootropic_bot.diff import LineRanges, apply_edits, shown_lines
from nootropic_bot.escape import is_shown_as_is
from nootropic_bot.git import Change, Repository
from nootropic_bot.records import Edit, Finding, Suggestion
from nootropic_bot.source import split_lines

# What forges show around a change.
_CONTEXT = 3
# Edits further apart than that are no single suggestion that a person can read: most of its block is code that stays as
# it is, and it overlaps the suggestions of others, so that the page applies only one of them.
_MAX_APART = 8
_MAX_BLOCK = 16_000
# Of both sides of a file, and of all files whose lines are gone through; a patch takes some fifty times its size.
_MAX_FILE_BYTES = 4 << 20
_MAX_BYTES = 16 << 20
_PATHS_IN_COMMAND = 200


@dataclass(frozen=True, slots=True)
class FileDiff:
    """A changed file at head. `hunks`: the lines of the new side that each hunk shows, 1-based and inclusive.

    `lines`: its lines with their line ends and without a byte order mark, None where no suggestion can be exact or
    nothing is known.
    """

    path: str
    hunks: LineRanges
    lines: tuple[str, ...] | None = None
    has_bom: bool = False

    def first_shown(self, first: int, last: int) -> int | None:
        """The first of the lines `first`..`last` that can be commented on."""
        return min((max(low, first) for low, high in self.hunks if max(low, first) <= min(high, last)), default=None)

    def is_in_one_hunk(self, first: int, last: int) -> bool:
        """Whether one hunk shows all of the lines `first`..`last`."""
        return any(low <= first <= last <= high for low, high in self.hunks)


@dataclass(frozen=True, slots=True)
class Diff:
    """What a pull request changes: the files at `head` that differ from where the branch left its base, by path.

    `contents`: those at head for which a fix is at hand, by path; a file that is too large is none of them.
    """

    head: str
    files: Mapping[str, FileDiff]
    contents: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Anchor:
    """The lines `first`..`last` of a comment; `replacement` is what a suggestion block puts in their place, if any."""

    path: str
    first: int
    last: int
    replacement: str | None = None


def read_diff(repo: Repository, base: str, head: str, findings: Sequence[Finding]) -> Diff:
    """The diff of two commits, as a pull request shows it, ready to place the findings.

    Raises:
        UsageError: a commit is not in this clone.
    """
    base, head = repo.commit(base), repo.commit(head)
    fork = repo.merge_base(base, head) or base
    changes = repo.changes(fork, head)
    looked_at = _readable(repo, changes, findings)
    with_fix = {finding.path for finding in findings if finding.suggestion is not None}
    blobs = repo.read_blobs(change.new_oid for change in looked_at if change.path in with_fix and change.new_oid)
    # Where a change could as well begin a few lines earlier, git has a choice, and which one a forge makes is not said.
    patches = [_patch(repo, fork, head, looked_at, by_indent=by_indent) for by_indent in (True, False)]
    return make_diff(head, changes, patches, blobs)


def _readable(repo: Repository, changes: Iterable[Change], findings: Iterable[Finding]) -> list[Change]:
    """The changes in files with findings, as many as can be gone through line by line; the rest has no lines."""
    wanted = {finding.path for finding in findings}
    found = [change for change in changes if change.new_oid is not None and change.path in wanted]
    sizes = repo.sizes(oid for change in found for oid in (change.old_oid, change.new_oid) if oid is not None)
    room = _MAX_BYTES
    readable = []
    for change in found:
        size = sum(sizes.get(oid, 0) for oid in (change.old_oid, change.new_oid) if oid is not None)
        if size <= min(_MAX_FILE_BYTES, room):
            room -= size
            readable.append(change)
    return readable


def _patch(repo: Repository, fork: str, head: str, changes: Sequence[Change], *, by_indent: bool) -> bytes:
    """The patch of some of the changes, a part of them at a time: a command takes only so many paths."""
    parts = []
    for start in range(0, len(changes), _PATHS_IN_COMMAND):
        some = changes[start : start + _PATHS_IN_COMMAND]
        paths = dict.fromkeys(path for change in some for path in (change.path, change.old_path))
        parts.append(repo.patch(fork, head, context=_CONTEXT, by_indent=by_indent, paths=paths))
    return b"".join(parts)


def make_diff(head: str, changes: Iterable[Change], patches: Sequence[bytes], contents: Mapping[str, bytes]) -> Diff:
    """A diff from git's output; `contents` by object id, for the files in which fixes are placed.

    Paths come from `changes`: those in a patch are quoted, and are anything that the patch's author likes. Of several
    patches of the same change, what all of them show counts.
    """
    readings = [shown_lines(patch) for patch in patches]
    shown = {pair: _common([reading.get(pair, ()) for reading in readings]) for pair in readings[0]}
    files, raws = {}, {}
    for change in changes:
        if change.new_oid is None:
            continue
        hunks = shown.get((change.old_oid or "0" * len(change.new_oid), change.new_oid), ())
        files[change.path] = _file(change.path, hunks, contents.get(change.new_oid))
        if change.new_oid in contents:
            raws[change.path] = contents[change.new_oid]
    return Diff(head, files, raws)


def _common(readings: Sequence[LineRanges]) -> LineRanges:
    """The ranges that lie in one range of each reading."""
    found = readings[0]
    for other in readings[1:]:
        if other != found:
            pairs = ((max(a, c), min(b, d)) for a, b in found for c, d in other)
            found = tuple((first, last) for first, last in pairs if first <= last)
    return found


def _file(path: str, hunks: LineRanges, raw: bytes | None) -> FileDiff:
    if raw is None or b"\r" in raw or b"\0" in raw:
        return FileDiff(path, hunks)
    has_bom = raw.startswith(codecs.BOM_UTF8)
    try:
        text = raw[len(codecs.BOM_UTF8) if has_bom else 0 :].decode()
    except UnicodeDecodeError:
        return FileDiff(path, hunks)
    return FileDiff(path, hunks, tuple(split_lines(text)), has_bom)


def place(finding: Finding, suggestion: Suggestion | None, diff: Diff) -> Anchor | None:
    """Where to comment on a finding: on the lines of its fix where a block can offer it, otherwise on its own first
    line that the diff shows; None when it shows none of them."""
    file = diff.files.get(finding.path)
    if file is None or not is_text(finding.path):
        return None
    anchor = _place_fix(file, suggestion) if suggestion is not None else None
    if anchor is not None:
        return anchor
    # A range that ends before the first column of a line holds nothing of that line.
    last = finding.end.line - 1 if finding.end.col <= 1 else finding.end.line
    line = file.first_shown(finding.start.line, max(last, finding.start.line))
    return None if line is None else Anchor(finding.path, line, line)


def is_text(text: str) -> bool:
    """Whether a path or a line can be told to a forge: one with bytes that are not UTF-8 can't."""
    return not any("\ud800" <= char <= "\udfff" for char in text)


def _place_fix(file: FileDiff, suggestion: Suggestion) -> Anchor | None:
    """The whole fix as one replaced range, where the result is exactly what was proved; otherwise None."""
    edits = suggestion.edits
    if file.lines is None or not edits or any(edit.path != file.path for edit in edits):
        return None
    try:
        after = apply_edits(file.lines, edits)
    except ValueError:  # The report speaks of another file than this one.
        return None
    anchor = _narrowed(file, edits, after)
    if anchor is None or not file.is_in_one_hunk(anchor.first, anchor.last):
        return None
    if len(edits) > 1 and anchor.last - anchor.first >= _MAX_APART:
        return None
    return anchor if _is_exact(file, file.lines, anchor) else None


def _narrowed(file: FileDiff, edits: Iterable[Edit], after: list[str]) -> Anchor | None:
    """All edits as one range, without the equal lines at its ends; None when nothing changes.

    An insertion needs a line to stand on: the one before it, where that can be commented on, or the one after it.
    """
    before = file.lines or ()
    first = min(edit.start_line for edit in edits) - 1
    last = max(edit.end_line for edit in edits)
    end = last + len(after) - len(before)
    while first < min(last, end) and before[first] == after[first]:
        first += 1
    while min(last, end) > first and before[last - 1] == after[end - 1]:
        last, end = last - 1, end - 1
    if first == last == end:
        return None
    if first == last:
        if first > 0 and file.is_in_one_hunk(first, first):
            first -= 1
        elif last < len(before):
            last, end = last + 1, end + 1
        else:
            return None
    return Anchor(file.path, first + 1, last, "".join(after[first:end]))


def _is_exact(file: FileDiff, lines: tuple[str, ...], anchor: Anchor) -> bool:
    text = anchor.replacement or ""
    if anchor.first == 1 and file.has_bom:
        return False
    has_line_ends = lines[anchor.last - 1].endswith("\n") and (not text or text.endswith("\n"))
    is_blank = bool(text) and not text.strip()
    is_readable = is_text(text) and is_shown_as_is(text) and len(text) <= _MAX_BLOCK
    return has_line_ends and is_readable and not is_blank
