"""Rounds of proposing and proving: a change that leaves something in its statement is gone on with, and not for ever."""

from __future__ import annotations

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


def test_what_mends_nothing_is_given_up_after_a_few_rounds(critic: Critic) -> None:
    asked: list[str] = []

    def answer(request: Request) -> str:
        asked.append(request.messages[-1].content)
        return says((1, f"    return pickle.loads(data, n={len(asked)})"))

    text = "import pickle\n\n\ndef load(data):\n    return pickle.loads(data)\n"
    result = _asked(critic, text, Scripted([answer], repeat=True))
    assert (result.verified, result.reason) == (False, "gone: pickle-load still finds it")
    assert len(asked) == 1 + AGAIN
    assert [f"n={number}" in text for number, text in enumerate(asked)] == [False, True, True]


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
