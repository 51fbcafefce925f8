"""The part of a file that a model is shown for one finding, and the way back from its answer to edits.

A window is the smallest statement around the finding (of a compound one: its head, the heads of its handlers, and its
docstring in short), in numbered lines, with a few lines before and after and what the file says of the names in it.
Everything is shifted to the left by the statement's own indentation, so a model never has to count white space. It is
what the proof allows a fix to change (docs/decisions/0004-scope-of-a-fix.md), so no answer inside it is out of scope.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from nootropic_bot.comments import comments_of
from nootropic_bot.records import Edit, Match
from nootropic_bot.source import Source, split_lines
from nootropic_bot.statements import Node, extent, header_lines, is_idle, smallest_statement
from nootropic_bot.uses import uses_of

MAX_ITEMS = 20
_BEFORE, _AFTER = 3, 2


@dataclass(frozen=True, slots=True)
class Item:
    """A numbered line of a window: the file's lines `first`..`last` (1-based), shown as `text`.

    `is_fixed`: a docstring shown in short; text can be put after it, but it can't be replaced.
    """

    text: str
    first: int
    last: int
    is_fixed: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a window: the item (0-based) and the column in its text (0-based)."""

    item: int
    col: int


@dataclass(frozen=True, slots=True)
class Change:
    """One change that a model wants: `text` replaces the item (0-based), or follows it if `keep`; `""` deletes it.

    `head`: what the item holds before the mark comes first; `tail`: what it holds after the mark comes last. So a model
    need not write what does not change.
    """

    item: int
    text: str
    keep: bool = False
    head: bool = False
    tail: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """What a model is shown. `before`, `after`, `uses`: lines without line ends; `start`..`end`: what was flagged."""

    items: tuple[Item, ...]
    before: tuple[str, ...]
    after: tuple[str, ...]
    uses: tuple[str, ...]
    start: Mark
    end: Mark
    indent: str

    def edits(self, source: Source, changes: tuple[Change, ...]) -> tuple[Edit, ...]:
        """The changes as edits of whole lines.

        Raises:
            ValueError: a change names no item of the window, one item is changed twice, or a fixed one is replaced.
        """
        wanted: dict[int, Change] = {}
        for change in changes:
            if not 0 <= change.item < len(self.items) or change.item in wanted:
                raise ValueError(f"line {change.item + 1} of the answer is no line to change, or comes twice")
            if self.items[change.item].is_fixed and not change.keep:
                raise ValueError("the answer replaces a docstring")
            wanted[change.item] = self.written_out(change)
        edits = []
        for number in sorted(wanted):
            item = self.items[number]
            text = self.replacement(source.lines, source.newline, wanted[number])
            edits.append(Edit(source.path, item.first, item.last, text))
        return tuple(edits)

    def with_comment(self, source: Source, change: Change) -> Change:
        """The change with the comment of the line that it replaces, if it lost it: comments are the author's."""
        if change.keep or not change.text or not 0 <= change.item < len(self.items) or not source.is_python:
            return change
        item = self.items[change.item]
        comment = comments_of(source.text).get(item.first)
        whole = self.written_out(change)
        if comment is None or comment in whole.text:
            return change
        if item.text.lstrip() == comment:  # It has the line to itself.
            return replace(whole, text=f"{_indent_of(item.text)}{comment}\n{whole.text}")
        head, newline, body = whole.text.rstrip().partition("\n")
        if body and head.endswith(":") and item.text.removesuffix(comment).rstrip().endswith(":"):
            return replace(whole, text=f"{head}  {comment}{newline}{body}")  # The head's, not its body's.
        return replace(whole, text=f"{whole.text.rstrip()}  {comment}")

    def abridged(self, change: Change) -> Change:
        """The change without the text before and after the mark, where it leaves these as they are."""
        head, tail = self._beside_mark(change.item)
        if change.keep or not change.text:
            return change
        has_head = bool(head) and change.text.startswith(head)
        rest = change.text[len(head) :] if has_head else change.text
        has_tail = bool(tail) and rest.endswith(tail)
        return Change(change.item, rest[: len(rest) - len(tail)] if has_tail else rest, False, has_head, has_tail)

    def written_out(self, change: Change) -> Change:
        """The opposite of `abridged`."""
        head, tail = self._beside_mark(change.item)
        text = head * change.head + change.text + tail * change.tail
        return Change(change.item, text, change.keep)

    def _beside_mark(self, number: int) -> tuple[str, str]:
        """An item's text before the mark, where the mark begins in it, and after, where it ends in it."""
        text = self.items[number].text
        head = text[: self.start.col] if self.start.item == number else ""
        return head, text[self.end.col :] if self.end.item == number else ""

    def replacement(self, lines: Sequence[str], newline: str, change: Change) -> str:
        """What stands in the file, whose `lines` are given with their line ends, in place of the changed item."""
        item = self.items[change.item]
        old = "".join(lines[item.first - 1 : item.last])
        # A line to the left of the statement (of a text over several lines, say) is not moved to the right.
        indent = self.indent if change.keep else _removed(old, item)
        new = "".join((indent + line if line.strip() else line) + newline for line in _lines(change.text))
        is_open = not old.endswith("\n")  # The last line of a file without a line end.
        if change.keep:
            new = (old + newline if is_open else old) + new
        return new.removesuffix(newline) if is_open else new


