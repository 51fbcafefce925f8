"""What a file says of the names in a few of its lines: imports, the logger, the exception handler around them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

_MAX_USES = 4
# Which placeholder a query takes depends on the database's driver (PEP 249, `paramstyle`), wherever it is imported.
_EXECUTES = frozenset({"execute", "executemany", "executescript"})
_DRIVERS = frozenset(
    {"sqlite3", "aiosqlite", "psycopg", "psycopg2", "pymysql", "MySQLdb", "mysql", "oracledb", "asyncpg"}
)


def uses_of(tree: ast.Module, lines: Sequence[str], texts: Iterable[str], place: tuple[int, int]) -> tuple[str, ...]:
    """How a file gets the names that occur in some lines of it: imports, its logger, and what handler they stand in.

    Args:
        tree: the file, parsed.
        lines: the file's lines.
        texts: the lines in question.
        place: the number of the first of them (1-based), and how many lines before it are known anyway.
    """
    words = {word for text in texts for word in _words(text)}
    if words & _EXECUTES:
        words |= _DRIVERS
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            found += _import_lines(node, words)
    found = [*_loggers(tree), *_handler_heads(tree, lines, *place), *found]
    return tuple(dict.fromkeys(found))[:_MAX_USES]


def _import_lines(node: ast.Import | ast.ImportFrom, words: set[str]) -> Iterator[str]:
    """The parts of an import statement that bind one of the words, each as a statement of one line."""
    for alias in node.names:
        bound = alias.asname or alias.name.partition(".")[0]
        if bound in words:
            name = f"{alias.name} as {alias.asname}" if alias.asname else alias.name
            source = "." * node.level + (node.module or "") if isinstance(node, ast.ImportFrom) else ""
            yield f"from {source} import {name}" if source else f"import {name}"


def _handler_heads(tree: ast.Module, lines: Sequence[str], line: int, known: int) -> Iterator[str]:
    """The head of the innermost exception handler around a line, unless it is among the `known` lines before it."""
    around = [n for n in ast.walk(tree) if isinstance(n, ast.ExceptHandler) and n.lineno < line <= (n.end_lineno or 0)]
    inner = max(around, key=lambda handler: handler.lineno, default=None)
    if inner is not None and inner.lineno < line - known:
        yield lines[inner.lineno - 1].strip()


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
