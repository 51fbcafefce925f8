"""What a model is shown of a file, and that what it answers comes out as exactly that change and nowhere else."""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nootropic_bot.diff import apply_edits
from nootropic_bot.models.base import Special
from nootropic_bot.models.fixer import answer_parts, encode
from nootropic_bot.models.fixer import decode as read_answer
from nootropic_bot.records import Match
from nootropic_bot.source import Source, decode, split_lines
from nootropic_bot.statements import extent, header_lines, smallest_statement
from nootropic_bot.window import MAX_ITEMS, Change, Window, changes_of, window_of
from tests.support.repo import PROJECT


def source_of(text: str, path: str = "app.py", *, bom: bytes = b"") -> Source:
    return decode(path, bom + text.encode("utf-8", "surrogateescape"))


def match_at(source: Source, start: int, end: int) -> Match:
    """A match of the code points `start`..`end` of the file's text."""
    return Match("rule", source.at(start), source.at(end), start, end, "m", "s")


def shown(source: Source, flagged: str, *, count: int = 0) -> Window:
    """The window around an occurrence of `flagged`."""
    start = -1
    for _ in range(count + 1):
        start = source.text.index(flagged, start + 1)
    window = window_of(source, match_at(source, start, start + len(flagged)))
    assert window is not None
    return window


def texts(window: Window) -> list[str]:
    return [item.text for item in window.items]


def marked(window: Window) -> str:
    """The flagged text, read back from the marks."""
    lines = texts(window)[window.start.item : window.end.item + 1]
    lines[-1] = lines[-1][: window.end.col]
    lines[0] = lines[0][window.start.col :]
    return "\n".join(lines)


def changed(source: Source, window: Window, *changes: Change) -> str:
    """The file after the changes; they lie in the window."""
    edits = window.edits(source, changes)
    ranges = {(item.first, item.last) for item in window.items}
    assert {(edit.start_line, edit.end_line) for edit in edits} <= ranges
    assert {edit.path for edit in edits} <= {source.path}
    return "".join(apply_edits(source.lines, edits))


def assert_exact(source: Source, window: Window, new: Sequence[str]) -> bool:
    """If the new file can be said in the window, then it comes out to the letter; whether it could."""
    changes = changes_of(window, source.lines, new)
    if changes is None:
        return False
    assert changed(source, window, *changes) == "".join(new)
    return True


# What is shown.


def test_a_simple_statement() -> None:
    source = source_of("import yaml\n\n\ndef load(text):\n    # why\n    value = yaml.load(text)\n    return value\n")
    window = shown(source, "yaml.load(text)")
    assert texts(window) == ["value = yaml.load(text)"]
    assert window.before == ("def load(text):", "# why")
    assert window.after == ("return value",)
    assert window.uses == ("import yaml",)
    assert window.indent == "    "
    assert marked(window) == "yaml.load(text)"


def test_the_head_of_a_compound_statement_alone() -> None:
    source = source_of("def f(a, b=[]):\n    b.append(a)\n    return b\n")
    window = shown(source, "b=[]")
    assert texts(window) == ["def f(a, b=[]):"]
    assert window.after == ("    b.append(a)", "    return b")
    assert marked(window) == "b=[]"


def test_decorators_belong_to_the_head() -> None:
    source = source_of("@one(\n    1,\n)\n@two\nasync def f(\n    a=[],\n):\n    return a\n")
    window = shown(source, "a=[]")
    assert [item.first for item in window.items] == [1, 2, 3, 4, 5, 6, 7]
    assert marked(window) == "a=[]"


@pytest.mark.parametrize(
    "docstring",
    ['"""What it does."""', '"""What\n\n    it does.\n    """', "'''One\n    more.'''", '"short"', 'r"""Raw."""'],
)
def test_a_docstring_is_shown_in_short_and_a_guard_goes_after_it(docstring: str) -> None:
    source = source_of(f"def f(a=[]):\n    {docstring}\n    return a\n")
    window = shown(source, "a=[]")
    assert len(window.items) == 2
    fixed = window.items[1]
    assert fixed.is_fixed
    assert fixed.text in ('    """..."""', "    '''...'''")
    assert (fixed.first, fixed.last) == (2, 1 + len(split_lines(docstring + "\n")))
    after = changed(
        source, window, Change(0, "def f(a=None):"), Change(1, "    if a is None:\n        a = []", keep=True)
    )
    assert after == f"def f(a=None):\n    {docstring}\n    if a is None:\n        a = []\n    return a\n"
    assert assert_exact(source, window, split_lines(after))