def window_of(source: Source, match: Match) -> Window | None:
    """The window around a finding; None where there is nothing to show (an empty file, a range outside it)."""
    first, last = match.start.line, match.end.line
    if not 1 <= first <= last <= len(source.lines):
        return None
    if match.end.col == 1 and last > first:
        last -= 1
    tree = _parse(source) if source.is_python else None
    target = _target(tree, source, match) if tree is not None else None
    items = _items(source, target, first, last)
    if not items:
        return None
    indent = _indent_of(source.lines[items[0].first - 1])
    shown = tuple(Item(_shift(item.text, indent), item.first, item.last, item.is_fixed) for item in items)
    start = _mark(shown, source, first, match.start.col, is_end=False)
    end = _mark(shown, source, match.end.line, match.end.col, is_end=True)
    return Window(
        items=shown,
        before=tuple(_shift(line, indent) for line in _around(source, shown[0].first - _BEFORE, shown[0].first)),
        after=tuple(_shift(line, indent) for line in _around(source, shown[-1].last + 1, shown[-1].last + 1 + _AFTER)),
        uses=uses_of(tree, source.lines, [item.text for item in shown], (shown[0].first, _BEFORE)) if tree else (),
        start=start,
        # What lies wholly between two items (in the body of a `try`) is marked as nothing.
        end=max(start, end, key=lambda mark: (mark.item, mark.col)),
        indent=indent,
    )


