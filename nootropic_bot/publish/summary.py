"""The texts about a whole report: the review's body, the summary comment and the check's summary.

None of them holds a time or a count of requests: what was said once is not said again in other words by the next run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from nootropic_bot.constants import SEVERITIES, TOOL_NAME
from nootropic_bot.findingtext import plural
from nootropic_bot.markdown import check_name, fitting_list, incomplete_items, incomplete_title, report_title
from nootropic_bot.marker import SummaryMarker
from nootropic_bot.publish.comments import listed, named, short
from nootropic_bot.records import Check, Finding, Report, Suggestion
from nootropic_bot.reports import counts

# For the title of the names and the count of what is not even named.
_REST_ROOM = 120

# Why a finding has no comment on its lines.
Reason = Literal["cap", "outside", "refused", "unposted"]
_REASONS: Mapping[Reason, str] = {
    "cap": "over the limit of open comments",
    "outside": "on lines that the diff does not show",
    "refused": "refused as a comment",
    "unposted": "not posted as a comment this time",
}
_RESCANS: Mapping[str, str] = {"gone": "the finding gone", "nothing_new": "nothing new"}


@dataclass(frozen=True, slots=True)
class Listed:
    """A finding without a comment on its lines, its proved fix, and the reason."""

    finding: Finding
    fix: Suggestion | None
    reason: Reason


@dataclass(frozen=True, slots=True)
class Overview:
    """What a summary is about.

    `fixes`: the proved fixes on offer. `commented`: findings with a comment; `resolved`: how many of those are in
    threads that somebody resolved. `fixed`: earlier comments whose finding is gone.
    """

    report: Report
    head: str
    fixes: tuple[Suggestion, ...]
    commented: int
    resolved: int
    fixed: int
    listed: tuple[Listed, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A text and the ids of the findings that it shows, in full or by name."""

    text: str
    shown: frozenset[str]


def review_body(number: int, fixes: Sequence[Suggestion], elsewhere: Iterable[Listed], *, is_rest: bool = False) -> str:
    """The body of a review of `number` comments; `is_rest`: an earlier review of this run holds the others."""
    if is_rest:
        return f"**{TOOL_NAME}**: {plural(number, 'more comment')} of the same review.\n"
    with_fix = f", {len(fixes)} of them with a proved fix" if fixes else ""
    text = f"**{TOOL_NAME}** comments on {plural(number, 'finding')}{with_fix}.\n"
    reasons = _reasons(elsewhere)
    return f"{text}\nIn the summary comment only: {reasons}.\n" if reasons else text


def withdrawn_body(left: int, withdrawn: int) -> str:
    """The body of a review of which `left` comments are left, because another run had posted the same."""
    why = "because another run had posted the same"
    if not left:
        return f"**{TOOL_NAME}**: the comments of this review were taken back, {why}.\n"
    return f"**{TOOL_NAME}** comments on {plural(left, 'finding')}; {withdrawn} more were taken back, {why}.\n"


def summary_page(overview: Overview, room: int, marker: SummaryMarker | None) -> Page:
    """The summary in at most `room` characters: what is incomplete, counts, proof, then what has no comment.

    As many findings in full as fit, the severest first; the rest is named, and what can't be named is counted.
    """
    end = f"\n{marker}" if marker is not None else ""
    room -= len(end)
    report = overview.report
    title = f"## {report_title(report)}\n\n"
    numbers = f"{_counts(overview)}{proof_line(overview.fixes)}"
    half = (room - len(title) - len(numbers)) // 2
    missing = fitting_list(incomplete_title(report), list(incomplete_items(report)), half)
    head = f"{title}{missing}{numbers}"
    shown, text = _listing(overview.listed, room - len(head))
    if len(head) + len(text) > room:
        shown, text, head = frozenset(), "", f"{title[: max(room - 1, 0)]}…"
    return Page(f"{head}{text}{end}", shown)


def _counts(overview: Overview) -> str:
    report = overview.report
    numbers: Counter[str] = Counter(finding.severity for finding in report.findings if counts(finding))
    parts = [f"Commit {short(overview.head)}"]
    parts += [
        plural(numbers[level], level, "info" if level == "info" else None) for level in SEVERITIES if numbers[level]
    ]
    parts += [f"{plural(overview.commented, 'comment')} on the diff"] if overview.commented else []
    parts += [f"{overview.resolved} still there in resolved threads"] if overview.resolved else []
    parts += [f"{overview.fixed} of the earlier comments fixed"] if overview.fixed else []
    parts += [f"{report.summary.suppressed} suppressed"] if report.summary.suppressed else []
    outside = sum(not finding.in_scope for finding in report.findings)
    parts += [f"{outside} outside the change"] if outside else []
    return f"{' · '.join(parts)}\n"


def proof_line(fixes: Sequence[Suggestion]) -> str:
    """What was proved, and how, in one line: the checks that every fix passed; "" without fixes."""
    if not fixes:
        return ""
    common = [check.name for check in fixes[0].checks if all(_has_passed(fix, check.name) for fix in fixes)]
    static = ", ".join(check_name(Check(name, "passed")) for name in common[:20] if name not in _RESCANS)
    again = " and ".join(text for name, text in _RESCANS.items() if name in common)
    how = [f"passed: {static}"] if static else []
    how += [f"re-scan: {again}"] if again else []
    number = plural(len(fixes), "fix", "fixes")
    proof = f" ({'; '.join(how)})" if how else ""
    return f"\n**Proved:** {number}, on a copy of the file{proof}.\n"


def _has_passed(fix: Suggestion, name: str) -> bool:
    return any(check.name == name and check.status == "passed" for check in fix.checks)


def _reasons(elsewhere: Iterable[Listed]) -> str:
    numbers = Counter(item.reason for item in elsewhere)
    return ", ".join(f"{numbers[reason]} {text}" for reason, text in _REASONS.items() if numbers[reason])


def _listing(items: Sequence[Listed], room: int) -> tuple[frozenset[str], str]:
    """The ids that are shown, and the text that shows them in at most `room` characters."""
    if not items:
        return frozenset(), ""
    title = f"\n### {plural(len(items), 'finding')} without a comment on the diff\n\n{_reasons(items)}\n"
    room -= len(title)
    names = [named(item.finding) for item in items]
    # Naming all of them comes first, but takes half of the room at most.
    for_blocks = max(room - sum(map(len, names)) - _REST_ROOM, room // 2)
    blocks: list[str] = []
    for item, name in zip(items, names, strict=True):
        block = listed(item.finding, item.fix)
        # One that is shown in full gives the room of its name back.
        for_blocks -= len(block) - len(name)
        if for_blocks < 0:
            break
        blocks.append(block)
    rest = _names(names[len(blocks) :], room - sum(map(len, blocks)))
    shown = items[: len(blocks) + len(rest)]
    left = len(items) - len(shown)
    head = f"\n### {len(items) - len(blocks)} of them not in full\n\n" if len(blocks) < len(items) else ""
    more = f"- … and {left} more\n" if left else ""
    return frozenset(item.finding.id for item in shown), f"{title}{''.join(blocks)}{head}{''.join(rest)}{more}"


def _names(names: Sequence[str], room: int) -> Sequence[str]:
    """The first of the names that fit, with room for what heads them and for the count of the others."""
    room -= _REST_ROOM
    number = 0
    while number < len(names) and room >= len(names[number]):
        room -= len(names[number])
        number += 1
    return names[:number]
