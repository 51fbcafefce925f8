"""The public fake."""

from __future__ import annotations

import pytest

from nootropic_bot.models.base import Message, Model, Request, TimedOut, Unavailable
from nootropic_bot.models.scripted import Scripted
from tests.models.contract import Make, ModelContract

ASK = Request(messages=(Message("user", "fix it"),))


class TestContract(ModelContract):
    """A script answers what it says, whatever was asked: it has no limits, stops, time or forms of its own."""

    abilities = frozenset({"chat", "raw_prompt", "deterministic", "embeddings"})

    @pytest.fixture
    def make(self) -> Make:
        def make(variant: str) -> Model:
            return Scripted(["x = safe(y)\ny = 2"], repeat=True, name=f"scripted@{variant}")

        return make

    def test_grammar_holds_or_is_declined(self, model: Model) -> None:
        pytest.skip("a script is not held to a form")


def test_steps_come_in_order() -> None:
    model = Scripted(["one", TimedOut("too slow"), lambda request: f"{len(request.messages)} message"])
    assert model.generate(ASK).text == "one"
    with pytest.raises(TimedOut, match="too slow"):
        model.generate(ASK)
    assert model.generate(ASK).text == "1 message"
    with pytest.raises(Unavailable, match="no further answer"):
        model.generate(ASK)


def test_requests_are_remembered_also_when_they_fail() -> None:
    model = Scripted([TimedOut("too slow")])
    with pytest.raises(TimedOut):
        model.generate(ASK)
    assert model.requests == [ASK]


def test_script_repeats_when_told_to() -> None:
    model = Scripted(["a", "b"], repeat=True)
    assert [model.generate(ASK).text for _ in range(5)] == ["a", "b", "a", "b", "a"]


def test_stream_takes_a_step_too() -> None:
    model = Scripted(["def f():\n    return 1\n", "next"])
    assert "".join(model.stream(ASK)) == "def f():\n    return 1\n"
    assert model.generate(ASK).text == "next"


def test_failing_step_fails_the_stream() -> None:
    with pytest.raises(TimedOut):
        list(Scripted([TimedOut("too slow")]).stream(ASK))


@pytest.mark.parametrize("confidence", [None, 0.25])
def test_confidence_is_what_was_set(confidence: float | None) -> None:
    assert Scripted(["a"], confidence=confidence).generate(ASK).confidence == confidence


def test_embeddings_are_near_for_similar_texts() -> None:
    near, nearer, far = Scripted([]).embed(["yaml.load(x)", "yaml.load(y)", "zzzz"])

    def distance(one: list[float], other: list[float]) -> float:
        return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))

    assert distance(near, nearer) < distance(near, far)


def test_place_is_as_set() -> None:
    assert Scripted([]).is_local
    assert not Scripted([], is_local=False).is_local
