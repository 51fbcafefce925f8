"""The model stage: which answers become proposals, in which order, and what happens when models fail (F22)."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal

import pytest

from nootropic_bot.config import BudgetSettings
from nootropic_bot.diff import apply_edits
from nootropic_bot.models import fixer
from nootropic_bot.models.answercache import AnswerCache
from nootropic_bot.models.base import (
    BadAnswer,
    BudgetSpent,
    ContextOverflow,
    ModelError,
    NotAllowed,
    OutOfMemory,
    RateLimited,
    Request,
    ServerFailed,
    TimedOut,
    Unavailable,
)
from nootropic_bot.models.budget import Budget
from nootropic_bot.models.scripted import Scripted
from nootropic_bot.propose.base import Context
from nootropic_bot.propose.calibration import Calibration, Curve, load_calibration
from nootropic_bot.propose.model_fix import ModelFix
from nootropic_bot.records import FileAnalysis, Finding, Match, Proposal, Rule
from nootropic_bot.resources import bundled_rules
from nootropic_bot.rulefiles import find_rule_files, load_rules
from nootropic_bot.source import decode
from tests.support.clock import Clock
from tests.support.models import group, proposer, review_with, says
from tests.support.repo import Repo

TEXT = "import pickle\n\n\ndef load(data):\n    return pickle.loads(data)\n"
FIXED = "    return json.loads(data)\n"
RULE = Rule("pickle-load", "error", "Unpickling runs code.", ("python",))


def case(text: str = TEXT, flagged: str = "pickle.loads(data)", path: str = "app.py") -> tuple[Finding, Context]:
    source = decode(path, text.encode())
    start = text.index(flagged)
    match = Match(RULE.id, source.at(start), source.at(start + len(flagged)), start, start + len(flagged), "m", "s")
    finding = Finding("f1", RULE.id, path, match.start, match.end, "error", RULE.message, ("CWE-502",))
    return finding, Context(source, match, RULE, FileAnalysis((match,)))


def proposals(stage: ModelFix, text: str = TEXT, path: str = "app.py") -> list[Proposal]:
    return list(stage.propose(*case(text, path=path)))


def result(proposal: Proposal, text: str = TEXT) -> str:
    return "".join(apply_edits(decode("app.py", text.encode()).lines, proposal.edits))


# What becomes a proposal.


@pytest.mark.parametrize(
    ("kind", "answer", "prompt"),
    [("chat", says((1, "return json.loads(data)")), "fix/v1"), ("fixer", "<|1|>return json.loads(data)", "fixer/v1")],
)
def test_an_answer_becomes_a_proposal_with_its_imports(kind: str, answer: str, prompt: str) -> None:
    model = Scripted([answer], name="mine@7", confidence=0.99)
    (proposal,) = proposals(proposer(group(model, kind=kind)))  # type: ignore[arg-type]
    assert result(proposal) == "import json\nimport pickle\n\n\ndef load(data):\n    return json.loads(data)\n"
    assert (proposal.source, proposal.model, proposal.prompt) == ("model", "mine@7", prompt)
    assert proposal.confidence == 0.99
    assert proposal.needs == {"json": "import json"}
    assert len(model.requests) == 1
    request = model.requests[0]
    assert request.temperature == 0
    assert request.shared_prefix > 0


def test_a_model_that_only_continues_a_text_is_given_one() -> None:
    model = Scripted([says((1, "return json.loads(data)"))], confidence=0.99)
    (proposal,) = proposals(proposer(group(model, kind="completion")))
    assert "return json.loads(data)" in result(proposal)
    (request,) = model.requests
    assert (request.messages, proposal.prompt) == ((), "fix/v1")
    assert request.json_schema is not None
    assert "".join(map(str, request.prompt)).endswith("JSON:\n")


def test_only_changed_lines_are_edits() -> None:
    text = "x = f(\n    pickle.loads(data),\n    b,\n)\n"
    model = Scripted([says((1, "x = f("), (2, "    json.loads(data),"), (4, ")"))], confidence=None)
    (proposal,) = proposals(proposer(group(model)), text)
    assert [(e.start_line, e.end_line) for e in proposal.edits if "import" not in e.replacement] == [(2, 2)]


def test_an_answer_that_changes_nothing_is_no_proposal() -> None:
    model = Scripted([says((1, "return pickle.loads(data)"))], confidence=None)
    assert proposals(proposer(group(model))) == []
    assert proposals(proposer(group(Scripted([says()], confidence=None)))) == []
    assert proposals(proposer(group(Scripted([""], confidence=1.0), kind="fixer"))) == []


# How often is asked.


def test_others_are_drawn_unless_the_model_is_sure() -> None:
    answers = [says((1, f"return json.loads(data, x={n})")) for n in range(5)]
    for confidence, count in ((0.5, 3), (0.98, 1), (None, 1)):
        model = Scripted(answers, confidence=confidence)
        assert len(proposals(proposer(group(model)))) == count
        assert [r.seed for r in model.requests] == list(range(count))
        assert [r.temperature for r in model.requests] == sorted({r.temperature for r in model.requests})
    model = Scripted(answers, confidence=0.1)
    assert len(proposals(proposer(group(model), candidates=5))) == 5


def test_the_fixer_is_drawn_from_more_often_because_it_is_cheap() -> None:
    answers = [f"<|1|>return json.loads({' ' * n}data)<|end|>" for n in range(20)]
    model = Scripted(answers, confidence=0.5)
    assert len(proposals(proposer(group(model, kind="fixer"), candidates=2))) == 8
    assert [request.seed for request in model.requests] == list(range(8))


def test_the_fixer_is_shown_less_and_less() -> None:
    """All, then the statement and its imports, then the statement alone, then with short names for what it is given."""
    answers = [f"<|1|>return json.loads({' ' * n}data)<|end|>" for n in range(9)]
    answers[3] = "<|1|>return json.loads(data)(value1)<|end|>"
    model = Scripted(answers, confidence=0.5)
    text = TEXT.replace("    return", "    data = data.strip()\n    return").replace(
        "loads(data)", "loads(data)(data[0])"
    )
    made = proposals(proposer(group(model, kind="fixer"), candidates=1), text)
    shown = [str(request.prompt) for request in model.requests]
    assert ["data.strip" in each for each in shown] == [True, False, False, False]
    assert ["import pickle" in each for each in shown] == [True, True, False, True]
    assert ["data[0]" in each for each in shown] == [True, True, True, False]
    assert ["value1" in each for each in shown] == [False, False, False, True]
    assert all("return" in each and RULE.message in each for each in shown)
    assert any("json.loads(data)(data[0])" in edit.replacement for each in made for edit in each.edits)


def test_a_draw_of_luck_is_no_proposal() -> None:
    answers = [f"<|1|>return json.loads({' ' * n}data)<|end|>" for n in range(9)]
    for confidence, count in ((0.01, 0), (0.02, 4)):
        model = Scripted(answers, confidence=confidence)
        assert len(proposals(proposer(group(model, kind="fixer"), candidates=1))) == count
    model = Scripted([says((1, "return json.loads(data)"))], confidence=0.01)
    assert len(proposals(proposer(group(model)))) == 1, "what larger models find probable is not measured"


def test_a_slip_of_the_fixer_is_put_right() -> None:
    model = Scripted(["<|1|>return json.loads(data<|end|>"], confidence=0.99)
    (proposal,) = proposals(proposer(group(model, kind="fixer")))
    assert "    return json.loads(data)\n" in result(proposal)
    # A larger model's answer is taken at its word.
    model = Scripted([says((1, "return json.loads(data"))], confidence=0.99)
    assert not any("json.loads(data)" in result(each) for each in proposals(proposer(group(model))))


@pytest.mark.parametrize(
    ("flagged", "sentence", "is_said"),
    [
        ('request.method == "POST"', "only the author may edit an open post", False),
        ('request.method == "POST"', "only a POST request may do this", True),
        ("request.author == user.edit", "only the author may edit an open post", True),
        ("post.author == user", "only a POST request may do this", False),
        ("post.author == user", "this is of no example", True),
    ],
)
def test_a_sentence_that_it_knows_by_heart_is_said_only_where_it_fits(
    flagged: str, sentence: str, is_said: bool
) -> None:
    rule = load_rules(find_rule_files(bundled_rules()), None).by_id["assert-as-guard"]
    text = f"def handle(request, user):\n    assert {flagged}\n    return user\n"
    finding, context = case(text, f"assert {flagged}")
    turned = flagged.replace("==", "!=")
    answer = f'<|1|>if {turned}:\n    raise ValueError("{sentence}")'
    stage = proposer(group(Scripted([answer], confidence=0.99), kind="fixer"))
    made = list(stage.propose(replace(finding, rule_id=rule.id), replace(context, rule=rule)))
    assert len(made) == is_said


@pytest.mark.parametrize("answer", ["<|5|>x = 1<|5|><|+|>    y = 2", "<|20|>x", "<|1|>x<|2|><|+|>y"])
def test_a_line_that_was_not_shown_is_no_answer(answer: str) -> None:
    assert proposals(proposer(group(Scripted([answer], confidence=0.99, repeat=True), kind="fixer"))) == []


def test_a_heads_comment_stays_with_the_head() -> None:
    text = "def load(data, kinds=[]):  # noqa: D103\n    return data[kinds]\n"
    guard = "    if kinds is None:\n        kinds = []"
    for answer in (f"<|1|>def load(data, kinds=None):<|1|><|+|>{guard}", f"<|1|>def load(data, kinds=None):\n{guard}"):
        (proposal,) = proposer(group(Scripted([answer], confidence=0.99), kind="fixer")).propose(*case(text, "[]"))
        assert result(proposal, text) == (
            f"def load(data, kinds=None):  # noqa: D103\n{guard}\n    return data[kinds]\n"
        )


@pytest.mark.parametrize(
    ("docstring", "answer"),
    [
        (True, "<|1|>def load(data, kinds=None):<|1|><|+|>    if kinds is None:\n        kinds = []"),
        (True, "<|1|>def load(data, kinds=None):<|2|><|+|>    if kinds is None:\n        kinds = []"),
        (False, "<|1|>def load(data, kinds=None):<|1|><|+|>    if kinds is None:\n        kinds = []"),
        (False, "<|1|><|<|>None<|>|><|1|><|+|>    if kinds is None:\n        kinds = []"),
        (False, "<|1|>def load(data, kinds=None):\n    if kinds is None:\n        kinds = []"),
    ],
)
def test_what_follows_a_functions_head_stands_below_its_docstring(docstring: bool, answer: str) -> None:
    doc = '    """Load."""\n' if docstring else ""
    text = f"def load(data, kinds=[]):\n{doc}    return data[kinds]\n"
    context = case(text, "[]")
    (proposal,) = proposer(group(Scripted([answer], confidence=0.99), kind="fixer")).propose(*context)
    expected = f"def load(data, kinds=None):\n{doc}    if kinds is None:\n        kinds = []\n    return data[kinds]\n"
    assert result(proposal, text) == expected


@pytest.mark.parametrize("kind", ["fixer", "chat"])
def test_only_a_small_model_is_held_to_what_examples_do(kind: Literal["fixer", "chat"]) -> None:
    line = "return json.loads(datum)"  # Half a word of it is a mistake of copying.
    model = Scripted([f"<|1|>{line}<|end|>" if kind == "fixer" else says((1, line))], confidence=0.99)
    assert len(proposals(proposer(group(model, kind=kind)))) == (kind == "chat")


@pytest.mark.parametrize("answer", ["<|end|>", "<|1|>return json.loads(data)<|end|>"])
def test_a_fixer_that_repeats_itself_is_not_asked_on(answer: str) -> None:
    model = Scripted([answer], confidence=0.5, repeat=True)
    assert len(proposals(proposer(group(model, kind="fixer")))) == (answer != "<|end|>")
    assert len(model.requests) == (5 if answer != "<|end|>" else 4)


@pytest.mark.parametrize(
    ("line", "answer", "expected"),
    [
        ("return pickle.loads(data)  # noqa: S301", "return json.loads(data)", "return json.loads(data)  # noqa: S301"),
        ("return pickle.loads(data)  # why", "return json.loads(data)  # why", "return json.loads(data)  # why"),
        (
            "return pickle.loads(data)  # why",
            "x = 1\nreturn json.loads(data)",
            "x = 1\n    return json.loads(data)  # why",
        ),
        ("f('#', pickle.loads(data))", "f('#', json.loads(data))", "f('#', json.loads(data))"),
    ],
)
def test_a_comment_that_the_model_forgets_is_kept(line: str, answer: str, expected: str) -> None:
    text = f"import pickle\n\n\ndef load(data):\n    {line}\n"
    (proposal,) = proposals(proposer(group(Scripted([says((1, answer))], confidence=None))), text)
    assert result(proposal, text).endswith(f"    {expected}\n")


def test_a_comment_on_a_line_of_its_own_stays_above_what_the_model_writes_there() -> None:
    text = "f(\n    # the old format\n    pickle.loads(data),\n)\n"
    model = Scripted([says((2, "    # the new format"), (3, "    json.loads(data),"))], confidence=None)
    (proposal,) = proposals(proposer(group(model)), text)
    assert "f(\n    # the old format\n    # the new format\n    json.loads(data),\n)\n" in result(proposal, text)


def test_candidates_are_asked_for_one_by_one() -> None:
    """Who takes the first proposal only has asked once."""
    model = Scripted([says((1, f"return json.loads(data, x={n})")) for n in range(3)], confidence=0.2)
    stage = proposer(group(model))
    first = next(iter(stage.propose(*case())))
    assert "x=0" in result(first)
    assert len(model.requests) == 1


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "nonsense",
        "{}",
        says((9, "x")),
        says((0, "x")),
        says((1, "a"), (1, "b")),
        '{"edits": [{"line": 1}]}',
        BadAnswer("no"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("confidence", [0.5, None])
def test_bad_answers_are_skipped(bad: str | ModelError, confidence: float | None) -> None:
    model = Scripted([bad, says((1, "return json.loads(data)"))], confidence=confidence)
    stage = proposer(group(model), candidates=2)
    (proposal,) = proposals(stage)
    assert FIXED in result(proposal)
    assert [request.seed for request in model.requests] == [0, 1]
    assert not stage.unanswered


@pytest.mark.parametrize("bad", ["no line", "<|1|>x<|fix|>y", "<|25|>x", "<|0|>x", "<|1|>a<|1|>b", "<|2|>x"], ids=repr)
def test_bad_answers_of_the_fixer_are_skipped(bad: str) -> None:
    model = Scripted([bad, "<|1|>return json.loads(data)<|end|>"], confidence=0.5)
    (proposal,) = proposals(proposer(group(model, kind="fixer"), candidates=2))
    assert FIXED in result(proposal)


def test_bad_answers_only_are_an_answer_but_failures_only_are_none() -> None:
    """What a model says in the wrong form it will say again; what it can't say may come next time."""
    garbled = proposer(group(Scripted(["x"], repeat=True)))
    assert proposals(garbled) == []
    assert not garbled.unanswered
    failed = proposer(group(Scripted([BadAnswer("endless")], repeat=True)))
    assert proposals(failed) == []
    assert failed.unanswered == {"f1"}


