"""What a run without a token hands over, and what is made of it before anybody sees it or it is recorded.

Anybody may have written it (rows A7, A8): a pull request from a fork brings its own workflow. So the report is
validated, what it says of its target is compared with what the forge says, texts with secrets are held back (row A22),
and the repository's own decisions mute findings.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from nootropic_bot.errors import UsageError
from nootropic_bot.records import Finding, Report
from nootropic_bot.reports import from_json, summarize, to_data
from nootropic_bot.soundness import diff_brings_secret
from nootropic_bot.state.redact import redact_text
from nootropic_bot.state.views import Triage, suppression

MAX_FINDINGS = 25_000
_MAX_LINE = 10_000_000
# What a person would read of one finding is less; all of it is looked through for secrets, which takes time.
_MAX_TEXT, _MAX_FIX, _MAX_PARTS = 65_536, 1_000_000, 100
# Of the whole report: what was not scanned and why, and of one reason.
_MAX_GAPS, _MAX_REASON = 25_000, 4_096
# The longest path that Linux opens; rules' names are a fraction of the other.
_MAX_PATH, _MAX_NAME = 4_096, 256


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A report ready to be shown. `held_back`: how many texts held a secret: fixes left out, messages redacted."""

    report: Report
    held_back: int


def read_report(raw: bytes, name: str, head: str | None = None) -> Report:
    """A report from outside, validated; of the commit `head`, if one is given.

    Raises:
        UsageError: it is no report of a range of commits, is about another commit, or holds what no review says.
    """
    report = from_json(raw, name)
    # Before anything is made of it: what is made takes several times its room.
    _check_size(report, name)
    try:
        # A byte that is no text is kept as half of a character; other halves come from nowhere.
        json.dumps(to_data(report), ensure_ascii=False).encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise UsageError(f"{name} holds characters that do not exist; it is refused") from error
    if report.base is None or report.head is None:
        raise UsageError(f"{name} is no report of a range of commits", "make it with `review --base … --head …`")
    if report.shard is not None:
        raise UsageError(f"{name} is one shard of several", "join them with `review merge`")
    if head is not None and report.head != head:
        problem = f"{name} is about commit {report.head[:40]!r}, not about {head}; it is refused"
        raise UsageError(problem, "review the commit that it should be about")
    findings = report.findings
    if len({finding.id for finding in findings}) < len(findings):
        raise UsageError(f"{name} has two findings of one id; it is refused")
    for finding in findings:
        if not 1 <= finding.start.line <= finding.end.line <= _MAX_LINE:
            raise UsageError(f"{name} has a finding on lines that no file has; it is refused")
    return replace(report, summary=summarize(findings, report.summary.seconds))


def _check_size(report: Report, name: str) -> None:
    """Refuse a report with more in it than a review says."""
    if len(report.findings) > MAX_FINDINGS:
        raise UsageError(f"{name} has {len(report.findings):,} findings, at most {MAX_FINDINGS:,} are taken")
    gaps = report.not_scanned
    reasons = (*report.incomplete_reasons, *(gap.reason for gap in gaps), *(gap.path for gap in gaps))
    if len(reasons) > 2 * _MAX_GAPS or any(len(text) > _MAX_REASON for text in reasons):
        raise UsageError(f"{name} names more that was not analysed than anybody reads; it is refused")
    if any(len(text) > _MAX_NAME for text in (report.tool.name, report.tool.version, report.rules_hash)):
        raise UsageError(f"{name} has a name that is too long; it is refused")
    if any(_is_too_long(finding) for finding in report.findings):
        raise UsageError(f"{name} has a finding with more text than anybody reads; it is refused")


def _is_too_long(finding: Finding) -> bool:
    fix, muted_by = finding.suggestion, finding.suppressed
    named = [finding.id, finding.rule_id, finding.principle or "", *finding.cwe, *finding.owasp]
    texts = [finding.message]
    parts = len(finding.cwe) + len(finding.owasp)
    length = 0
    if muted_by is not None:
        texts += [muted_by.by, muted_by.reason, muted_by.expires or ""]
    if fix is not None:
        named += [fix.id, fix.model or "", fix.prompt or "", *(check.name for check in fix.checks)]
        parts += len(fix.checks) + len(fix.edits)
        length = len(fix.diff) + sum(len(edit.replacement) for edit in fix.edits)
        length += sum(len(check.detail) for check in fix.checks)
    is_long = any(len(text) > _MAX_NAME for text in named) or any(len(text) > _MAX_TEXT for text in texts)
    return is_long or len(finding.path) > _MAX_PATH or parts > _MAX_PARTS or length > _MAX_FIX


def cleaned(report: Report) -> Cleaned:
    """The report without texts that hold a secret; what is left of each finding is shown."""
    findings = [_clean(finding) for finding in report.findings]
    changed = sum(new is not old for new, old in zip(findings, report.findings, strict=True))
    seconds = report.summary.seconds
    return Cleaned(replace(report, findings=tuple(findings), summary=summarize(findings, seconds)), changed)


def _clean(finding: Finding) -> Finding:
    message, redacted = redact_text(finding.message)
    fix = finding.suggestion
    is_secret = fix is not None and diff_brings_secret(
        "\n".join([fix.diff, *(f"+{line}" for edit in fix.edits for line in edit.replacement.split("\n"))])
    )
    if not redacted and not is_secret:
        return finding
    if is_secret:
        message += " (A fix is held back: it holds what looks like a secret.)"
    return replace(finding, message=message, suggestion=None if is_secret else fix)


def muted(report: Report, entries: Iterable[Triage], number: int) -> Report:
    """The report with what the repository has decided since, or for this pull request: marked, not dropped."""
    known = list(entries)
    findings = [_mute(finding, known, number) for finding in report.findings]
    return replace(report, findings=tuple(findings), summary=summarize(findings, report.summary.seconds))


def _mute(finding: Finding, entries: Sequence[Triage], number: int) -> Finding:
    if finding.suppressed is not None:
        return finding
    found = suppression(entries, finding.id, finding.rule_id, finding.path, number)
    return finding if found is None else replace(finding, suppressed=found)
