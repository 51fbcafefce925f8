"""What pays: more parameters, more data, or better pairs? Small trainings that differ in one thing each.

    python -m nootropic_bot.learn --work DIR --pairs 60000 --steps 500 compare

Every arm starts from nothing, with the same recipe and tokenizer, on pairs of one file (made before by `pairs`), and is
measured on pairs of the validation split and on what the rules find in its unmodified packages. So short, they are far
from what the shipped weights can do; what they show is where the next hour of training is best spent. An arm that was
finished is not trained again, one that was interrupted goes on: as long as it is the same one, with the same pairs
(`arm.json`). With other validation pairs or findings it is only measured anew; that the checks or what a
model is shown changed is not noticed.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch.nn import functional

from nootropic_bot.errors import EnvironmentFault, UsageError
from nootropic_bot.learn.evaluate import Question, stands
from nootropic_bot.learn.export import export, load_network
from nootropic_bot.learn.network import Network, Shape
from nootropic_bot.learn.pretrain import LENGTHS, Example, Recipe, Trainer
from nootropic_bot.learn.report import group_of
from nootropic_bot.learn.tokenizer import load
from nootropic_bot.models.base import ModelError, Request
from nootropic_bot.models.router import Router

# About twice and half the parameters of the shipped one; twice is what 16 MB hold.
_LARGE = Shape(width=384, heads=6, hidden=1152)
_SMALL = Shape(width=160, heads=4, hidden=480)
_BATCH = 16
_MADE = ("checkpoint.pt", "checkpoint.part", "log.jsonl", "model.gguf", "outcome.json")


@dataclass(frozen=True, slots=True)
class Arm:
    """One training. `sources`: only pairs from these (None: all); `passes`: how often each pair is seen."""

    name: str
    shape: Shape
    steps: int
    sources: frozenset[str] | None = None
    passes: int = 1


@dataclass(frozen=True, slots=True)
class Score:
    """Whether the answer is exact, and its mean loss in nats a token."""

    exact: bool
    loss: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an arm came to.

    `compute`: parameters times steps, to which the work of a training is proportional, attention aside; `pairs`:
    distinct ones that were seen; `loss`: of the validation pairs' answers, the mean in nats a token; `exact`: the share
    of them that are answered to the letter, by source; `stands`: of how many natural findings the first answer passes
    every check but the re-scan, of `asked`.
    """

    name: str
    parameters: int
    steps: int
    pairs: int
    compute: float
    loss: float
    exact: Mapping[str, float]
    stands: int
    asked: int


@dataclass(frozen=True, slots=True)
class Data:
    """Pairs as tokens with the source of each, and natural findings that no arm was trained on."""

    train: Sequence[Example]
    train_sources: Sequence[str]
    validation: Sequence[Example]
    validation_sources: Sequence[str]
    questions: Sequence[Question]