@pytest.mark.parametrize(
    "answer",
    [
        "[" * 100_000,
        '{"edits": [{"line": 1e999, "text": "x"}]}',
        '{"edits": [{"line": 1, "text": null}]}',
        '{"edits": [{"line": 1, "text": "\\ud800"}]}',
        '{"edits": [{"line": 1, "text": "\\u0000"}]}',
        says((1, "return " + "-" * 50_000 + "1")),
        says((1, "return " + "(" * 5_000)),
        says((1, "return " + "+".join(["json"] * 5_000))),
        says((1, "\n" * 10_000)),
        says((1, '"""')),
        says((1, "\r\x0c\u2028")),
    ],
    ids=lambda text: text[:40],
)
def test_hostile_answers_end_nothing(answer: str) -> None:
    """They are proposals that can't be proved, or none."""
    for proposal in proposals(proposer(group(Scripted([answer], repeat=True)))):
        assert all(edit.path == "app.py" for edit in proposal.edits)


# Groups.


def test_the_next_group_is_asked_where_the_first_had_nothing() -> None:
    small, large = Scripted([""], name="small@1"), Scripted([says((1, "return json.loads(data)"))], name="large@1")
    (proposal,) = proposals(proposer(group(small, kind="fixer"), group(large)))
    assert proposal.model == "large@1"
    small, large = Scripted(["<|1|>return json.loads(data)"], name="small@1"), Scripted([], name="large@1")
    (proposal,) = proposals(proposer(group(small, kind="fixer"), group(large)))
    assert proposal.model == "small@1"
    assert not large.requests


