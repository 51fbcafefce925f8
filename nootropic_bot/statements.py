"""Statements of Python files: where they start and end, and which is the smallest around a place."""

from __future__ import annotations

import ast

Node = ast.stmt | ast.ExceptHandler | ast.match_case | ast.Module
BLOCKS = ("body", "handlers", "orelse", "finalbody", "cases")


def extent(node: Node) -> tuple[int, int]:
    """First and last line of a statement, decorators included."""
    if isinstance(node, ast.Module):
        return 1, max((extent(child)[1] for child in node.body), default=1)
    if isinstance(node, ast.match_case):
        first = node.pattern.lineno
        return first, extent(node.body[-1])[1]
    first = node.lineno
    for decorator in getattr(node, "decorator_list", ()):
        first = min(first, decorator.lineno)
    return first, node.end_lineno or node.lineno


def is_compound(node: Node) -> bool:
    """Whether it holds blocks of other statements."""
    return any(getattr(node, name, None) for name in BLOCKS)


def is_idle(node: Node) -> bool:
    """Whether it is there because a block needs a statement: `pass`, or `...`."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return node.value.value is ...
    return isinstance(node, ast.Pass)


def smallest_statement(tree: ast.Module, start: tuple[int, int], end: tuple[int, int]) -> Node | None:
    """The innermost statement, exception handler or case around a range of (line, byte column, 0-based)."""
    found: Node | None = None
    pending: list[Node] = list(tree.body)
    while pending:
        node = pending.pop()
        first, last = extent(node)
        if not first <= start[0] <= end[0] <= last:
            continue
        if not isinstance(node, ast.match_case | ast.Module) and first == node.lineno:
            inside = (first, node.col_offset) <= start and end <= (last, node.end_col_offset or 0)
            if not inside:
                continue
        found = node
        pending = [child for name in BLOCKS for child in getattr(node, name, None) or []]
    return found


def header_lines(node: Node) -> tuple[int, int]:
    """First and last line of a statement's head; all of a simple statement."""
    first, last = extent(node)
    if not is_compound(node):
        return first, last
    body: list[Node] = getattr(node, "body", None) or getattr(node, "cases", None) or []
    below = extent(body[0])[0]
    return first, max(below - 1, first, _end_of_expressions(node))


def _end_of_expressions(node: Node) -> int:
    """The last line of what stands in a head; the body may begin on it."""
    blocks = {id(child) for name in BLOCKS for child in getattr(node, name, None) or []}
    heads = [child for child in ast.iter_child_nodes(node) if id(child) not in blocks]
    return max((getattr(part, "end_lineno", None) or 0 for head in heads for part in ast.walk(head)), default=0)
