"""Which candidates of a finding are worth a scan: the first few that stand after the checks that cost nothing."""

from __future__ import annotations

from collections.abc import Iterable

from nootropic_bot.verify.case import Case


def standing(cases: Iterable[Case], wanted: int) -> list[Case]:
    """The cases of one finding up to the `wanted`-th that passes every static check; of those that fail, the first.

    `cases` is read no further than that, so a proposer makes no more than are needed.
    """
    kept: list[Case] = []
    passed = 0
    for case in cases:
        stands = case.stands
        if stands or not kept:
            case.settle()
            kept.append(case)
        passed += stands
        if passed >= wanted:
            break
    return kept
