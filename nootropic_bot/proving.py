"""Fixes for some findings, proposed and proved, one start of the engine a round.

Now and then a sound change mends a part only: a signature with two mutable defaults loses one, and the rule still finds
the other in the same statement. Then the proposers are asked again, about what they left, and both changes together are
proved as one fix.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from nootropic_bot.diff import apply_edits, meets, minimal_edits
from nootropic_bot.propose.base import Context, Proposer, climb
from nootropic_bot.records import Edit, FileAnalysis, Finding, Match, Proposal, Verdict
from nootropic_bot.source import Undecodable
from nootropic_bot.verify.case import Case
from nootropic_bot.verify.proof import Rescan, prove
from nootropic_bot.verify.standing import standing

# So often are proposers asked about what their own change left, where a change left something.
AGAIN = 2


@dataclass(frozen=True, slots=True)
class Task:
    """A finding to fix, and what a proposer may know of it."""

    finding: Finding
    context: Context


@dataclass(frozen=True, slots=True)
class Tried:
    """A candidate for the task of this number, and what the proof says of it."""

    task: int
    case: Case
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Round:
    """What one round tried, in the order of the tasks, and the seconds that proposing and proving took."""

    tried: Sequence[Tried]
    proposing: float
    verifying: float


@dataclass(frozen=True, slots=True)
class Attempt:
    """How to try: `wanted` candidates a finding; `is_enough` as `prove` has it; `again`: at most so many more rounds
    about what changes left."""

    proposers: Sequence[Proposer]
    wanted: int
    rescan: Rescan
    is_enough: Callable[[Proposal], bool] = lambda _proposal: True
    again: int = 0
    proving: Callable[[int], None] = lambda _count: None

    def rounds(self, tasks: Sequence[Task]) -> Iterator[Round]:
        """The rounds, the first always, more only where a change left something; stop reading to stop."""
        started = time.perf_counter()
        drafts = [(i, case) for i, task in enumerate(tasks) for case in self.candidates(task)]
        for number in range(self.again + 1):
            proposed = time.perf_counter()
            if drafts:
                self.proving(len(drafts))
            verdicts = prove([case for _task, case in drafts], self.rescan, self.is_enough)
            tried = [Tried(i, case, verdict) for (i, case), verdict in zip(drafts, verdicts, strict=True)]
            now = time.perf_counter()
            yield Round(tried, proposed - started, now - proposed)
            partial = list(_partial(tried))
            if not partial or number == self.again:
                return
            started = time.perf_counter()
            drafts = list(self._continued(tasks, partial))

    def candidates(self, task: Task) -> list[Case]:
        """What there is to prove for one finding."""
        source, match, analysis = task.context.source, task.context.match, task.context.analysis
        proposals = climb(self.proposers, task.finding, task.context)
        return standing((Case(source, match, analysis, each) for each in proposals), self.wanted)

    def _continued(self, tasks: Sequence[Task], partial: Sequence[Tried]) -> Iterator[tuple[int, Case]]:
        """For each change that left something, candidates that are this change and a fix of what it left."""
        analyses = self.rescan([each.case.fixed for each in partial])
        for each, analysis in zip(partial, analyses, strict=True):
            left = _left(each.case, analysis)
            if left is not None:
                task, case = tasks[each.task], each.case
                context = Context(case.fixed, left, task.context.rule, analysis)
                more = climb(self.proposers, task.finding, context)
                joined = (Case(case.source, case.match, case.analysis, made) for made in _joined(case, more))
                yield from ((each.task, found) for found in standing(joined, self.wanted))


def _partial(tried: Sequence[Tried]) -> Iterator[Tried]:
    """Of each task without a proved candidate the first against which nothing is said but that it left something."""
    done = {each.task for each in tried if each.verdict.is_verified}
    for each in tried:
        failed = {check.name for check in each.verdict.checks if check.status == "failed"}
        if each.task not in done and failed == {"gone"} and all(c.status == "passed" for c in each.case.static):
            done.add(each.task)
            yield each


def _left(case: Case, after: FileAnalysis) -> Match | None:
    """What the rule still finds where the fix was made."""
    inside = case.inside_after
    matches = (match for match in after.matches if match.rule_id == case.match.rule_id)
    return next((match for match in matches if meets(inside, match.start.line, match.end.line)), None)


def _joined(case: Case, more: Iterable[Proposal]) -> Iterator[Proposal]:
    """The change of a case and each further one as a single proposal for the original file."""
    first, lines = case.proposal, case.source.lines
    for second in more:
        try:
            text = "".join(apply_edits(case.fixed.lines, second.edits))
        except (ValueError, Undecodable):
            continue
        edits = minimal_edits(lines, Edit(case.source.path, 1, len(lines), text))
        if edits:
            confidence = None
            if first.confidence is not None and second.confidence is not None:
                confidence = first.confidence * second.confidence  # Both must be what the author would write.
            needs = {**first.needs, **second.needs}
            yield replace(second, edits=edits, confidence=confidence, needs=needs)
