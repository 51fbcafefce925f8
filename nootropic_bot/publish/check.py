"""The check of a commit: whether it passes, in a few words, and a remark on the lines of each finding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nootropic_bot.constants import SEVERITIES
from nootropic_bot.escape import one_line, visible
from nootropic_bot.findingtext import plural
from nootropic_bot.forge import Annotation, Conclusion, Limits
from nootropic_bot.publish.anchors import is_text
from nootropic_bot.publish.plan import Policy
from nootropic_bot.publish.summary import Overview, summary_page
from nootropic_bot.records import Finding, Report

# Ten requests of GitHub's 50 each.
_MAX_ANNOTATIONS = 500
_MAX_MESSAGE = 2_000
_MAX_TITLE = 200


@dataclass(frozen=True, slots=True)
class Check:
    """A check to publish. `shown`: ids of the findings that it shows; `shown_in_text`: of those, in the summary."""

    conclusion: Conclusion
    title: str
    summary: str
    annotations: tuple[Annotation, ...]
    shown: frozenset[str]
    shown_in_text: frozenset[str]


def make_check(overview: Overview, findings: Sequence[Finding], policy: Policy, limits: Limits) -> Check:
    """The check of a report. `findings`: those that count, the most important first."""
    page = summary_page(overview, limits.check_output, None)
    annotated = [finding for finding in findings if is_text(finding.path)][:_MAX_ANNOTATIONS]
    return Check(
        conclusion=conclusion(overview.report, findings, policy),
        title=_title(overview, findings),
        summary=page.text,
        annotations=tuple(map(_annotation, annotated)),
        shown=page.shown | {finding.id for finding in annotated},
        shown_in_text=page.shown,
    )


def conclusion(report: Report, findings: Sequence[Finding], policy: Policy) -> Conclusion:
    """What an analysis that did not finish says is never green; findings below the level that fails are neutral."""
    level = -1 if policy.fail_on == "never" else SEVERITIES.index(policy.fail_on)
    if not report.complete or any(SEVERITIES.index(finding.severity) <= level for finding in findings):
        return "failure"
    return "neutral" if findings else "success"


def _title(overview: Overview, findings: Sequence[Finding]) -> str:
    parts = [plural(len(findings), "finding") if findings else "no findings"]
    parts += [plural(len(overview.fixes), "proved fix", "proved fixes")] if overview.fixes else []
    parts += [] if overview.report.complete else ["the analysis is incomplete"]
    return ", ".join(parts)


def _annotation(finding: Finding) -> Annotation:
    last = finding.end.line - 1 if finding.end.col <= 1 else finding.end.line
    message = visible(finding.message[:_MAX_MESSAGE]).strip() or "(no message)"
    first = finding.start.line
    return Annotation(
        finding.path, first, max(first, last), finding.severity, one_line(finding.rule_id[:_MAX_TITLE]), message
    )
