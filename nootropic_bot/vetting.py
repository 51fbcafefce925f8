"""Fixes of a report from outside, held against the files at the head: what is not what it says is held back.

A report may be anybody's (rows A7, A22 to A24). The parts of a proof that need no scan are made again here, from the
finding, the edits and the file; parsing is all that happens to its text. That the finding is gone, and that nothing new
is found, stays the word of the analysis.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from nootropic_bot.records import FileAnalysis, Finding, Match, Proposal, Report, Suggestion, Verdict
from nootropic_bot.reports import counts, summarize
from nootropic_bot.soundness import CHECKS, is_proved, mismatch, opened, refusal, suggestion_id
from nootropic_bot.source import Source
from nootropic_bot.verify.case import Case

# Characters of all files that are gone through, one time for each fix in them.
_MAX_CHARACTERS = 40_000_000


@dataclass(frozen=True, slots=True)
class Vetted:
    """A report whose fixes are what they say. `held_back`: how many were left out for each reason.

    `sources`: the files at the head that fixes are made in, by path.
    """

    report: Report
    sources: Mapping[str, Source]
    held_back: Mapping[str, int]


def without_fixes(report: Report) -> Report:
    """The report where no fix can be held against its file."""
    return replace(report, findings=tuple(replace(finding, suggestion=None) for finding in report.findings))


def vetted(report: Report, files: Mapping[str, bytes]) -> Vetted:
    """The report with those fixes alone that stand.

    Args:
        report: from outside, validated.
        files: what the files with fixes hold at the head, by path; in one that is missing no fix stands.
    """
    vetter = _Vetter(files)
    findings = tuple(map(vetter.look_at, report.findings))
    report = replace(report, findings=findings, summary=summarize(findings, report.summary.seconds))
    return Vetted(report, vetter.sources, vetter.held_back)


@dataclass(slots=True)
class _Vetter:
    """Looks at one finding after another. `room`: characters that may still be gone through."""

    files: Mapping[str, bytes]
    sources: dict[str, Source] = field(default_factory=dict)
    held_back: Counter[str] = field(default_factory=Counter)
    room: int = _MAX_CHARACTERS

    def look_at(self, finding: Finding) -> Finding:
        """The finding, without its fix if that does not stand; a fix that says itself that it is none goes unsaid."""
        fix = finding.suggestion
        if fix is None:
            return finding
        if not (counts(finding) and is_proved(fix)):
            return replace(finding, suggestion=None)
        reason = self._reason(finding, fix)
        if reason is None:
            return finding
        self.held_back[reason] += 1
        message = f"{finding.message} (A fix is held back: {reason}.)"
        return replace(finding, message=message, suggestion=None)

    def _reason(self, finding: Finding, fix: Suggestion) -> str | None:
        names = [check.name for check in fix.checks]
        if set(names) != CHECKS or len(names) != len(CHECKS):
            return "its proof is not one of this program's"
        if fix.id != suggestion_id(finding.id, fix.edits):
            return "its id is another fix's"
        reason = refusal(finding, fix)
        if reason is not None:
            return reason
        source = self._source(finding.path)
        if isinstance(source, str):
            return source
        self.room -= len(source.text)
        if self.room < 0:
            return "there are too many to hold them all against their files"
        return mismatch(fix, source) or _unproved(finding, fix, source)

    def _source(self, path: str) -> Source | str:
        if path not in self.sources:
            raw = self.files.get(path)
            found = "its file could not be read here" if raw is None else opened(path, raw)
            if isinstance(found, str):
                return found
            self.sources[path] = found
        return self.sources[path]


def _unproved(finding: Finding, fix: Suggestion, source: Source) -> str | None:
    """Why the parts of the proof that need no scan do not hold; None where they do."""
    lines = source.lines
    first, last = finding.start, finding.end
    is_inside = last.line <= len(lines) + 1 and all(0 < place.col <= len(source.text) + 1 for place in (first, last))
    if not is_inside:
        return "its finding is not in the file"
    match = Match(finding.rule_id, first, last, 0, 0, finding.message, "")
    proposal = Proposal(finding.id, fix.edits, fix.source, fix.model, fix.prompt, fix.confidence)
    static = Case(source, match, FileAnalysis(), proposal).static
    if Verdict(static).is_verified:
        return None
    failed = next(check.name for check in static if check.status != "passed")
    return f"its proof does not hold here ({failed.replace('_', ' ')})"
