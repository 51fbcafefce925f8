"""Fixes for some findings, proposed and proved.

Now and then a sound change mends a part only: a function's head with two mutable defaults loses one, and the rule still
finds the other. Then the proposers are asked again, about what they left, and both changes together are proved as one
fix. Elsewhere a change that leaves the finding has mended nothing, and is not gone on with.
"""

from __future__ import annotations

import ast
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from nootropic_bot.diff import apply_edits, meets, minimal_edits
from nootropic_bot.propose.base import Context, Proposer, climb
from nootropic_bot.pynames import is_changeable
from nootropic_bot.records import Edit, FileAnalysis, Finding, Match, Proposal, Verdict
from nootropic_bot.source import Undecodable
from nootropic_bot.verify.case import Case
from nootropic_bot.verify.proof import Rescan, prove
from nootropic_bot.verify.standing import standing

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
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
        """The rounds, the first always, more only where a change left something; stop reading to stop.

        A round starts the engine once to prove, and once more if it goes on: to see what was left.
        """
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
    """Of each task without a proved candidate the first that mended a part of a function's head."""
    done = {each.task for each in tried if each.verdict.is_verified}
    for each in tried:
        failed = {check.name for check in each.verdict.checks if check.status == "failed"}
        is_sound = failed == {"gone"} and all(check.status == "passed" for check in each.case.static)
        if each.task not in done and is_sound and _mends_defaults(each.case):
            done.add(each.task)
            yield each


def _mends_defaults(case: Case) -> bool:
    """Whether all that a change does to a function's head is to replace defaults that can be changed."""
    heads = [region for region in case.regions if region.header]
    if len(heads) != 1:
        return False
    (old,), (new,) = heads[0].before, heads[0].after
    if not isinstance(old, _FUNCTIONS) or not isinstance(new, _FUNCTIONS):
        return False
    before, after = [*old.args.defaults, *old.args.kw_defaults], [*new.args.defaults, *new.args.kw_defaults]
    if len(before) != len(after):
        return False
    pairs = [(one, other) for one, other in zip(before, after, strict=True) if one and other]
    changed = [(one, other) for one, other in pairs if ast.dump(one) != ast.dump(other)]
    return bool(changed) and all(is_changeable(one) and not is_changeable(other) for one, other in changed)


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
            changed = apply_edits(case.fixed.lines, second.edits)
        except (ValueError, Undecodable):
            continue
        edits = minimal_edits(lines, _span(case.source.path, lines, changed))
        if edits:
            confidence = None
            if first.confidence is not None and second.confidence is not None:
                confidence = first.confidence * second.confidence  # Both must be what the author would write.
            needs = {**first.needs, **second.needs}
            yield replace(second, edits=edits, confidence=confidence, needs=needs)


def _span(path: str, old: Sequence[str], new: Sequence[str]) -> Edit:
    """One edit from the first line that differs to the last, and a line more, so that an insertion has an anchor."""
    shortest = min(len(old), len(new))
    first = next((i for i in range(shortest) if old[i] != new[i]), shortest)
    behind = next((i for i in range(shortest - first) if old[-1 - i] != new[-1 - i]), shortest - first)
    first, behind = max(first - 1, 0), max(behind - 1, 0)
    return Edit(path, first + 1, len(old) - behind, "".join(new[first : len(new) - behind]))
