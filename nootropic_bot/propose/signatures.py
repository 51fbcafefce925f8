"""A function's head reduced to the one parameter whose default is computed; this is marked instead of what was flagged.

    def load(self, path, *, kinds=["a", "b"],            def load(value1, kinds=["a", "b"], **value2):
             strict: bool = False) -> Table:      →                            ^^^^^^^^^^

Small models lose their way in long signatures and in those over several lines. What the answer says of the parameter is
put back where it stood; the rest is the author's, to the letter.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from nootropic_bot.window import Change, Item, Mark, Window

_TOKEN = re.compile(
    r"""[rRbBfFuU]{0,2}(?:'''(?:\\.|[^\\])*?'''|\"\"\"(?:\\.|[^\\])*?\"\"\"|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")"""
    r"|(?P<comment>\#)|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<comma>,)|.",
    re.DOTALL,
)
_HEAD = re.compile(r"(?:async[ \t]+)?def[ \t]+\w+[ \t]*\(")
_REST = re.compile(r"[ \t]*(?:\#[^\n]*)?(?=\n|\Z)")
_STANDING_IN = re.compile(r"\bvalue[12]\b")
_BEFORE, _AFTER = "value1", "**value2"
# Such defaults are the same object for ever, and can't be changed.
_PLAIN = (ast.Constant, ast.Name, ast.Attribute, ast.UnaryOp)


@dataclass(frozen=True, slots=True)
class Signature:
    """Where a head lies in a window, and its text in pieces.

    `first`, `last`: the items it spans, in place of which one is shown; `before`, `after`: what stands before and after
    the parameter, to the letter; `opening`, `closing`: what is shown in their place.
    """

    first: int
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
        head, newline, body = shown.written_out(change).text.partition("\n")
        parameter = head.removeprefix(self.opening).removesuffix(self.closing)
        if self.opening + parameter + self.closing != head or _STANDING_IN.search(parameter + body):
            raise ValueError("the answer changes more of the signature than its parameter")
        whole = Change(self.first, self.before + parameter + self.after + newline + body)
        return (whole, *(Change(number, "") for number in range(self.first + 1, self.last + 1)))


def shortened(window: Window) -> tuple[Window, Signature] | None:
    """The window with a short head, and what was made of it; None where there is nothing to shorten or to mark."""
    texts = [item.text for item in window.items]
    node = _function(texts)
    if node is None or _STANDING_IN.search("\n".join(texts)):
        return None
    first = node.lineno - 1
    head = "\n".join(texts[first:])
    opened = _HEAD.match(head)
    pieces = list(_parameters(head, opened.end())) if opened else []
    number = next((n for n, (start, end) in enumerate(pieces) if _default(head[start:end])), None)
    stop = _end_of_head(head)
    if opened is None or number is None or stop is None:
        return None
    start, end = pieces[number]
    opening = head[: opened.end()]
    if number:
        before = head[opened.end() : start]
        opening += before if before.strip() in ("self,", "cls,") and "\n" not in before else f"{_BEFORE}, "
    closing = (f", {_AFTER}" if number + 1 < len(pieces) else "") + "):"
    last = first + head.count("\n", 0, stop)
    parameter = head[start:end]
    mark, end_mark = (len(opening) + at for at in _default(parameter) or (0, 0))
    text = opening + parameter + closing
    shown = replace(
        window,
        items=(Item(text, window.items[first].first, window.items[last].last), *window.items[last + 1 :]),
        before=(),
        after=(),
        uses=(),
        start=Mark(0, mark),
        end=Mark(0, end_mark),
    )
    return shown, Signature(first, last, head[:start], head[end:stop], opening, closing)


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


def _parameters(head: str, start: int) -> Iterator[tuple[int, int]]:
    """Where the parameters stand, without white space around; nothing where a comment stands among them."""
    found: list[tuple[int, int]] = []
    depth, begin = 0, start
    for token in _TOKEN.finditer(head, start):
        if token["comment"]:
            return
        is_end = depth == 0 and (token["close"] or token["comma"])
        if is_end and head[begin : token.start()].strip():
            text = head[begin : token.start()]
            left = begin + len(text) - len(text.lstrip())
            found.append((left, left + len(text.strip())))
        if is_end:
            begin = token.end()
        depth += bool(token["open"]) - bool(token["close"])
        if depth < 0:
            yield from found
            return


def _default(parameter: str) -> tuple[int, int] | None:
    """Where the default of a parameter stands in its text, if it is one that is made when the function is defined."""
    start = "def f("
    try:
        (function,) = ast.parse(f"{start}{parameter}): pass").body
    except SyntaxError:  # `*`, `/`
        return None
    assert isinstance(function, ast.FunctionDef)
    defaults = [*function.args.defaults, *(each for each in function.args.kw_defaults if each is not None)]
    is_plain = "\n" not in parameter and parameter.isascii()
    if not is_plain or len(defaults) != 1 or isinstance(defaults[0], _PLAIN):
        return None
    return defaults[0].col_offset - len(start), (defaults[0].end_col_offset or 0) - len(start)


def _end_of_head(text: str) -> int | None:
    """Where the line ends on which the head does, behind the colon that no bracket holds; None if more follows."""
    depth = 0
    for token in _TOKEN.finditer(text):
        depth += bool(token["open"]) - bool(token["close"])
        if token["comment"]:
            return None
        if token[0] == ":" and depth == 0:
            rest = _REST.match(text, token.end())
            return rest.end() if rest is not None else None
    return None
