"""Whether a model's fix still means what the statement meant: conditions, arguments and defaults of a known kind.

A scanner is content when the flagged form is gone, and a small model may reach that by turning a condition round, or by
leaving out what stood beside it. These are the ways that were seen in real code; each check is exact about one of them
and says nothing about the rest.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import inspect
import re
from collections.abc import Iterator, Sequence

from nootropic_bot.pynames import bound_names, imported_names, runtime_imports
from nootropic_bot.statements import Node
from nootropic_bot.verify.case import Case
from nootropic_bot.verify.trees import Region, changed_nodes, header_nodes

# Modules that fixes bring in: importing one runs nothing but its own definitions.
_KNOWN_MODULES = frozenset(
    {
        *("ast", "contextlib", "copy", "datetime", "functools", "hashlib", "hmac", "html", "io", "json", "logging"),
        *("math", "os", "pathlib", "re", "secrets", "shlex", "shutil", "socket", "ssl", "string", "subprocess"),
        *("tarfile", "tempfile", "time", "urllib", "uuid"),
    }
)
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def changed_meaning(case: Case) -> str | None:
    """What a fix makes of the statement that it should not, as a sentence; None where nothing was found."""
    old, new = changed_nodes(case.regions, after=False), changed_nodes(case.regions, after=True)
    turned = next(filter(None, map(_turned, case.regions)), None)
    return (
        turned
        or _lost_argument(case.match.message, old, new)
        or _lost_default(case.regions)
        or _wrong_call(case, old, new)
    )


def _turned(region: Region) -> str | None:
    """A condition that became its opposite: statements of the same kinds, and one `not` more or less."""
    if [type(node) for node in region.before] != [type(node) for node in region.after]:
        return None
    sides = [[n for node in side for n in _parts(node, region)] for side in (region.before, region.after)]
    before, after = (sum(map(_negations, side)) for side in sides)
    return "it turns a condition round" if (before - after) % 2 else None


def _parts(node: Node, region: Region) -> Sequence[ast.AST]:
    return header_nodes(node) if region.header else [node]


def _negations(node: ast.AST) -> int:
    """How often something is said not to be; a comparison with what counts as false is one of the ways."""
    count = 0
    for child in ast.walk(node):
        if isinstance(child, ast.UnaryOp):
            count += isinstance(child.op, ast.Not)
        elif isinstance(child, ast.Compare):
            count += sum(isinstance(op, ast.NotEq | ast.IsNot | ast.NotIn) for op in child.ops)
            pairs = zip(child.ops, (child.left, *child.comparators), child.comparators, strict=False)
            same = (pair[1:] for pair in pairs if isinstance(pair[0], ast.Eq | ast.NotEq | ast.Is | ast.IsNot))
            count += sum(any(map(_is_false, sides)) for sides in same)
    return count


def _is_false(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return node.value is not ... and not node.value
    return isinstance(node, ast.List | ast.Tuple) and not node.elts


def _lost_argument(message: str, old: Sequence[ast.AST], new: Sequence[ast.AST]) -> str | None:
    """An argument that a call had and no longer has, the called function being the same.

    Only settings count: keywords, and constants by position. What says yes, no or none may be what was wrong
    (`shell=True`), as may a keyword that the message speaks of, so these may go.
    """
    before, after = _calls(old), _calls(new)
    words = set(re.findall(r"[a-z]+", message.lower()))
    for name, calls in before.items():
        if len(calls) != 1 or len(after.get(name, ())) != 1:
            continue
        one, other = calls[0], after[name][0]
        kept = {each.arg for each in other.keywords}
        for keyword in one.keywords:
            is_meant = _is_switch(keyword.value) or bool(words & set((keyword.arg or "").lower().split("_")))
            if keyword.arg and not is_meant and not kept & {keyword.arg, None}:
                return f"`{keyword.arg}=` of `{name}` is lost"
        left = {ast.dump(argument) for argument in (*other.args, *(each.value for each in other.keywords))}
        settings = [a for a in one.args[len(other.args) :] if isinstance(a, ast.Constant) and not _is_switch(a)]
        for argument in settings:
            if ast.dump(argument) not in left:
                return f"`{ast.unparse(argument)}` of `{name}` is lost"
    return None


def _is_switch(node: ast.AST) -> bool:
    values = (child.value for child in ast.walk(node) if isinstance(child, ast.Constant))
    return any(value is None or isinstance(value, bool) for value in values)


def _calls(nodes: Sequence[ast.AST]) -> dict[str, list[ast.Call]]:
    """Calls by what is called, as written."""
    found: dict[str, list[ast.Call]] = {}
    for node in nodes:
        for child in ast.walk(node):
            if isinstance(child, ast.Call) and isinstance(child.func, ast.Name | ast.Attribute):
                found.setdefault(ast.unparse(child.func), []).append(child)
    return found


def _lost_default(regions: Sequence[Region]) -> str | None:
    """A default that went from a signature and is not made in the body either."""
    after = [node for region in regions for node in region.after]
    made = {ast.dump(child) for node in after for child in ast.walk(node) if isinstance(child, ast.expr)}
    for region in regions:
        for node in region.before:
            for default in _defaults(node):
                if not isinstance(default, ast.Constant) and ast.dump(default) not in made:
                    return f"the default `{ast.unparse(default)}` is lost"
    return None


def _defaults(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, _Function):
        yield from node.args.defaults
        yield from (default for default in node.args.kw_defaults if default is not None)


def _wrong_call(case: Case, old: Sequence[ast.AST], new: Sequence[ast.AST]) -> str | None:
    """A call that the fix brings in, of a function of the standard library that doesn't take such arguments."""
    known = _calls(old)
    bound = bound_names(case.after.tree, imports=False)
    meanings: dict[str, str] = {}
    for statement in runtime_imports(case.after.tree):
        meanings |= imported_names(statement)
    for name, calls in _calls(new).items():
        root, _dot, rest = name.partition(".")
        if name in known or root in bound:
            continue
        meant = meanings.get(root) or (f"builtins.{root}" if hasattr(builtins, root) else "")
        function = _function(f"{meant}.{rest}" if rest else meant)
        for call in calls if function is not None else ():
            if not _takes(function, call):
                return f"`{name}` does not take these arguments"
    return None


def _function(path: str) -> object | None:
    """What a dotted path leads to, in the modules that are known."""
    names = path.split(".")
    if names[0] != "builtins" and names[0] not in _KNOWN_MODULES:
        return None
    found: object | None = None
    for number in range(len(names), 0, -1):
        try:
            found = importlib.import_module(".".join(names[:number]))
        except ImportError:
            continue
        for name in names[number:]:
            found = getattr(found, name, None)
        break
    return found if callable(found) else None


def _takes(function: object, call: ast.Call) -> bool:
    """Whether a function takes a call's arguments; True where that can't be known."""
    if any(isinstance(argument, ast.Starred) for argument in call.args) or any(k.arg is None for k in call.keywords):
        return True
    assert callable(function)
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # Many functions written in C don't tell.
        return True
    try:
        signature.bind(*call.args, **{str(each.arg): each.value for each in call.keywords})
    except TypeError:
        return False
    return True