def test_a_docstring_is_not_replaced() -> None:
    source = source_of('def f(a=[]):\n    """What it does."""\n    return a\n')
    window = shown(source, "a=[]")
    with pytest.raises(ValueError, match="docstring"):
        window.edits(source, (Change(1, '    """Other."""'),))
    assert changes_of(window, source.lines, [source.lines[0], '    """Other."""\n', source.lines[2]]) is None
    assert changes_of(window, source.lines, [source.lines[0], source.lines[2]]) is None


def test_a_docstring_on_the_line_of_the_head_is_no_item_of_its_own() -> None:
    for text in ('def f(a=[]): "doc"\n', 'def f(\n    a=[]): "doc"\n'):
        window = shown(source_of(text), "a=[]")
        assert [item.is_fixed for item in window.items] == [False] * len(split_lines(text))
        assert marked(window) == "a=[]"


def test_handlers_and_cases_are_shown_with_their_head() -> None:
    source = source_of(
        "def f(x):\n    try:\n        g(x)\n        h(x)\n    except (\n        A,\n    ):\n        pass\n    except B as e:\n"
        "        pass\n    else:\n        pass\n"
    )
    window = shown(source, "try:")
    assert texts(window) == ["try:", "except (", "    A,", "):", "except B as e:"]
    source = source_of("match x:\n    case [1, 2] if y:\n        a()\n    case _: b()\n")
    window = shown(source, "match x:")
    assert texts(window) == ["match x:", "    case [1, 2] if y:", "    case _: b()"]
    window = shown(source, "[1, 2]")
    assert texts(window) == ["case [1, 2] if y:"]
    assert window.indent == "    "
    assert marked(window) == "[1, 2]"


def test_a_handler_on_its_own() -> None:
    source = source_of("try:\n    f()\nexcept Exception:\n    pass\n")
    window = shown(source, "except Exception:")
    assert texts(window) == ["except Exception:", "    pass"]
    assert changed(source, window, Change(0, "except ValueError:")) == source.text.replace("Exception", "ValueError")


def test_a_handler_that_does_something_is_its_head() -> None:
    source = source_of("try:\n    f()\nexcept Exception:\n    g()\n    pass\n")
    assert texts(shown(source, "except Exception:")) == ["except Exception:"]


def test_a_match_that_spans_statements_of_a_body() -> None:
    """The smallest statement around it is the compound one, and none of the flagged text is in its head."""
    source = source_of("try:\n    a = f()\n    a.close()\nexcept E:\n    pass\n")
    window = shown(source, "a = f()\n    a.close()")
    assert texts(window) == ["try:", "except E:"]
    assert (window.start.item, window.start.col) <= (window.end.item, window.end.col)
    assert marked(window) == ""
    encode("a weakness", window)


def test_an_expression_in_a_head_with_the_body_on_its_last_line() -> None:
    source = source_of("if (a and\n        yaml.load(b)): f()\n")
    window = shown(source, "yaml.load(b)")
    assert texts(window) == ["if (a and", "        yaml.load(b)): f()"]
    assert marked(window) == "yaml.load(b)"


