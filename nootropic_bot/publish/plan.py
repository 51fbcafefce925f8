"""What to post, decided without a request: from a report, the diff, and what of ours is there already.

Every finding that counts ends in exactly one place: a new comment, a comment that is there already, or the summary.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from nootropic_bot.config import FailOn, ModelSettings
from nootropic_bot.constants import SEVERITIES
from nootropic_bot.errors import UsageError
from nootropic_bot.forge import Comment, Limits, Thread
from nootropic_bot.marker import digest, key, parse_summary_marker
from nootropic_bot.publish.anchors import Anchor, Diff, place
from nootropic_bot.publish.comments import comment_body, fixed_body, is_applicable, marker_of
from nootropic_bot.publish.doubles import Doubles, find_doubles
from nootropic_bot.publish.summary import Listed, Reason
from nootropic_bot.records import Finding, Report, Suggestion, Verdict
from nootropic_bot.reports import counts


@dataclass(frozen=True, slots=True)
class Policy:
    """What a repository wants. `fail_on`: the least severity that fails the check. `min_confidence`: a fix of a model
    that is less sure than that is not offered."""

    fail_on: FailOn = "error"
    min_confidence: float = ModelSettings.min_confidence


@dataclass(frozen=True, slots=True)
class Post:
    """A new comment, and the finding that it is about."""

    finding: Finding
    fix: Suggestion | None
    comment: Comment


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A comment of ours that says something else now: `body` replaces its text."""

    thread: Thread
    body: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class Fixed:
    """A thread of ours whose finding is gone; `body` says so where the thread can't be resolved."""

    thread: Thread
    body: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do, in the order of the fields. Lists of findings are in the order in which people see them.

    `doubled`: comments that an earlier run posted beside others, and did not take back. `new`: comments of one review.
    `kept`: findings whose comment is there and is left alone. `listed`: findings for the summary alone. `resolved`: how
    many of `kept` are in threads that are resolved. `fixed_before`: how many threads of ours were settled earlier.
    `settled`: the digest that marks all of this as done. `is_settled`: an earlier run did all of this. `is_silent`:
    nothing at all is to be posted. `is_first`: nothing of this program's is there yet. `summary`: the summary comment
    as it is.
    """

    report: Report
    head: str
    limits: Limits
    policy: Policy
    doubled: Doubles
    rewrites: tuple[Rewrite, ...]
    new: tuple[Post, ...]
    kept: tuple[Finding, ...]
    fixed: tuple[Fixed, ...]
    listed: tuple[Listed, ...]
    resolved: int
    fixed_before: int
    settled: str
    is_settled: bool
    is_silent: bool
    is_first: bool
    summary: str | None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings that count, the most important first."""
        return ranked(self.report, self.policy)


def plan(
    report: Report,
    diff: Diff,
    threads: Sequence[Thread] | None,
    limits: Limits,
    *,
    summary: str | None = None,
    policy: Policy | None = None,
) -> Plan:
    """What to post of a report.

    Args:
        report: of the head that `diff` leads to.
        diff: what the pull request changes.
        threads: what is on the pull request, ours and others; None when it can't be read, so that no comment on a
            line is posted, since it may be there.
        limits: the forge's.
        summary: the text of our summary comment, if there is one.
        policy: what the repository wants.

    Raises:
        UsageError: report and diff are of different commits.
    """
    if report.head != diff.head:
        raise UsageError(f"the report is of {report.head}, the diff of {diff.head}", "review the present head again")
    doubled = find_doubles(threads or ())
    ours = _ours(thread for thread in threads or () if not thread.is_settled and thread not in doubled.threads)
    settled = sum(thread.is_settled and thread.marker is not None for thread in threads or ())
    return _Planner(report, diff, limits, policy or Policy(), doubled, ours, settled).plan(summary, threads is not None)


def ranked(report: Report, policy: Policy) -> tuple[Finding, ...]:
    """The findings that count, by severity, then by how sure their fix is, then by place."""

    def rank(finding: Finding) -> tuple[int, float, str, int, int, str]:
        fix = offered(finding, policy)
        sureness = -1.0 if fix is None else 1.0 if fix.confidence is None else fix.confidence
        start = finding.start
        return SEVERITIES.index(finding.severity), -sureness, finding.path, start.line, start.col, finding.id

    return tuple(sorted(filter(counts, report.findings), key=rank))


def offered(finding: Finding, policy: Policy) -> Suggestion | None:
    """The fix to show: one of which every check passed, and of which its model is sure enough."""
    fix = finding.suggestion
    if fix is None or not fix.verified or not Verdict(fix.checks).is_verified:
        return None
    return fix if fix.confidence is None or fix.confidence >= policy.min_confidence else None


def _ours(threads: Iterable[Thread]) -> Mapping[str, Sequence[Thread]]:
    """The threads of this program by the finding they are about. Of several, the first is the one that people see and
    talk in."""
    found: dict[str, list[Thread]] = {}
    for thread in sorted(threads, key=lambda thread: (thread.is_resolved, not thread.has_replies)):
        if thread.marker is not None:
            found.setdefault(thread.marker.finding, []).append(thread)
    return found


def _digest(report: Report, findings: Iterable[Finding], policy: Policy) -> str:
    """What a run says, as a hash: a run of the same says nothing new."""
    fixes = (("" if fix is None else fix.id) for fix in (offered(finding, policy) for finding in findings))
    missing = chain.from_iterable((item.path, item.reason) for item in report.not_scanned)
    muted = str(report.summary.suppressed), str(report.summary.findings)
    ids = (finding.id for finding in findings)
    return digest([report.head or "", *ids, "", *fixes, "", *missing, "", *report.incomplete_reasons, *muted])