def _parse(source: Source) -> ast.Module | None:
    if "\r" in source.text.replace("\r\n", ""):
        return None  # A lone carriage return ends a line for Python and not for git: its line numbers are not ours.
    try:
        return ast.parse(source.text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _target(tree: ast.Module, source: Source, match: Match) -> Node | None:
    def place(line: int, col: int) -> tuple[int, int]:
        return line, len(source.lines[line - 1][: col - 1].encode("utf-8", "surrogateescape"))

    return smallest_statement(tree, place(match.start.line, match.start.col), place(match.end.line, match.end.col))


def _items(source: Source, target: Node | None, first: int, last: int) -> list[Item]:
    """The numbered lines, not yet shifted; at most `MAX_ITEMS`, the flagged ones among them."""
    ranges: list[tuple[int, int, bool]] = []
    if target is None:
        ranges = [(line, line, False) for line in range(first, last + 1)]
    else:
        head = header_lines(target)
        ranges = [(line, line, False) for line in range(head[0], head[1] + 1)]
        ranges += _docstring(target)
        ranges += _idle_body(target)
        for part in (*getattr(target, "handlers", ()), *getattr(target, "cases", ())):
            start, end = header_lines(part)
            ranges += [(line, line, False) for line in range(start, end + 1)]
    if len(ranges) > MAX_ITEMS:
        around = next((n for n, (start, _end, _fixed) in enumerate(ranges) if start >= first), 0)
        begin = max(0, min(around - MAX_ITEMS // 3, len(ranges) - MAX_ITEMS))
        ranges = ranges[begin : begin + MAX_ITEMS]
    return [Item(_short(source, *each), *each) for each in ranges]


def _docstring(target: Node) -> list[tuple[int, int, bool]]:
    if not isinstance(target, ast.FunctionDef | ast.AsyncFunctionDef):
        return []
    node = target.body[0]
    is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    is_docstring = is_docstring and isinstance(node.value.value, str)  # type: ignore[attr-defined]
    first, last = extent(node)
    return [(first, last, True)] if is_docstring and first > header_lines(target)[1] else []


def _idle_body(target: Node) -> list[tuple[int, int, bool]]:
    """The line of an exception handler that does nothing: the proof lets a fix report the error there."""
    if not isinstance(target, ast.ExceptHandler):
        return []
    first = target.body[0]
    if not is_idle(first) and not isinstance(first, ast.Continue):
        return []
    line = first.lineno
    return [(line, line, False)] if line > header_lines(target)[1] else []


def _short(source: Source, first: int, last: int, is_fixed: bool) -> str:
    text = source.lines[first - 1].rstrip("\r\n")
    if not is_fixed:
        return text
    quotes = text.lstrip()[:3]
    return _indent_of(text) + (f"{quotes}...{quotes}" if quotes in ('"""', "'''") else '"""..."""')


def _around(source: Source, first: int, stop: int) -> list[str]:
    """The lines `first`..`stop - 1` that exist, without blank ones at the far ends."""
    return [line.rstrip("\r\n") for line in source.lines[max(first, 1) - 1 : max(stop - 1, 0)] if line.strip()]


def _indent_of(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def _shift(line: str, indent: str) -> str:
    return line[len(indent) :] if line.startswith(indent) else line.lstrip(" \t")


def _removed(line: str, item: Item) -> str:
    """The indentation of a line of the file that its item is shown without."""
    return line[: max(len(line.rstrip("\r\n")) - len(item.text), 0)]


def _mark(items: tuple[Item, ...], source: Source, line: int, col: int, *, is_end: bool) -> Mark:
    """The place of a file position (1-based line and column) in the window, or the nearest one."""
    for number, item in enumerate(items):
        if item.first <= line <= item.last:
            hidden = len(_removed(source.lines[line - 1], item))
            return Mark(number, min(max(col - 1 - hidden, 0), len(item.text)))
        if item.first > line:
            return Mark(max(number - 1, 0), len(items[max(number - 1, 0)].text)) if is_end else Mark(number, 0)
    return Mark(len(items) - 1, len(items[-1].text))


def _lines(text: str) -> list[str]:
    return [line.rstrip("\n") for line in split_lines(text.rstrip("\n"))] if text.strip() else []


def changes_of(window: Window, old: Sequence[str], new: Sequence[str]) -> tuple[Change, ...] | None:
    """The changes that turn the file's lines `old` into `new`, to the letter.

    None where they don't all lie in the window, or an answer can't say them: a line of white space, another line end,
    an empty line in place of a statement.
    """
    wanted: dict[int, Change] = {}
    for tag, i, j, k, m in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        if tag == "insert":
            changed = _insertion(window, i, new[k:m])
        else:
            changed = _replacement(window, old, range(i + 1, j + 1), new[k:m])
        if changed is None or wanted.keys() & {change.item for change in changed}:
            return None
        wanted.update((change.item, change) for change in changed)
    changes = tuple(wanted[item] for item in sorted(wanted))
    return changes if _changed(window, old, changes) == "".join(new) else None


def _changed(window: Window, old: Sequence[str], changes: tuple[Change, ...]) -> str:
    """The file's text after the changes."""
    is_crlf = sum(line.endswith("\r\n") for line in old) * 2 > sum(line.endswith("\n") for line in old)
    result = list(old)
    for change in changes[::-1]:
        item = window.items[change.item]
        result[item.first - 1 : item.last] = [window.replacement(old, "\r\n" if is_crlf else "\n", change)]
    return "".join(result)


def _insertion(window: Window, above: int, new: Sequence[str]) -> list[Change] | None:
    """New lines after the file's line `above`."""
    texts = [_shift(line.rstrip("\r\n"), window.indent) for line in new]
    for number, item in enumerate(window.items):
        if item.last == above:
            return [Change(number, "\n".join(texts), keep=True)]
        if number == 0 and item.first == above + 1 and not item.is_fixed:
            return [Change(0, "\n".join([*texts, item.text]))]
    return None


def _replacement(window: Window, old: Sequence[str], lines: range, new: Sequence[str]) -> list[Change] | None:
    """New lines in place of the `lines`: line by line where the numbers agree, else all in place of the first."""
    numbers = {item.first: n for n, item in enumerate(window.items) if not item.is_fixed}
    if not all(line in numbers for line in lines):
        return None
    indents = [_removed(old[line - 1], window.items[numbers[line]]) for line in lines]
    if len(new) != len(lines):
        text = "\n".join(_shift(line.rstrip("\r\n"), indents[0]) for line in new)
        texts = [text] + [""] * (len(lines) - 1)
    else:
        texts = [_shift(line.rstrip("\r\n"), indent) for line, indent in zip(new, indents, strict=True)]
    return [Change(numbers[line], text) for line, text in zip(lines, texts, strict=True)]