@pytest.mark.parametrize(
    ("text", "flagged", "items"),
    [
        ("if x: yaml.load(y)\n", "yaml.load(y)", ["if x: yaml.load(y)"]),
        ("a = 1; b = yaml.load(y); c = 2\n", "yaml.load(y)", ["a = 1; b = yaml.load(y); c = 2"]),
        ("class A: x = f(); y = 2\n", "f()", ["class A: x = f(); y = 2"]),
        ("while g(1): pass\n", "g(1)", ["while g(1): pass"]),
        ("with open(p) as f: g(f)\n", "open(p)", ["with open(p) as f: g(f)"]),
        ("x = lambda: f()\n", "f()", ["x = lambda: f()"]),
        ("for i in f(1): pass\nelse: pass\n", "f(1)", ["for i in f(1): pass"]),
    ],
)
def test_compound_statements_of_one_line(text: str, flagged: str, items: list[str]) -> None:
    source = source_of(text)
    window = shown(source, flagged)
    assert texts(window) == items
    assert marked(window) == flagged
    assert changed(source, window, Change(0, items[0].replace(flagged, "safe()"))) == text.replace(flagged, "safe()")


def test_long_calls_are_cut_around_the_flagged_line() -> None:
    lines = ["f(\n", *(f"    a{n},\n" for n in range(60)), ")\n"]
    source = source_of("".join(lines))
    for number in (0, 1, 19, 30, 59):
        window = shown(source, f"a{number},")
        assert len(window.items) == MAX_ITEMS
        assert marked(window) == f"a{number},"
        firsts = [item.first for item in window.items]
        assert firsts == list(range(firsts[0], firsts[0] + MAX_ITEMS))
    window = shown(source, "f(\n    a0")
    assert window.items[0].first == 1
    whole = window_of(source, match_at(source, 0, len(source.text) - 1))
    assert whole is not None
    assert len(whole.items) == MAX_ITEMS
    # What can't be seen can't be changed.
    far = [*lines[:-2], "    other,\n", lines[-1]]
    assert changes_of(window, source.lines, far) is None


def test_columns_of_other_than_ascii() -> None:
    source = source_of("def f():\n    größe = '→𝒳'; x = yaml.load('ä')  # ü\n")
    window = shown(source, "yaml.load('ä')")
    assert marked(window) == "yaml.load('ä')"
    assert texts(window) == ["größe = '→𝒳'; x = yaml.load('ä')  # ü"]


def test_a_byte_order_mark_is_no_column() -> None:
    source = source_of("x = yaml.load(y)\n", bom=b"\xef\xbb\xbf")
    window = shown(source, "yaml.load(y)")
    assert marked(window) == "yaml.load(y)"
    new = changed(source, window, Change(0, "x = yaml.safe_load(y)"))
    assert source.encode(new) == b"\xef\xbb\xbfx = yaml.safe_load(y)\n"


def test_tabs() -> None:
    source = source_of("def f():\n\tif x:\n\t\ty = g(\n\t\t\tz,\n\t\t)\n")
    window = shown(source, "z")
    assert window.indent == "\t\t"
    assert texts(window) == ["y = g(", "\tz,", ")"]
    assert changed(source, window, Change(1, "\tz,\n\tw,")) == source.text.replace("\t\t\tz,\n", "\t\t\tz,\n\t\t\tw,\n")


def test_line_ends_of_the_file() -> None:
    source = source_of("def f():\r\n    x = g()\r\n    return x\r\n")
    window = shown(source, "g()")
    assert texts(window) == ["x = g()"]
    assert changed(source, window, Change(0, "x = g()\ny = 1")) == source.text.replace(
        "g()\r\n", "g()\r\n    y = 1\r\n"
    )


@pytest.mark.parametrize("text", ["x = g()", "def f():\n    x = g()", "if x:\r\n    x = g()"])
def test_a_last_line_without_line_end_stays_one(text: str) -> None:
    source = source_of(text)
    window = shown(source, "g()")
    newline, indent = source.newline, window.indent
    assert changed(source, window, Change(0, "x = h()")) == text.replace("g", "h")
    assert changed(source, window, Change(0, "y = 1", keep=True)) == f"{text}{newline}{indent}y = 1"
    assert changed(source, window, Change(0, "y = 1\nx = g()")) == text.replace(
        "x = g()", f"y = 1{newline}{indent}x = g()"
    )