def test_a_group_that_fails_is_followed_by_the_next() -> None:
    failing, good = (
        Scripted([Unavailable("gone")], name="a@1"),
        Scripted([says((1, "return json.loads(data)"))], name="b@1"),
    )
    stage = proposer(group(failing), group(good))
    (proposal,) = proposals(stage)
    assert proposal.model == "b@1"
    assert stage.unanswered == {"f1"}  # The first may do better next time.
    assert stage.reasons() == ("a: gone",)


def test_the_bundled_format_is_for_python_only() -> None:
    small, large = (
        Scripted(["<|1|>x"], name="small@1"),
        Scripted([says((1, "    return json.loads(data)"))], name="large@1"),
    )
    (proposal,) = proposals(proposer(group(small, kind="fixer"), group(large)), path="app.js")
    assert proposal.model == "large@1"
    assert not small.requests


def test_nothing_is_asked_for_files_that_can_not_be_written_back() -> None:
    finding, context = case()
    odd = decode("app.py", b"# coding: utf-7\nx = pickle.loads(data)\n+AGE-\n")
    assert not odd.is_faithful
    model = Scripted([says((1, "x"))])
    assert list(proposer(group(model)).propose(finding, replace(context, source=odd))) == []
    empty = decode("app.py", b"")
    assert list(proposer(group(model)).propose(finding, replace(context, source=empty))) == []
    assert not model.requests


