"""What trains the model is right by construction, so the checks of a model's fix must let it through.

python -m pytest tests/verify/test_meaning_of_pairs.py -s        says how many were refused
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from nootropic_bot.learn import sources
from nootropic_bot.learn.expansion import Filled
from nootropic_bot.learn.pair import Pair, make_pair
from nootropic_bot.learn.pairs import generate
from nootropic_bot.verify.case import Case
from nootropic_bot.verify.kept import lost_part
from nootropic_bot.verify.meaning import changed_meaning
from tests.learn.code import ingredients
from tests.support.cases import make_case

_PAIRS = 1000


def test_next_to_no_right_fix_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[str, Filled]] = []

    def kept(rule_id: str, origin: tuple[str, str], weakness: str, code: Filled) -> Pair | None:
        if origin[0] != "negative" and code.unsafe != code.safe:
            made.append((rule_id, code))
        return make_pair(rule_id, origin, weakness, code)

    monkeypatch.setattr(sources, "make_pair", kept)
    have = ingredients()
    assert sum(1 for _pair in generate(have, _PAIRS, 3)) == _PAIRS
    assert len(made) > _PAIRS * 0.85
    refused = []
    for rule_id, code in made:
        first = code.unsafe.split("\n")[code.start.line - 1]
        case = make_case(code.unsafe, code.safe, first, source_of_fix="model")
        message = have.rules[rule_id].message
        match = replace(case.match, start=code.start, end=code.end, message=message, rule_id=rule_id)
        fixed = Case(case.source, match, case.analysis, case.proposal)
        reason = lost_part(fixed) or changed_meaning(fixed)
        if reason:
            refused.append(f"{rule_id}: {reason}")
    print(f"{len(refused)} of {len(made)} refused: {refused}")
    # Three templates: an object in place of its attribute, a loop of another kind, a call that goes with its keyword.
    assert len(refused) <= len(made) * 0.0075
