"""Which examples teach: through the real engine and the real proof."""

from __future__ import annotations

from collections import Counter

import pytest

from nootropic_bot.diff import apply_edits
from nootropic_bot.learn.expansion import fill, simple_values
from nootropic_bot.learn.teachable import Lesson, lessons, line_edits, open_critic
from nootropic_bot.records import Match
from nootropic_bot.source import decode
from nootropic_bot.window import changes_of, window_of
from tests.learn.code import rules, unproved_templates


@pytest.fixture(scope="module")
def all_lessons() -> list[Lesson]:
    return lessons(open_critic())


def test_every_example_teaches_or_says_why_not(all_lessons: list[Lesson]) -> None:
    assert {(lesson.rule_id, lesson.number) for lesson in all_lessons} == {
        (template.rule.id, template.number) for template in unproved_templates()
    }
    assert len(all_lessons) == len(unproved_templates())
    for lesson in all_lessons:
        assert (lesson.template is None) == bool(lesson.reason), lesson
        if lesson.template is not None:
            assert (lesson.template.rule.id, lesson.template.number) == (lesson.rule_id, lesson.number)


def test_most_rules_teach(all_lessons: list[Lesson]) -> None:
    teaching = {lesson.rule_id for lesson in all_lessons if lesson.template is not None}
    assert len(teaching) >= 130, sorted(set(rules().by_id) - teaching)


def test_reasons_name_the_check_that_failed(all_lessons: list[Lesson]) -> None:
    kinds = Counter(lesson.reason.partition(":")[0] for lesson in all_lessons if lesson.reason)
    assert set(kinds) <= {
        "not flagged with simple values",
        "scope",
        "names",
        "signature",
        "bounded",
        "window",
        "gone",
    }, kinds
    assert kinds["scope"] > 0
    assert kinds["window"] > 0


def test_what_teaches_can_be_written_by_a_model(all_lessons: list[Lesson]) -> None:
    """The flagged place lies in the snippet, and the change lies in the lines that a model is shown."""
    for lesson in all_lessons:
        if lesson.template is None:
            continue
        filled = fill(lesson.template, simple_values(lesson.template.example))
        assert filled is not None
        source = decode("example.py", filled.unsafe.encode())
        window = window_of(source, Match(lesson.rule_id, filled.start, filled.end, 0, 0, "", ""))
        assert window is not None
        assert changes_of(window, source.lines, filled.safe.splitlines(keepends=True)), lesson
        assert lesson.template.start < lesson.template.end
        assert lesson.template.end[0] < len(lesson.template.example.unsafe.split("\n"))


def test_one_rule_can_be_asked_alone(all_lessons: list[Lesson]) -> None:
    alone = lessons(open_critic(), {"none-comparison"})
    assert alone == [lesson for lesson in all_lessons if lesson.rule_id == "none-comparison"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a\nb\nc\n", "a\nB\nc\n"),
        ("a\nb\nc\n", "a\nc\n"),
        ("a\nb\n", "a\nnew\nb\n"),
        ("a\nb\n", "a\nb\nnew\n"),
        ("a\nb\n", "first\na\nb\n"),
        ("a\nb\nc\nd\n", "x\na\nd\ny\nz\n"),
    ],
)
def test_edits_turn_the_old_lines_into_the_new(old: str, new: str) -> None:
    source = decode("a.py", old.encode())
    edits = tuple(line_edits(source, new.splitlines(keepends=True)))
    assert apply_edits(source.lines, edits) == new.splitlines(keepends=True)
