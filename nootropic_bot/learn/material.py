"""What pairs are made of: expressions, names, literals and statements of real code, by kind."""

from __future__ import annotations

import ast
import builtins
import keyword
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from nootropic_bot.learn.corpus import CodeFile

_MAX_EXPRESSION, _MAX_STRING = 48, 40
# The most frequent names of all files; what reads them is seldom a value, and what binds them is odd.
_COMMON = frozenset(dir(builtins)) | {"self", "cls"}


@dataclass(slots=True)
class Material:
    """Pieces of one split's code. `suites`: runs of statements, each as dedented lines."""

    expressions: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    strings: list[str] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    suites: list[list[list[str]]] = field(default_factory=list)

    def neighbours(self, random_: random.Random, most: int) -> list[list[str]]:
        """Up to `most` statements that follow each other in real code, none of which leaves the block."""
        suite = random_.choice(self.suites)
        start = random_.randrange(len(suite))
        return suite[start : start + random_.randint(1, most)]


def harvest(files: Iterable[CodeFile], limit: int = 400_000) -> Material:
    """The pieces of these files, each kind once a file, at most `limit` of a kind."""
    found = Material()
    for file in files:
        tree = ast.parse(file.text)
        lines = file.text.split("\n")
        _harvest_leaves(found, lines, tree)
        for node in ast.walk(tree):
            body = getattr(node, "body", None)
            if isinstance(body, list) and len(body) > 1:
                suite = _suite(body, lines)
                if suite:
                    found.suites.append(suite)
        if len(found.suites) > limit:
            break
    return found


def _harvest_leaves(found: Material, lines: Sequence[str], tree: ast.Module) -> None:
    expressions, names, strings, numbers = set(), set(), set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.Call) and _is_loaded(node):
            segment = segment_of(lines, node)
            if segment and len(segment) <= _MAX_EXPRESSION and segment not in _COMMON:
                expressions.add(segment)
        if isinstance(node, ast.Name) and _is_plain(node.id):
            names.add(node.id)
        if isinstance(node, ast.arg) and _is_plain(node.arg):
            names.add(node.arg)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            segment = segment_of(lines, node)
            if (
                segment
                and segment[0] in "\"'"
                and 2 < len(segment) <= _MAX_STRING
                and segment[:3] not in ('"""', "'''")
            ):
                strings.add(segment)
        if isinstance(node, ast.Constant) and type(node.value) is int and 0 <= node.value < 10**6:
            numbers.add(str(node.value))
    found.expressions += sorted(expressions)
    # Most holes stand for a variable: of classes and constants one in six is enough.
    found.names += [name for n, name in enumerate(sorted(names)) if name.islower() or n % 6 == 0]
    found.strings += sorted(strings)
    found.numbers += sorted(numbers)


def segment_of(lines: Sequence[str], node: ast.expr) -> str | None:
    """The source of an expression on one line of ASCII (columns of the tree count bytes); None for any other."""
    line = lines[node.lineno - 1]
    if node.end_lineno != node.lineno or not line.isascii():
        return None
    return line[node.col_offset : node.end_col_offset]


def _is_loaded(node: ast.expr) -> bool:
    return isinstance(getattr(node, "ctx", ast.Load()), ast.Load)


def _is_plain(name: str) -> bool:
    return len(name) > 1 and not name.startswith("__") and not keyword.iskeyword(name) and name not in _COMMON


def _suite(body: Sequence[ast.stmt], lines: Sequence[str]) -> list[list[str]]:
    """The short statements of a block as dedented lines; those that leave it or bind at its top are left out."""
    kept: list[list[str]] = []
    for node in body:
        first, last = node.lineno, node.end_lineno or node.lineno
        if last - first > 5 or isinstance(node, ast.Return | ast.Raise | ast.Import | ast.ImportFrom | ast.Global):
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        if getattr(node, "decorator_list", ()) or node.col_offset != len(lines[first - 1]) - len(
            lines[first - 1].lstrip()
        ):
            continue
        indent = " " * node.col_offset
        block = lines[first - 1 : last]
        if all(line.startswith(indent) or not line.strip() for line in block):
            kept.append([line[len(indent) :] for line in block])
    return kept
