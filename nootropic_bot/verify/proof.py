"""The proof: a proposal is shown as a fix only when every check passed.

Static checks come first, because they cost nothing; all proposals that survive them are scanned again in one engine
start. Nothing here touches the user's files: a candidate exists in memory and in the engine's export.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nootropic_bot.records import Check, FileAnalysis, Verdict
from nootropic_bot.source import Source
from nootropic_bot.verify.case import Case
from nootropic_bot.verify.checks import scan_checks

# The order in which checks are shown.
_ORDER = ("scope", "parse", "names", "signature", "bounded", "gone", "nothing_new")
_MAX_BYTES_A_SCAN = 64 << 20

Rescan = Callable[[Sequence[Source]], Sequence[FileAnalysis]]


def prove(cases: Sequence[Case], rescan: Rescan) -> list[Verdict]:
    """One verdict a case, in order.

    Args:
        cases: proposals with what they are about.
        rescan: gives the critic's analysis of decoded files, with no cache and no suppression.
    """
    standing = [i for i, case in enumerate(cases) if case.stands]
    analyses: dict[int, FileAnalysis] = {}
    for part in _parts(standing, cases):
        scanned = rescan([cases[i].fixed for i in part])
        analyses.update(zip(part, scanned, strict=True))
    return [_verdict(case, case.static, analyses.get(i)) for i, case in enumerate(cases)]


def _parts(standing: Sequence[int], cases: Sequence[Case]) -> list[list[int]]:
    parts: list[list[int]] = []
    size = _MAX_BYTES_A_SCAN + 1
    for i in standing:
        size += len(cases[i].source.raw)
        if size > _MAX_BYTES_A_SCAN:
            parts.append([])
            size = len(cases[i].source.raw)
        parts[-1].append(i)
    return parts


def _verdict(case: Case, checks: Sequence[Check], after: FileAnalysis | None) -> Verdict:
    answers = {check.name: check for check in checks}
    if after is None:
        answers.update((n, Check(n, "not_run", "an earlier check failed")) for n in _ORDER if n not in answers)
    else:
        answers.update((check.name, check) for check in scan_checks(case, after))
    return Verdict(tuple(answers[name] for name in _ORDER))
