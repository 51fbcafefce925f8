"""What is taken from real code: only whole expressions, names worth having, statements that stay in their block."""

from __future__ import annotations

import ast
import builtins
import keyword
import random

from nootropic_bot.learn.corpus import CodeFile
from nootropic_bot.learn.material import Material, harvest, segment_of
from tests.learn.code import material

_TEXT = '''
import os
LIMIT = 10

def load(path, self_check):
    """Docstring."""
    text = open(path).read()
    if text:
        return None
    wide = call(
        text,
    )
    other = f"{text.strip()} {path!r}"
    name = 'café' + text
    raise ValueError("left")
'''


def _of(text: str) -> Material:
    return harvest([CodeFile("own", "own.py", text)])


def test_pieces_of_a_small_file() -> None:
    found = _of(_TEXT)
    assert "open(path).read()" in found.expressions
    assert "path" in found.names
    assert "10" in found.numbers
    assert '"left"' in found.strings
    assert [
        ["text = open(path).read()"],
        ["if text:", "    return None"],
        ["wide = call(", "    text,", ")"],
        ['other = f"{text.strip()} {path!r}"'],
        ["name = 'café' + text"],
    ] in found.suites


def test_every_expression_parses_and_fits_a_hole() -> None:
    found = material()
    assert len(found.expressions) > 5000
    for text in random.Random(1).sample(found.expressions, 500):
        assert isinstance(ast.parse(text, mode="eval").body, ast.Name | ast.Attribute | ast.Subscript | ast.Call), text
        assert "\n" not in text
        assert len(text) <= 48
        assert text not in dir(builtins)
    for text in random.Random(1).sample(found.strings, 200):
        assert isinstance(ast.literal_eval(text), str)


def test_names_are_names_and_none_hides_a_builtin() -> None:
    for name in set(material().names):
        assert name.isidentifier()
        assert not keyword.iskeyword(name)
        assert name not in dir(builtins)
        assert name not in ("self", "cls")


def test_statements_stand_alone() -> None:
    found = material()
    random_ = random.Random(2)
    for _round in range(300):
        lines = [line for statement in found.neighbours(random_, 3) for line in statement]
        nodes = ast.parse("async def f():\n" + "\n".join("    " + line for line in lines) + "\n    pass\n").body[0]
        assert isinstance(nodes, ast.AsyncFunctionDef)
        assert not any(isinstance(node, ast.Return | ast.Raise | ast.Import | ast.ImportFrom) for node in nodes.body)


def test_a_segment_is_cut_where_columns_count_bytes() -> None:
    lines = ["name = 'café' + text", "plain = call(text)"]
    tree = ast.parse("\n".join(lines))
    values = [node.value for node in tree.body if isinstance(node, ast.Assign)]
    assert segment_of(lines, values[0]) is None
    assert segment_of(lines, values[1]) == "call(text)"
