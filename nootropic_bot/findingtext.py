"""One finding as lines of text: place, message, code, principle, and the suggestion with its proof."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nootropic_bot.escape import one_line
from nootropic_bot.records import Check, Finding, Severity, Suggestion
from nootropic_bot.source import Source

if TYPE_CHECKING:
    from rich.text import Text

INDENT = "  "
COLOURS: Mapping[Severity, str] = {"error": "red", "warning": "yellow", "info": "blue"}
_READING_WIDTH = 100
_DIFF_STYLES = {"+": "green", "-": "red"}


@dataclass(frozen=True, slots=True)
class Symbols:
    """The signs of a page, for streams that take them and for those that don't."""

    passed: str
    failed: str
    not_run: str
    bar: str
    rule: str
    bullet: str
    dot: str
    ellipsis: str


UNICODE = Symbols("✓", "✗", "–", "│", "─", "●", " · ", "…")
ASCII = Symbols("ok", "FAILED", "-", "|", "-", "*", " - ", "...")


@dataclass(frozen=True, slots=True)
class Page:
    """What every part of a page needs to know."""

    width: int
    sources: Mapping[str, Source]
    symbols: Symbols

    @property
    def reading_width(self) -> int:
        """The width of running text: lines of more than about a hundred characters are hard to read."""
        return min(self.width, _READING_WIDTH)


def plural(number: int, noun: str, plural_noun: str | None = None) -> str:
    """A number with its noun."""
    return f"{number} {noun if number == 1 else plural_noun or noun + 's'}"


def place(finding: Finding) -> str:
    """`path:line:col`, which many terminals make clickable."""
    return f"{one_line(finding.path)}:{finding.start.line}:{finding.start.col}"


def finding_lines(page: Page, finding: Finding) -> Iterator[Text]:
    """Everything about one finding."""
    from rich.text import Text

    colour = COLOURS[finding.severity]
    header = Text()
    header.append(f"{page.symbols.bullet} ", colour)
    header.append(place(finding), "cyan")
    header.append(f"  {finding.severity}", f"bold {colour}")
    header.append(f"  {one_line(finding.rule_id)}", "bold")
    if finding.cwe:
        header.append(f"  [{', '.join(one_line(cwe.partition(':')[0]) for cwe in finding.cwe)}]", "dim")
    if not finding.in_scope:
        header.append("  outside the change", "dim italic")
    yield header
    yield from wrapped(page, finding.message)
    title = _principle(finding)
    if title:
        yield Text.assemble(INDENT, (f"principle: {one_line(title)}", "dim"))
    yield from _frame(page, finding)
    if finding.suggestion is not None:
        yield from _suggestion(page, finding, finding.suggestion)


def suppressed_line(finding: Finding) -> Text:
    """A finding that does not count, and why, in one line."""
    from rich.text import Text

    mark = finding.suppressed
    assert mark is not None
    reason = one_line(mark.reason)
    by = "" if reason.startswith(mark.by) else f"{one_line(mark.by)}: " if reason else one_line(mark.by)
    until = f" (until {one_line(mark.expires)})" if mark.expires else ""
    return Text(f"{INDENT}{place(finding)}  suppressed  {one_line(finding.rule_id)}  {by}{reason}{until}", "dim")


def wrapped(page: Page, text: str) -> Iterator[Text]:
    """Running text, its white space folded, indented."""
    from rich.text import Text

    for line in _fold(one_line(" ".join(text.split())).split(" "), page.reading_width - len(INDENT)):
        yield Text(f"{INDENT}{line}")


def _fold(words: Iterable[str], width: int) -> Iterator[str]:
    """Words as lines; ten times as fast as `Text.wrap`, which matters when a whole repository is reviewed."""
    from rich.cells import cell_len, chop_cells

    line: list[str] = []
    used = 0
    for word in words:
        for part in chop_cells(word, width) if cell_len(word) > width else [word]:
            size = cell_len(part)
            if line and used + 1 + size > width:
                yield " ".join(line)
                line, used = [], 0
            used += size + (1 if line else 0)
            line.append(part)
    yield " ".join(line)