def test_lines_to_the_left_of_the_statement_keep_their_place() -> None:
    """Lines of a text over several lines, or a closing bracket, are not indented by being changed."""
    text = 'def f():\n    cur.execute("""\nSELECT x\n  FROM t WHERE id = %s\n""" % x)\n'
    source = source_of(text)
    window = shown(source, "x)")
    assert texts(window) == ['cur.execute("""', "SELECT x", "FROM t WHERE id = %s", '""" % x)']
    assert marked(window) == "x)"
    assert changed(source, window, Change(3, '""", (x,))')) == text.replace('""" % x)', '""", (x,))')
    assert changed(source, window, Change(2, "FROM t WHERE id = ?")) == text.replace("%s", "?")
    assert assert_exact(source, window, split_lines(text.replace('""" % x)', '""", (x,))')))
    flagged = shown(source, "FROM t")
    assert marked(flagged) == "FROM t"


def test_a_change_that_needs_less_indentation_than_the_window_has_is_not_said_wrongly() -> None:
    source = source_of("def f():\n    x = g()\n")
    window = shown(source, "g()")
    assert changes_of(window, source.lines, ["def f():\n", "x = g()\n"]) is None
    assert changes_of(window, source.lines, ["def f():\n", "    x = g()\n", "y = 1\n"]) is None


@pytest.mark.parametrize(
    "new",
    [
        ["    x = g()\n", "        \n"],  # A line of white space.
        ["    x = g()\r\n"],  # Another line end.
        ["    x = g()"],  # None at all.
        ["\n"],  # An empty line in place of the statement, which would read as a deletion.
        ["    x = g()\n", "\n", "\n"],
    ],
)
def test_what_an_answer_can_not_say_is_none(new: list[str]) -> None:
    source = source_of("if a:\n    x = f()\n")
    window = shown(source, "f()")
    assert changes_of(window, source.lines, ["if a:\n", *new]) is None


def test_files_that_do_not_parse_are_shown_by_lines() -> None:
    source = source_of("def (:\n    x = f(\n        1)\n    y\n")
    window = shown(source, "f(\n        1)")
    assert texts(window) == ["x = f(", "    1)"]
    assert window.uses == ()
    source = source_of("a:\n  - b: c\n", "app.yaml")
    window = shown(source, "b: c")
    assert texts(window) == ["- b: c"]


def test_a_file_whose_lines_python_counts_differently() -> None:
    """A lone carriage return ends a line for Python, but not for git."""
    for text in (
        "x = 1\ry = f(\n1)\n",
        "x = 1\r\r\r\ry = f(1)\n",
        "a\r=f(1)\n",
        "if x:\r  if y:\r    f(1)",
        "x = (1 +\r f(1)\r)\n",
    ):
        source = source_of(text)
        window = shown(source, "f(")
        assert window.items
        assert all(1 <= item.first <= item.last <= len(source.lines) for item in window.items)
        assert_exact(source, window, [line.replace("f(", "g(") for line in source.lines])


def test_undecodable_bytes_and_null() -> None:
    source = decode("app.py", b"x = f('\xff')\n")
    window = shown(source, "f(")
    assert texts(window) == ["x = f('\udcff')"]
    assert (
        source.encode(changed(source, window, Change(0, window.items[0].text.replace("f(", "g("))))
        == b"x = g('\xff')\n"
    )


@pytest.mark.parametrize("text", ["", "\n", "\n\n", "#", "x"])
def test_matches_at_the_ends_of_small_files(text: str) -> None:
    source = source_of(text)
    for start in range(len(text) + 1):
        for end in range(start, len(text) + 1):
            window = window_of(source, match_at(source, start, end))
            assert (window is None) == (not source.lines)
            assert window is None or 0 <= window.start.item <= window.end.item < len(window.items)


def test_no_window_where_the_range_is_not_of_this_file() -> None:
    source, longer = source_of("x = 1\n"), source_of("\n" * 10 + "y")
    assert window_of(source, match_at(longer, 10, 11)) is None
    assert window_of(source, match_at(longer, 0, 11)) is None


# What the file says of the names in it.