def arms(steps: int) -> list[Arm]:
    """The arms for a first one of so many steps."""
    base = Shape()
    same_compute = max(round(steps * size_of(base) / size_of(_LARGE)), 1)
    return [
        Arm("as it is", base, steps),
        Arm("twice the parameters", _LARGE, steps),
        Arm("twice the steps", base, steps * 2),
        Arm("a quarter of the pairs, four times each", base, steps, passes=4),
        Arm("pairs of the rules' examples alone", base, steps, frozenset({"template"})),
        Arm("twice the parameters, the same compute", _LARGE, same_compute),
        Arm("half the parameters", _SMALL, steps),
        Arm("half the steps", base, max(steps // 2, 1)),
    ]


def size_of(shape: Shape) -> int:
    """Parameters of a network of this shape."""
    with torch.device("meta"):
        return sum(weight.numel() for weight in Network(shape).parameters())


def compare(
    folder: Path, wanted: Sequence[Arm], data: Data, recipe: Recipe, *, compile: bool = True
) -> Iterator[Outcome]:
    """Train and measure each arm in a folder of its own beside `folder/tokenizer.json`.

    Raises:
        UsageError: there are too few pairs for an arm; said before anything is trained.
        EnvironmentFault: the model of an arm could not be asked.
    """
    chosen = [_examples_of(arm, data, recipe) for arm in wanted]
    against = _digest((data.validation, data.validation_sources, map(_asked, data.questions)))
    for arm, examples in zip(wanted, chosen, strict=True):
        place = folder / "arms" / arm.name.replace(" ", "-").replace(",", "").replace("'", "")
        own = replace(recipe, steps=arm.steps)
        _make_room(place, _identity(arm, own, examples))
        outcome = _known(place, against)
        if outcome is None:
            Trainer(place, arm.shape, own).run(examples, compile=compile)
            outcome = _measured(place, folder / "tokenizer.json", arm, len(examples), data)
            _write(place / "outcome.json", {"against": against, "outcome": asdict(outcome)})
        yield outcome


def _identity(arm: Arm, recipe: Recipe, examples: Sequence[Example]) -> dict[str, object]:
    """All that a training depends on: what a folder holds may be of an arm with the same name and other steps."""
    described = asdict(arm) | {"sources": None if arm.sources is None else sorted(arm.sources)}
    return {"arm": described, "recipe": asdict(recipe), "examples": _digest([examples])}


def _asked(question: Question) -> tuple[object, ...]:
    return question.rule.id, question.match.start, question.match.message, question.source.text


def _digest(lists: Iterable[Iterable[object]]) -> str:
    found = hashlib.blake2b(digest_size=16)
    for each in lists:
        for item in each:
            found.update(f"{item!r}\n".encode("utf-8", "backslashreplace"))
        found.update(b"\n")
    return found.hexdigest()


def _make_room(place: Path, identity: Mapping[str, object]) -> None:
    """Note which arm a folder is of, and remove what another one, or one that nobody noted, has left there."""
    noted = place / "arm.json"
    if noted.is_file() and noted.read_text(encoding="utf-8") == _text(identity):
        return
    for name in _MADE:
        (place / name).unlink(missing_ok=True)
    place.mkdir(parents=True, exist_ok=True)
    _write(noted, identity)


def _known(place: Path, against: str) -> Outcome | None:
    """The outcome that an arm's folder holds, if it was measured against the same."""
    done = place / "outcome.json"
    stored = json.loads(done.read_text(encoding="utf-8")) if done.is_file() else {}
    return Outcome(**stored["outcome"]) if stored.get("against") == against else None


def _write(path: Path, content: Mapping[str, object]) -> None:
    """Whole or not at all: whoever was interrupted here wants to go on."""
    partial = path.with_suffix(".part")
    partial.write_text(_text(content), encoding="utf-8")
    partial.replace(path)


def _text(content: Mapping[str, object]) -> str:
    return json.dumps(content, indent=1) + "\n"


def _examples_of(arm: Arm, data: Data, recipe: Recipe) -> list[Example]:
    """As many pairs as the steps take, from the start of the file, so that arms share what they can.

    Raises:
        UsageError: there are too few.
    """
    paired = zip(data.train, data.train_sources, strict=True)
    known = [each for each, source in paired if arm.sources is None or source in arm.sources]
    room = arm.steps * recipe.batch_tokens / arm.passes
    chosen: list[Example] = []
    for each in known:
        length = next((length for length in LENGTHS if len(each[0]) <= length), None)
        if length is None:
            continue
        if room <= 0:
            break
        room -= length
        chosen.append(each)
    if room <= 0:
        return chosen
    raise UsageError(f"{arm.name!r} needs more pairs than {len(known)}", "make more, or take fewer steps")


def _measured(place: Path, tokenizer: Path, arm: Arm, pairs: int, data: Data) -> Outcome:
    network = load_network(place / "checkpoint.pt")
    scores = score(network, data.validation)
    by_source: dict[str, list[bool]] = {"all": [each.exact for each in scores]}
    for each, source in zip(scores, data.validation_sources, strict=True):
        by_source.setdefault(source, []).append(each.exact)
    losses = [each.loss for each in scores if math.isfinite(each.loss)]
    shares = {source: sum(each) / len(each) for source, each in sorted(by_source.items())}
    model = place / "model.gguf"
    export(network, load(tokenizer), model, name="arm", version="0")
    group = group_of(model)
    try:
        standing = sum(stands(question, group) for question in data.questions)
        reason = _why_unasked(group.router)
    finally:
        group.router.close()
    if reason is not None:
        remedy = "mend that and run `compare` again; what is trained is kept"
        raise EnvironmentFault(f"the model of {arm.name!r} could not be asked: {reason}", remedy)
    size = size_of(arm.shape)
    loss = sum(losses) / len(losses)
    return Outcome(
        arm.name, size, arm.steps, pairs, float(size * arm.steps), loss, shares, standing, len(data.questions)
    )


def _why_unasked(router: Router) -> str | None:
    """Why questions were not put to a model at all, so that their answers are not known to be wrong.

    A failure alone does not say so: an answer without end is a failure to the router, and a poor model's own.
    """
    try:
        router.generate(Request(prompt=("def",), max_tokens=1))
    except ModelError as error:
        return str(error)
    return next((each.reason for each in router.decisions if each.action == "skipped"), None)


@torch.no_grad()
def score(network: Network, examples: Sequence[Example]) -> list[Score]:
    """How well the network knows the answer of each example, given its prompt.

    Given the right answer it must find each of its tokens the most probable one: then it would have written it itself,
    always taking the most probable. What is longer than its context it can't know.
    """
    order = sorted(range(len(examples)), key=lambda number: len(examples[number][0]))
    scores = [Score(False, math.inf)] * len(examples)
    for start in range(0, len(order), _BATCH):
        chosen = order[start : start + _BATCH]
        longest = min(len(examples[chosen[-1]][0]), network.shape.context)
        ids = torch.zeros((len(chosen), longest), dtype=torch.long)
        for row, number in enumerate(chosen):
            tokens = examples[number][0][:longest]
            ids[row, : len(tokens)] = torch.tensor(tokens)
        logits = network(ids)
        for row, number in enumerate(chosen):
            tokens, begin = examples[number]
            if len(tokens) <= longest:
                found, wanted = logits[row, begin - 1 : len(tokens) - 1], ids[row, begin : len(tokens)]
                loss = functional.cross_entropy(found, wanted).item()
                scores[number] = Score(bool((found.argmax(-1) == wanted).all()), loss)
    return scores


def table(outcomes: Sequence[Outcome]) -> str:
    """The outcomes in Markdown; compute relative to the first."""
    heads = ("arm", "parameters", "steps", "distinct pairs", "compute", "loss", "exact", "of real code")
    lines = [f"| {' | '.join(heads)} | natural, first answer |", "|---" * (len(heads) + 1) + "|"]
    for each in outcomes:
        compute = each.compute / outcomes[0].compute
        shares = f"{100 * each.exact['all']:.1f} % | {100 * each.exact.get('mutation', 0.0):.1f} %"
        natural = f"{each.stands} of {each.asked}"
        size = f"{each.parameters / 1e6:.1f} M"
        work = f"{each.steps} | {each.pairs:,} | {compute:.2f} ×"
        lines.append(f"| {each.name} | {size} | {work} | {each.loss:.3f} | {shares} | {natural} |")
    return "\n".join(lines)
