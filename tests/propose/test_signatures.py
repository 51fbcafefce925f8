"""A function's head reduced to the parameter that matters, and the way back."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from nootropic_bot.diff import apply_edits
from nootropic_bot.propose.signatures import shortened
from nootropic_bot.propose.views import view_of
from nootropic_bot.records import Match
from nootropic_bot.source import Source, decode
from nootropic_bot.window import Change, Window, window_of

_REPOSITORY = Path(__file__).parents[2]


def _window(text: str, line: int = 1) -> tuple[Source, Window]:
    """The window of a finding that is the whole statement at a line."""
    source = decode("app.py", text.encode())
    start = sum(len(each) for each in source.lines[: line - 1])
    shown = source.lines[line - 1]
    start, end = start + len(shown) - len(shown.lstrip()), start + len(shown.rstrip())
    window = window_of(source, Match("rule", source.at(start), source.at(end), start, end, "m", "s"))
    assert window is not None
    return source, window


def _marked(text: str) -> str | None:
    """The short head with brackets around what is marked in it; None where there is none."""
    made = shortened(_window(text)[1])
    if made is None:
        return None
    shown = made[0]
    assert (shown.before, shown.after, shown.uses, shown.start.item, shown.end.item) == ((), (), (), 0, 0)
    head = shown.items[0].text
    return f"{head[: shown.start.col]}«{head[shown.start.col : shown.end.col]}»{head[shown.end.col :]}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def f(a=[]):\n    pass\n", "def f(a=«[]»):"),
        ("def f(self, a=[]): pass\n", None),  # The body stands on the same line.
        ("def f(self, a=[]):\n    pass\n", "def f(self, a=«[]»):"),
        ("async def f(cls, a: A = {1: 2}, *b) -> C:\n    pass\n", "async def f(cls, a: A = «{1: 2}», **value2):"),
        ("def f(a, b, c=g(1, (2,)), d=[]):  # why\n    pass\n", "def f(value1, d=«[]»):"),
        (
            "def f(\n    self, a, *,\n    b=[',', ')'],\n    c=1,\n):\n    pass\n",
            "def f(value1, b=«[',', ')']», **value2):",
        ),
        ("def f(\n    self,\n    b=[],\n):\n    pass\n", "def f(value1, b=«[]»):"),
        ("@g\ndef f(a=[]):\n    pass\n", "def f(a=«[]»):"),
        ("def f(a, /, b={1}, *, c):\n    pass\n", "def f(value1, b=«{1}», **value2):"),
        ("def f(a=[x for x in y]):\n    pass\n", "def f(a=«[x for x in y]»):"),
        ("def f(a, b=[1] * 3 ):\n    pass\n", "def f(value1, b=«[1] * 3»):"),
        # What else is computed is not to be changed: a dependency, a mark, a time.
        (
            "def f(a=Depends(b), c=object(), d=time(), e=collections.deque()):\n    pass\n",
            "def f(value1, e=«collections.deque()»):",
        ),
        ("def f(a=lambda b, c=[], d=1: b, e={}):\n    pass\n", "def f(value1, e=«{}»):"),
        # There is none, or it can't be said without a doubt where.
        ("def f(a, b=None, c=-1, d=x.y, e='[]'):\n    pass\n", None),
        ("def f(a,  # [\n      b=[]):\n    pass\n", None),
        ("def f(a=[1,\n         2]):\n    pass\n", None),
        ("def f(a=([])):\n    pass\n", None),
        ("def f(ä, b=[]):\n    pass\n", None),
        ("def f(a:\n      b = []):\n    pass\n", None),
        ("def f(value1, a=[]):\n    pass\n", None),
        ("def f[T](a: T = [].x):\n    pass\n", None),
        ("class A(b=[]):\n    pass\n", None),
        ("f(a=[])\n", None),
        ("f = lambda a=[]: a\n", None),
    ],
)
def test_the_parameter_with_a_default_that_can_be_changed_is_shown_and_marked(text: str, expected: str | None) -> None:
    assert _marked(text) == expected


@pytest.mark.parametrize(
    ("text", "answer", "expected"),
    [
        (
            "def f(a, b=[], *, c: int = 1) -> D:  # why\n    return b\n",
            (Change(0, "None, **value2):\n    if b is None:\n        b = []", head=True),),
            "def f(a, b=None, *, c: int = 1) -> D:  # why\n    if b is None:\n        b = []\n    return b\n",
        ),
        (
            "    @g\n    def f(\n        self,\n        b: B = [],\n        **kw,\n    ):\n"
            '        """Doc.\n\n        More."""\n        return b\n',
            (
                Change(0, "def f(value1, b: B = None, **value2):"),
                Change(1, "    if b is None:\n        b = []", keep=True),
            ),
            "    @g\n    def f(\n        self,\n        b: B = None,\n        **kw,\n    ):\n"
            '        """Doc.\n\n        More."""\n        if b is None:\n            b = []\n        return b\n',
        ),
        (
            '    def f(self, b=[], t="""SELECT\n  x\nFROM y""",\n  c=1):\n        return b\n',
            (Change(0, "def f(self, b=None, **value2):\n    if b is None:\n        b = []"),),
            '    def f(self, b=None, t="""SELECT\n  x\nFROM y""",\n  c=1):\n'
            "        if b is None:\n            b = []\n        return b\n",
        ),
        (
            "def f(\n    a,\n    b=[],\n):\n    return b\n",
            (Change(0, "def f(value1, b=None):"), Change(0, "    if b is None:\n        b = []", keep=True)),
            "def f(\n    a,\n    b=None,\n):\n    if b is None:\n        b = []\n    return b\n",
        ),
        (
            "def f(self, b=[]):\r\n    return b\r\n",
            (Change(0, "def f(self, b=None):\n    if b is None:\n        b = []"),),
            "def f(self, b=None):\r\n    if b is None:\r\n        b = []\r\n    return b\r\n",
        ),
    ],
)
def test_what_the_answer_says_is_put_where_the_parameter_stood(
    text: str, answer: tuple[Change, ...], expected: str
) -> None:
    source, window = _window(f"if x:\n{text}" if text.startswith(" ") else text, 2 if text.startswith(" ") else 1)
    view = view_of(window, 1)
    changes = tuple(each for change in answer for each in view.restored(change))
    made = "".join(apply_edits(source.lines, window.edits(source, changes)))
    assert made.removeprefix("if x:\n") == expected


@pytest.mark.parametrize(
    "answer",
    [
        "def f(value1, b=None, **value3):",
        "def f(value1, b=None, value2):",
        "def g(value1, b=None, **value2):",
        "def f(b=None, **value2):",
        "def f(value1, b=None, **value2):\n    if value1 is None:\n        b = []",
        "def f(value1, b=value2, **value2):",
        "",
    ],
)
def test_an_answer_that_changes_more_is_none(answer: str) -> None:
    view = view_of(_window("def f(a, b=[], c=1):\n    return b\n")[1], 1)
    with pytest.raises(ValueError, match="more of the signature"):
        view.restored(Change(0, answer))


def test_nothing_is_lost_on_the_way_there_and_back() -> None:
    """Every function of our own code, with a default that is computed put in, given back as it is shown."""
    count = 0
    for path in sorted((_REPOSITORY / "nootropic_bot").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.FunctionDef) or not node.args.defaults or not text.isascii():
                continue
            lines = text.splitlines(keepends=True)
            default = node.args.defaults[0]
            if not isinstance(default, ast.Constant) or node.decorator_list:
                continue
            line = lines[default.lineno - 1]
            lines[default.lineno - 1] = f"{line[: default.col_offset]}[1]{line[default.end_col_offset :]}"
            source, window = _window("".join(lines), node.lineno)
            made = shortened(window)
            if made is not None:
                count += 1
                changes = made[1].restored(Change(0, made[0].items[0].text), made[0])
                assert "".join(apply_edits(source.lines, window.edits(source, changes))) == source.text
    assert count > 20


def test_the_short_head_is_the_second_view() -> None:
    window = _window("import g\n\n\ndef f(a, b=g.deque()):\n    return b\n", 4)[1]
    heads = [view_of(window, number).window.items[0].text for number in range(7)]
    assert [number for number, head in enumerate(heads) if "**" in head or "value1, b" in head] == [1, 6]
