"""Which lines changed, and which paths may be touched.

Patches come from git and are parsed by unidiff. A patch is joined to its file by the pair of blob ids on its
`index` line, so no path is ever read from a patch: unidiff returns `../../etc/passwd` as it stands (row A40).
"""

from __future__ import annotations

import difflib
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from nootropic_bot.constants import FORBIDDEN_DIRECTORIES, LOCK_FILES
from nootropic_bot.errors import UsageError
from nootropic_bot.records import Edit
from nootropic_bot.source import split_lines

LineRanges = tuple[tuple[int, int], ...]
_INDEX_LINE = re.compile(r"^index ([0-9a-f]{40,64})\.\.([0-9a-f]{40,64})", re.MULTILINE)


def changed_lines(patch: bytes) -> Mapping[tuple[str, str], LineRanges]:
    """The changed line ranges of the new side, by (old blob id, new blob id).

    Ranges are 1-based and inclusive. Where lines were only deleted, the range is the two lines around the gap,
    so that a finding that the deletion brought about meets it.
    """
    return {blobs: tuple(_range(*hunk) for hunk in hunks) for blobs, hunks in _hunks(patch)}


def shown_lines(patch: bytes) -> Mapping[tuple[str, str], LineRanges]:
    """The line range of the new side that each hunk shows, context included, by (old blob id, new blob id).

    Ranges are 1-based and inclusive; a hunk that shows no line of the new side has none.
    """
    return {
        blobs: tuple((start, start + length - 1) for start, length in hunks if length) for blobs, hunks in _hunks(patch)
    }


def _hunks(patch: bytes) -> Iterator[tuple[tuple[str, str], list[tuple[int, int]]]]:
    """The pair of blob ids of each file in a patch, and (first line, number of lines) of its hunks' new side."""
    from unidiff.patch import PatchSet

    # latin-1 keeps every byte, and newline="\n" keeps a lone carriage return inside its line.
    for file in PatchSet(io.StringIO(patch.decode("latin-1"), newline="\n")):
        index = _INDEX_LINE.search(str(file.patch_info or ""))
        if index is not None:
            yield (index[1], index[2]), [(hunk.target_start, hunk.target_length) for hunk in file]


def _range(start: int, length: int) -> tuple[int, int]:
    return (start, start + length - 1) if length else (max(start, 1), start + 1)


def meets(ranges: LineRanges, first: int, last: int) -> bool:
    """Whether the lines `first`..`last` touch one of the ranges."""
    return any(low <= last and first <= high for low, high in ranges)


def check_path(path: str) -> str:
    """A path from outside (a diff, a report), if it stays inside the repository.

    Raises:
        UsageError: it is absolute, climbs out, or reaches into `.git`.
    """
    parts = path.replace("\\", "/").split("/")
    lowered = {part.rstrip(". ").lower() for part in parts}
    is_outside = path.startswith(("/", "\\", "~")) or ".." in parts or re.match(r"[A-Za-z]:", path)
    if not path or "\0" in path or is_outside or "" in parts or ".git" in lowered or "git~1" in lowered:
        raise UsageError(f"the path {path!r} leads outside the repository or into .git; it is refused")
    return path


def is_forbidden_path(path: str) -> bool:
    """Whether a fix may not touch a path: workflow folders and lock files."""
    parts = path.split("/")
    return bool(set(parts[:-1]) & set(FORBIDDEN_DIRECTORIES)) or parts[-1] in LOCK_FILES


def apply_edits(lines: Sequence[str], edits: Iterable[Edit]) -> list[str]:
    """`lines` (each with its line end) with whole-line edits made; edits may not overlap.

    Raises:
        ValueError: edits overlap or lie outside the file.
    """
    result = list(lines)
    boundary = len(result) + 1
    for edit in sorted(edits, key=lambda e: (e.start_line, e.end_line), reverse=True):
        if not 1 <= edit.start_line <= edit.end_line or edit.end_line >= boundary:
            raise ValueError(f"edit of lines {edit.start_line}-{edit.end_line} does not fit")
        result[edit.start_line - 1 : edit.end_line] = split_lines(edit.replacement)
        boundary = edit.start_line
    return result


def minimal_edits(lines: Sequence[str], edit: Edit) -> tuple[Edit, ...]:
    """The same change without the lines that it only repeats, as one edit a changed place.

    An insertion keeps the line before it as its anchor, or the line after it at the start of a file.
    """
    old, new = lines[edit.start_line - 1 : edit.end_line], split_lines(edit.replacement)
    found = []
    for tag, i, j, k, m in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        first, text = edit.start_line + i, "".join(new[k:m])
        if tag != "insert":
            found.append(Edit(edit.path, first, edit.start_line + j - 1, text))
        elif first > 1:
            found.append(Edit(edit.path, first - 1, first - 1, lines[first - 2] + text))
        else:
            found.append(Edit(edit.path, 1, 1, text + lines[0]))
    return tuple(found)


def unified(path: str, before: Sequence[str], after: Sequence[str]) -> str:
    """A unified diff with three lines of context; a missing final newline is marked as git does."""
    out = []
    for line in difflib.unified_diff(before, after, f"a/{path}", f"b/{path}"):
        out.append(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
    return "".join(out)