def _frame(page: Page, finding: Finding) -> Iterator[Text]:
    from rich.text import Text

    from nootropic_bot.codeframe import code_frame

    source = page.sources.get(finding.path)
    if source is None:
        return
    digits = len(str(finding.end.line + 1))
    width = page.width - len(_gutter(page, digits, None))
    rows = code_frame(finding, source, width, page.symbols.ellipsis)
    if not rows:
        return
    yield Text()
    for row in rows:
        line = Text(_gutter(page, digits, row.number), "dim")
        if row.skipped:
            line.append(f"{page.symbols.ellipsis} {plural(row.skipped, 'more line')}")
        elif row.number is None:
            line.append(row.text, f"not dim bold {COLOURS[finding.severity]}")
        else:
            line.append(row.text, "not dim" if row.is_finding else "")
        line.rstrip()
        yield line


def _gutter(page: Page, digits: int, number: int | None) -> str:
    return f"{INDENT * 2}{number or '':>{digits}} {page.symbols.bar} "


def _principle(finding: Finding) -> str | None:
    from nootropic_bot.resources import principles

    entry = principles().get(finding.principle) if finding.principle else None
    return entry["title"] if entry else finding.principle


def _suggestion(page: Page, finding: Finding, suggestion: Suggestion) -> Iterator[Text]:
    from rich.text import Text

    yield Text()
    line = Text(INDENT)
    if suggestion.verified:
        line.append("proved: ", "bold green")
        for check in suggestion.checks:
            line.append(f"{_name(check)} ", "dim").append(f"{page.symbols.passed} ", "green")
        yield line.append(f" {_maker(suggestion)}", "dim")
    else:
        line.append("unproved: ", "bold yellow")
        yield line.append(f"{_maker(suggestion)}, never applied", "dim")
        yield from (_doubt(page, check) for check in suggestion.checks if check.status != "passed")
    yield from _diff(page, finding, suggestion)


def _name(check: Check) -> str:
    return one_line(check.name.replace("_", " "))


def _maker(suggestion: Suggestion) -> str:
    model = f" {one_line(suggestion.model)}" if suggestion.model else ""
    confidence = f", confidence {suggestion.confidence:.2f}" if suggestion.confidence is not None else ""
    return f"by {suggestion.source}{model}{confidence}"


def _doubt(page: Page, check: Check) -> Text:
    from rich.text import Text

    is_failed = check.status == "failed"
    line = Text(INDENT * 2)
    line.append(f"{page.symbols.failed if is_failed else page.symbols.not_run} ", "red" if is_failed else "dim")
    line.append(_name(check))
    detail = one_line(check.detail)
    text = f": {detail}" if is_failed and detail else f" not run: {detail}" if detail else f" {check.status}"
    return line.append(text.replace("not_run", "not run"), "dim")


def _diff(page: Page, finding: Finding, suggestion: Suggestion) -> Iterator[Text]:
    from rich.cells import chop_cells
    from rich.text import Text

    from nootropic_bot.codeframe import diff_rows

    rows = diff_rows(suggestion.diff, with_paths=any(edit.path != finding.path for edit in suggestion.edits))
    digits = len(str(max((row.number or 0 for row in rows), default=0)))
    width = page.width - len(_gutter(page, digits, None)) - 2
    for row in rows:
        if row.is_gap:
            yield Text(f"{INDENT * 2}{page.symbols.ellipsis:>{digits}}", "dim")
            continue
        style = _DIFF_STYLES.get(row.sign, "dim")
        for position, part in enumerate(chop_cells(row.text, width) or [""]):
            line = Text(_gutter(page, digits, None if position else row.number), "dim")
            line.append(f"{' ' if position else row.sign} {part}", f"not dim {style}" if style != "dim" else "")
            line.rstrip()
            yield line
