"""Where two versions of a Python file differ, statement by statement.

Statements outside the edited lines are compared by kind and place, which is cheap and enough: the same text at the
same (shifted) place with the same extent is the same statement. Inside, the trees themselves are compared.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nootropic_bot.diff import LineRanges, meets
from nootropic_bot.statements import BLOCKS, Node, extent, is_compound, is_idle


@dataclass(frozen=True, slots=True)
class Region:
    """A difference: these statements of a block became those. `header`: only the head of one compound statement."""

    before: tuple[Node, ...]
    after: tuple[Node, ...]
    parent: Node
    index: int
    header: bool = False


@dataclass(frozen=True, slots=True)
class Side:
    """One version: its tree, the lines that were edited in it, and how its lines map to a common count."""

    tree: ast.Module
    edited: LineRanges
    shifts: tuple[tuple[int, int], ...] = ()

    def place(self, line: int) -> int:
        """A line outside the edits, as a line of the other version."""
        return line + sum(delta for last, delta in self.shifts if line > last)


def differences(before: Side, after: Side) -> list[Region]:
    """All regions in which two versions differ, outermost statement lists first."""
    return list(_compare(before, after, before.tree, after.tree))


def _compare(before: Side, after: Side, one: Node, other: Node) -> Iterator[Region]:
    for name in BLOCKS:
        old: list[Node] = getattr(one, name, None) or []
        new: list[Node] = getattr(other, name, None) or []
        yield from _compare_blocks(before, after, one, (old, new))


def _compare_blocks(before: Side, after: Side, parent: Node, blocks: tuple[list[Node], list[Node]]) -> Iterator[Region]:
    old, new = blocks
    if isinstance(parent, ast.Module):
        fresh = _fresh_imports(after, old, new)
        if fresh:
            yield Region((), tuple(fresh), parent, new.index(fresh[0]))
            new = [node for node in new if node not in fresh]
            old = [node for node in old if not any(_is_widened(node, by) for by in fresh)]
    keys_old, keys_new = [_key(before, node) for node in old], [_key(after, node) for node in new]
    if keys_old == keys_new:
        return
    matcher = difflib.SequenceMatcher(None, keys_old, keys_new, autojunk=False)
    for tag, i, j, k, m in matcher.get_opcodes():
        if tag == "equal":
            continue
        pairs = list(zip(old[i:j], new[k:m], strict=False))
        if j - i == m - k and all(type(a) is type(b) and is_compound(a) for a, b in pairs):
            for offset, (a, b) in enumerate(pairs):
                if _header_dump(a) != _header_dump(b):
                    yield Region((a,), (b,), parent, i + offset, header=True)
                yield from _compare(before, after, a, b)
        else:
            yield Region(tuple(old[i:j]), tuple(new[k:m]), parent, i)


def _fresh_imports(after: Side, old: Sequence[Node], new: Sequence[Node]) -> list[Node]:
    """Import statements that only the new side has; set apart, they don't blur the comparison of their neighbours."""
    known = {ast.dump(node) for node in old if isinstance(node, ast.Import | ast.ImportFrom)}
    imports = [node for node in new if isinstance(node, ast.Import | ast.ImportFrom)]
    return [node for node in imports if meets(after.edited, *extent(node)) and ast.dump(node) not in known]


def _is_widened(one: Node, other: Node) -> bool:
    """Whether `from module import …` became the `other`, which imports the same names and more."""
    if not isinstance(one, ast.ImportFrom) or not isinstance(other, ast.ImportFrom):
        return False
    names = {(alias.name, alias.asname) for alias in one.names}
    more = {(alias.name, alias.asname) for alias in other.names}
    return (one.module, one.level) == (other.module, other.level) and names < more


def _key(side: Side, node: Node) -> tuple[object, ...]:
    first, last = extent(node)
    if meets(side.edited, first, last):
        return ("edited", ast.dump(node))
    return (type(node).__name__, side.place(first), side.place(last))


def _header_dump(node: Node) -> str:
    """The tree of a compound statement without its blocks."""
    fields = [(name, value) for name, value in ast.iter_fields(node) if name not in BLOCKS]
    return repr([(name, _dump(value)) for name, value in fields])


def _dump(value: object) -> object:
    if isinstance(value, ast.AST):
        return ast.dump(value)
    return [_dump(item) for item in value] if isinstance(value, list) else value


def header_nodes(node: Node) -> list[ast.AST]:
    """What a compound statement's head is made of, or a simple statement itself."""
    if not is_compound(node):
        return [node]
    found: list[ast.AST] = []
    for name, value in ast.iter_fields(node):
        if name not in BLOCKS:
            values: Sequence[object] = value if isinstance(value, list) else [value]
            found += [item for item in values if isinstance(item, ast.AST)]
    return found


# What a call that reports an error is called: the methods of `logging.Logger`, and `warnings.warn`.
_REPORTS = frozenset({"debug", "info", "warning", "warn", "error", "exception", "critical", "log"})


def fills_handler(region: Region) -> bool:
    """Whether the body of an exception handler that did nothing now reports the error, or reports it first."""
    if not isinstance(region.parent, ast.ExceptHandler) or region.header or region.index != 0 or not region.after:
        return False
    return all(is_idle(node) for node in region.before) and all(_is_report(node) for node in region.after)


def _is_report(node: Node) -> bool:
    """A call on `logging`, `warnings` or something that is called a log."""
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
        return False
    called = node.value.func
    if not isinstance(called, ast.Attribute) or called.attr not in _REPORTS:
        return False
    receiver = ast.unparse(called.value).rpartition(".")[2].lower()
    return "log" in receiver or receiver == "warnings"


def changed_nodes(regions: Sequence[Region], *, after: bool) -> list[ast.AST]:
    """The syntax nodes on one side of the differences."""
    found: list[ast.AST] = []
    for region in regions:
        for node in region.after if after else region.before:
            found += header_nodes(node) if region.header else [node]
    return found


def names_in(regions: Sequence[Region], *, after: bool) -> set[str]:
    """The names that occur on one side of the differences."""
    names: set[str] = set()
    for node in changed_nodes(regions, after=after):
        names |= {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}
    return names
