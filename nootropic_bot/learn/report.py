"""The figures of a model on a split: tables for people and JSON for machines, and the curve of its confidence.

Everything that docs/fixer.md says of the bundled model comes from here:

    python -m nootropic_bot.learn evaluate FILE      tables; work/evaluation-<split>.json and the answers to read
    python -m nootropic_bot.learn calibrate FILE     the curve, fitted on the validation split
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from nootropic_bot.config import ModelSettings
from nootropic_bot.critique.critic import Critic
from nootropic_bot.learn.calibrate import Observation, expected_calibration_error, fit
from nootropic_bot.learn.evaluate import Question, Result, Table, ask, injected, natural, reworded, tabulate
from nootropic_bot.learn.pairs import Ingredients
from nootropic_bot.models.factory import Group
from nootropic_bot.models.llama_cpp import LlamaCpp
from nootropic_bot.models.router import Router
from nootropic_bot.models.routing import Backend
from nootropic_bot.propose.calibration import Curve

_READ = 100


@dataclass(frozen=True, slots=True)
class Measured:
    """The results of the three kinds of cases, and the rules that have an example which teaches. `found`: how many
    natural findings there were, where only some of them were drawn."""

    injected: Sequence[Result]
    unseen: Sequence[Result]
    natural: Sequence[Result]
    teachable: frozenset[str]
    found: int = 0


def group_of(model: Path) -> Group:
    """A model file as what the stages ask; one thread, as the bundled model has."""
    return Group("fixer", Router([Backend("bundled", lambda: LlamaCpp(model, name="bundled@measured", threads=1))]))


@dataclass(frozen=True, slots=True)
class Draw:
    """Which cases to measure: injected ones a rule, and natural ones at random (None: every one)."""

    per_rule: int
    natural: int | None
    seed: int


def measure(have: Ingredients, critic: Critic, model: Path, draw: Draw) -> Measured:
    """Put every kind of case to the model."""
    group = group_of(model)
    try:
        cases = injected(have, critic, draw.per_rule, draw.seed)
        found = list(natural(have.files, critic))
        return Measured(
            ask(cases, group, critic),
            ask(reworded(cases, have.words.held_out, draw.seed), group, critic),
            ask(sampled(found, draw), group, critic),
            frozenset(template.rule.id for template in have.templates),
            len(found),
        )
    finally:
        group.router.close()


def sampled(found: Sequence[Question], draw: Draw) -> Sequence[Question]:
    """As many of the natural findings as are wanted, at random."""
    if draw.natural is None or draw.natural >= len(found):
        return found
    return random.Random(draw.seed).sample(found, draw.natural)  # noqa: S311


def calibrate(have: Ingredients, critic: Critic, model: Path, per_rule: int, seed: int) -> Curve:
    """The curve of a model, from injected cases of the split that these ingredients are of."""
    group = group_of(model)
    try:
        results = ask(injected(have, critic, per_rule, seed), group, critic, greedy=True)
    finally:
        group.router.close()
    return fit([Observation(r.rule_id, r.raw, r.exact) for r in results if r.verified and r.raw is not None])


def tables(measured: Measured, curve: Curve | None) -> str:
    """The figures in Markdown."""
    inside = [result for result in measured.natural if result.rule_id in measured.teachable]
    is_drawn = len(measured.natural) < measured.found
    every = f"natural, drawn at random of {measured.found:,}" if is_drawn else "natural, every finding"
    rows = {
        "injected": tabulate(measured.injected),
        "unseen descriptions": tabulate(measured.unseen),
        every: tabulate(measured.natural),
        "natural, rules with an example that teaches": tabulate(inside),
    }
    lines = ["| cases | rules | findings | answered | verified | exact, greedy |", "|---|---|---|---|---|---|"]
    for name, table in rows.items():
        total = table.total
        exact = _percent(total.exact, total.asked) if not name.startswith("natural") else "–"
        shares = f"{_percent(total.answered, total.asked)} | {_percent(total.verified, total.asked)} | {exact}"
        lines.append(f"| {name} | {len(table.rules)} | {total.asked} | {shares} |")
    if curve is not None:
        lines += ["", _calibration_line(measured.injected, curve), _shown_line(measured.natural, curve)]
    return "\n".join([*lines, "", *_by_rule(rows["injected"], rows["unseen descriptions"], rows[every])])


def _calibration_line(results: Sequence[Result], curve: Curve) -> str:
    seen = [(curve(r.rule_id, r.raw), r.exact) for r in results if r.verified and r.raw is not None]
    if not seen:
        return "No candidate was proved."
    least = ModelSettings.min_confidence
    sure = [right for confidence, right in seen if confidence >= least]
    error = expected_calibration_error(seen)
    right = _percent(sum(sure), len(sure))
    return (
        f"Expected calibration error {error:.3f} (10 bins); of {len(seen)} proved candidates {len(sure)} have a "
        f"confidence of {least} or more, and {right} of these are exact."
    )


def _shown_line(results: Sequence[Result], curve: Curve) -> str:
    least = ModelSettings.min_confidence
    proved = [r for r in results if r.verified and r.chosen is not None]
    sure = sum(curve(r.rule_id, r.chosen) >= least for r in proved if r.chosen is not None)
    return f"Of {len(proved)} verified natural fixes {sure} have a confidence of {least} or more and are shown unasked."


def _by_rule(one: Table, unseen: Table, found: Table) -> Iterator[str]:
    yield "| rule | injected: verified, exact of asked | unseen: verified | natural: verified of found |"
    yield "|---|---|---|---|"
    for rule in sorted(one.rules.keys() | found.rules.keys()):
        a, b, c = one.rules.get(rule), unseen.rules.get(rule), found.rules.get(rule)
        first = f"{a.verified}, {a.exact} of {a.asked}" if a else "–"
        second = f"{b.verified} of {b.asked}" if b else "–"
        third = f"{c.verified} of {c.asked}" if c else "–"
        yield f"| {rule} | {first} | {second} | {third} |"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def write_all(measured: Measured, folder: Path, split: str, seed: int) -> None:
    """The results as JSON, and a hundred verified ones drawn at random, to be read by a person."""
    data = {name: [asdict(r) for r in getattr(measured, name)] for name in ("injected", "unseen", "natural")}
    (folder / f"evaluation-{split}.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    proved = [result for result in measured.natural if result.verified]
    drawn = random.Random(seed).sample(proved, min(_READ, len(proved)))  # noqa: S311
    text = "\n".join(f"## {r.rule_id} {r.path}:{r.line}, probable to {r.chosen}\n{r.diff}" for r in drawn)
    (folder / f"to-read-{split}.diff").write_text(text, encoding="utf-8")
