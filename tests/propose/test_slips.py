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
        # What is opened is used in the statement itself, whatever has become of it.
        (
            "    pickle.dump(x, open(p, 'wb'), 4)\n",
            "    with open(p, 'wb') as f:\n        json.dump(x, open(p, 'wb'))\n",
            "    with open(p, 'wb') as f:\n        pickle.dump(x, f, 4)\n",
        ),
        (
            "n = sum(1 for _ in open(p))  # rows\n",
            "with open(p, encoding='utf-8') as f:\n    n = sum(f.read()\n",
            "with open(p, encoding='utf-8') as f:\n    n = sum(1 for _ in f)  # rows\n",
        ),
        (
            "page(\n    open(p, 'r').read(),\n    start,\n)",
            "with open(p, 'r') as f:\n    x = f.read(), start",
            "with open(p, 'r') as f:\n    page(\n        f.read(),\n        start,\n    )",
        ),
        # A class is no object of a class.
        ("if x.__class__ == T:\n", "if isinstance(x.__class__, T):\n", "if isinstance(x, T):\n"),
        ("a = type(b [0]) == T\n", "a = isinstance(type(b [0]), T)\n", "a = isinstance(b [0], T)\n"),
        (
            "    return a and (b.c.__class__ == T or type(d) is T)\n",
            "    return a and (isinstance(b.c.__class__ == T) or isinstance(type(d) is T))\n",
            "    return a and (isinstance(b.c, T) or isinstance(d, T))\n",
        ),
        # In a file with tabs the statement goes further to the right than the head, too.
        (
            "\tx = json.load(open(p))\n",
            "\twith open(p) as f:\n\t    x = json.load(open(p))\n",
            "\twith open(p) as f:\n\t    x = json.load(f)\n",
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
        "with f() as g:\n    y = g\n",
        "isinstance(x, type(y))\n",
        "isinstance(x.__class__)\n",
        "isinstance(x == y == z)\n",
        "isinstance(x != y)\n",
        "isinstance(x.__class__, T, **y)\n",
        "y.isinstance(x.__class__, T)\n",
        "isinstance(type(x, (), {}), type)\n",
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


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x = open(p)\n", "with open(p) as f:\n    x = f.read()\n"),  # The file is given a name, and used later.
        ("g(open(p), open(p))\n", "with open(p) as f:\n    g(f, f)\n"),
        ("g(open(q))\n", "with open(p) as f:\n    g(f)\n"),
        ("g(open(p, 'r'))\n", "with open(p) as f:\n    g(f)\n"),
        ("f(open(p))\n", "with open(p) as f:\n    f(f)\n"),
        ("g(open(p), 'ä')\n", "with open(p) as f:\n    g(f)\n"),
        ('g(open(p), """\n""")\n', "with open(p) as f:\n    g(f)\n"),
        ("for x in open(p):\n", "with open(p) as f:\n    for x in f:\n"),
        ("g(open(p))\n", "with open(p) as f:\n    g(f)\nh()\n"),
        # What the model wrote there is code, and has the words.
        ("x = csv.reader(open(p))\n", "with open(p) as f:\n    x = list(csv.reader(f))\n"),
        ("x = (a for a in open(p))\n", "with open(p) as f:\n    x = [a for a in f]\n"),
        ("\tx = json.load(open(p))\n", "\twith open(p) as f:\n\t    x = json.load(f)\n"),
        # It is opened now and then, later, often, or read later.
        ("x = a or json.load(open(p))\n", "with open(p) as f:\n    x = open(p)\n"),
        ("x = json.load(open(p)) if p else {}\n", "with open(p) as f:\n    x = open(p)\n"),
        ("on(lambda: open(p).read())\n", "with open(p) as f:\n    x = open(p)\n"),
        ("x = [open(p).read() for p in ps]\n", "with open(p) as f:\n    x = open(p)\n"),
        ("x = csv.reader(open(p))\n", "with open(p) as f:\n    x = open(p)\n"),
        ("x = (a for a in open(p))\n", "with open(p) as f:\n    x = open(p)\n"),
        ("x = Archive(open(p))\n", "with open(p) as f:\n    x = open(p)\n"),
        ("x = open(p).fileno()\n", "with open(p) as f:\n    x = open(p)\n"),
        ("    foo(a,\n  open(p).read())\n", "    with open(p) as f:\n        foo(open(p))\n"),
        # It is asked of a class of classes, or of something else.
        ("if type(type(x)) == M:\n", "if isinstance(type(x), M):\n"),
        ("if y == M:\n", "if isinstance(x.__class__, M):\n"),
        ("g(p)\n", "with p as f:\n    g(f)\n"),
        ("g(open(p))\n", "with open(p), q as f:\n    g(f)\n"),
        ("if isinstance(x.__class__, T):\n", "if isinstance(x.__class__, T) and y:\n"),
    ],
)
def test_what_could_be_meant_is_left(old: str, new: str) -> None:
    assert without_slips(old, new) == new


def test_classes_in_classes_and_lines_to_the_left_are_not_mixed_up() -> None:
    old = "if type(x) == T and type(type(x) == T) == U:\n"
    new = "if isinstance(type(x), T) and isinstance(type(isinstance(type(x), T)), U):\n"
    assert without_slips(old, new).startswith("if isinstance(x, T) and isinstance(type(isinstance(x, T)), U):")
    old, new = "    foo(\n  x.__class__ == T)\n", "    foo(\n  isinstance(x.__class__, T))\n"
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