# Time and budget.


def test_the_time_of_a_request_is_the_least_of_the_limits() -> None:
    for timeout, left, expected in ((20.0, math.inf, 20.0), (20.0, 3.0, 3.0), (1.0, 3.0, 1.0)):
        model = Scripted([says((1, "return json.loads(data)"))])
        assert proposals(proposer(group(model), timeout=timeout, left=lambda left=left: left))  # type: ignore[misc]
        assert model.requests[0].timeout == pytest.approx(expected)


def test_nothing_is_asked_when_the_time_is_over() -> None:
    model = Scripted([says((1, "return json.loads(data)"))], repeat=True, confidence=0.5)
    stage = proposer(group(model), left=lambda: 0.0)
    assert proposals(stage) == []
    assert not model.requests
    assert stage.unanswered == {"f1"}

    clock = Clock()
    end = clock.seconds + 5

    def slow(_request: Request) -> str:
        clock.sleep(3)
        return says((1, f"return json.loads(data, x={clock.seconds})"))

    model = Scripted([slow], repeat=True, confidence=0.5)
    stage = proposer(group(model), left=lambda: end - clock.seconds)
    assert len(proposals(stage)) == 2
    assert [round(request.timeout) for request in model.requests] == [5, 2]


def test_a_budget_that_is_used_up() -> None:
    budget = Budget(BudgetSettings(tokens_per_run=100), now=lambda: datetime(2024, 1, 1, tzinfo=timezone.utc))
    model = Scripted([says((1, "return json.loads(data)"))], repeat=True)
    stage = proposer(group(model, budget=budget))
    finding, context = case()
    for number in range(5):
        list(stage.propose(replace(finding, id=f"f{number}"), context))
    assert len(model.requests) == 1  # One costs more than a hundred tokens.
    assert stage.unanswered == {"f1", "f2", "f3", "f4"}
    assert [reason for reason in stage.reasons() if "used up" in reason] == [
        "scripted: the run's budget of 100 tokens is used up"
    ]
    assert len(budget.charges) == 1