def test_imports_of_the_names_in_it_and_no_others() -> None:
    source = source_of(
        "import os, yaml as y\nimport a.b.c\nfrom . import near\nfrom ..far import thing as other, unused\n"
        "from x import (\n    one,\n    two,\n)\n\n\ndef f():\n    import late\n    return y.load(a.b, near, other, two, late)\n"
    )
    window = shown(source, "y.load")
    assert window.uses == ("import yaml as y", "import a.b.c", "from . import near", "from ..far import thing as other")


def test_the_logger_and_the_handler_around_come_first() -> None:
    source = source_of(
        "import logging\nimport os\n\nlog = logging.getLogger(__name__)\n\ntry:\n    f()\nexcept OSError as e:\n    a()\n    b()\n"
        "    c()\n    os.system(e)\n"
    )
    window = shown(source, "os.system")
    assert window.uses == ("log = getLogger()", "except OSError as e:", "import os")


def test_a_query_brings_the_driver_that_is_imported() -> None:
    source = source_of("import sqlite3\n\n\ndef f(cur, x):\n    cur.execute('select %s' % x)\n")
    assert shown(source, "cur.execute").uses == ("import sqlite3",)


# What an answer may not ask for.


@pytest.mark.parametrize("changes", [(Change(1, "x"),), (Change(-1, "x"),), (Change(0, "x"), Change(0, "y"))])
def test_changes_of_no_line_or_of_one_line_twice(changes: tuple[Change, ...]) -> None:
    source = source_of("x = f()\ny = 1\n")
    window = shown(source, "f()")
    with pytest.raises(ValueError, match="line"):
        window.edits(source, changes)


def test_an_empty_text_deletes_and_no_changes_change_nothing() -> None:
    source = source_of("f(\n    a,\n    b,\n)\n")
    window = shown(source, "b")
    assert changed(source, window, Change(2, "")) == "f(\n    a,\n)\n"
    assert changed(source, window) == source.text
    assert changed(source, window, Change(1, "", keep=True)) == source.text


def test_lines_outside_the_window_are_none() -> None:
    source = source_of("import a\nx = f()\ny = 2\nz = 3\n")
    window = shown(source, "f()")
    lines = source.lines
    assert changes_of(window, lines, ["import b\n", *lines[1:]]) is None
    assert changes_of(window, lines, [*lines[:2], "y = 5\n", lines[3]]) is None
    assert changes_of(window, lines, [*lines[:3], "new\n", lines[3]]) is None
    assert changes_of(window, lines, lines) == ()
    assert changes_of(window, lines, [lines[0], "before\n", *lines[1:]]) == (Change(0, "before\nx = f()"),)
    assert changes_of(window, lines, [*lines[:2], "after\n", *lines[2:]]) == (Change(0, "after", keep=True),)


# Whatever the file.

_BLOCKS = [
    "def f{n}(a, b=[], *, c={{}}):\n    {doc}return a\n",
    "x{n} = yaml.load(y)\n",
    "call(\n    a,\n  b=g(1),\nc=2)\n",
    "if a: b = f(c)\n",
    "try:\n    f()\nexcept (A,\n        B): g()\nfinally:\n    h()\n",
    "@deco\n@other(1,\n  2)\nclass C{n}(Base):\n    y = 1; z = 2\n",
    "match v:\n    case [1, *_]: f()\n    case {{'a': b}} if b:\n        g()\n",
    "with open(p) as f, g(\n    2) as h:\n    pass\n",
    's = """\nleft\n    right\n"""\n',
    "while (yield_ :=\n    f(1)): pass\n",
    "# größe: ünïcode\nü = 'ß' + f('𝒳')\n",
    "\n",
    "async def g():\n    async for i in a: await i\n",
    "for i in range(\n    3,\n): f(i)\nelse:\n    pass\n",
    "a = 1; b = 2; c = f(3)\n",
    "lambda_ = lambda q=f(1): q\n",
    "assert f(1), (\n    'two'\n)\n",
    "def (:\n",
]
_DOCS = ["", '"""Doc."""\n    ', '"""Doc\n\n    of lines.\n    """\n    ', "'x'\n    "]


