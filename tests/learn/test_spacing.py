"""Flagged statements set apart from what explains them, in training pairs."""

from __future__ import annotations

from nootropic_bot.learn.expansion import Filled
from nootropic_bot.learn.spacing import set_apart
from nootropic_bot.records import Position

UNSAFE = "try:\n    f()\nexcept ValueError as e:\n    g(e)\n    raise e\nelse:\n    h()\n"
CODE = Filled(UNSAFE, UNSAFE.replace("raise e", "raise"), Position(5, 5), Position(5, 12))


def test_lines_stand_around_the_flagged_statement_on_both_sides() -> None:
    apart = set_apart(CODE, ["log(1)", "if x:", "    y()"], ["z()"])
    around = "    g(e)\n    log(1)\n    if x:\n        y()\n    raise e\n    z()\nelse:\n"
    assert apart.unsafe == UNSAFE.replace("    g(e)\n    raise e\nelse:\n", around)
    assert apart.safe == apart.unsafe.replace("raise e", "raise")
    assert (apart.start, apart.end) == (Position(8, 5), Position(8, 12))


def test_a_change_of_several_lines_stays_one() -> None:
    unsafe, safe = "a = 1\nf(\n    a,\n)\nb = 2\n", "a = 1\nf(\n    a,\n    c,\n)\nb = 2\n"
    apart = set_apart(Filled(unsafe, safe, Position(2, 1), Position(4, 2)), ["x = 0"], ["y = 0"])
    assert apart.unsafe == "a = 1\nx = 0\nf(\n    a,\n)\ny = 0\nb = 2\n"
    assert apart.safe == "a = 1\nx = 0\nf(\n    a,\n    c,\n)\ny = 0\nb = 2\n"


def test_nothing_comes_between_the_lines_of_a_change() -> None:
    """A change above the flagged statement, or below it, lies at once above or below it afterwards."""
    above = Filled("a = 1\nf(a)\n", "a = 2\nf(a)\n", Position(2, 1), Position(2, 5))
    assert set_apart(above, ["x = 0"], ["y = 0"]) is above
    below = Filled("f(a)\na = 1\n", "f(a)\na = 2\n", Position(1, 1), Position(1, 5))
    assert set_apart(below, ["x = 0"], ["y = 0"]).unsafe == "x = 0\nf(a)\na = 1\n"


def test_a_block_keeps_what_follows_it_and_a_line_its_statements() -> None:
    loop = Filled("for a in b:\n    f(a)\n", "for a in c:\n    f(a)\n", Position(1, 1), Position(1, 12))
    assert set_apart(loop, ["x = 0"], ["y = 0"]).unsafe == "x = 0\nfor a in b:\n    f(a)\n"
    shared = Filled("a = 1; f(a)\n", "a = 1; g(a)\n", Position(1, 8), Position(1, 12))
    assert set_apart(shared, ["x = 0"], ["y = 0"]) is shared
    imported = Filled("from __future__ import x\n", "\n", Position(1, 1), Position(1, 25))
    assert set_apart(imported, ["x = 0"], []) is imported
