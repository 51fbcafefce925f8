"""Rounds of proposing and proving: a change that leaves something in its statement is gone on with, and not for ever."""

from __future__ import annotations

import re

import pytest

from nootropic_bot.critique.critic import Critic
from nootropic_bot.diff import apply_edits
from nootropic_bot.learn.corpus import CodeFile
from nootropic_bot.learn.evaluate import Result, ask, natural
from nootropic_bot.learn.teachable import open_critic
from nootropic_bot.models.base import Request
from nootropic_bot.models.scripted import Scripted
from nootropic_bot.proving import AGAIN
from tests.support.models import group, review_with, says
from tests.support.repo import Repo

_TWO = "def render(page, parts=list(range(3)), filters=dict(a=1)):\n    return page.join(parts, filters)\n"
_FIXED = (
    "def render(page, parts=None, filters=None):\n"
    "    if filters is None:\n        filters = dict(a=1)\n"
    "    if parts is None:\n        parts = list(range(3))\n"
    "    return page.join(parts, filters)\n"
)


def _mend_one(request: Request) -> str:
    """As a model does that sees one thing at a time."""
    asked = request.messages[-1].content
    if "parts=list" in asked:
        head = "def render(page, parts=None, filters=dict(a=1)):"
        return says((1, f"{head}\n    if parts is None:\n        parts = list(range(3))"))
    return says(
        (1, "def render(page, parts=None, filters=None):\n    if filters is None:\n        filters = dict(a=1)")
    )


@pytest.fixture(scope="module")
def critic() -> Critic:
    return open_critic()


def _asked(critic: Critic, text: str, model: Scripted) -> Result:
    (question,) = natural([CodeFile("p", "app.py", text)], critic)
    (result,) = ask([question], group(model), critic, greedy=True)
    return result


def test_what_a_change_left_is_mended_too_and_both_are_one_fix(critic: Critic) -> None:
    result = _asked(critic, _TWO, Scripted([_mend_one], repeat=True, confidence=0.9))
    assert (result.verified, result.reason) == (True, "gone: mutable-default-argument still finds it")
    shown = result.diff.splitlines(keepends=True)[3:]
    assert "".join(line[1:] for line in shown if line[0] in " -") == _TWO
    assert "".join(line[1:] for line in shown if line[0] in " +") == _FIXED
    assert result.chosen == pytest.approx(0.81)  # Both answers must be what the author would write.


def test_no_more_rounds_are_made_than_so_many(critic: Critic) -> None:
    """Three defaults, of which one a round is mended."""
    text = 'def f(a, b=list(range(1)), c=dict(d=1), e=set("x"), g=list("y")):\n    return a, b, c, e, g\n'
    mended: list[str] = []

    def answer(request: Request) -> str:
        head = next(line for line in str(request.messages[-1].content).splitlines() if line.startswith("1| def"))
        name, default = re.findall(r"(\w)=((?:list|dict|set)\([^=]*?\)+)(?=[,)])", head.replace("d=1", "d:1"))[0]
        default = default.replace("d:1", "d=1")
        mended.append(name)
        changed = head.removeprefix("1| ").replace(f"{name}={default}", f"{name}=None")
        return says((1, f"{changed}\n    if {name} is None:\n        {name} = {default}"))

    result = _asked(critic, text, Scripted([answer], repeat=True))
    assert (result.verified, result.reason) == (False, "gone: mutable-default-argument still finds it")
    assert mended == ["b", "c", "e"]
    assert len(mended) == 1 + AGAIN


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        # Nothing was mended.
        ("import pickle\n\n\ndef load(data):\n    return pickle.loads(data)\n", "return pickle.loads(data, a=1)"),
        # Another default was, which was right as it was.
        (
            "def load(data, at=time(), kinds=list(range(1))):\n    return data, at, kinds\n",
            "def load(data, at=None, kinds=list(range(1))):\n    if at is None:\n        at = time()",
        ),
    ],
)
def test_what_mends_no_part_is_not_gone_on_with(critic: Critic, text: str, answer: str) -> None:
    model = Scripted([says((1, answer))], repeat=True)
    result = _asked(critic, text, model)
    assert (result.answered, result.verified) == (True, False)
    assert len(model.requests) == 1


def test_where_the_rest_is_not_mended_nothing_is_proved(critic: Critic) -> None:
    model = Scripted([_mend_one, says()])
    result = _asked(critic, _TWO, model)
    assert (result.answered, result.verified) == (True, False)
    assert len(model.requests) == 2


def test_a_review_shows_both_changes_as_one_fix(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOOTROPIC_MODEL", raising=False)
    path = repo.write("app.py", _TWO)
    repo.git("add", ".")
    model = Scripted([_mend_one], repeat=True, confidence=0.99)
    (finding,) = review_with(repo, [group(model)]).findings("mutable-default-argument")
    assert finding.suggestion is not None
    assert finding.suggestion.verified
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    assert "".join(apply_edits(lines, finding.suggestion.edits)) == _FIXED