@st.composite
def files(draw: st.DrawFn) -> Source:
    """Files of Python, or nearly: nested by spaces or tabs, of either line end, with or without the last one."""
    out: list[str] = []
    for number in range(draw(st.integers(1, 6))):
        chosen = draw(st.sampled_from(_BLOCKS[:-1] if draw(st.integers(0, 9)) else _BLOCKS))
        block = chosen.format(n=number, doc=draw(st.sampled_from(_DOCS)))
        for step in range(draw(st.integers(0, 2))):
            block = f"if nested{step}:\n" + "".join(f"    {line}" for line in split_lines(block))
        out.append(block)
    text = "".join(out)
    if draw(st.booleans()):
        text = text.replace("    ", "\t")
    ends = draw(st.sampled_from(["\n", "\r\n", "mixed"]))
    lines = split_lines(text)
    if ends == "mixed":
        lines = [line.replace("\n", "\r\n") if number % 3 else line for number, line in enumerate(lines)]
    elif ends == "\r\n":
        lines = [line.replace("\n", "\r\n") for line in lines]
    text = "".join(lines)
    text = text.rstrip("\r\n") if draw(st.booleans()) else text
    return source_of(text, bom=b"\xef\xbb\xbf" if draw(st.booleans()) else b"")


def spans(length: int) -> st.SearchStrategy[tuple[int, int]]:
    ends = st.integers(0, length)
    return st.tuples(ends, st.one_of(st.just(0), st.integers(0, 30), st.integers(0, length))).map(
        lambda pair: (pair[0], min(pair[0] + pair[1], length))
    )


_NEW_LINES = st.sampled_from(
    [
        "x = 1",
        "    y = g(2)",
        "\tz",
        "",
        "  ",
        "    ",
        ")",
        "# ü",
        "        deep()",
        '"""',
        "if a:\r",
        "é\x0cé",
        "<|3|>",
        "<|end|>",
    ]
)


def check_window(source: Source, window: Window) -> None:
    """What holds of every window."""
    assert 1 <= len(window.items) <= MAX_ITEMS
    assert all(1 <= item.first <= item.last <= len(source.lines) for item in window.items)
    assert all(one.last < other.first for one, other in pairwise(window.items))
    assert all("\n" not in text for text in (*texts(window), *window.before, *window.after, *window.uses))
    start, end = window.start, window.end
    assert (0, 0) <= (start.item, start.col) <= (end.item, end.col)
    assert end.item < len(window.items)
    assert start.col <= len(window.items[start.item].text)
    assert end.col <= len(window.items[end.item].text)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_every_change_that_can_be_said_comes_out_exactly(data: st.DataObject) -> None:
    source = data.draw(files())
    window = window_of(source, match_at(source, *data.draw(spans(len(source.text)))))
    if window is None:
        assert not source.text
        return
    check_window(source, window)
    lines = list(source.lines)
    for _ in range(data.draw(st.integers(1, 3))):
        item = data.draw(st.sampled_from(window.items))
        place = max(min(item.first - 1 + data.draw(st.integers(-1, 2)), len(lines)), 0)
        new = [
            text + data.draw(st.sampled_from([source.newline, source.newline, source.newline, "\n", ""]))
            for text in data.draw(st.lists(_NEW_LINES.map(lambda text: window.indent + text), max_size=3))
        ]
        lines[place : place + data.draw(st.integers(0, 2))] = new
    assert_exact(source, window, split_lines("".join(lines)))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_every_answer_stays_in_the_window(data: st.DataObject) -> None:
    """Whatever text a model gives for its lines: the lines between them are the file's."""
    source = data.draw(files())
    window = window_of(source, match_at(source, *data.draw(spans(len(source.text)))))
    if window is None:
        return
    numbers = data.draw(st.sets(st.integers(0, len(window.items) - 1), max_size=4))
    text = st.one_of(st.text(max_size=20), st.lists(_NEW_LINES, max_size=3).map("\n".join))
    changes = tuple(
        Change(n, data.draw(text), keep=window.items[n].is_fixed or data.draw(st.booleans())) for n in sorted(numbers)
    )
    edits = window.edits(source, changes)
    assert [(e.start_line, e.end_line) for e in edits] == [
        (window.items[n].first, window.items[n].last) for n in sorted(numbers)
    ]
    after = apply_edits(source.lines, edits)
    named = {line for n in numbers for line in range(window.items[n].first, window.items[n].last + 1)}
    kept = [line for number, line in enumerate(source.lines, 1) if number not in named]
    rest = iter(after)
    assert all(line in rest for line in kept)  # As a subsequence.
    for n, change in zip(sorted(numbers), changes, strict=True):
        if change.keep:
            old = "".join(source.lines[window.items[n].first - 1 : window.items[n].last])
            assert old in "".join(after)


