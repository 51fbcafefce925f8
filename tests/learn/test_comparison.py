"""What pays: that arms get what they name and no more, that nothing is trained twice, and that exact means exact."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("gguf")

from nootropic_bot.critique.critic import Critic  # noqa: E402
from nootropic_bot.errors import EnvironmentFault, UsageError  # noqa: E402
from nootropic_bot.learn import comparison  # noqa: E402
from nootropic_bot.learn.comparison import Arm, Data, Outcome, compare, score, table  # noqa: E402
from nootropic_bot.learn.corpus import CodeFile  # noqa: E402
from nootropic_bot.learn.evaluate import natural  # noqa: E402
from nootropic_bot.learn.network import Network, Shape  # noqa: E402
from nootropic_bot.learn.pairs import generate  # noqa: E402
from nootropic_bot.learn.pretrain import Recipe, Trainer  # noqa: E402
from nootropic_bot.learn.steps import Plan  # noqa: E402
from nootropic_bot.learn.teachable import open_critic  # noqa: E402
from nootropic_bot.models.base import BadAnswer, Unavailable  # noqa: E402
from nootropic_bot.models.scripted import Scripted, Step  # noqa: E402
from tests.learn.code import ingredients  # noqa: E402
from tests.support.models import group, says  # noqa: E402

_SHAPE = Shape(vocabulary=4096, width=32, layers=1, heads=1, hidden=32)
_RECIPE = Recipe(0, batch_tokens=384)
_FILE = CodeFile("p", "load.py", "import pickle\n\n\ndef load(data):\n    return pickle.loads(data)\n")


@pytest.fixture(scope="module")
def critic() -> Critic:
    return open_critic()


@pytest.fixture
def data(tmp_path: Path, critic: Critic) -> Data:
    """Pairs with their tokens, as `Plan.compare` gives them, and one natural finding."""
    torch.set_num_threads(1)
    pairs = list(generate(ingredients(), 80, 1))
    for split in ("train", "validation"):
        text = "".join(pair.to_json() + "\n" for pair in pairs[: 80 if split == "train" else 20])
        (tmp_path / f"{split}.jsonl").write_text(text, encoding="utf-8")
    plan = Plan(tmp_path, tmp_path, pair_count=80, step_count=2, minutes=None, seed=1)
    sources = [pair.source for pair in pairs]
    questions = list(natural([_FILE], critic))
    return Data(plan._examples("train"), sources, plan._examples("validation"), sources[:20], questions)


def test_an_answer_is_exact_where_the_network_would_write_it_itself() -> None:
    torch.manual_seed(3)
    network = Network(Shape(vocabulary=64, width=32, layers=2, heads=2, hidden=48, context=40))
    with torch.no_grad():
        for weight in network.parameters():
            weight.mul_(8)  # Far enough from nothing that the most probable token depends on what stands before it.
    examples, spoilt = [], []
    for length in (5, 9, 9, 14):
        prompt = torch.randint(64, (length,)).tolist()
        tokens = list(prompt)
        with torch.no_grad():
            for _token in range(6):
                tokens.append(int(network(torch.tensor([tokens]))[0, -1].argmax()))
        examples.append((tokens, length))
        spoilt += [
            ([*tokens[:place], (tokens[place] + 1) % 64, *tokens[place + 1 :]], length) for place in (length, -1)
        ]
    assert len({tuple(tokens[begin:]) for tokens, begin in examples}) > 1
    right, wrong = score(network, examples), score(network, spoilt)
    assert [each.exact for each in (*right, *wrong)] == [True] * 4 + [False] * 8
    for each, (tokens, begin) in zip(right, examples, strict=True):
        with torch.no_grad():
            known = torch.log_softmax(network(torch.tensor([tokens]))[0], -1)
        steps = [-known[place - 1, tokens[place]].item() for place in range(begin, len(tokens))]
        assert each.loss == pytest.approx(sum(steps) / len(steps), rel=1e-4)
    # What it is asked together with makes no difference.
    mixed = score(network, [examples[0], spoilt[1], examples[3]])
    assert [each.exact for each in mixed] == [True, False, True]
    assert mixed[0].loss == pytest.approx(right[0].loss, rel=1e-4)
    too_long = score(network, [([*examples[0][0], *[1] * 40], 5)])
    assert (too_long[0].exact, too_long[0].loss) == (False, math.inf)


def test_arms_are_trained_on_what_they_name_and_measured_on_everything(tmp_path: Path, data: Data) -> None:
    arms = [
        Arm("first", _SHAPE, 12),
        Arm("fewer, more often", _SHAPE, 12, passes=2),
        Arm("one source", _SHAPE, 6, frozenset({"template"})),
        Arm("wider", replace(_SHAPE, width=64), 6),
    ]
    first, fewer, one, wider = compare(tmp_path, arms, data, _RECIPE, compile=False)
    assert 0 < fewer.pairs < first.pairs < 80
    assert (first.steps, one.steps) == (12, 6)
    assert wider.parameters > first.parameters == 4096 * 32 + 4 * 32 * 32 + 3 * 32 * 32 + 3 * 32
    assert first.compute == 12 * first.parameters
    assert 6 < first.loss < 10  # Nothing is learnt yet: about the logarithm of the vocabulary.
    assert set(first.exact) == {"all", *data.validation_sources}
    assert all(0 <= share <= 1 for share in first.exact.values())
    assert (first.asked, first.stands) == (1, 0)
    lines = table([first, wider]).splitlines()
    assert len(lines) == 4
    assert lines[2].startswith("| first | 0.1 M | 12 | ")
    assert "| 1.00 × |" in lines[2]
    assert lines[3].startswith("| wider | 0.3 M | 6 | ")
    assert "| 1.03 × |" in lines[3]


def test_pairs_of_other_sources_are_left_out(data: Data) -> None:
    for source in ("template", "mutation"):
        arm = Arm("one source", _SHAPE, 1, frozenset({source}))
        chosen = comparison._examples_of(arm, data, _RECIPE)
        known = [each for each, origin in zip(data.train, data.train_sources, strict=True) if origin == source]
        assert chosen == [each for each in known if len(each[0]) <= 384][: len(chosen)] != []


def test_a_finished_arm_is_not_trained_again(tmp_path: Path, data: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    arms = [Arm("first", _SHAPE, 12)]
    (outcome,) = compare(tmp_path, arms, data, _RECIPE, compile=False)
    monkeypatch.delattr(comparison, "Trainer")
    assert list(compare(tmp_path, arms, data, _RECIPE, compile=False)) == [outcome]


def test_an_arm_that_is_another_by_now_is_trained_from_nothing(tmp_path: Path, data: Data) -> None:
    def outcome(name: str, steps: int, data: Data = data, recipe: Recipe = _RECIPE) -> Outcome:
        (made,) = compare(tmp_path, [Arm(name, _SHAPE, steps)], data, recipe, compile=False)
        return replace(made, name="")

    def step(name: str) -> int:
        return int(torch.load(tmp_path / "arms" / name / "checkpoint.pt", weights_only=True)["step"])

    first = outcome("first", 12)
    outcome("other", 12)
    kept = (tmp_path / "arms" / "other" / "checkpoint.pt").stat().st_mtime_ns
    longer = outcome("first", 24)
    assert (longer, step("first")) == (outcome("longer", 24), 24)
    assert longer != replace(first, steps=24, pairs=longer.pairs, compute=longer.compute)
    assert (outcome("first", 12), step("first")) == (first, 12)
    assert not (tmp_path / "arms" / "first" / "log.jsonl").exists()  # A line each 20 steps, and none of those before.
    remade = replace(data, train=data.train[10:], train_sources=data.train_sources[10:])
    assert outcome("first", 12, remade) == outcome("remade", 12, remade) != first
    seeded = replace(_RECIPE, seed=5)
    assert outcome("first", 12, recipe=seeded) == outcome("seeded", 12, recipe=seeded) != first
    # What was made before anybody noted of what it is could be of anything.
    (tmp_path / "arms" / "first" / "arm.json").unlink()
    assert outcome("first", 12) == first
    assert (tmp_path / "arms" / "other" / "checkpoint.pt").stat().st_mtime_ns == kept


def test_other_questions_are_asked_without_another_training(tmp_path: Path, data: Data) -> None:
    arms = [Arm("first", _SHAPE, 12)]
    (before,) = compare(tmp_path, arms, data, _RECIPE, compile=False)
    noted = (tmp_path / "arms" / "first" / "arm.json").stat().st_mtime_ns
    (after,) = compare(tmp_path, arms, replace(data, questions=[*data.questions] * 2), _RECIPE, compile=False)
    assert after == replace(before, asked=2)
    assert (tmp_path / "arms" / "first" / "arm.json").stat().st_mtime_ns == noted


def test_an_arm_that_was_interrupted_goes_on(tmp_path: Path, data: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[int] = []

    class Counted(Trainer):
        def _set_rate(self) -> None:
            steps.append(self.step)
            if steps == [*range(10)]:
                raise KeyboardInterrupt
            super()._set_rate()

    monkeypatch.setattr(comparison, "Trainer", Counted)
    arms, recipe = [Arm("first", _SHAPE, 12)], replace(_RECIPE, save_every=4)
    with pytest.raises(KeyboardInterrupt):
        list(compare(tmp_path, arms, data, recipe, compile=False))
    assert len(list(compare(tmp_path, arms, data, recipe, compile=False))) == 1
    assert steps == [*range(10), *range(8, 12)]


def _standing(tmp_path: Path, data: Data, monkeypatch: pytest.MonkeyPatch, *script: Step) -> tuple[int, int]:
    """Of how many questions the answers of this script stand, after a short training."""
    monkeypatch.setattr(comparison, "group_of", lambda _model: group(Scripted(script)))
    (outcome,) = compare(tmp_path, [Arm("first", _SHAPE, 6)], data, _RECIPE, compile=False)
    return outcome.stands, outcome.asked


_RIGHT, _WRONG = says((1, "return json.loads(data)")), says((1, "return json.loads(data"))


def test_answers_that_stand_are_counted(tmp_path: Path, data: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    more = replace(data, questions=[*data.questions] * 3)
    assert _standing(tmp_path, more, monkeypatch, _RIGHT, _WRONG, _RIGHT, "") == (2, 3)


def test_an_answer_without_end_is_one_that_does_not_stand(
    tmp_path: Path, data: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = replace(data, questions=[*data.questions] * 2)
    assert _standing(tmp_path, more, monkeypatch, BadAnswer("the answer repeats itself"), _RIGHT, "") == (1, 2)


@pytest.mark.parametrize("before", [(), (_WRONG,)])
def test_a_model_that_can_not_be_asked_has_no_outcome(
    tmp_path: Path, data: Data, monkeypatch: pytest.MonkeyPatch, before: tuple[Step, ...]
) -> None:
    more = replace(data, questions=[*data.questions] * 2)
    with pytest.raises(EnvironmentFault, match=r"'first' could not be asked: .*no runtime"):
        _standing(tmp_path, more, monkeypatch, *before, Unavailable("no runtime"))
    assert _standing(tmp_path, more, monkeypatch, _WRONG, _RIGHT, "") == (1, 2)


def test_too_few_pairs_are_said_to_be_too_few_before_anything_is_trained(tmp_path: Path, data: Data) -> None:
    arms = [Arm("short", _SHAPE, 1), Arm("long", _SHAPE, 1000)]
    with pytest.raises(UsageError, match="'long' needs more pairs than 80"):
        next(compare(tmp_path, arms, data, _RECIPE, compile=False))
    assert not (tmp_path / "arms").exists()


def test_exactly_enough_pairs_are_enough(data: Data) -> None:
    arm = Arm("short", _SHAPE, 6)
    chosen = comparison._examples_of(arm, data, _RECIPE)
    exact = replace(data, train=chosen, train_sources=["template"] * len(chosen))
    assert comparison._examples_of(arm, exact, _RECIPE) == chosen
    with pytest.raises(UsageError, match="needs more pairs"):
        comparison._examples_of(arm, replace(exact, train=chosen[1:], train_sources=exact.train_sources[1:]), _RECIPE)


def test_the_arms_differ_from_the_first_in_what_they_name() -> None:
    first, *others = comparison.arms(240)
    fields = ("shape", "steps", "sources", "passes")
    changed = {arm.name: [name for name in fields if getattr(arm, name) != getattr(first, name)] for arm in others}
    assert changed == {
        "twice the parameters": ["shape"],
        "twice the steps": ["steps"],
        "a quarter of the pairs, four times each": ["passes"],
        "pairs of the rules' examples alone": ["sources"],
        "twice the parameters, the same compute": ["shape", "steps"],
        "half the parameters": ["shape"],
        "half the steps": ["steps"],
    }
    work = {arm.name: comparison.size_of(arm.shape) * arm.steps for arm in (first, *others)}
    assert work["twice the parameters, the same compute"] == pytest.approx(work[first.name], rel=0.01)
    assert comparison.size_of(others[0].shape) == pytest.approx(2 * comparison.size_of(first.shape), rel=0.1)
    assert [arm.passes for arm in others if arm.passes > 1] == [4]
    assert {arm.steps for arm in comparison.arms(1)} == {1, 2}
