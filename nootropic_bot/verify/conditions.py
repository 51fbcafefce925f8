"""Fixes that turn a condition round, guard the wrong default, raise something else, or no longer wait."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from nootropic_bot.statements import Node
from nootropic_bot.verify.case import Case
from nootropic_bot.verify.trees import Region, changed_nodes, header_nodes

# Comparisons that are made with a call now have no counterpart whose negations could be counted.
_TESTS = frozenset({"isclose", "isnan", "abs"})
_WAITING = (ast.Await, ast.AsyncFor, ast.AsyncWith, ast.Yield, ast.YieldFrom)
_ABSENT = frozenset({"OSError", "IOError", "EnvironmentError", "FileNotFoundError"})
_BROAD = frozenset({"Exception", "BaseException"})


def changed_conditions(case: Case) -> str | None:
    """The first of these that a fix does, as a sentence."""
    old, new = changed_nodes(case.regions, after=False), changed_nodes(case.regions, after=True)
    for region in case.regions:
        problem = _turned(region) or _unguarded(region) or _other_statement(region)
        if problem:
            return problem
    problem = _other_exception(old, new) or _no_longer_waits(case.regions) or _same_twice(old, new)
    return problem or _wrong_cause(old, new, case.after.tree) or _new_tuple(case.regions) or _own_part(old, new)


def _new_tuple(regions: Sequence[Region]) -> str | None:
    """`a == b` that became `a, b`, which is always true."""
    if any(_tuples(region.after, region) > _tuples(region.before, region) for region in regions):
        return "it makes a tuple of a condition or value"
    return None


def _tuples(nodes: Sequence[Node], region: Region) -> int:
    """How many conditions and values of statements are tuples."""
    children = [child for node in nodes for child in ([node] if region.header else ast.walk(node))]
    values = [getattr(child, "test", None) for child in children]
    values += [child.value for child in children if isinstance(child, ast.Assign | ast.AnnAssign | ast.Return)]
    return sum(isinstance(value, ast.Tuple) for value in values)


def _own_part(old: Sequence[ast.AST], new: Sequence[ast.AST]) -> str | None:
    """A value that is put into a part of itself: `value.headers["X"] = value`."""
    before = {ast.dump(node) for node in _self_assignments(old)}
    for node in _self_assignments(new):
        if ast.dump(node) not in before:
            return f"it puts `{ast.unparse(node.value)}` into a part of itself"
    return None


def _self_assignments(nodes: Sequence[ast.AST]) -> Iterator[ast.Assign]:
    for node in nodes:
        for child in ast.walk(node):
            if isinstance(child, ast.Assign) and isinstance(child.value, ast.Name):
                parts = (target for target in child.targets if isinstance(target, ast.Attribute | ast.Subscript))
                if any(_is_name(_root(part), child.value.id) for part in parts):
                    yield child


def _root(node: ast.expr) -> ast.expr:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node


def _wrong_cause(old: Sequence[ast.AST], new: Sequence[ast.AST], tree: ast.Module) -> str | None:
    """A new `from` that names the exception itself, or something that no handler around it caught."""
    before = {cause.id for _raise, cause in _causes(old)}
    handlers = [node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler)]
    for statement, cause in _causes(new):
        if isinstance(statement.exc, ast.Name) and statement.exc.id == cause.id:
            return "it makes an exception its own cause"
        around = (handler for handler in handlers if any(child is statement for child in ast.walk(handler)))
        if cause.id not in before | {handler.name for handler in around}:
            return f"no handler caught `{cause.id}`, which it makes the cause"
    return None


def _causes(nodes: Sequence[ast.AST]) -> Iterator[tuple[ast.Raise, ast.Name]]:
    """Statements that raise something from a name."""
    for node in nodes:
        for child in ast.walk(node):
            if isinstance(child, ast.Raise) and isinstance(child.cause, ast.Name):
                yield child, child.cause


def _turned(region: Region) -> str | None:
    """A condition that became its opposite, told by one `not` more or less."""
    before, after = (_sides(side, region) for side in (region.before, region.after))
    has_new_test = _count(after, ast.IfExp) != _count(before, ast.IfExp) or bool(_called(after) & _TESTS)
    is_same_kind = [type(node) for node in region.before] == [type(node) for node in region.after]
    is_assertion = _is(region.before, ast.Assert) and _is(region.after, ast.If) and _raises(region.after)
    is_odd = (sum(map(_negations, before)) - sum(map(_negations, _tests(after, is_assertion)))) % 2 == 1
    if (is_same_kind and is_odd and not has_new_test) or (is_assertion and not is_odd):
        return "it turns a condition round"
    return None


def _sides(nodes: Sequence[Node], region: Region) -> list[ast.AST]:
    return [part for node in nodes for part in (header_nodes(node) if region.header else [node])]


def _tests(nodes: Sequence[ast.AST], is_assertion: bool) -> Sequence[ast.AST]:
    """Of an `if` that stands for an assertion, its condition alone."""
    return [node.test for node in nodes if isinstance(node, ast.If)] if is_assertion else nodes


def _is(nodes: Sequence[ast.AST], kind: type[ast.AST]) -> bool:
    return len(nodes) == 1 and isinstance(nodes[0], kind)


def _raises(nodes: Sequence[Node]) -> bool:
    return any(isinstance(child, ast.Raise) for node in nodes for child in ast.walk(node))


def _count(nodes: Sequence[ast.AST], *kinds: type[ast.AST]) -> int:
    return sum(isinstance(child, kinds) for node in nodes for child in ast.walk(node))


def _called(nodes: Sequence[ast.AST]) -> set[str]:
    """The last names of what is called."""
    calls = (child.func for node in nodes for child in ast.walk(node) if isinstance(child, ast.Call))
    return {f.attr if isinstance(f, ast.Attribute) else f.id for f in calls if isinstance(f, ast.Attribute | ast.Name)}


def _negations(node: ast.AST) -> int:
    """How often something is said not to be; a comparison with what counts as false is one of the ways.

    `<=` is the negation of `>`, and `>=` that of `<`.
    """
    count = 0
    for child in ast.walk(node):
        if isinstance(child, ast.UnaryOp):
            count += isinstance(child.op, ast.Not)
        elif isinstance(child, ast.Compare):
            kinds = ast.NotEq | ast.IsNot | ast.NotIn | ast.LtE | ast.GtE
            count += sum(isinstance(op, kinds) for op in child.ops)
            pairs = zip(child.ops, (child.left, *child.comparators), child.comparators, strict=False)
            same = (pair[1:] for pair in pairs if isinstance(pair[0], ast.Eq | ast.NotEq | ast.Is | ast.IsNot))
            count += sum(any(map(_is_false, sides)) for sides in same)
    return count


def _is_false(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return node.value is not ... and not isinstance(node.value, float) and not node.value
    return isinstance(node, ast.List | ast.Tuple) and not node.elts


def _other_statement(region: Region) -> str | None:
    """A loop that runs once, or a check whose opposite now decides."""
    if _is(region.before, ast.While) and not _is(region.after, ast.While) and not _is(region.after, ast.For):
        return "it makes something else of a loop"
    if _is(region.before, ast.AugAssign) and _is(region.after, ast.Assign):
        before, after = region.before[0], region.after[0]
        assert isinstance(before, ast.AugAssign)
        assert isinstance(after, ast.Assign)
        target = ast.unparse(before.target)
        if target not in {ast.unparse(node) for node in ast.walk(after.value) if isinstance(node, ast.expr)}:
            return f"it replaces `{target}` instead of adding to it"
    if not (_is(region.before, ast.If) and _is(region.after, ast.With)):
        return None
    one, other = region.before[0], region.after[0]
    assert isinstance(one, ast.If)
    assert isinstance(other, ast.With)
    if _negations(one.test) % 2 or one.orelse:
        return "it runs what ran only where the check failed"
    wanted = one.test.values if isinstance(one.test, ast.BoolOp) and isinstance(one.test.op, ast.And) else []
    tests = [node.test for node in ast.walk(other) if isinstance(node, ast.If | ast.IfExp)]
    kept = {ast.dump(node) for test in tests for node in ast.walk(test)}
    lost = [node for node in wanted if not isinstance(node, ast.Call) and ast.dump(node) not in kept]
    if lost:
        return f"the condition `{ast.unparse(lost[0])}` is lost"
    called = [item.context_expr for item in other.items]
    handled = {n.id for call in called for n in ast.walk(call) if isinstance(n, ast.Name)}
    # What the check let pass over must not end the program now.
    if "suppress" in _called(called) and not handled & (_ABSENT | _BROAD):
        return "it does not handle that the file is not there"
    return None


def _unguarded(region: Region) -> str | None:
    """A default that became None, and a body that does not make the object where None is given."""
    for one, other in zip(region.before, region.after, strict=False):
        if not isinstance(one, _FUNCTION) or not isinstance(other, _FUNCTION):
            continue
        new = dict(_defaults(other))
        for name, default in _defaults(one):
            is_none = isinstance(new.get(name), ast.Constant) and ast.unparse(new[name]) == "None"
            if is_none and not isinstance(default, ast.Constant) and not _is_made(other, name):
                return f"nothing is made of `{name}` where it is None"
    return None


_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


def _defaults(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[str, ast.expr]]:
    """Parameters with their defaults."""
    arguments = [*function.args.posonlyargs, *function.args.args]
    defaults = function.args.defaults
    for argument, default in zip(arguments[len(arguments) - len(defaults) :], defaults, strict=True):
        yield argument.arg, default
    for argument, keyword in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True):
        if keyword is not None:
            yield argument.arg, keyword


def _is_made(function: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> bool:
    """Whether the body says what a parameter is where it is None."""
    for node in ast.walk(function):
        if isinstance(node, ast.If) and _asks_for_none(node.test, name):
            targets = [t for child in node.body if isinstance(child, ast.Assign) for t in child.targets]
            if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                return True
        if isinstance(node, ast.IfExp) and (_asks_for_none(node.test, name) or _asks_for_some(node.test, name)):
            return True
        if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or) and _is_name(node.values[0], name):
            return True
    return False


def _asks_for_none(test: ast.expr, name: str) -> bool:
    return isinstance(test, ast.Compare) and _is_name(test.left, name) and isinstance(test.ops[0], ast.Is)


def _asks_for_some(test: ast.expr, name: str) -> bool:
    return isinstance(test, ast.Compare) and _is_name(test.left, name) and isinstance(test.ops[0], ast.IsNot)


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _other_exception(old: Sequence[ast.AST], new: Sequence[ast.AST]) -> str | None:
    """Another class is raised: callers that handle the first one would not handle it."""
    one, other = _raised(old), _raised(new)
    if len(one) != 1 or len(other) != 1 or one == other or one[0] in _BROAD:
        return None
    if one[0] == "NotImplemented" or not re.match(r"(?:\w+\.)*[A-Z]", one[0]) or not other[0]:
        return None
    return f"it raises `{other[0]}` instead of `{one[0]}`"


def _raised(nodes: Sequence[ast.AST]) -> list[str]:
    found = [child.exc for node in nodes for child in ast.walk(node) if isinstance(child, ast.Raise) and child.exc]
    return [ast.unparse(each.func if isinstance(each, ast.Call) else each) for each in found]


def _no_longer_waits(regions: Sequence[Region]) -> str | None:
    """An `await`, `async` or `yield` less: a coroutine that never runs, a generator that is none."""
    sides = [[part for region in regions for part in _sides(s(region), region)] for s in (_before, _after)]
    heads = [[node for region in regions if region.header for node in s(region)] for s in (_before, _after)]
    before, after = (
        _count(side, *_WAITING) + sum(isinstance(node, _WAITING) for node in head)
        for side, head in zip(sides, heads, strict=True)
    )
    return "it no longer waits, or no longer yields" if after < before else None


def _before(region: Region) -> tuple[Node, ...]:
    return region.before


def _after(region: Region) -> tuple[Node, ...]:
    return region.after


def _same_twice(old: Sequence[ast.AST], new: Sequence[ast.AST]) -> str | None:
    """A call that is given the same thing twice, where it was not before: a comparison with itself."""
    if not any(map(_is_given_twice, _calls(old))):
        for call in _calls(new):
            if _is_given_twice(call):
                return f"`{ast.unparse(call.func)}` is given the same thing twice"
    return None


def _is_given_twice(call: ast.Call) -> bool:
    if isinstance(call.func, ast.Attribute) and call.func.attr == "format":
        return False
    given = [ast.dump(each) for each in call.args if not isinstance(each, ast.Constant)]
    return len(given) == 2 and given[0] == given[1]


def _calls(nodes: Sequence[ast.AST]) -> Iterator[ast.Call]:
    return (child for node in nodes for child in ast.walk(node) if isinstance(child, ast.Call))