def test_answers_come_from_the_cache(tmp_path: Path) -> None:
    for asked in (1, 0):
        model = Scripted([says((1, "return json.loads(data)"))] * asked)
        (proposal,) = proposals(proposer(group(model, cache=AnswerCache(tmp_path))))
        assert FIXED in result(proposal)
        assert len(model.requests) == asked


# Secrets (row A22).

KEY = "AKIA" + "QZ7XW4N2LM5K9P3T"


def test_a_secret_is_not_brought_in() -> None:
    model = Scripted(
        [says((1, f'return json.loads(data, key="{KEY}")')), says((1, "return json.loads(data)"))], confidence=0.5
    )
    (proposal,) = proposals(proposer(group(model), candidates=2))
    assert KEY not in repr(proposal)
    assert FIXED in result(proposal)
    fixer_model = Scripted([f'<|1|>return json.loads(data, key="{KEY}")'], confidence=1.0)
    assert proposals(proposer(group(fixer_model, kind="fixer"))) == []


def test_a_secret_that_stood_there_may_stay() -> None:
    text = TEXT.replace("loads(data)", f'loads(data, key="{KEY}")')
    source, flagged = decode("app.py", text.encode()), f'pickle.loads(data, key="{KEY}")'
    model = Scripted([says((1, f'return json.loads(data, key="{KEY}")'))])
    finding, context = case(text, flagged)
    (proposal,) = proposer(group(model)).propose(finding, context)
    assert "json.loads" in "".join(apply_edits(source.lines, proposal.edits))


