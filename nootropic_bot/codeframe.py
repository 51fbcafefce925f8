"""Code as rows with line numbers: the lines of a finding with an underline below the place, and the lines of a diff."""

from __future__ import annotations

import re
from dataclasses import dataclass

from nootropic_bot.escape import code, diff_lines
from nootropic_bot.records import Finding
from nootropic_bot.source import Source

_CONTEXT = 1
_MAX_LINES = 8
_MIN_WIDTH = 20
_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)")


@dataclass(frozen=True, slots=True)
class DiffRow:
    """A line of a diff: `sign` is `+`, `-` or a space, and the number is the old one, of an added line the new one."""

    number: int | None
    sign: str
    text: str
    is_gap: bool = False


@dataclass(frozen=True, slots=True)
class FrameLine:
    """One row: a numbered line of code, the underline (no number), or the mark that lines were left out (`skipped`)."""

    number: int | None
    text: str
    is_finding: bool = False
    skipped: int = 0


def code_frame(finding: Finding, source: Source, width: int, ellipsis: str = "…") -> list[FrameLine]:
    """The rows of a frame, each at most `width` cells wide; none when the source does not hold those lines."""
    from rich.cells import cell_len

    lines = source.lines
    first = finding.start.line
    if not 1 <= first <= len(lines):
        return []
    last = min(max(_last_line(finding), first), len(lines))
    width = max(width, _MIN_WIDTH)
    before, span = _split(lines[first - 1], finding)
    offset = _crop_offset(before, span, width)
    rows: list[FrameLine] = []
    shown_last = min(last, first + _MAX_LINES - 1)
    for number in range(max(1, first - _CONTEXT), shown_last + 1):
        text = _cropped(code(lines[number - 1].rstrip("\r\n")), offset, width, ellipsis)
        rows.append(FrameLine(number, text, first <= number <= last))
        if number == first:
            column = cell_len(before[offset:]) + (cell_len(ellipsis) if offset else 0)
            length = max(1, min(cell_len(span), width - column))
            rows.append(FrameLine(None, " " * column + "^" * length, True))
    if shown_last < last:
        rows.append(FrameLine(None, "", skipped=last - shown_last))
    for number in range(last + 1, min(last + _CONTEXT, len(lines)) + 1):
        rows.append(FrameLine(number, _cropped(code(lines[number - 1].rstrip("\r\n")), offset, width, ellipsis)))
    return rows


def _last_line(finding: Finding) -> int:
    """The last line that holds some of the finding: one that ends before the first column holds nothing of it."""
    return finding.end.line - 1 if finding.end.col <= 1 else finding.end.line


def _split(line: str, finding: Finding) -> tuple[str, str]:
    """What is shown of the first line before the finding, and of the finding itself."""
    content = line.rstrip("\r\n")
    start = finding.start.col - 1
    end = finding.end.col - 1 if finding.end.line == finding.start.line else len(content)
    return code(content[:start]), code(content[start:end].rstrip())


def _crop_offset(before: str, span: str, width: int) -> int:
    """How many characters to leave out at the left, so that the finding is seen with some of what leads to it."""
    from rich.cells import cell_len

    if cell_len(before) + cell_len(span) <= width:
        return 0
    room = max(width - cell_len(span) - 2, width // 4)
    offset = 0
    while cell_len(before[offset:]) > room:
        offset += max(1, (cell_len(before[offset:]) - room) // 2)
    return offset


def _cropped(text: str, offset: int, width: int, ellipsis: str) -> str:
    from rich.cells import cell_len, set_cell_size

    if offset:
        text = ellipsis + text[offset:] if text[offset:] else ""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - cell_len(ellipsis)).rstrip() + ellipsis


def diff_rows(diff: str, *, with_paths: bool = False) -> list[DiffRow]:
    """The changed lines of a unified diff with a line of context on either side, with line numbers for hunk headers."""
    numbered: list[DiffRow] = []
    old = new = 0
    is_in_hunk = False
    for line in diff_lines(diff):
        sign, text = line[:1], line[1:]
        header = _HUNK.match(line)
        if header:
            old, new, is_in_hunk = int(header[1]), int(header[2]), True
            numbered.append(DiffRow(None, "", "", is_gap=True))
        elif not is_in_hunk:
            if with_paths:
                numbered.append(DiffRow(None, sign, text))
        elif sign == "\\":
            numbered.append(DiffRow(None, sign, text.strip()))
        else:
            numbered.append(DiffRow(new if sign == "+" else old, sign, text))
            old += sign != "+"
            new += sign != "-"
    return _near_changes(numbered)


def _near_changes(rows: list[DiffRow]) -> list[DiffRow]:
    """The rows within the context of a change, with a gap wherever others are left out between them."""
    kept: list[DiffRow] = []
    is_gap_due = False
    for index, row in enumerate(rows):
        near = rows[max(0, index - _CONTEXT) : index + _CONTEXT + 1]
        if row.is_gap or (row.sign == " " and not any(other.sign in ("+", "-") for other in near)):
            is_gap_due = bool(kept)
            continue
        if is_gap_due:
            kept.append(DiffRow(None, "", "", is_gap=True))
            is_gap_due = False
        kept.append(row)
    return kept
