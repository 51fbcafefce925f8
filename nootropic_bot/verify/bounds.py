"""The check `bounded`: a fix changes the statement; it does not delete, hide or rewrite it beyond recognition."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from nootropic_bot.comments import comments_of
from nootropic_bot.records import Check
from nootropic_bot.statements import Node
from nootropic_bot.verify.case import Case
from nootropic_bot.verify.kept import lost_part
from nootropic_bot.verify.meaning import changed_meaning
from nootropic_bot.verify.trees import Region, changed_nodes, fills_handler

# What a fix may not bring in: ways to reach a function without naming it.
_EVASIONS = frozenset(
    {
        *("__import__", "__builtins__", "compile", "eval", "exec", "getattr"),
        *("globals", "importlib", "locals", "setattr", "vars"),
    }
)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_MAX_GROWTH = 4
_GROWTH_ALLOWANCE = 80
_MIN_KEPT = 0.34
# Of fewer parts than this, one word is a large share (`raise error` → `raise`).
_SMALL = 8


def bounded_check(case: Case) -> Check:
    """The check as a whole."""
    problem = _deletion(case.regions) or _evasion(case) or _size_problem(case.regions)
    # A rule's own fix was read by the rule's author; what a model writes nobody has read yet.
    if case.proposal.source != "rule":
        problem = problem or _stowaway(case.regions) or lost_part(case) or changed_meaning(case)
    if not case.regions:
        problem = "it changes no code"
    problem = problem or _lost_comment(case)
    return Check("bounded", "failed", problem) if problem else Check("bounded", "passed")


def _deletion(regions: Sequence[Region]) -> str | None:
    for region in regions:
        if region.before and not region.after:
            return "it deletes the statement"
        did_something = not all(_does_nothing(node) for node in region.before)
        if did_something and not region.header and all(_does_nothing(node) for node in region.after):
            return "it replaces the statement by nothing"
    old, new = changed_nodes(regions, after=False), changed_nodes(regions, after=True)
    data = {name for node in old for name in _data_names(node)}
    names = [child for node in new for child in ast.walk(node) if isinstance(child, ast.Name)]
    kept, used = {name.id for name in names}, {name.id for name in names if not isinstance(name.ctx, ast.Store)}
    stored = {c.id for node in old for c in ast.walk(node) if isinstance(c, ast.Name) and isinstance(c.ctx, ast.Store)}
    if data and not data & used:
        return f"nothing is left of {', '.join(f'`{name}`' for name in sorted(data)[:3])}"
    if stored - kept:
        return f"`{min(stored - kept)}` is no longer assigned"
    return None


def _lost_comment(case: Case) -> str | None:
    for edit in case.trimmed:
        if "#" not in "".join(case.source.lines[edit.start_line - 1 : edit.end_line]):
            continue
        for line, comment in comments_of(case.source.text).items():
            if edit.start_line <= line <= edit.end_line and comment not in edit.replacement:
                return f"the comment on line {line} is lost"
    return None


def _does_nothing(node: Node) -> bool:
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _data_names(node: ast.AST) -> Iterator[str]:
    """Names that are passed as positional arguments: what the statement works on."""
    called = {_root(call.func) for call in ast.walk(node) if isinstance(call, ast.Call)}
    arguments = [a for call in ast.walk(node) if isinstance(call, ast.Call) for a in call.args]
    for argument in arguments:
        for child in ast.walk(argument):
            if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Load) and child.id not in called:
                yield child.id


def _root(node: ast.AST) -> str | None:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _evasion(case: Case) -> str | None:
    tree = case.before.tree
    known = {name for region in case.regions for name in _ways_around(tree, region, after=False)}
    hidden = {name for region in case.regions for name in _ways_around(tree, region, after=True)} - known
    if hidden:
        return f"it brings in `{min(hidden)}`"
    calls = (child for node in changed_nodes(case.regions, after=True) for child in ast.walk(node))
    if any(isinstance(call, ast.Call) and isinstance(call.func, ast.Lambda) for call in calls):
        return "it calls a function without a name"
    return None


def _ways_around(tree: ast.Module, region: Region, *, after: bool) -> set[str]:
    """The evasions that one side of a region names. A parameter, where it is one, is no more than that."""
    found: set[str] = set()
    pending: list[tuple[ast.AST, frozenset[str]]]
    pending = [(node, frozenset()) for node in changed_nodes([region], after=after)]
    while pending:
        node, parameters = pending.pop()
        if isinstance(node, ast.Name) and node.id not in parameters:
            found.add(node.id)
        body: list[ast.AST] = []
        inside = parameters
        if isinstance(node, _FUNCTIONS):  # Its defaults and decorators don't know its parameters.
            body = [node.body] if isinstance(node, ast.Lambda) else [*node.body]
            inside = parameters | _parameters(node)
        pending += [(child, inside if child in body else parameters) for child in ast.iter_child_nodes(node)]
    found &= _EVASIONS
    if found:
        for function in (node for node in ast.walk(tree) if isinstance(node, _FUNCTIONS)):
            if any(child is region.parent for child in ast.walk(function)):
                found -= _parameters(function)
    return found


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> set[str]:
    """Its own: not those of a lambda in a default."""
    args = function.args
    rest = [each for each in (args.vararg, args.kwarg) if each is not None]
    return {each.arg for each in (*args.posonlyargs, *args.args, *args.kwonlyargs, *rest)}


def _stowaway(regions: Sequence[Region]) -> str | None:
    """A statement beside the fixed one that does something of its own: a call, or an import where no import was."""
    for region in regions:
        if fills_handler(region):
            continue
        idle = sum(1 for node in region.before if _does_nothing(node))
        for kind, name in ((ast.Expr, "a call"), ((ast.Import, ast.ImportFrom), "an import")):
            before = sum(1 for node in region.before if isinstance(node, kind))
            if sum(1 for node in region.after if isinstance(node, kind)) > before + idle:
                return f"it adds {name} beside the statement"
    return None


def _size_problem(regions: Sequence[Region]) -> str | None:
    old = sum(1 for node in changed_nodes(regions, after=False) for _ in ast.walk(node))
    new = sum(1 for node in changed_nodes(regions, after=True) for _ in ast.walk(node))
    if old >= _SMALL and new < old * _MIN_KEPT:
        return f"it keeps {new} of {old} parts of the statement"
    if new > old * _MAX_GROWTH + _GROWTH_ALLOWANCE:
        return f"it makes {new} parts of {old}"
    return None
