"""What the bundled fixer is shown of a finding, from draw to draw.

all        the statement, its imports, and the lines around it
imports    the statement and its imports
alone      the statement
short      the statement and its imports, what calls are given in it replaced by short names
signature  a function's head with the one parameter that matters; second in turn, where there is one (`signatures.py`)

Lines around a statement that are unlike those of its training lead a small model astray, and long arguments it copies
with mistakes. What stands for a name in the last view is put back by code.

Of 392 findings in code that the model was not trained on, so many had a fix that passes every check but the re-scan:
293 with the four views in turn, 283 with the first three. With an older file and weaker checks it had been 294 with the
first three, 277 with the first alone.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from nootropic_bot.propose import signatures
from nootropic_bot.propose.signatures import Signature
from nootropic_bot.window import Change, Mark, Window

_TURN = ("all", "imports", "alone", "short")
# These hold together wherever they are put; others get parentheses where they need them.
_TIGHT = (ast.Constant, ast.JoinedStr, ast.Call, ast.Subscript, ast.Attribute, ast.List)
_FREE = re.compile(r"(?:[(,\[]|(?<![=!<>])=)\s*\Z|\A\s*\Z")


@dataclass(frozen=True, slots=True)
class View:
    """A window as it is shown. `originals`: what each short name in it stands for; `signature`: what its head does."""

    window: Window
    originals: Mapping[str, str]
    signature: Signature | None = None

    def restored(self, change: Change) -> tuple[Change, ...]:
        """A change of this window as one, or several, of the window that it is a view of.

        Raises:
            ValueError: a short name is used as what it is not: an attribute, a keyword, a word of a text.
        """
        if self.signature is not None:
            return self.signature.restored(change, self.window)
        if not self.originals:
            return (change,)
        names = "|".join(self.originals)
        if re.search(rf"\.\s*(?:{names})\b|\b(?:{names})\s*=(?!=)", change.text) or _is_spelt_out(names, change.text):
            raise ValueError("the answer uses a short name for something else")
        return (replace(change, text=re.sub(rf"\b(?:{names})\b", self._original, change.text)),)

    def _original(self, match: re.Match[str]) -> str:
        text = self.originals[match[0]]
        before, after = match.string[: match.start()], match.string[match.end() :]
        is_free = _FREE.search(before) and re.match(r"\s*(?:[,)\]}]|\Z)", after)
        return text if is_free or isinstance(_expression(text), _TIGHT) else f"({text})"


@dataclass(frozen=True, slots=True)
class _Piece:
    """The columns `first`..`last` (0-based, exclusive) of an item."""

    item: int
    first: int
    last: int


def view_of(window: Window, number: int) -> View:
    """What is shown at the draw `number`, counted from 0."""
    signature = signatures.shortened(window)
    turn = _TURN if signature is None else (*_TURN[:1], "signature", *_TURN[1:])
    kind = turn[number % len(turn)]
    if kind == "signature" and signature is not None:
        return View(signature[0], {}, signature[1])
    if kind == "all":
        return View(window, {})
    alone = replace(window, before=(), after=(), uses=() if kind == "alone" else window.uses)
    return _shortened(alone) if kind == "short" else View(alone, {})


def _shortened(window: Window) -> View:
    texts = [item.text for item in window.items]
    originals: dict[str, str] = {}
    start, end = window.start, window.end
    for piece in sorted(_pieces(window), key=lambda each: (each.item, each.first), reverse=True):
        text = texts[piece.item]
        name = _free_name(window, originals)
        originals[name] = text[piece.first : piece.last]
        texts[piece.item] = text[: piece.first] + name + text[piece.last :]
        by = len(name) - (piece.last - piece.first)
        start, end = (_moved(mark, piece, by) for mark in (start, end))
    items = tuple(replace(item, text=text) for item, text in zip(window.items, texts, strict=True))
    return View(replace(window, items=items, start=start, end=end), originals)


def _free_name(window: Window, taken: Mapping[str, str]) -> str:
    known = "\n".join([*(item.text for item in window.items), *window.uses])
    names = (f"value{number}" for number in range(1, 1000))
    return next(name for name in names if name not in taken and name not in known)


def _moved(mark: Mark, piece: _Piece, by: int) -> Mark:
    return replace(mark, col=mark.col + by) if mark.item == piece.item and mark.col >= piece.last else mark


def _pieces(window: Window) -> Iterator[_Piece]:
    """What calls are given, the outermost of it that lies on one line and does not hold what was flagged."""
    tree = _tree([item.text for item in window.items])
    pending: list[ast.AST] = [tree] if tree is not None else []
    while pending:
        node = pending.pop()
        given = [*node.args, *(each.value for each in node.keywords if each.arg)] if isinstance(node, ast.Call) else []
        for child in ast.iter_child_nodes(node):
            inner = child.value if isinstance(child, ast.keyword) else child
            piece = _piece(inner, window) if any(inner is each for each in given) else None
            if piece is None:
                pending.append(inner)
            else:
                yield piece


def _piece(node: ast.AST, window: Window) -> _Piece | None:
    is_plain = isinstance(node, ast.Name | ast.Starred | ast.GeneratorExp | ast.Yield | ast.Await | ast.NamedExpr)
    is_switch = isinstance(node, ast.Constant) and not isinstance(node.value, str | bytes)
    if not isinstance(node, ast.expr) or is_plain or is_switch or node.lineno != node.end_lineno:
        return None
    number = node.lineno - 1
    if number >= len(window.items) or window.items[number].is_fixed or not window.items[number].text.isascii():
        return None
    first, last = (number, node.col_offset), (number, node.end_col_offset or 0)
    start, end = (window.start.item, window.start.col), (window.end.item, window.end.col)
    is_outside = last <= start or first >= end
    is_inside = start <= first and last <= end and (start, end) != (first, last)
    return _Piece(number, first[1], last[1]) if is_outside or is_inside else None


def _tree(lines: Sequence[str]) -> ast.Module | None:
    """The tree of a statement, or of the head of one, whose lines are its lines."""
    for ending in ("", "\n    pass"):
        try:
            return ast.parse("\n".join(lines) + ending)
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            continue
    return None


def _is_spelt_out(names: str, text: str) -> bool:
    """Whether one of the names stands in a text of this code."""
    lines = text.split("\n")
    indent = lines[0][: len(lines[0]) - len(lines[0].lstrip())]
    tree = _tree([line.removeprefix(indent) for line in lines])
    nodes = ast.walk(tree) if tree is not None else ()
    texts = (str(node.value) for node in nodes if isinstance(node, ast.Constant))
    return any(re.search(rf"\b(?:{names})\b", each) for each in texts)


def _expression(text: str) -> ast.expr | None:
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError):
        return None
