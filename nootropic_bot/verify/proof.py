"""The proof: a proposal is shown as a fix only when every check passed.

Static checks come first, because they cost nothing; what survives them is scanned again. A scan costs as much as the
file is long, so where that is worth it, fixes of one file are scanned together (`together.py`), and one by one only
where that says nothing. Nothing here touches the user's files: a candidate exists in memory and in the engine's export.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from nootropic_bot.records import Check, FileAnalysis, Proposal, Verdict
from nootropic_bot.source import Source
from nootropic_bot.verify.case import Case, Unparsable
from nootropic_bot.verify.checks import scan_checks
from nootropic_bot.verify.together import Batch, Member, partition

# The order in which checks are shown.
_ORDER = ("scope", "parse", "names", "signature", "bounded", "gone", "nothing_new")
_MAX_BYTES_A_SCAN = 64 << 20
# What must be saved before a second start of the engine is risked. A start costs 0.15 to 0.5 s, and the pack reads
# 20 to 45 ms a KiB, so that much is read in the time of two starts.
_WORTH_BATCHING = 32 << 10
# A batch that fails without a suspect is cut into so many.
_PARTS = 8

Rescan = Callable[[Sequence[Source]], Sequence[FileAnalysis]]
# The candidates with equal labels are scanned together, those labelled None alone. A label that is longer than the
# first one says that a batch failed already.
Label = tuple[int, ...] | None
_FIRST_LABEL = 2


def _always(_proposal: Proposal) -> bool:
    return True


def prove(
    cases: Sequence[Case],
    rescan: Rescan,
    is_enough: Callable[[Proposal], bool] = _always,
    worth_batching: int | None = _WORTH_BATCHING,
) -> list[Verdict]:
    """One verdict a case, in order.

    Cases of one match and finding id are alternatives, in order of preference: those behind a proved one need not be
    scanned, and their verdict then says so.

    Args:
        cases: proposals with what they are about; those of one file share its source and analysis.
        rescan: gives the critic's analysis of decoded files, with no cache and no suppression.
        is_enough: whether nothing behind this proposal is asked for once it is proved. Where it never is, every case
            gets a verdict of its own.
        worth_batching: the bytes that scanning fixes together must save; None: scan every fix alone.
    """
    for case in cases:
        case.settle()
    members = {i: replace(case.member, number=i) for i, case in enumerate(cases) if case.member is not None}
    search = _Search(cases, is_enough, _chains(cases), members)
    if worth_batching is not None:
        search.label(worth_batching)
    while due := search.due():
        search.scan(due, rescan)
    return [search.verdict(i) for i in range(len(cases))]


@dataclass(slots=True)
class _Search:
    """Where the proofs of some cases stand; a case is called by its number.

    `chains`: what static checks left standing, by finding; `scanned`: what scans said of a case; `members`, `labels`:
    which cases may be scanned with others, and with which.
    """

    cases: Sequence[Case]
    is_enough: Callable[[Proposal], bool]
    chains: Sequence[Sequence[int]]
    members: Mapping[int, Member]
    scanned: dict[int, Sequence[Check]] = field(default_factory=dict)
    labels: dict[int, Label] = field(default_factory=dict)

    def label(self, worth: int) -> None:
        """Let the cases of each file be scanned together, if the round as a whole saves that many bytes."""
        standing = [i for chain in self.chains for i in chain]
        counts = Counter(id(self.cases[i].source) for i in standing)
        sizes = {id(case.source): len(case.source.raw) for case in self.cases}
        if sum((count - 1) * sizes[source] for source, count in counts.items()) < worth:
            return
        for i in self.members:
            self.labels[i] = (id(self.cases[i].source), id(self.cases[i].analysis))

    def due(self) -> list[int]:
        """What to scan next: of each finding the first case without an answer, and all that go alone."""
        return [i for chain in self.chains for i in self._due_of(chain)]

    def _due_of(self, chain: Sequence[int]) -> Iterator[int]:
        for i in chain:
            if i not in self.scanned:
                yield i
                # Behind a suspect the next one is tried at once, which saves a start where the suspicion holds.
                if self.labels.get(i) is not None:
                    return
            elif self.verdict(i).is_verified and self.is_enough(self.cases[i].proposal):
                return

    def scan(self, due: Sequence[int], rescan: Rescan) -> None:
        """Scan these cases in as few copies of files as possible, and note what that says."""
        batches = list(self._batches(due))
        batched = {each.number for batch in batches for each in batch.members}
        alone = [i for i in due if i not in batched]
        sources = [*(batch.fixed for batch in batches), *(self.cases[i].fixed for i in alone)]
        analyses = [analysis for part in _parts(sources) for analysis in rescan(part)]
        for batch, analysis in zip(batches, analyses[: len(batches)], strict=True):
            self._note(batch, analysis)
        for i, analysis in zip(alone, analyses[len(batches) :], strict=True):
            self.scanned[i] = scan_checks(self.cases[i], analysis)

    def _batches(self, due: Sequence[int]) -> Iterator[Batch]:
        by_label: dict[Label, list[Member]] = {}
        for i in due:
            label = self.labels.get(i)
            if label is not None:
                by_label.setdefault(label, []).append(self.members[i])
        for part in (part for members in by_label.values() for part in partition(members)):
            if len(part) > 1:
                try:
                    yield Batch.of(part)
                except (ValueError, Unparsable):  # They don't go together after all.
                    self.labels.update((each.number, None) for each in part)

    def _note(self, batch: Batch, analysis: FileAnalysis) -> None:
        """A batch that passes proves its members. Else some are refuted, suspects go alone, the others once more."""
        judgement = batch.judge(analysis)
        detail = f"in one scan with {len(batch.members) - 1} more fixes of this file"
        if judgement.is_proof:
            for each in batch.members:
                self.scanned[each.number] = [Check("gone", "passed", detail), Check("nothing_new", "passed", detail)]
            return
        if judgement.unread:
            self._note_unread([each.number for each in batch.members], judgement.unread)
            return
        for i, check in judgement.refuted.items():
            rest = {"gone", "nothing_new"} - {check.name}
            self.scanned[i] = [check, *(Check(name, "not_run", "an earlier check failed") for name in rest)]
        self.labels.update(dict.fromkeys(judgement.suspects))
        named = {*judgement.refuted, *judgement.suspects}
        others = [each.number for each in batch.members if each.number not in named]
        for place, i in enumerate(others):
            label = self.labels[i]
            if label is not None:
                part = 0 if named else place * _PARTS // len(others)
                self.labels[i] = None if len(label) > _FIRST_LABEL else (*label, others[0], part)

    def _note_unread(self, numbers: Sequence[int], why: str) -> None:
        """A copy whose analysis took too long is tried once more; scanned alone, each fix would take as long."""
        for i in numbers:
            label = self.labels[i]
            if label is None or len(label) > _FIRST_LABEL:
                reason = f"the fixed file could not be analysed: {why}"
                self.scanned[i] = [Check(name, "not_run", reason) for name in ("gone", "nothing_new")]
            else:
                self.labels[i] = (*label, numbers[0], 0)

    def verdict(self, i: int) -> Verdict:
        """What is known of a case."""
        answers = {check.name: check for check in self.cases[i].static}
        has_failed = any(check.status == "failed" for check in answers.values())
        reason = "an earlier check failed" if has_failed else "an earlier candidate was proved"
        answers.update((name, Check(name, "not_run", reason)) for name in _ORDER if name not in answers)
        answers.update((check.name, check) for check in self.scanned.get(i, ()))
        return Verdict(tuple(answers[name] for name in _ORDER))


def _chains(cases: Sequence[Case]) -> list[list[int]]:
    """The cases that static checks left standing, by finding, in order."""
    found: dict[object, list[int]] = {}
    for i, case in enumerate(cases):
        if case.stands:
            match = case.match
            key = (id(case.source), case.proposal.finding_id, match.rule_id, match.start_offset, match.end_offset)
            found.setdefault(key, []).append(i)
    return list(found.values())


def _parts(sources: Sequence[Source]) -> Iterator[Sequence[Source]]:
    part: list[Source] = []
    size = 0
    for source in sources:
        if part and size + len(source.raw) > _MAX_BYTES_A_SCAN:
            yield part
            part, size = [], 0
        part.append(source)
        size += len(source.raw)
    if part:
        yield part