@dataclass(frozen=True, slots=True)
class _Planner:
    """The parts of a plan. `ours`: our threads by the key of their finding; `settled`: how many more there are, which
    this program resolved: should such a finding be back, that is news, and gets a comment of its own."""

    report: Report
    diff: Diff
    limits: Limits
    policy: Policy
    doubled: Doubles
    ours: Mapping[str, Sequence[Thread]]
    settled: int

    def plan(self, summary: str | None, is_readable: bool) -> Plan:
        """The whole. `is_readable`: whether it is known what is on the pull request."""
        findings = ranked(self.report, self.policy)
        settled = _digest(self.report, findings, self.policy)
        marker = parse_summary_marker(summary or "")
        is_settled = marker is not None and marker.settled == settled
        rewrites, kept = self.known(findings)
        new, listed = self.unknown(findings, is_fresh=is_readable and not is_settled)
        fixed, fixed_before = self.fixed()
        # A clean report that can't tell what is there adds nothing to it; the next one that can brings it up to date.
        has_posted = is_readable and (bool(self.ours) or self.settled > 0 or summary is not None)
        return Plan(
            report=self.report,
            head=self.diff.head,
            limits=self.limits,
            policy=self.policy,
            doubled=self.doubled,
            rewrites=rewrites,
            new=new,
            kept=kept,
            fixed=fixed,
            listed=listed,
            resolved=sum(self.ours[key(finding.id)][0].is_resolved for finding in kept),
            fixed_before=fixed_before,
            settled=settled,
            is_settled=is_settled,
            is_silent=not findings and self.report.complete and not has_posted,
            is_first=is_readable and not has_posted,
            summary=summary,
        )

    def known(self, findings: Iterable[Finding]) -> tuple[tuple[Rewrite, ...], tuple[Finding, ...]]:
        """The comments that are there and say something else now, and the findings whose comment is left alone."""
        rewrites: list[Rewrite] = []
        kept: list[Finding] = []
        for finding in findings:
            if key(finding.id) in self.ours:
                rewrite = self._rewrite(finding, self.ours[key(finding.id)][0])
                if rewrite is None:
                    kept.append(finding)
                else:
                    rewrites.append(rewrite)
        return tuple(rewrites), tuple(kept)

    def _rewrite(self, finding: Finding, thread: Thread) -> Rewrite | None:
        """What an open comment says now, if that is something else. What a person resolved is not opened again, and
        nobody's words are put into the mouth of somebody else."""
        if thread.is_resolved or not thread.is_ours:
            return None
        fix = offered(finding, self.policy)
        anchor = place(finding, fix, self.diff)
        # A block replaces the lines that the comment stands on, and an edit can't move them.
        if anchor is not None and (thread.start_line or thread.line, thread.line) != (anchor.first, anchor.last):
            anchor = None
        is_block = fix is not None and is_applicable(anchor, self.limits)
        if thread.marker == marker_of(finding, fix, is_block=is_block):
            return None
        return Rewrite(thread, comment_body(finding, fix, anchor, self.limits), finding)

    def unknown(self, findings: Iterable[Finding], *, is_fresh: bool) -> tuple[tuple[Post, ...], tuple[Listed, ...]]:
        """The findings without a comment: those that get one, and those for the summary.

        The cap holds for what is open at one time, so that a run that was cut off is continued, not added to.
        `is_fresh`: whether comments may be posted at all.
        """
        present = self._present()
        is_open = [not threads[0].is_resolved for name, threads in self.ours.items() if name in present]
        room = max(self.limits.comments_in_review - sum(is_open), 0)
        new: list[Post] = []
        listed: list[Listed] = []
        for finding in findings:
            if key(finding.id) in self.ours:
                continue
            fix = offered(finding, self.policy)
            anchor = place(finding, fix, self.diff)
            if anchor is not None and is_fresh and len(new) < room:
                new.append(Post(finding, fix, self._comment(finding, fix, anchor)))
            else:
                reason: Reason = "outside" if anchor is None else "cap" if is_fresh else "unposted"
                listed.append(Listed(finding, fix, reason))
        return tuple(new), tuple(listed)

    def _comment(self, finding: Finding, fix: Suggestion | None, anchor: Anchor) -> Comment:
        start = anchor.first if anchor.first < anchor.last else None
        return Comment(anchor.path, anchor.last, start, comment_body(finding, fix, anchor, self.limits))

    def fixed(self) -> tuple[tuple[Fixed, ...], int]:
        """Our threads whose finding is gone and that do not say so yet, and the number of those that do."""
        present = self._present()
        gone = [thread for name, threads in self.ours.items() if name not in present for thread in threads]
        todo: list[Fixed] = []
        done = self.settled
        for thread in gone:
            marker = thread.marker
            if marker is None or thread.is_resolved or marker.fixed is not None:
                done += 1
            elif self._is_looked_at(thread.path):
                is_part = thread.path in self.diff.files
                todo.append(Fixed(thread, fixed_body(thread.body, marker, self.diff.head, is_part=is_part)))
        return tuple(todo), done

    def _present(self) -> frozenset[str]:
        """The keys of all findings, muted ones too: what is muted is not fixed."""
        return frozenset(key(finding.id) for finding in self.report.findings)

    def _is_looked_at(self, path: str) -> bool:
        """Whether a finding that is missing in this file is gone: the report is whole, and so is the file in it."""
        is_whole = self.report.shard is None and not self.report.missing_shards
        return is_whole and all(item.path != path for item in self.report.not_scanned)
