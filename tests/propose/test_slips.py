"""Slips of a small model's pen: what was meant is written, and what is right is left as it is."""

from __future__ import annotations

import ast
import textwrap

import pytest

from nootropic_bot.propose.slips import without_slips


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        # One bracket too few, or too many.
        ("self.set_header(k, v)\n", "self.set_header(k, quote(v)\n", "self.set_header(k, quote(v))\n"),
        ("f(a[0], b)  # why\n", "f(q(a[0], b)  # why\n", "f(q(a[0], b))  # why\n"),
        ("    onupdate=now,\n", "    onupdate=now(utc,\n", "    onupdate=now(utc),\n"),
        ("if f(x):\n", "if f(g(x):\n", "if f(g(x)):\n"),
        ("x = [\n", "x = [f(\n", "x = [f()\n"),
        ("self.write(self.body)\n", "self.write(self.body))\n", "self.write(self.body)\n"),
        ('f("(", a)\n', 'f("(", a))\n', 'f("(", a)\n'),
        ("x = f(\n    a,\n", "x = f(\n    a),\n", "x = f(\n    a),\n"),
        ("    a=now)\n", "    a=now(utc)\n", "    a=now(utc))\n"),
        # A column that is no indentation.
        ("    f(a)\n", "     f(b)\n", "    f(b)\n"),
        ("    f(a)\n", "   f(b)\n", "    f(b)\n"),
        ("    f(a)\n", "with b:\n    f(a)\n", "with b:\n    f(a)\n"),
        # A parameter that is asked for in place of the one that became None.
        (
            "def f(a={}, *, b: int | None = None):\n",
            "def f(a=None, *, b: int | None = None):\n    if b is None:\n        b = {}\n",
            "def f(a=None, *, b: int | None = None):\n    if a is None:\n        a = {}\n",
        ),
        (
            "    a: dict[str, int] = {},\n    c=1,\n):\n",
            "    a: dict[str, int] = None,\n    c=1,\n):\n    if c is None: c = {}\n",
            "    a: dict[str, int] = None,\n    c=1,\n):\n    if a is None: a = {}\n",
        ),
        # What is read at once is not what is opened.
        (
            "    x = open(p).read()\n",
            "    with open(p).read(encoding='a') as f:\n        x = f.read()\n",
            "    with open(p) as f:\n        x = f.read()\n",
        ),
        (
            "open(p, 'w').write(x)\n",
            "with open(p, 'w').write(x) as f:\n    f.write(x)\n",
            "with open(p, 'w') as f:\n    f.write(x)\n",
        ),
        (
            "    x = open(p).read()\n",
            '    with open(p).read() as f:\n        x = f.read() + """\na"""\n',
            '    with open(p) as f:\n        x = f.read() + """\na"""\n',
        ),
        # A keyword that is there already.
        (
            'c("a", secure=False)\n',
            'c("a", secure=False, secure=True, http=True)\n',
            'c("a", secure=False, http=True)\n',
        ),
        ("c(\n    a=b,\n)\n", "c(\n    a=b,\n    d=1, a=(2, 3)\n)\n", "c(\n    a=b,\n    d=1\n)\n"),
    ],
)
def test_what_was_meant_is_written(old: str, new: str, expected: str) -> None:
    assert without_slips(old, new) == expected


@pytest.mark.parametrize(
    "new",
    [
        "f(x=1, y=g(x=2))\n",
        "f(x == 1, x == 2)\n",
        "with a.session().begin() as f:\n    f.run(x)\n\n    y\n",
        "with open(p).read() as f:\n    read(f)\n",
        "def f(a=None, b=None):\n    if c is None:\n        c = []\n",
        "def f(a=None, b=1):\n    if a is None:\n        a = []\n    if b is None:\n        b = []\n",
        "def f(a=None):\n    if b is None:\n        c = []\n",
        "x = 1; x = 2\n",
        "f(a, ')')  # (\n",
        'f("""(\n""", x)\n',
        "f(lambda x=1: x, [a for a in b if a == 1], {'x': 1}, x=2)\n",
        "def f(a: int = 1, *, b: int = 2) -> None:\n    return g(a=a, b=b)\n",
        "",
        "((((",
        "f'{x!r:>{width}}'\n",
        "return 'half of a\n",
        "else:\n",
    ],
)
def test_what_has_no_slip_or_too_many_is_left(new: str) -> None:
    assert without_slips("y = f()\n", new) == new


def test_what_stood_there_before_is_no_slip() -> None:
    old = "with Registry().get(n) as box:\n    box.get(eval(k))\n"
    new = old.replace("eval(k)", "literal_eval(k)")
    assert without_slips(old, new) == new
    old = "def f(a=None, b=[]):\n    if a is None: a = 1\n"
    new = "def f(a=None, b=None):\n    if a is None:\n        a = 1\n"
    assert without_slips(old, new) == new


@pytest.mark.parametrize("module", [ast, textwrap])
def test_real_statements_are_left(module: object) -> None:
    with open(module.__file__, encoding="utf-8") as file:  # type: ignore[attr-defined]
        text = file.read()
    lines = text.splitlines(keepends=True)
    count = 0
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.stmt):
            part = "".join(lines[node.lineno - 1 : node.end_lineno])
            assert without_slips(part, part) == part
            count += 1
    assert count > 100
