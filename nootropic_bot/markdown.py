"""The report as GitHub-flavoured Markdown, for job summaries and comments.

A comment has a hard limit. What does not fit in full is named by its place, and what can't even be named is counted,
so that nothing is lost silently (row A47). Data goes through `escape`, so it can't format, link, mention or close
anything; it never stands in a `<summary>`, where GitHub reads HTML and no Markdown escape holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from nootropic_bot.constants import SEVERITIES, TOOL_NAME
from nootropic_bot.escape import diff_lines, fence, markdown_code, markdown_text
from nootropic_bot.findingtext import plural
from nootropic_bot.records import Check, Finding, Report, Suggestion
from nootropic_bot.reports import counts

# GitHub's limit for the body of a comment, in characters.
MAX_CHARS = 65_536

_MAX_TEXT = 2_000
_MAX_CODE = 300
_MAX_CHECKS = 30
_TITLE_ROOM = 120
_CWE = re.compile(r"CWE-(\d{1,6})\b")
ICONS = {"error": "🔴", "warning": "🟡", "info": "🔵"}
_Block = tuple[Finding, str]


def render_markdown(report: Report, *, max_chars: int = MAX_CHARS) -> str:
    """The report in at most `max_chars` characters: what is incomplete first, then counts, then findings by file."""
    title, table = f"## {report_title(report)}\n\n", _summary_table(report)
    room = (max_chars - len(title) - len(table)) // 2
    incomplete = fitting_list(incomplete_title(report), list(incomplete_items(report)), room)
    head = f"{title}{incomplete}{table}"
    blocks = [(finding, _full(finding)) for finding in report.findings if counts(finding)]
    muted = [(f, f"- {name_line(f)}{_why_muted(f)}\n") for f in report.findings if not counts(f)]
    text = head + _fill(blocks, muted, max_chars - len(head))
    return text if len(text) <= max_chars else f"{text[: max(max_chars - 1, 0)]}…"[:max_chars]


def _fill(blocks: Sequence[_Block], muted: Sequence[_Block], room: int) -> str:
    """As many findings in full as fit, the rest named or counted."""
    everything = _by_file(blocks) + _muted_section(muted)
    if len(everything) <= room:
        return everything
    names = {finding.id: f"- {name_line(finding)}\n" for finding, _block in blocks}
    # Naming all of them comes first, but takes half of the room at most.
    named = sum(map(len, names.values())) + sum(len(line) for _finding, line in muted)
    kept, left = _take(blocks, names, max(room - named - _TITLE_ROOM, room // 2))
    text = _by_file(kept)
    rest = [names[finding.id] for finding, _block in left] + [line for _finding, line in muted]
    title = f"\n### {len(rest)} more not shown in full\n\nThe whole report is in the JSON form.\n"
    return text + fitting_list(title, rest, room - len(text))


def _take(blocks: Sequence[_Block], names: Mapping[str, str], room: int) -> tuple[list[_Block], list[_Block]]:
    """The blocks that fit, the severest first, and the others; both in the order of the report.

    `room` is what is left when all are named; a finding shown in full gives the room of its name back.
    """
    by_severity = sorted(range(len(blocks)), key=lambda index: (SEVERITIES.index(blocks[index][0].severity), index))
    taken: set[int] = set()
    headed: set[str] = set()
    for index in by_severity:
        finding, text = blocks[index]
        size = len(text) - len(names[finding.id]) + (0 if finding.path in headed else len(_file_heading(finding.path)))
        if size <= room:
            room -= size
            headed.add(finding.path)
            taken.add(index)
    kept = [block for index, block in enumerate(blocks) if index in taken]
    return kept, [block for index, block in enumerate(blocks) if index not in taken]


def _by_file(blocks: Iterable[_Block]) -> str:
    parts: list[str] = []
    path: str | None = None
    for finding, text in blocks:
        if finding.path != path:
            path = finding.path
            parts.append(_file_heading(path))
        parts.append(text)
    return "".join(parts)


def fitting_list(title: str, items: Sequence[str], room: int) -> str:
    """A titled list in at most `room` characters, saying how many items it leaves out; "" without items."""
    if not items:
        return ""
    total = sum(map(len, items))
    more = f"- … and {len(items)} more\n"
    used = len(title) + 2
    kept: list[str] = []
    for item in items:
        if used + len(item) + (len(more) if total > room - used else 0) > room:
            break
        kept.append(item)
        used += len(item)
        total -= len(item)
    left = len(items) - len(kept)
    return f"{title}\n{''.join(kept)}{f'- … and {left} more{chr(10)}' if left else ''}\n"


def report_title(report: Report) -> str:
    """How many findings count, in how many files."""
    number = sum(map(counts, report.findings))
    files = len({finding.path for finding in report.findings if counts(finding)})
    if number:
        return f"{TOOL_NAME}: {plural(number, 'finding')} in {plural(files, 'file')}"
    return f"{TOOL_NAME}: no findings" + ("" if report.complete else " in what was analysed")


def _summary_table(report: Report) -> str:
    open_findings = [finding for finding in report.findings if counts(finding)]
    cells: list[tuple[str, int | str]] = [
        (f"{level}s" if level != "info" else level, sum(f.severity == level for f in open_findings))
        for level in SEVERITIES
    ]
    outside = sum(not finding.in_scope for finding in report.findings)
    cells += [
        ("proved fixes", report.summary.verified_suggestions),
        ("suppressed", report.summary.suppressed),
        ("outside the change", outside),
        ("seconds", f"{report.summary.seconds.total:.1f}"),
    ]
    names, values = zip(*cells, strict=True)
    return f"| {' | '.join(names)} |\n|{' --: |' * len(cells)}\n| {' | '.join(map(str, values))} |\n"


def incomplete_title(report: Report) -> str:
    """What heads the list of what was not analysed."""
    if report.complete:
        return "**Not scanned:**\n"
    return "> [!WARNING]\n> The analysis is incomplete, so there may be more findings than these.\n"


def incomplete_items(report: Report) -> Iterator[str]:
    """What was not analysed and why, as items of a list."""
    for reason in report.incomplete_reasons:
        yield f"- {inline_text(reason)}\n"
    for item in report.not_scanned:
        yield f"- {inline_code(item.path)}: {inline_text(item.reason)}\n"


def _file_heading(path: str) -> str:
    return f"\n### {inline_code(path)}\n"


def name_line(finding: Finding) -> str:
    """A finding in a few words: how severe, which rule, where."""
    return f"{finding.severity} {inline_code(finding.rule_id)} at {inline_code(f'{finding.path}:{finding.start.line}')}"


def _full(finding: Finding) -> str:
    text = f"\n{finding_text(finding, f'line {finding.start.line}, column {finding.start.col}')}"
    return text + (_suggestion(finding.suggestion) if finding.suggestion is not None else "")


def finding_text(finding: Finding, place: str = "") -> str:
    """A finding without its fix: a line that says how severe, which rule and where (`place`), message, principle."""
    parts = [f"{ICONS[finding.severity]} **{finding.severity}**", inline_code(finding.rule_id)]
    parts += [place] if place else []
    parts += (_cwe(cwe) for cwe in finding.cwe[:10])
    title = _principle(finding)
    principle = f"\n*Principle: {inline_text(title)}*\n" if title else ""
    return f"{' · '.join(parts)}\n\n{inline_text(finding.message)}\n{principle}"


def _cwe(cwe: str) -> str:
    found = _CWE.match(cwe)
    if found is None:
        return inline_code(cwe)
    return f"[CWE-{found[1]}](https://cwe.mitre.org/data/definitions/{int(found[1])}.html)"


def _principle(finding: Finding) -> str | None:
    from nootropic_bot.resources import principles

    entry = principles().get(finding.principle) if finding.principle else None
    return entry["title"] if entry else finding.principle


def _suggestion(suggestion: Suggestion) -> str:
    if suggestion.verified:
        head, body = proof_title(suggestion), proof_text(suggestion)
    else:
        head = f"⚠️ Unproved suggestion by {suggestion.source}, never applied"
        body = "".join(map(_doubt, suggestion.checks)) + _maker(suggestion)
    diff = fence("\n".join(diff_lines(suggestion.diff)), "diff") if suggestion.diff else ""
    return details(head, f"{body}\n{diff}")


def proof_title(suggestion: Suggestion) -> str:
    """Who made a proved fix, in words that are safe inside HTML."""
    return f"Proved fix by {suggestion.source}"


def proof_text(suggestion: Suggestion) -> str:
    """What was checked of a proved fix, and by which model it was proposed."""
    return f"{' · '.join(f'{check_name(check)} ✓' for check in suggestion.checks[:_MAX_CHECKS])}\n{_maker(suggestion)}"


def _maker(suggestion: Suggestion) -> str:
    return f"\nProposed by {inline_code(suggestion.model)}.\n" if suggestion.model else ""


def details(title: str, body: str) -> str:
    """Markdown that is shown on demand. `title` is read as HTML, where no escape of Markdown holds: no data in it."""
    # The blank lines make GitHub read Markdown again inside the HTML block.
    return f"\n<details><summary>{title}</summary>\n\n{body}\n</details>\n"


def _doubt(check: Check) -> str:
    if check.status == "passed":
        return ""
    detail = f": {inline_text(check.detail)}" if check.detail else ""
    return f"- {check_name(check)} {check.status.replace('_', ' ')}{detail}\n"


def check_name(check: Check) -> str:
    """The name of a check, in words."""
    return inline_text(check.name.replace("_", " "))


def _muted_section(muted: Sequence[_Block]) -> str:
    if not muted:
        return ""
    lines = "".join(line for _finding, line in muted)
    return details(f"{len(muted)} suppressed or outside the change", lines)


def _why_muted(finding: Finding) -> str:
    if finding.suppressed is None:
        return ": outside the change"
    until = f" until {inline_text(finding.suppressed.expires)}" if finding.suppressed.expires else ""
    reason = f": {inline_text(finding.suppressed.reason)}" if finding.suppressed.reason else ""
    return f": suppressed by {inline_text(finding.suppressed.by)}{until}{reason}"


def inline_text(text: str) -> str:
    """Data as running text, cut where it is too long, which is said."""
    return markdown_text(_clipped(text, _MAX_TEXT))


def inline_code(text: str) -> str:
    """Data as a code span, cut where it is too long, which is said."""
    return markdown_code(_clipped(text, _MAX_CODE))


def _clipped(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text) - limit} more characters)"
