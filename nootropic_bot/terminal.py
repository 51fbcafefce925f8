"""The report as text that a person enjoys reading: by file, with the code, the reason and the proved fix.

Data goes through `escape` and into rich's `Text`, never through its markup.
"""

from __future__ import annotations

import io
import os
import shlex
import shutil
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, TextIO

from nootropic_bot.constants import SEVERITIES, TOOL_NAME
from nootropic_bot.escape import defuse_lines, is_utf8, one_line
from nootropic_bot.findingtext import (
    ASCII,
    COLOURS,
    INDENT,
    UNICODE,
    Page,
    finding_lines,
    plural,
    suppressed_line,
    wrapped,
)
from nootropic_bot.records import Finding, Report
from nootropic_bot.reports import counts

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from nootropic_bot.source import Source

PLAIN_WIDTH = 100
_MIN_WIDTH = 40
_MAX_NOT_SCANNED = 10


def render_text(
    report: Report,
    *,
    sources: Mapping[str, Source],
    stream: TextIO | None = None,
    show_all: bool = False,
    hints: bool = True,
) -> str:
    """The report for `stream`: in its width, with colours if it is a terminal, in ASCII if it takes no more.

    Args:
        report: what to show.
        sources: decoded files by path, for the code; a file that is missing here is shown without.
        stream: where the text will go; None for a file, as plain UTF-8.
        show_all: show findings outside the change too.
        hints: say at the end what can be done next.
    """
    console = _console(stream)
    page = Page(console.width, sources, UNICODE if is_utf8(stream) else ASCII)
    lines = _lines(page, report, show_all, hints)
    if console.color_system is None:
        return defuse_lines("".join(f"{line.plain}\n" for line in lines))
    return defuse_lines(_coloured(console, lines))


def _coloured(console: Console, lines: Iterable[Text]) -> str:
    from rich.console import Group

    with console.capture() as capture:
        console.print(Group(*lines), soft_wrap=True)
    return capture.get()


def _console(stream: TextIO | None) -> Console:
    from rich.console import Console

    is_terminal = stream is not None and stream.isatty()
    width = max(shutil.get_terminal_size((PLAIN_WIDTH, 24)).columns, _MIN_WIDTH) if is_terminal else PLAIN_WIDTH
    return Console(
        file=io.StringIO(),
        width=width,
        # None leaves it to rich, which knows FORCE_COLOR.
        force_terminal=is_terminal or None,
        color_system=None if stream is None or os.environ.get("NO_COLOR") else "auto",
        force_jupyter=False,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
    )


def _lines(page: Page, report: Report, show_all: bool, hints: bool) -> Iterator[Text]:
    from rich.text import Text

    shown = [f for f in report.findings if f.in_scope or show_all]
    for path, group in groupby(shown, key=lambda finding: finding.path):
        findings = list(group)
        yield _file_heading(page, path, findings)
        yield Text()
        for finding in findings:
            if finding.suppressed is None:
                yield from finding_lines(page, finding)
                yield Text()
        muted = [suppressed_line(finding) for finding in findings if finding.suppressed is not None]
        yield from muted
        if muted:
            yield Text()
    yield from _gaps(page, report)
    yield _summary(page, report)
    if hints:
        yield from _hints(report, show_all)


def _file_heading(page: Page, path: str, findings: list[Finding]) -> Text:
    from rich.text import Text

    text = Text(one_line(path), "bold")
    text.append(f" {page.symbols.rule * max(page.reading_width - text.cell_len - 1, 3)}", "not bold dim")
    return text


def _gaps(page: Page, report: Report) -> Iterator[Text]:
    from rich.text import Text

    if not report.complete:
        yield Text("incomplete", "bold red")
        for reason in report.incomplete_reasons:
            yield from wrapped(page, reason)
        yield Text()
    if report.not_scanned:
        yield Text("not scanned", "bold yellow")
        for item in report.not_scanned[:_MAX_NOT_SCANNED]:
            yield Text.assemble(f"{INDENT}{one_line(item.path)}", (f"  {one_line(item.reason)}", "dim"))
        left = len(report.not_scanned) - _MAX_NOT_SCANNED
        if left > 0:
            yield Text(f"{INDENT}{page.symbols.ellipsis} and {left} more; --format json lists them all", "dim")
        yield Text()


def _summary(page: Page, report: Report) -> Text:
    from rich.text import Text

    open_findings = [finding for finding in report.findings if counts(finding)]
    line = Text()
    if open_findings:
        files = len({finding.path for finding in open_findings})
        line.append(f"{plural(len(open_findings), 'finding')} in {plural(files, 'file')}", "bold")
        line.append(": ")
        tally = {level: sum(f.severity == level for f in open_findings) for level in COLOURS}
        parts = [(level, number) for level, number in tally.items() if number]
        for position, (level, number) in enumerate(parts):
            line.append(", " if position else "")
            line.append(f"{number} info" if level == "info" else plural(number, level), COLOURS[level])
    elif report.complete:
        line.append(f"{page.symbols.passed} no findings", "bold green")
    else:
        line.append("no findings in what was analysed", "bold yellow")
    for text, style in _remarks(report):
        line.append(page.symbols.dot, "dim").append(text, style)
    return line


def _remarks(report: Report) -> Iterator[tuple[str, str]]:
    """What the summary says besides the findings, each with its style."""
    if report.summary.verified_suggestions:
        yield plural(report.summary.verified_suggestions, "proved fix", "proved fixes"), "green"
    if report.summary.suppressed:
        yield f"{report.summary.suppressed} suppressed", "dim"
    outside = sum(not finding.in_scope for finding in report.findings)
    if outside:
        yield f"{outside} outside the change", "dim"
    if not report.complete:
        yield "incomplete", "bold red"
    if report.not_scanned:
        yield f"{plural(len(report.not_scanned), 'file')} not scanned", "yellow"
    yield f"{report.summary.seconds.total:.1f} s", "dim"


def _hints(report: Report, show_all: bool) -> Iterator[Text]:
    from rich.text import Text

    hints: list[tuple[str, str]] = []
    open_findings = [finding for finding in report.findings if counts(finding)]
    if report.summary.verified_suggestions:
        hints.append(("review --apply", "writes the proved fixes"))
    if open_findings:
        worst = min(open_findings, key=lambda finding: SEVERITIES.index(finding.severity))
        hints.append((f"explain {one_line(shlex.quote(worst.rule_id))}", "says more about a rule"))
    if not show_all and not all(finding.in_scope for finding in report.findings):
        hints.append(("review --show-all", "lists what is outside the change"))
    for command, text in hints:
        yield Text.assemble(INDENT, (f"{TOOL_NAME} {command}", "cyan"), (f"  {text}", "dim"))
