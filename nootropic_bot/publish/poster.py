"""Carries a plan out, through the interface that every forge satisfies.

Whatever the forge refuses, every finding that counts ends somewhere: as a comment, in the summary, in the check, or in
`Published.not_posted`, which the caller shows where it can. A run that was cut off at any request is continued by the
next one, which plans again from what is there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

from nootropic_bot.escape import one_line
from nootropic_bot.findingtext import plural
from nootropic_bot.forge import (
    Forbidden,
    Forge,
    ForgeError,
    Missing,
    PullRequest,
    Refused,
    Thread,
    Throttled,
    Unanswered,
)
from nootropic_bot.marker import SummaryMarker
from nootropic_bot.publish.anchors import Diff
from nootropic_bot.publish.check import Check, make_check
from nootropic_bot.publish.doubles import Doubles, find_doubles
from nootropic_bot.publish.plan import Plan, Policy, offered, plan
from nootropic_bot.publish.review import Reviewer
from nootropic_bot.publish.summary import Overview, summary_page, withdrawn_body
from nootropic_bot.records import Finding, Report

Status = Literal["posted", "silent", "stale", "closed", "unreachable"]


@dataclass(frozen=True, slots=True)
class Published:
    """What became of a plan.

    `status`: "silent": there was nothing to say, but by a check that passes; "stale": the head is another one, so this
    was dropped and a scan of the new head speaks; "closed": the pull request is closed, or merged (`is_merged`);
    "unreachable": it could not be read.
    `commented`: findings that got a comment. `listed`: findings that are in the summary or the check only. `rewritten`:
    findings whose comment was edited. `fixed`: threads that were settled. `not_posted`: findings that are nowhere on
    the pull request. `notes`: what was refused, one line each. `retry_after`: seconds that the forge asked to wait.
    """

    status: Status
    commented: tuple[Finding, ...] = ()
    listed: tuple[Finding, ...] = ()
    rewritten: tuple[Finding, ...] = ()
    fixed: tuple[Thread, ...] = ()
    not_posted: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    retry_after: float | None = None
    is_merged: bool = False


def publish_report(
    report: Report, diff: Diff, forge: Forge, *, policy: Policy | None = None, sarif: str | None = None
) -> Published:
    """Read what is on the pull request, plan, and publish.

    Raises:
        UsageError: report and diff are of different commits.
    """
    notes: list[str] = []
    threads: Sequence[Thread] | None = None
    summary: str | None = None
    try:
        threads, summary = forge.threads(), forge.summary()
    except ForgeError as error:
        notes.append(_note("reading the comments", error))
    made = plan(report, diff, threads, forge.limits, summary=summary, policy=policy)
    published = publish(made, forge, sarif)
    return replace(published, notes=(*notes, *published.notes))


def publish(made: Plan, forge: Forge, sarif: str | None = None) -> Published:
    """Carry a plan out; `sarif` is handed over as it is, where the forge takes it. Raises nothing of the forge's."""
    try:
        pull_request = forge.pull_request()
    except ForgeError as error:
        retry_after = error.retry_after if isinstance(error, Throttled) else None
        note = _note("reading the pull request", error)
        return Published("unreachable", not_posted=made.findings, notes=(note,), retry_after=retry_after)
    status = _status(made, pull_request)
    if status is not None:
        return Published(status, not_posted=made.findings, is_merged=pull_request.is_merged)
    poster = _Poster(made, forge)
    if made.is_silent:
        poster.pass_silently()
        return Published("silent", notes=tuple(poster.notes))
    poster.run(pull_request, sarif)
    return poster.published()


def _status(made: Plan, pull_request: PullRequest) -> Status | None:
    """Why nothing is to be posted, or None."""
    if not pull_request.is_open:
        return "closed"
    return None if pull_request.head == made.head else "stale"


def _note(what: str, error: ForgeError) -> str:
    return f"{what}: {type(error).__name__.lower()}: {one_line(error.message)[:300]}"


