"""Comments at the end of flagged lines in training pairs."""

from __future__ import annotations

import random

from nootropic_bot.comments import comments_of
from nootropic_bot.learn.expansion import Filled
from nootropic_bot.learn.remarks import remarked
from nootropic_bot.records import Position

CODE = Filled("x = f(\n    a,\n)\n", "x = g(\n    a,\n)\n", Position(1, 5), Position(3, 2))


def drawn(code: Filled, count: int = 400) -> list[Filled]:
    """What became of the code in many draws."""
    random_ = random.Random(3)
    return [remarked(code, random_) for _ in range(count)]


def test_both_sides_get_the_same_comment_on_the_same_line() -> None:
    changed = [each for each in drawn(CODE) if each is not CODE]
    assert 20 < len(changed) < 100
    lines = set()
    for each in changed:
        (line,), (other,) = comments_of(each.unsafe).items(), comments_of(each.safe).items()
        assert line == other
        lines.add(line[0])
        assert each.unsafe.replace(f"  {line[1]}", "") == CODE.unsafe
        assert each.safe.replace(f"  {line[1]}", "") == CODE.safe
        assert (each.start, each.end) == (CODE.start, CODE.end)
    assert lines == {1, 2, 3}


def test_text_of_the_code_is_never_changed() -> None:
    """A comment in a string, behind another comment or after a backslash is none."""
    text = "x = '''f\n    a''', \\\n    b  # c\n"
    code = Filled(text, text, Position(1, 1), Position(3, 6))
    assert all(each is code for each in drawn(code))


def test_sides_of_different_length_are_left_alone() -> None:
    code = Filled("x = f()\n", "y = f()\nx = y\n", Position(1, 1), Position(1, 8))
    assert all(each is code for each in drawn(code))
