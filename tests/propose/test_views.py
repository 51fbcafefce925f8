"""What the fixer is shown, and the way back from short names to what they stand for."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from nootropic_bot.propose.views import View, view_of
from nootropic_bot.records import Match
from nootropic_bot.source import Source, decode
from nootropic_bot.window import Change, Window, window_of

_SHORT = 3
_REPOSITORY = Path(__file__).parents[2]


def source_of(text: str) -> Source:
    return decode("app.py", text.encode())


def window_of_range(source: Source, start: int, end: int) -> Window:
    window = window_of(source, Match("rule", source.at(start), source.at(end), start, end, "m", "s"))
    assert window is not None
    return window


def window_at(source: Source, flagged: str) -> Window:
    start = source.text.index(flagged)
    return window_of_range(source, start, start + len(flagged))


def marked(window: Window) -> str:
    """The shown lines with brackets around what was flagged."""
    lines = [item.text for item in window.items]
    for mark, bracket in ((window.end, "»"), (window.start, "«")):
        lines[mark.item] = lines[mark.item][: mark.col] + bracket + lines[mark.item][mark.col :]
    return "\n".join(lines)


def short(text: str, flagged: str) -> str:
    return marked(view_of(window_at(source_of(text), flagged), _SHORT).window)


@pytest.mark.parametrize(
    ("text", "flagged", "expected"),
    [
        ('a.set("b", b"c")\n', 'a.set("b", b"c")', "«a.set(value2, value1)»"),
        ("x = open(self.path / 'a', 'w')\n", "open(self.path / 'a', 'w')", "x = «open(value2, value1)»"),
        ("f(a(b(c)), d)\n", "f(a(b(c)), d)", "«f(value1, d)»"),
        # What was flagged stays, and so does what holds it.
        ("f(a.b(c), d['e'])\n", "a.b(c)", "f(«a.b(c)», value1)"),
        ("f(g(h('a'), i.j), k.l)\n", "h('a')", "f(g(«h(value3)», value2), value1)"),
        ('f(password="a")\n', '"a"', 'f(password=«"a"»)'),
        # Names, numbers and switches are short enough.
        ("f(a, 1, None, True, *b, key=2)\n", "f(", "«f(»a, 1, None, True, *b, key=2)"),
        ("value1 = f(a.b)\n", "f(a.b)", "value1 = «f(value2)»"),
        # What is over several lines stays; its parts on one line go.
        ("f(\n    a.b,\n    [\n        c.d,\n    ],\n)\n", "a.b", "f(\n    «a.b»,\n    [\n        c.d,\n    ],\n)"),
        ("f(\n    a.b,\n    c.d)\n", "c.d", "f(\n    value1,\n    «c.d»)"),
        # Not what is no call's, and not what can't be parsed or counted.
        ("a.b = c.d + 'e'\n", "c.d", "a.b = «c.d» + 'e'"),
        ("if f(a.b):\n    pass\n", "f(a.b)", "if «f(value1)»:"),
        ("f('ä', a.b)\n", "f(", "«f(»'ä', a.b)"),
        ("f(a.b\n", "f(", "«f(»a.b"),
    ],
)
def test_what_is_given_is_called_by_a_short_name(text: str, flagged: str, expected: str) -> None:
    assert short(text, flagged) == expected


@pytest.mark.parametrize(
    ("text", "answer", "expected"),
    [
        ("f(a.b)\n", "f(quote(value1))", "f(quote(a.b))"),
        ("f(a + b)\n", "f(value1, safe=True)", "f(a + b, safe=True)"),
        ("f(a + b)\n", "f(value1.strip())", "f((a + b).strip())"),
        ("f(a + b)\n", "f(1 * value1)", "f(1 * (a + b))"),
        ("f(a + b)\n", "x = value1", "x = a + b"),
        ("f(a or b)\n", "f(x == value1)", "f(x == (a or b))"),
        ("f({'a': 1})\n", 'f(f"{value1}")', "f(f\"{({'a': 1})}\")"),
        ("f('a')\n", "with f(value1) as g:\n    g(value1.h)", "with f('a') as g:\n    g('a'.h)"),
        ("f('a', 'b')\n", "f(value2, value1, value10)", "f('a', 'b', value10)"),
        (r"f('\1')" + "\n", "f(value1)", r"f('\1')"),
    ],
)
def test_what_it_stands_for_is_put_back(text: str, answer: str, expected: str) -> None:
    view = view_of(window_at(source_of(text), "f("), _SHORT)
    assert view.restored(Change(0, answer)) == (Change(0, expected),)


@pytest.mark.parametrize(
    "answer", ["x.value1", "f(value1=1)", "value1 = f()", 'f("value1 is %s", value1)', 'f(f"value1 {value1}")']
)
def test_a_short_name_that_is_used_for_something_else_is_no_answer(answer: str) -> None:
    view = view_of(window_at(source_of("f(a.b)\n"), "f("), _SHORT)
    with pytest.raises(ValueError, match="short name"):
        view.restored(Change(0, answer))


def test_nothing_is_lost_on_the_way_there_and_back() -> None:
    """Every call of our own code, shown with short names and given back as it is shown."""
    shortened = 0
    for path in sorted((_REPOSITORY / "nootropic_bot").glob("*.py"))[:20]:
        source = source_of(path.read_text(encoding="utf-8"))
        for node in ast.walk(ast.parse(source.text)):
            if not isinstance(node, ast.Call) or node.lineno != node.end_lineno or not source.text.isascii():
                continue
            window = window_of_range(source, *_offsets(source, node))
            view = view_of(window, _SHORT)
            shortened += bool(view.originals)
            for number, item in enumerate(view.window.items):
                assert view.restored(Change(number, item.text)) == (Change(number, window.items[number].text),)
            assert _flagged(view, view.window) == _flagged(view, window)
    assert shortened > 100


def _offsets(source: Source, node: ast.Call) -> tuple[int, int]:
    before = sum(len(line) for line in source.lines[: node.lineno - 1])
    return before + node.col_offset, before + (node.end_col_offset or 0)


def _flagged(view: View, window: Window) -> str:
    """What was flagged, written out."""
    assert window.start.item == window.end.item
    text = window.items[window.start.item].text[window.start.col : window.end.col]
    (change,) = view.restored(Change(0, text))
    return change.text


def test_the_views_are_taken_in_turn() -> None:
    window = window_at(source_of("import f\nx = 1\nf(a.b)\ny = x\n"), "f(a.b)")
    views = [view_of(window, number).window for number in range(5)]
    assert views[0] == views[4] == window
    assert [bool(view.before) for view in views] == [True, False, False, False, True]
    assert [bool(view.uses) for view in views] == [True, True, False, True, True]
    assert [view.items[0].text for view in views] == ["f(a.b)", "f(a.b)", "f(a.b)", "f(value1)", "f(a.b)"]
