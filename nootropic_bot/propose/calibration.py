"""From how sure a model says it is to how often such an answer is what the author would have written.

The raw figure is the product of the probabilities of the answer's tokens. A logistic curve over its logit, fitted on
the validation split, makes of it a probability (Platt, 1999, "Probabilistic outputs for support vector machines"); each
rule moves the curve by as much as its own number of cases supports. `python -m nootropic_bot.learn calibrate` writes
the file, and the model card has the expected calibration error.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent.parent / "models" / "bundled"
_LIMIT = 1e-6


@dataclass(frozen=True, slots=True)
class Curve:
    """`sigmoid(slope * logit(raw) + offset + rules.get(rule, 0))`."""

    slope: float = 1.0
    offset: float = 0.0
    rules: Mapping[str, float] = field(default_factory=dict)

    def __call__(self, rule_id: str, raw: float) -> float:
        """The probability for one answer, 0..1."""
        bounded = min(max(raw, _LIMIT), 1 - _LIMIT)
        score = self.slope * math.log(bounded / (1 - bounded)) + self.offset + self.rules.get(rule_id, 0.0)
        return 1 / (1 + math.exp(-max(min(score, 50.0), -50.0)))


@dataclass(frozen=True, slots=True)
class Calibration:
    """The curves of the models that have one, by `name@version`."""

    curves: Mapping[str, Curve] = field(default_factory=dict)

    def confidence(self, model: str, rule_id: str, raw: float | None) -> float | None:
        """The calibrated figure; the raw one for a model without a curve, None where there is none."""
        if raw is None:
            return None
        curve = self.curves.get(model)
        return raw if curve is None else curve(rule_id, raw)


def load_calibration(folder: Path = _FOLDER) -> Calibration:
    """The curves that ship with the package."""
    curves = {}
    for path in sorted(folder.glob("*.calibration.json")):
        data = json.loads(path.read_text(encoding="utf-8"))
        curves[data["model"]] = Curve(data["slope"], data["offset"], data["rules"])
    return Calibration(curves)
