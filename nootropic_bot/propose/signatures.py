"""A function's head reduced to a parameter whose default can be changed; this is marked instead of what was flagged.

    def load(self, path, *, kinds=["a", "b"],            def load(value1, kinds=["a", "b"], **value2):
             strict: bool = False) -> Table:      →                            ^^^^^^^^^^

Small models lose their way in long signatures and in those over several lines. What the answer says of the parameter is
put back where it stood; the rest of the head is not touched.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, replace

from nootropic_bot.pynames import is_changeable
from nootropic_bot.window import Change, Item, Mark, Window

_TOKEN = re.compile(
    r"""[rRbBfFuU]{0,2}(?:'''(?:\\.|[^\\])*?'''|\"\"\"(?:\\.|[^\\])*?\"\"\"|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")"""
    r"|(?P<comment>\#)|(?P<open>[(\[{])|(?P<close>[)\]}])|.",
    re.DOTALL,
)
_HEAD = re.compile(r"(?:async[ \t]+)?def[ \t]+\w+[ \t]*\(")
_REST = re.compile(r"[^\n:]*:[ \t]*(?:\#[^\n]*)?(?=\n|\Z)")
_STANDING_IN = re.compile(r"\bvalue[12]\b")
_BEFORE, _AFTER = "value1", "**value2"


@dataclass(frozen=True, slots=True)
class Signature:
    """Where a head lies in a window, and its parameter in it.

    `row`: the item with the parameter, which stands between the texts `before` and `after`; `last`: the item with which
    the head ends. Of the items up to that only one is shown; `opening`, `closing`: what is shown around the parameter.
    """

    row: int
    last: int
    before: str
    after: str
    opening: str
    closing: str

    def restored(self, change: Change, shown: Window) -> tuple[Change, ...]:
        """A change of the short head as changes of the one that it stands for.

        Raises:
            ValueError: it changes more of it than the parameter, or uses a name that stands for others.
        """
        if change.item > 0 or change.keep:
            return (replace(change, item=change.item + self.last),)
        head, _newline, body = shown.written_out(change).text.partition("\n")
        parameter = head.removeprefix(self.opening).removesuffix(self.closing)
        if self.opening + parameter + self.closing != head or _STANDING_IN.search(parameter + body):
            raise ValueError("the answer changes more of the signature than its parameter")
        line = self.before + parameter + self.after
        if not body.strip():
            return (Change(self.row, line),)
        if self.row == self.last:
            return (Change(self.row, f"{line}\n{body}"),)
        return Change(self.row, line), Change(self.last, body, keep=True)


def shortened(window: Window) -> tuple[Window, Signature] | None:
    """The window with a short head, and what was made of it; None where there is nothing to shorten or to mark."""
    texts = [item.text for item in window.items]
    node = _function(texts)
    found = _parameter(node, texts) if node is not None else None
    if node is None or found is None or _STANDING_IN.search("\n".join(texts)):
        return None
    first, (row, start, default, end) = node.lineno - 1, found
    head = "\n".join(texts[first:])
    opened, place = _HEAD.match(head), sum(len(text) + 1 for text in texts[first:row])
    closed = _closing(head, opened.end()) if opened else None
    rest = _REST.match(head, closed + 1) if closed is not None else None
    if opened is None or closed is None or rest is None:
        return None
    before, after = head[opened.end() : place + start], head[place + end : closed]
    opening = opened[0]
    if before.strip():
        opening += before if before.strip() in ("self,", "cls,") and "\n" not in before else f"{_BEFORE}, "
    closing = (f", {_AFTER}" if after.strip(", \t\n") else "") + "):"
    text = opening + texts[row][start:end] + closing
    last = first + head.count("\n", 0, rest.end())
    mark = len(opening) + default - start
    shown = replace(
        window,
        items=(Item(text, window.items[first].first, window.items[last].last), *window.items[last + 1 :]),
        before=(),
        after=(),
        uses=(),
        start=Mark(0, mark),
        end=Mark(0, len(opening) + end - start),
    )
    return shown, Signature(row, last, texts[row][:start], texts[row][end:], opening, closing)


def _function(lines: list[str]) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The function whose head, and docstring, these lines are."""
    for ending in ("", "\n    pass"):
        try:
            body = ast.parse("\n".join(lines) + ending).body
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            continue
        is_one = len(body) == 1 and isinstance(body[0], ast.FunctionDef | ast.AsyncFunctionDef)
        return body[0] if is_one else None  # type: ignore[return-value]
    return None


def _parameter(node: ast.FunctionDef | ast.AsyncFunctionDef, texts: list[str]) -> tuple[int, int, int, int] | None:
    """The first parameter with a default that can be changed: its item, and where it, its default and both end."""
    args = node.args
    named = [*args.posonlyargs, *args.args]
    paired = list(zip(named[len(named) - len(args.defaults) :], args.defaults, strict=True))
    paired += [(a, d) for a, d in zip(args.kwonlyargs, args.kw_defaults, strict=True) if d is not None]
    for argument, default in paired:
        if is_changeable(default):
            row, text, end = argument.lineno - 1, texts[argument.lineno - 1], default.end_col_offset or 0
            between = text[argument.end_col_offset : default.col_offset]
            is_whole = argument.lineno == default.end_lineno and text.isascii() and between.strip() == "="
            return (row, argument.col_offset, default.col_offset, end) if is_whole else None
    return None


def _closing(head: str, start: int) -> int | None:
    """Where the bracket is that closes the one before `start`; None where a comment stands before it."""
    depth = 0
    for token in _TOKEN.finditer(head, start):
        depth += bool(token["open"]) - bool(token["close"])
        if token["comment"]:
            return None
        if depth < 0:
            return token.start()
    return None
