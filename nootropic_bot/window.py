"""The part of a file that a model is shown for one finding, and the way back from its answer to edits.

A window is the smallest statement around the finding (of a compound one: its head, the heads of its handlers, and its
docstring in short), in numbered lines, with a few lines before and after and what the file says of the names in it.
Everything is shifted to the left by the statement's own indentation, so a model never has to count white space. It is
what the proof allows a fix to change (docs/decisions/0004-scope-of-a-fix.md), so no answer inside it is out of scope.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nootropic_bot.records import Edit, Match
from nootropic_bot.source import Source, split_lines
from nootropic_bot.statements import Node, extent, header_lines, smallest_statement

MAX_ITEMS = 20
_BEFORE, _AFTER, _MAX_USES = 3, 2, 4
# Which placeholder a query takes depends on the database's driver (PEP 249, `paramstyle`), wherever it is imported.
_EXECUTES = frozenset({"execute", "executemany", "executescript"})
_DRIVERS = frozenset(
    {"sqlite3", "aiosqlite", "psycopg", "psycopg2", "pymysql", "MySQLdb", "mysql", "oracledb", "asyncpg"}
)


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
    """One change that a model wants: `text` replaces the item (0-based), or follows it if `keep`; `""` deletes it."""

    item: int
    text: str
    keep: bool = False


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
            wanted[change.item] = change
        return tuple(self._edit(source, self.items[n], wanted[n]) for n in sorted(wanted))

    def _edit(self, source: Source, item: Item, change: Change) -> Edit:
        new = "".join((self.indent + line if line.strip() else line) + source.newline for line in _lines(change.text))
        old = "".join(source.lines[item.first - 1 : item.last])
        is_open = not old.endswith("\n")  # The last line of a file without a line end.
        if change.keep:
            new = (old + source.newline if is_open else old) + new
        return Edit(source.path, item.first, item.last, new.removesuffix(source.newline) if is_open else new)


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
    return Window(
        items=shown,
        before=tuple(_shift(line, indent) for line in _around(source, shown[0].first - _BEFORE, shown[0].first)),
        after=tuple(_shift(line, indent) for line in _around(source, shown[-1].last + 1, shown[-1].last + 1 + _AFTER)),
        uses=_uses(tree, source, shown) if tree is not None else (),
        start=_mark(shown, indent, first, match.start.col, is_end=False),
        end=_mark(shown, indent, match.end.line, match.end.col, is_end=True),
        indent=indent,
    )


def _parse(source: Source) -> ast.Module | None:
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
    return [(first, last, True)] if is_docstring and first > header_lines(target)[0] else []


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


def _mark(items: tuple[Item, ...], indent: str, line: int, col: int, *, is_end: bool) -> Mark:
    """The place of a file position (1-based line and column) in the window, or the nearest one."""
    for number, item in enumerate(items):
        if item.first <= line <= item.last:
            return Mark(number, min(max(col - 1 - len(indent), 0), len(item.text)))
        if item.first > line:
            return Mark(max(number - 1, 0), len(items[max(number - 1, 0)].text)) if is_end else Mark(number, 0)
    return Mark(len(items) - 1, len(items[-1].text))


def _uses(tree: ast.Module, source: Source, items: tuple[Item, ...]) -> tuple[str, ...]:
    """How the file gets the names that occur in the items: import statements, and its logger, if it has one."""
    words = {word for item in items for word in _words(item.text)}
    if words & _EXECUTES:
        words |= _DRIVERS
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            found += _import_lines(node, words)
    found = [*_loggers(tree), *_handler_heads(tree, source, items[0].first), *found]
    return tuple(dict.fromkeys(found))[:_MAX_USES]


def _import_lines(node: ast.Import | ast.ImportFrom, words: set[str]) -> Iterator[str]:
    """The parts of an import statement that bind one of the words, each as a statement of one line."""
    for alias in node.names:
        bound = alias.asname or alias.name.partition(".")[0]
        if bound in words:
            name = f"{alias.name} as {alias.asname}" if alias.asname else alias.name
            source = "." * node.level + (node.module or "") if isinstance(node, ast.ImportFrom) else ""
            yield f"from {source} import {name}" if source else f"import {name}"


def _handler_heads(tree: ast.Module, source: Source, line: int) -> Iterator[str]:
    """The head of the innermost exception handler around a line, unless it stands among the lines shown before it."""
    around = [n for n in ast.walk(tree) if isinstance(n, ast.ExceptHandler) and n.lineno < line <= (n.end_lineno or 0)]
    inner = max(around, key=lambda handler: handler.lineno, default=None)
    if inner is not None and inner.lineno < line - _BEFORE:
        yield source.lines[inner.lineno - 1].strip()


def _loggers(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and isinstance(node.targets[0], ast.Name):
            called = node.value.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name in ("getLogger", "get_logger"):
                yield f"{node.targets[0].id} = {name}()"
                return


def _words(text: str) -> Iterator[str]:
    word = ""
    for char in text + " ":
        if char.isidentifier() or (word and char.isalnum()):
            word += char
        elif word:
            yield word
            word = ""


def _lines(text: str) -> list[str]:
    return [line.rstrip("\n") for line in split_lines(text.rstrip("\n"))] if text.strip() else []


def changes_of(window: Window, old: Sequence[str], new: Sequence[str]) -> tuple[Change, ...] | None:
    """The changes that turn the file's lines `old` into `new`; None where they don't all lie in the window."""
    wanted: dict[int, Change] = {}
    for tag, i, j, k, m in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        texts = [_shift(line.rstrip("\r\n"), window.indent) for line in new[k:m]]
        changed = _insertion(window, i, texts) if tag == "insert" else _replacement(window, range(i + 1, j + 1), texts)
        if changed is None or wanted.keys() & {change.item for change in changed}:
            return None
        wanted.update((change.item, change) for change in changed)
    return tuple(wanted[item] for item in sorted(wanted))


def _insertion(window: Window, above: int, texts: list[str]) -> list[Change] | None:
    """New lines after the file's line `above`."""
    for number, item in enumerate(window.items):
        if item.last == above:
            return [Change(number, "\n".join(texts), keep=True)]
        if number == 0 and item.first == above + 1:
            return [Change(0, "\n".join([*texts, item.text]))]
    return None


def _replacement(window: Window, lines: range, texts: list[str]) -> list[Change] | None:
    """New lines in place of the `lines`: line by line where the numbers agree, else all in place of the first."""
    numbers = {item.first: n for n, item in enumerate(window.items) if not item.is_fixed}
    if not all(line in numbers for line in lines):
        return None
    if len(texts) != len(lines):
        texts = ["\n".join(texts)] + [""] * (len(lines) - 1)
    return [Change(numbers[line], text) for line, text in zip(lines, texts, strict=True)]