@dataclass(slots=True)
class _Poster:
    """One run. `shown`: ids of findings in a text that was posted. `is_whole`: nothing is left for a later run."""

    plan: Plan
    forge: Forge
    reviewer: Reviewer = field(init=False)
    rewritten: list[Finding] = field(default_factory=list)
    fixed: list[Thread] = field(default_factory=list)
    shown: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    is_whole: bool = True
    pause: Throttled | None = None

    def __post_init__(self) -> None:
        self.reviewer = Reviewer(self.forge, self.plan.head, self.plan.listed)

    def run(self, pull_request: PullRequest, sarif: str | None) -> None:
        """Everything, what people read first."""
        if pull_request.can_write:
            self._withdraw(self.plan.doubled)
            self._rewrite()
            self._review()
            self._settle()
            is_written = self._summarize()
            if self.reviewer.commented or (is_written and self.plan.summary is None):
                self._look_again()
        else:
            self.notes.append("comments: the credentials do not allow them")
            self.reviewer.leave(self.plan.new, "unposted")
        self._check()
        if sarif is not None:
            self._attempt("uploading SARIF", lambda: self.forge.upload_sarif(self.plan.head, sarif))

    def pass_silently(self) -> None:
        """The check alone, so that it can be required; credentials that do not allow it are no matter."""
        check = make_check(self._overview(), (), self.plan.policy, self.plan.limits)
        if isinstance(self._attempt("the check", self._publishing(check)), (Forbidden, Missing)):
            self.notes.clear()

    def published(self) -> Published:
        """What became of the plan."""
        commented = tuple(post.finding for post in self.reviewer.commented)
        known = (*self.plan.kept, *(rewrite.finding for rewrite in self.plan.rewrites))
        on_lines = {finding.id for finding in (*commented, *known)}
        others = [finding for finding in self.plan.findings if finding.id not in on_lines]
        return Published(
            "posted",
            commented=commented,
            listed=tuple(finding for finding in others if finding.id in self.shown),
            rewritten=tuple(self.rewritten),
            fixed=tuple(self.fixed),
            not_posted=tuple(finding for finding in others if finding.id not in self.shown),
            notes=tuple(self.notes),
            retry_after=None if self.pause is None else self.pause.retry_after,
        )

    def _attempt(self, what: str, action: Callable[[], None], *, is_removal: bool = False) -> ForgeError | None:
        """Do something that does no harm when it is done twice; the error, noted, where it could not be done. Nothing
        is left to be done where what a removal is about is gone."""
        if self.pause is not None:
            return self.pause
        try:
            try:
                action()
            except Unanswered:
                action()
        except ForgeError as error:
            if is_removal and isinstance(error, Missing):
                return None
            self._record(what, error)
            return error
        return None

    def _record(self, what: str, error: ForgeError) -> None:
        self.notes.append(_note(what, error))
        # What is not acceptable now will not be later; everything else may go better.
        self.is_whole = self.is_whole and isinstance(error, Refused)
        if isinstance(error, Throttled):
            self.pause = error

    def _withdraw(self, doubled: Doubles) -> None:
        """Take comments back, and say so in their reviews, whose text speaks of them."""
        gone: Counter[str | None] = Counter()
        for thread in doubled.threads:
            action = partial(self.forge.withdraw_comment, thread.comment_id)
            if self._attempt("taking a doubled comment back", action, is_removal=True) is None:
                gone[thread.review_id] += 1
        if gone:
            self.notes.append(f"another run had posted the same: {plural(gone.total(), 'comment')} taken back")
        for review, left in (doubled.left or {}).items():
            if gone[review]:
                action = partial(self.forge.edit_review, review, withdrawn_body(left, gone[review]))
                self._attempt("saying so in its review", action)

    def _look_again(self) -> None:
        """See whether another run posted the same at the same time; where that fails, the next run sees it."""
        if self.pause is not None:
            return
        try:
            threads = self.forge.threads()
        except ForgeError as error:
            self._record("looking for doubled comments", error)
            return
        self._withdraw(find_doubles(threads))
        self._attempt("taking a doubled summary back", self.forge.withdraw_doubled_summary, is_removal=True)

    def _rewrite(self) -> None:
        for rewrite in self.plan.rewrites:
            action = partial(self.forge.edit_comment, rewrite.thread.comment_id, rewrite.body)
            if self._attempt("editing a comment", action) is None:
                self.rewritten.append(rewrite.finding)

    def _review(self) -> None:
        if self.pause is None:
            self.reviewer.post(self.plan.new)
        else:
            self.reviewer.leave(self.plan.new, "unposted")
        for what, error in self.reviewer.errors:
            self._record(what, error)

    def _settle(self) -> None:
        """Resolve what is fixed; where that is not allowed, say it in the comment."""
        may_resolve = True
        for item in self.plan.fixed:
            if may_resolve and self.pause is None:
                try:
                    self.forge.resolve_thread(item.thread.id)
                except (Forbidden, Missing, Refused) as error:
                    may_resolve = False
                    self.notes.append(_note("resolving a thread", error))
                except ForgeError as error:
                    self._record("resolving a thread", error)
                    continue
                else:
                    self.fixed.append(item.thread)
                    continue
            if not item.thread.is_ours:
                continue
            action = partial(self.forge.edit_comment, item.thread.comment_id, item.body)
            if self._attempt("marking a comment as fixed", action) is None:
                self.fixed.append(item.thread)

    def _summarize(self) -> bool:
        """Write the summary, unless it says so already; whether it was written."""
        is_changed = bool(self.rewritten or self.fixed or self.reviewer.commented)
        overview = self._overview()
        marker = SummaryMarker(self.plan.settled if self.is_whole else None)
        page = summary_page(overview, self.plan.limits.comment, marker)
        is_there = self.plan.is_settled or page.text.split() == (self.plan.summary or "").split()
        if is_there and not is_changed:
            self.shown |= page.shown
            return False
        if self._attempt("the summary comment", partial(self.forge.upsert_summary, page.text)) is not None:
            return False
        self.shown |= page.shown
        return True

    def _check(self) -> None:
        check = make_check(self._overview(), self.plan.findings, self.plan.policy, self.plan.limits)
        error = self._attempt("the check", self._publishing(check))
        if isinstance(error, Refused) and check.annotations:
            # An annotation may be what is not acceptable; the text names the findings, too.
            check = replace(check, annotations=(), shown=check.shown_in_text)
            error = self._attempt("the check without annotations", self._publishing(check))
        if error is None:
            self.shown |= check.shown

    def _publishing(self, check: Check) -> Callable[[], None]:
        # A run that published the same would have left comments or a summary, as this one did.
        is_first = self.plan.is_first and self.is_whole and not self.plan.is_silent
        text = check.conclusion, check.title, check.summary, check.annotations
        return partial(self.forge.publish_check, self.plan.head, *text, is_first=is_first)

    def _overview(self) -> Overview:
        plan = self.plan
        return Overview(
            report=plan.report,
            head=plan.head,
            fixes=tuple(fix for finding in plan.findings if (fix := offered(finding, plan.policy)) is not None),
            commented=len(plan.kept) + len(plan.rewrites) + len(self.reviewer.commented),
            resolved=plan.resolved,
            fixed=plan.fixed_before + len(self.fixed),
            listed=self.reviewer.elsewhere,
        )
