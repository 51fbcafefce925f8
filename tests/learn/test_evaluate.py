"""The measuring itself: that right answers count as right, wrong ones as wrong, and none as none; and its tables."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from nootropic_bot.critique.critic import Critic
from nootropic_bot.learn.calibrate import Observation, as_json, expected_calibration_error, fit
from nootropic_bot.learn.corpus import CodeFile
from nootropic_bot.learn.evaluate import Question, Result, ask, injected, natural, reworded, tabulate
from nootropic_bot.learn.report import Draw, Measured, sampled, tables, write_all
from nootropic_bot.learn.teachable import lessons, open_critic
from nootropic_bot.models.scripted import Scripted, Step
from nootropic_bot.propose.calibration import load_calibration
from tests.learn.code import ingredients
from tests.support.models import group, says

_FILE = CodeFile(
    "somewhere",
    "load.py",
    "import json\nimport pickle\n\n\ndef load(data):\n    return pickle.loads(data)\n\n\n"
    "def again(data):\n    return pickle.loads(data)  # nosemgrep\n",
)


@pytest.fixture(scope="module")
def critic() -> Critic:
    return open_critic()


@pytest.fixture
def question(critic: Critic) -> Question:
    (question,) = natural([_FILE], critic)
    return question


def asked(question: Question, critic: Critic, *script: Step, greedy: bool = True) -> Result:
    (result,) = ask([question], group(Scripted(script, confidence=0.75, repeat=True)), critic, greedy=greedy)
    return result


def test_natural_findings_are_those_that_are_not_suppressed(question: Question) -> None:
    assert (question.rule.id, question.source.path, question.match.start.line) == (
        "pickle-load",
        "somewhere/load.py",
        6,
    )
    assert question.safe is None


def test_a_proved_answer_is_verified_and_exact_where_it_is_what_was_wanted(question: Question, critic: Critic) -> None:
    wanted = replace(question, safe=_FILE.text.replace("pickle.loads(data)\n", "json.loads(data)\n", 1))
    result = asked(wanted, critic, says((1, "return json.loads(data)")))
    assert (result.answered, result.verified, result.exact, result.raw) == (True, True, True, 0.75)
    assert "+    return json.loads(data)" in result.diff
    other = replace(question, safe=_FILE.text)
    result = asked(other, critic, says((1, "return json.loads(data)")))
    assert (result.verified, result.exact) == (True, False)


def test_a_refused_answer_is_answered_and_says_why_not_more(question: Question, critic: Critic) -> None:
    result = asked(question, critic, says((1, "return pickle.loads(data, strict=True)")))
    assert (result.answered, result.verified, result.exact) == (True, False, False)
    assert result.reason.startswith("gone: ")


def test_silence_is_no_answer(question: Question, critic: Critic) -> None:
    result = asked(question, critic, says())
    assert (result.answered, result.verified, result.reason) == (False, False, "")


def test_a_second_candidate_may_be_verified_but_is_not_exact(question: Question, critic: Critic) -> None:
    wanted = replace(question, safe=_FILE.text.replace("pickle.loads(data)\n", "json.loads(data)\n", 1))
    wrong, right = says((1, "return pickle.loads(data, x=1)")), says((1, "return json.loads(data)"))
    result = asked(wanted, critic, wrong, right, greedy=False)
    assert (result.verified, result.exact) == (True, False)


def test_injected_cases_are_flagged_where_the_template_is(critic: Critic) -> None:
    chosen = {"none-comparison", "weak-hash", "open-without-encoding"}
    templates = [lesson.template for lesson in lessons(critic) if lesson.template and lesson.rule_id in chosen]
    have = replace(ingredients(), templates=templates)
    questions = injected(have, critic, 4, 1)
    assert {question.rule.id for question in questions} == chosen
    assert 8 <= len(questions) <= 12
    for each in questions:
        assert each.safe is not None
        assert each.safe != each.source.text
        assert each.match in each.analysis.matches
    again = reworded(questions, {"weak-hash": ("This digest is too weak.",)}, 1)
    assert {each.rule.id for each in again} == {"weak-hash"}
    assert {each.message for each in again} == {"This digest is too weak."}


@pytest.mark.parametrize(("wanted", "count"), [(None, 20), (20, 20), (30, 20), (5, 5), (0, 0)])
def test_natural_findings_are_drawn_at_random_and_the_same_again(
    question: Question, wanted: int | None, count: int
) -> None:
    found = [replace(question, message=str(number)) for number in range(20)]
    taken = sampled(found, Draw(8, wanted, 1))
    assert len({each.message for each in taken}) == len(taken) == count
    assert taken == sampled(found, Draw(8, wanted, 1))
    if count == 5:
        assert taken != sampled(found, Draw(8, wanted, 2))
        assert taken != found[:5]


def _results() -> Iterator[Result]:
    for number in range(10):
        yield Result(
            "a", f"m{number}.py", 1, True, number < 8, number < 6, 0.9, f"+{number}\n", chosen=0.99 - number / 8
        )
    yield Result("b", "n.py", 2)


def test_shares_are_of_what_was_asked() -> None:
    table = tabulate(_results())
    assert (table.total.asked, table.total.answered, table.total.verified, table.total.exact) == (11, 10, 8, 6)
    assert json.loads(table.to_json())["rules"]["b"] == {"answered": 0, "asked": 1, "exact": 0, "verified": 0}


def test_the_report_says_what_was_measured(tmp_path: Path) -> None:
    results = list(_results())
    measured = Measured(results, results[:5], results, frozenset({"a"}), 11)
    text = tables(measured, fit([Observation("a", 0.9, True)]))
    assert "| injected | 2 | 11 | 90.9 % | 72.7 % | 54.5 % |" in text
    assert "| unseen descriptions | 1 | 5 | 100.0 % | 100.0 % | 100.0 % |" in text
    assert "| natural, every finding | 2 | 11 | 90.9 % | 72.7 % | – |" in text
    assert "| natural, rules with an example that teaches | 1 | 10 | 100.0 % | 80.0 % | – |" in text
    assert "| a | 8, 6 of 10 | 5 of 5 | 8 of 10 |" in text
    assert "| b | 0, 0 of 1 | – | 0 of 1 |" in text
    assert "of 8 proved candidates" in text
    assert "Of 8 verified natural fixes 7 have a confidence of 0.8 or more" in text
    part = tables(replace(measured, found=1_032), None)
    assert "| natural, drawn at random of 1,032 | 2 | 11 | 90.9 % | 72.7 % | – |" in part
    assert "every finding" not in part
    assert "| b | 0, 0 of 1 | – | 0 of 1 |" in part
    write_all(measured, tmp_path, "test", 1)
    stored = json.loads((tmp_path / "evaluation-test.json").read_text(encoding="utf-8"))
    assert len(stored["natural"]) == 11
    drawn = (tmp_path / "to-read-test.diff").read_text(encoding="utf-8")
    assert drawn.count("## a ") == 8
    assert "n.py" not in drawn


def test_a_curve_learns_how_often_a_model_is_right() -> None:
    """Cases drawn by a known law; 0.03 is three standard errors of a share of 2,000."""
    random_ = random.Random(3)
    seen = []
    for _case in range(4000):
        rule, raw = random_.choice(("easy", "hard")), random_.uniform(0.05, 0.99)
        chance = raw if rule == "easy" else raw / 2
        seen.append(Observation(rule, raw, random_.random() < chance))
    curve = fit(seen[:2000])
    held_out = [(curve(each.rule_id, each.raw), each.is_right) for each in seen[2000:]]
    assert expected_calibration_error(held_out) < 0.06
    for rule in ("easy", "hard"):
        own = [(curve(each.rule_id, each.raw), each.is_right) for each in seen[2000:] if each.rule_id == rule]
        assert abs(sum(c for c, _right in own) - sum(right for _c, right in own)) / len(own) < 0.04
    assert curve("easy", 0.9) > curve("easy", 0.5) > curve("hard", 0.5)


def test_few_cases_of_a_rule_move_its_curve_little() -> None:
    seen = [Observation("often", 0.9, number % 10 != 0) for number in range(200)]
    one = fit([*seen, Observation("once", 0.9, False)])
    many = fit([*seen, *[Observation("once", 0.9, False)] * 60])
    assert many("once", 0.9) < one("once", 0.9) < one("often", 0.9)
    assert one("once", 0.9) > 0.5


def test_the_calibration_error_is_the_weighted_gap_of_the_bins() -> None:
    assert expected_calibration_error([(0.95, True)] * 19 + [(0.95, False)]) == pytest.approx(0.0, abs=1e-9)
    assert expected_calibration_error([(0.95, False)] * 10 + [(0.05, False)] * 10) == pytest.approx(0.5)
    assert expected_calibration_error([(1.0, True)]) == 0.0


def test_without_a_case_there_is_nothing_to_fit() -> None:
    with pytest.raises(ValueError, match="no proved candidate"):
        fit([])


def test_what_ships_is_what_was_fitted(tmp_path: Path) -> None:
    curve = fit([Observation("a", 0.9, True), Observation("a", 0.4, False), Observation("b", 0.8, True)])
    (tmp_path / "x.calibration.json").write_text(as_json("x@1", curve), encoding="utf-8")
    stored = load_calibration(tmp_path)
    for rule in ("a", "b", "c"):
        assert stored.confidence("x@1", rule, 0.7) == pytest.approx(curve(rule, 0.7), abs=1e-3)
    assert stored.confidence("y@1", "a", 0.7) == 0.7