def _real_files() -> Iterator[Path]:
    yield from sorted((PROJECT / "nootropic_bot").rglob("*.py"))
    yield from sorted(Path(ast.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("seed", range(4))
def test_real_files(seed: int) -> None:
    """Real code, a statement of it flagged, and one token of it changed: it can be said, and comes out exactly."""
    choice = random.Random(seed)
    said = 0
    for path in choice.sample(list(_real_files()), 12):
        source = decode(path.name, path.read_bytes())
        nodes = [
            n for n in ast.walk(ast.parse(source.text)) if isinstance(n, ast.Name | ast.Constant) and n.end_col_offset
        ]
        for node in choice.sample(nodes, min(12, len(nodes))):
            end_line, end_byte = node.end_lineno or node.lineno, node.end_col_offset or 0
            start = source.offset_of_line(node.lineno) + _characters(source, node.lineno, node.col_offset)
            end = source.offset_of_line(end_line) + _characters(source, end_line, end_byte)
            window = window_of(source, match_at(source, start, end))
            assert window is not None
            check_window(source, window)
            assert (
                window.items[window.start.item].first <= node.lineno <= window.items[window.start.item].last
                or len(window.items) == MAX_ITEMS
            )
            new = split_lines(f"{source.text[:start]}changed{source.text[end:]}")
            was_said = assert_exact(source, window, new)
            said += was_said
            if was_said:
                changes = changes_of(window, source.lines, new)
                assert changes is not None
                spelt = "".join(p.token if isinstance(p, Special) else p for p in answer_parts(changes))
                assert read_answer(spelt) == changes
    assert said > 100


def _characters(source: Source, line: int, bytes_in: int) -> int:
    return len(source.lines[line - 1].encode("utf-8", "surrogateescape")[:bytes_in].decode("utf-8", "surrogateescape"))


# Statements.


@pytest.mark.parametrize(
    ("text", "head"),
    [
        ("if (a and\n    b): f()\n", (1, 2)),
        ("if a:\n    f()\n", (1, 1)),
        ("def f(\n    a,\n    b=1): return a\n", (1, 3)),
        ("def f(a,\n      *, b: int = 1,\n      ) -> X:\n\n    return a\n", (1, 4)),
        ("with a as b, c(\n    d) as e: pass\n", (1, 2)),
        ("@d\nclass A(\n    B): x = 1\n", (1, 3)),
        ("x = [\n  1]\n", (1, 2)),
        ("for i in (lambda: (\n    2))(): pass\n", (1, 2)),
    ],
)
def test_heads(text: str, head: tuple[int, int]) -> None:
    assert header_lines(ast.parse(text).body[0]) == head


def test_extent_of_odd_nodes() -> None:
    tree = ast.parse("match x:\n    case 1:\n        a\n    case (2 |\n        3): b\n@d\ndef f(): pass\n")
    match = tree.body[0]
    assert isinstance(match, ast.Match)
    assert [extent(case) for case in match.cases] == [(2, 3), (4, 5)]
    assert extent(tree) == (1, 7)
    assert extent(ast.parse("")) == (1, 1)
    assert header_lines(match.cases[1]) == (4, 5)
    assert smallest_statement(tree, (5, 8), (5, 9)) is match.cases[1]
    assert smallest_statement(tree, (6, 0), (6, 1)) is tree.body[1]
    assert smallest_statement(tree, (1, 0), (7, 0)) is None
