"""When a part of a statement runs: once, as often as the statement; now and then; or later than it looks."""

from __future__ import annotations

import ast
from collections.abc import Iterator

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
# What these give reads from what they were given only when it is read itself.
_LAZY = frozenset(
    {
        *("map", "filter", "zip", "enumerate", "iter", "reversed", "islice", "chain", "takewhile", "dropwhile"),
        *("reader", "DictReader", "TextIOWrapper", "iterparse"),
    }
)


def parts_that_run_once(statement: ast.AST) -> Iterator[ast.AST]:
    """The statement and what runs exactly once each time it does: no branch, no loop's body, no function's."""
    pending = [statement]
    while pending:
        node = pending.pop()
        yield node
        if isinstance(node, ast.Lambda):
            continue
        if isinstance(node, ast.IfExp):
            pending.append(node.test)
        elif isinstance(node, ast.BoolOp):
            pending.append(node.values[0])
        elif isinstance(node, _COMPREHENSIONS):
            pending.append(node.generators[0].iter)
        else:
            pending += [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.stmt)]


def is_same_call(one: ast.Call, other: ast.Call) -> bool:
    """Whether two calls call the same with the same arguments by position; keywords are not compared."""
    parts = ([call.func, *call.args] for call in (one, other))
    before, after = ([ast.dump(part) for part in each] for each in parts)
    return before == after


def is_lazy(node: ast.AST | None) -> bool:
    """Whether this gives what is read only later: a generator, a reader, a map."""
    if isinstance(node, ast.GeneratorExp):
        return True
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return name in _LAZY
