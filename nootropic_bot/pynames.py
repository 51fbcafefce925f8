"""Names in Python source: which are read, which are bound, and where imports bind them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from nootropic_bot.records import Edit
from nootropic_bot.source import Source

_IDENTIFIER = re.compile(r"[^\W\d]\w*")


def used_names(tree: ast.AST) -> set[str]:
    """Names that are read somewhere."""
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def bound_names(tree: ast.AST, *, imports: bool = True) -> set[str]:
    """Names that anything in the module binds, in whatever scope; import statements count if `imports`."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.alias) and imports:
            names.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            names.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            names.add(node.rest)
    return names


# Constructors of the standard library whose objects can be changed.
_CHANGEABLE = frozenset(
    ("list", "dict", "set", "bytearray", "deque", "defaultdict", "Counter", "OrderedDict", "ChainMap", "array")
)


def is_changeable(node: ast.expr) -> bool:
    """Whether an expression makes a new object that can be changed: a list, a dict, a set or their like."""
    if isinstance(node, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp):
        return True
    if isinstance(node, ast.BinOp):
        return is_changeable(node.left) or is_changeable(node.right)
    return isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2] in _CHANGEABLE


def dotted(node: ast.AST) -> str:
    """`a.b.c` of names and attributes; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inner = dotted(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    return ""


def runtime_imports(tree: ast.Module) -> Iterator[ast.Import | ast.ImportFrom]:
    """Import statements at module level, in `if` and `try` too, but not those for type checkers only."""
    pending: list[ast.stmt] = list(tree.body)
    while pending:
        node = pending.pop(0)
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and "TYPE_CHECKING" not in ast.dump(node.test):
            pending += [*node.body, *node.orelse]
        elif isinstance(node, ast.Try):
            pending += [*node.body, *node.orelse, *node.finalbody]
            pending += [each for handler in node.handlers for each in handler.body]


def imported_names(statement: ast.Import | ast.ImportFrom) -> dict[str, str]:
    """The names that an import binds, each with what it stands for (`os` or `ast.literal_eval`)."""
    if isinstance(statement, ast.Import):
        return {a.asname or a.name.split(".")[0]: a.name if a.asname else a.name.split(".")[0] for a in statement.names}
    module = "." * statement.level + (statement.module or "")
    return {a.asname or a.name: f"{module}.{a.name}" for a in statement.names}


def new_names(source: Source, edits: Iterable[Edit]) -> set[str]:
    """Identifiers that the edits bring into their lines; what was there came from the author, not from the fix."""
    found: set[str] = set()
    for edit in edits:
        old = "".join(source.lines[edit.start_line - 1 : edit.end_line])
        found |= set(_IDENTIFIER.findall(edit.replacement)) - set(_IDENTIFIER.findall(old))
    return found