# How sure.


def test_confidence_is_calibrated_by_model_and_rule() -> None:
    curve = Curve(slope=1.0, offset=0.0, rules={"pickle-load": 2.0})
    model = Scripted([says((1, "return json.loads(data)"))], name="mine@7", confidence=0.98)
    (proposal,) = proposals(proposer(group(model), calibration=Calibration({"mine@7": curve})))
    assert proposal.confidence == pytest.approx(1 / (1 + math.exp(-(math.log(0.98 / 0.02) + 2))))
    other = Calibration({"mine@8": curve})
    model = Scripted([says((1, "return json.loads(data)"))], name="mine@7", confidence=0.98)
    assert proposals(proposer(group(model), calibration=other))[0].confidence == 0.98
    assert other.confidence("mine@8", "x", None) is None


@pytest.mark.parametrize("raw", [0.0, 1e-30, 0.3, 0.999999, 1.0])
@pytest.mark.parametrize("curve", [Curve(), Curve(0.4, -1.0, {"r": 5.0}), Curve(1e6, 0.0), Curve(-1.0, 1e9)])
def test_a_calibrated_figure_is_a_probability(curve: Curve, raw: float) -> None:
    assert 0 <= curve("r", raw) <= 1
    if curve == Curve():
        assert curve("r", raw) == pytest.approx(raw, abs=1e-5)


def test_a_curve_keeps_the_order() -> None:
    curve = Curve(0.7, -0.3, {"r": 1.0})
    figures = [curve("r", n / 100) for n in range(1, 100)]
    assert figures == sorted(figures)
    assert curve("r", 0.5) > curve("other", 0.5)


def test_curves_are_read_from_files(tmp_path: Path) -> None:
    assert load_calibration(tmp_path).curves == {}
    (tmp_path / "a.calibration.json").write_text('{"model": "a@1", "slope": 0.5, "offset": 0.1, "rules": {"r": 1.0}}')
    assert load_calibration(tmp_path).curves == {"a@1": Curve(0.5, 0.1, {"r": 1.0})}
    for name, curve in load_calibration().curves.items():
        assert "@" in name
        assert curve.slope > 0


# The stage in a review, with the real engine.


@pytest.fixture(autouse=True)
def models_are_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOOTROPIC_MODEL")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shared") / "repo"


