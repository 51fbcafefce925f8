"""Fits the curve of `propose/calibration.py`: from a model's own probability to how often it is right.

Right means that a proved candidate is what the author would have written: the template's safe side, or the real code
that a mutation undid. Fitted on the validation split, measured on the test split.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

from nootropic_bot.propose.calibration import Curve

_ROUNDS, _RATE = 2000, 0.5
# The pull of a rule's own offset towards none, in cases: a rule with fewer hardly moves the curve.
_SHRINKAGE = 8.0


@dataclass(frozen=True, slots=True)
class Observation:
    """A proved candidate: its rule, the model's raw probability, and whether it was what the author wrote."""

    rule_id: str
    raw: float
    is_right: bool


def fit(observations: Sequence[Observation]) -> Curve:
    """The curve of least cross-entropy, by gradient descent; offsets of rules are shrunk.

    Raises:
        ValueError: there is nothing to fit.
    """
    if not observations:
        raise ValueError("there is no proved candidate to calibrate on")
    rules: dict[str, float] = dict.fromkeys((each.rule_id for each in observations), 0.0)
    counts = {rule: sum(each.rule_id == rule for each in observations) for rule in rules}
    slope, offset, total = 1.0, 0.0, len(observations)
    logits = [_logit(each.raw) for each in observations]
    for _round in range(_ROUNDS):
        down, up = 0.0, 0.0
        pulls = dict.fromkeys(rules, 0.0)
        for each, logit in zip(observations, logits, strict=True):
            error = _sigmoid(slope * logit + offset + rules[each.rule_id]) - each.is_right
            down += error * logit
            up += error
            pulls[each.rule_id] += error
        slope = max(slope - _RATE * down / total / 10, 0.0)
        offset -= _RATE * up / total
        for rule, pull in pulls.items():
            step = (pull + rules[rule] * _SHRINKAGE / 4) / (counts[rule] + _SHRINKAGE)
            rules[rule] -= _RATE * step
    return Curve(slope, offset, {rule: round(value, 4) for rule, value in sorted(rules.items())})


def expected_calibration_error(pairs: Sequence[tuple[float, bool]], bins: int = 10) -> float:
    """The mean distance between confidence and share of right ones over equal bins, weighted by their sizes.

    Naeini, Cooper and Hauskrecht (2015), "Obtaining well calibrated probabilities using Bayesian binning".
    """
    error = 0.0
    for number in range(bins):
        inside = [(c, right) for c, right in pairs if min(int(c * bins), bins - 1) == number]
        if inside:
            gap = sum(c for c, _right in inside) - sum(right for _c, right in inside)
            error += abs(gap) / len(pairs)
    return error


def as_json(model: str, curve: Curve) -> str:
    """The file that ships with the model."""
    data = {
        "model": model,
        "slope": round(curve.slope, 5),
        "offset": round(curve.offset, 5),
        "rules": dict(curve.rules),
    }
    return json.dumps(data, indent=1, sort_keys=True) + "\n"


def _logit(raw: float) -> float:
    bounded = min(max(raw, 1e-6), 1 - 1e-6)
    return math.log(bounded / (1 - bounded))


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-max(min(value, 50.0), -50.0)))