@pytest.fixture
def two(shared: Path) -> Repo:
    """A repository with two findings that have no fix by rule; what the engine said of it is remembered."""
    if shared.exists():
        return Repo(shared)
    repo = Repo.init(shared)
    repo.commit({"one.py": TEXT, "two.py": TEXT.replace("load(", "read(").replace("json", "x")})
    return repo


GOOD = says((1, "return json.loads(data)"))


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("it is not there"),
        NotAllowed("it may not leave"),
        TimedOut("it took too long"),
        OutOfMemory("it does not fit"),
        ContextOverflow("it is too long"),
        RateLimited("it wants us to wait", 30.0),
        ServerFailed("it broke"),
        BadAnswer("it made no sense"),
        BudgetSpent("it is all gone"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_findings_are_shown_when_models_fail(two: Repo, error: ModelError) -> None:
    """F22: without a fix, the reason said once, and not remembered."""
    failed = review_with(two, [group(Scripted([error], repeat=True))], identity=type(error).__name__)
    found = failed.findings("pickle-load")
    assert [(f.path, f.suggestion) for f in found] == [("one.py", None), ("two.py", None)]
    assert failed.outcome.report.complete
    assert len([note for note in failed.notes if str(error) in note]) == 1
    assert failed.outcome.report.summary.verified_suggestions == 0


def test_a_failure_is_not_remembered_but_an_answer_is(two: Repo) -> None:
    review_with(two, [group(Scripted([ServerFailed("broken")], repeat=True))], identity="now and then")
    good = Scripted([GOOD], repeat=True)
    for _ in range(2):
        found = review_with(two, [group(good)], identity="now and then").findings("pickle-load")
        assert [f.suggestion is not None and f.suggestion.verified for f in found] == [True, True]
    assert len(good.requests) == 2  # Nothing was asked the second time.
    # That a model knows nothing is remembered, too.
    silent = Scripted([says()], repeat=True)
    for _ in range(2):
        found = review_with(two, [group(silent)], identity="silent").findings("pickle-load")
        assert [f.suggestion for f in found] == [None, None]
    assert len(silent.requests) == 2
    # Other models are asked again.
    review_with(two, [group(silent)], identity="another")
    assert len(silent.requests) == 4


def test_the_first_proved_candidate_wins(two: Repo) -> None:
    answers = [
        says((1, "return pickle.loads(bytes(data))")),  # The finding is still there.
        says((1, "pass")),  # Deletes the statement.
        says((1, "return json.loads(data)")),
    ]
    model = Scripted(answers, repeat=True, confidence=0.9)
    found = review_with(two, [group(model)], identity="third").findings("pickle-load")
    for finding in found:
        assert finding.suggestion is not None
        assert finding.suggestion.verified
        assert finding.suggestion.model == "scripted@1"
        assert "+    return json.loads(data)" in finding.suggestion.diff
    assert len(model.requests) == 6


def test_a_model_that_is_not_sure_is_shown_on_demand(two: Repo) -> None:
    def unsure() -> Scripted:
        return Scripted([GOOD, says(), says()], repeat=True, confidence=0.5)

    hidden = review_with(two, [group(unsure())], identity="unsure").findings("pickle-load")
    assert [f.suggestion for f in hidden] == [None, None]
    shown = review_with(two, [group(unsure())], identity="unsure", unproved=True).findings("pickle-load")
    assert [f.suggestion.confidence if f.suggestion else None for f in shown] == [0.5, 0.5]


def test_what_a_rule_can_fix_no_model_is_asked_for(repo: Repo) -> None:
    repo.commit({"app.py": "import yaml\n\n\ndef load(text):\n    return yaml.load(text)\n"})
    model = Scripted([GOOD], repeat=True)
    reviewed = review_with(repo, [group(model)])
    (finding,) = reviewed.findings("yaml-unsafe-load")
    assert finding.suggestion is not None
    assert finding.suggestion.source == "rule"
    assert not model.requests


def test_fixer_version_is_in_the_format() -> None:
    assert fixer.FORMAT == "fixer/v1"
