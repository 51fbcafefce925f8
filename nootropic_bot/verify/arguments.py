"""Fixes that lose or swap what a statement works with: arguments, values in texts, defaults, decorators."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from nootropic_bot.pynames import imported_names
from nootropic_bot.verify.case import Case
from nootropic_bot.verify.trees import Region, changed_nodes

_OPENS = frozenset({"open", "io.open", "codecs.open"})
# What may be put around a value, or taken away from around it.
_WRAPPERS = frozenset({"str", "repr", "shlex.quote", "quote", "escape", "html.escape"})

# Headers whose value is an address or a number: encoded as a part of an address it is neither.
_PLAIN_HEADERS = frozenset(
    {
        *("access-control-allow-origin", "age", "content-length", "content-location", "content-range", "link"),
        *("location", "origin", "refresh", "retry-after"),
    }
)


def changed_arguments(case: Case) -> str | None:
    """What a fix loses or swaps, as a sentence."""
    old, new = changed_nodes(case.regions, after=False), changed_nodes(case.regions, after=True)
    words = set(re.findall(r"[a-z]+", f"{case.match.message} {case.match.rule_id}".lower()))
    return (
        _lost_argument(words, old, new)
        or _still_a_command_line(old, new)
        or _new_keyword_twice(old, new)
        or _changed_mode(old, new)
        or _lost_name(case, words, old, new)
        or _changed_index(old, new)
        or _changed_values(words, old, new)
        or _wrong_type(old, new)
        or _encoded_header(old, new)
        or next(filter(None, (_changed_head(region, words) for region in case.regions)), None)
    )


def _lost_argument(words: set[str], old: Sequence[ast.AST], new: Sequence[ast.AST]) -> str | None:
    """A setting that a call had: a keyword, or a constant by position.

    What says yes, no or none may be what was wrong (`shell=True`), as may a keyword that the message speaks of, so
    these may go.
    """
    for name, one, other in _pairs(old, new):
        kept = {each.arg for each in other.keywords}
        given = {ast.dump(each) for each in other.args}
        for keyword in one.keywords:
            is_meant = _is_switch(keyword.value) or bool(words & set((keyword.arg or "").lower().split("_")))
            is_given = bool(kept & {keyword.arg, None}) or ast.dump(keyword.value) in given
            if keyword.arg and not is_meant and not is_given:
                return f"`{keyword.arg}=` of `{name}` is lost"
        if ast.dump(one.func) != ast.dump(other.func):
            continue
        left = {ast.dump(argument) for argument in (*other.args, *(each.value for each in other.keywords))}
        settings = [a for a in one.args[len(other.args) :] if isinstance(a, ast.Constant) and not _is_switch(a)]
        for argument in settings:
            if ast.dump(argument) not in left:
                return f"`{ast.unparse(argument)}` of `{name}` is lost"
    return None


def _pairs(old: Sequence[ast.AST], new: Sequence[ast.AST]) -> Iterator[tuple[str, ast.Call, ast.Call]]:
    """Calls that are one another's: of the same name, or the only one that goes and the only one that comes."""
    before, after = _calls(old), _calls(new)
    for name in before.keys() & after.keys():
        if len(before[name]) == len(after[name]) == 1:
            yield name, before[name][0], after[name][0]
    gone = [(name, call) for name in before.keys() - after.keys() for call in before[name]]
    come = [call for name in after.keys() - before.keys() for call in after[name]]
    if len(gone) == len(come) == 1:
        yield gone[0][0], gone[0][1], come[0]


def _calls(nodes: Sequence[ast.AST]) -> dict[str, list[ast.Call]]:
    """Calls by what is called, as written."""
    found: dict[str, list[ast.Call]] = {}
    for node in nodes:
        for child in ast.walk(node):
            if isinstance(child, ast.Call) and isinstance(child.func, ast.Name | ast.Attribute):
                found.setdefault(ast.unparse(child.func), []).append(child)
    return found


def _still_a_command_line(old: Sequence[ast.AST], new: Sequence[ast.AST]) -> str | None:
    """A command that was a text for a shell, is the same text now, and for no shell: a program of that name is run."""
    for name, one, other in _pairs(old, new):
        had, has = (any(k.arg == "shell" and _is_true(k.value) for k in call.keywords) for call in (one, other))
        lines = [call.args[0] for call in (one, other) if call.args and not isinstance(call.args[0], ast.List)]
        if had and not has and len(lines) == 2 and ast.dump(lines[0]) == ast.dump(lines[1]):
            return f"`{name}` runs without a shell what was written for one"
        program = _program(other) if had and not has else None
        if program and program not in ast.unparse(one):
            return f"`{name}` runs {program!r}, which the command did not name"
    return None


def _program(call: ast.Call) -> str | None:
    """The program that a call with a list runs, where it stands there."""
    first = call.args[0] if call.args else None
    parts = first.elts if isinstance(first, ast.List) else []
    program = parts[0].value if parts and isinstance(parts[0], ast.Constant) else None
    return program if isinstance(program, str) else None


def _encoded_header(old: Sequence[ast.AST], new: Sequence[ast.AST]) -> str | None:
    """A header's address or number that is encoded as a part of an address."""
    before, after = ([n for n in _calls(nodes) if n.rpartition(".")[2].startswith("quote")] for nodes in (old, new))
    texts = (each.value for node in new for each in ast.walk(node) if isinstance(each, ast.Constant))
    headers = sorted(text for text in texts if isinstance(text, str) and text.lower() in _PLAIN_HEADERS)
    return f"`{after[0]}` spoils the header {headers[0]}" if headers and set(after) - set(before) else None


def _new_keyword_twice(old: Sequence[ast.AST], new: Sequence[ast.AST]) -> str | None:
    """A keyword that no call had, given to one call inside of another's arguments, and to that other one."""
    known = {each.arg for calls in _calls(old).values() for call in calls for each in call.keywords}
    for calls in _calls(new).values():
        for call in calls:
            fresh = {each.arg for each in call.keywords} - known
            inner = (each for each in ast.walk(call) if isinstance(each, ast.Call) and each is not call)
            for name in sorted({str(each.arg) for part in inner for each in part.keywords if each.arg in fresh}):
                return f"`{name}=` is given twice"
    return None


def _is_true(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def _is_switch(node: ast.expr) -> bool:
    """Yes, no or none, or a display of such and of names for them."""
    if isinstance(node, ast.Dict):
        return any(map(_is_switch, node.values))
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return any(map(_is_switch, node.elts))
    return isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, bool))


def _changed_mode(old: Sequence[ast.AST], new: Sequence[ast.AST]) -> str | None:
    """Another mode of opening: what was added to is now overwritten. Only "w" may become "x"."""
    for name, one, other in _pairs(old, new):
        has_names = all(any(k.arg == "mode" and _is_text(k.value) for k in call.keywords) for call in (one, other))
        if has_names or (name in _OPENS and ast.unparse(other.func) in _OPENS):
            modes = [_mode(call) for call in (one, other)]
            if modes[0] != modes[1] and (modes[0].replace("w", "x") != modes[1]):
                return f"it opens with {modes[1]!r} instead of {modes[0]!r}"
    return None


def _mode(call: ast.Call) -> str:
    given = [each.value for each in call.keywords if each.arg == "mode"] or call.args[1:2]
    text = given[0].value if given and isinstance(given[0], ast.Constant) else "r" if not given else "?"
    return "".join(sorted(str(text).replace("t", ""))) or "r"


def _lost_name(case: Case, words: set[str], old: Sequence[ast.AST], new: Sequence[ast.AST]) -> str | None:
    """A variable that was given by position and occurs nowhere any more; a log may lose what it should not hold."""
    if words & _LOGS:
        return None
    imports = (n for n in ast.walk(case.before.tree) if isinstance(n, ast.Import | ast.ImportFrom))
    known = {name for statement in imports for name in imported_names(statement)}
    left = {child.id for node in new for child in ast.walk(node) if isinstance(child, ast.Name)}
    for name, one, other in _pairs(old, new):
        if len(other.args) < len(one.args):
            for argument in one.args:
                if isinstance(argument, ast.Name) and argument.id not in left | known and argument.id.islower():
                    return f"`{argument.id}` of `{name}` is lost"
    return None


_LOGS = frozenset({"log", "logs", "logged", "logging", "logger"})


def _changed_index(old: Sequence[ast.AST], new: Sequence[ast.AST]) -> str | None:
    """`x[0]` that became `x[1]`, `self.base_url` that became `self.url`."""
    before, after = _places(old), _places(new)
    for place, base in before.items():
        others = [each for each, its_base in after.items() if its_base == base and each not in before]
        if place not in after and others:
            return f"`{place}` became `{others[0]}`"
    return None


def _places(nodes: Sequence[ast.AST]) -> dict[str, str]:
    """Items by constants, and attributes of `self`, that are read and not called; each with what it is a part of."""
    found: dict[str, str] = {}
    called = {id(child.func) for node in nodes for child in ast.walk(node) if isinstance(child, ast.Call)}
    for node in nodes:
        for child in ast.walk(node):
            is_item = isinstance(child, ast.Subscript) and isinstance(child.slice, ast.Constant)
            is_own = isinstance(child, ast.Attribute) and isinstance(child.value, ast.Name) and child.value.id == "self"
            if (is_item or is_own) and id(child) not in called:
                assert isinstance(child, ast.Subscript | ast.Attribute)
                if not isinstance(child.ctx, ast.Load):
                    continue
                found[ast.unparse(child)] = type(child).__name__ + ast.unparse(child.value)
    return found


def _changed_values(words: set[str], old: Sequence[ast.AST], new: Sequence[ast.AST]) -> str | None:
    """Values that were put into a text, and are now given apart: all of them, in their order.

    Values that are computed on the spot may be what was wrong with the text (`uuid1()`), and don't count.
    """
    values = {dump for node in old for dump in _interpolated(node) if "Call(" not in dump}
    before, after = ([dump for node in side for dump in _occurrences(node, values)] for side in (old, new))
    is_shorter_log = bool(words & _LOGS) and _is_part(after, before)
    is_by_name = set(before) == set(after) == _given_by_name(new, values)
    if _is_part(before, after) or is_shorter_log or is_by_name:
        return _placeholder_problem(new) if values else None
    return "the values are not the same any more, or not in the same order"


def _given_by_name(new: Sequence[ast.AST], values: set[str]) -> set[str]:
    """The values in dicts and keywords, where their order says nothing."""
    children = [child for node in new for child in ast.walk(node)]
    named = [child.value for child in children if isinstance(child, ast.keyword)]
    named += [value for child in children if isinstance(child, ast.Dict) for value in child.values]
    return {dump for node in named for dump in _occurrences(node, values)}


def _is_part(found: Sequence[str], values: Sequence[str]) -> bool:
    rest = iter(values)
    return all(each in rest for each in found)


def _interpolated(node: ast.AST) -> Iterator[str]:
    """The values in f-strings, behind `%`, in `.format` and between added texts, in the order of the source."""
    if isinstance(node, ast.JoinedStr):
        yield from (_core(part.value) for part in node.values if isinstance(part, ast.FormattedValue))
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and _is_text(node.left):
        given = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
        yield from (_core(each) for each in given)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add) and any(map(_is_text, _terms(node))):
        for term in _terms(node):
            yield from _interpolated(term) if _is_text(term) else [_core(term)]
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        if _is_text(node.func.value):
            yield from (_core(each) for each in (*node.args, *(k.value for k in node.keywords)))
        else:
            yield from _of_children(node)
    else:
        yield from _of_children(node)


def _of_children(node: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        yield from _interpolated(child)


def _terms(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [*_terms(node.left), *_terms(node.right)]
    return [node]


def _is_text(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return _is_text(node.left)
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _core(node: ast.expr) -> str:
    """A value without what only makes it a text."""
    while isinstance(node, ast.Call) and ast.unparse(node.func) in _WRAPPERS and len(node.args) == 1:
        node = node.args[0]
    return ast.dump(node)


def _occurrences(node: ast.AST, wanted: set[str]) -> Iterator[str]:
    dump = ast.dump(node) if isinstance(node, ast.expr) else ""
    if dump in wanted:
        yield dump
        return
    for child in ast.iter_child_nodes(node):
        yield from _occurrences(child, wanted)


def _placeholder_problem(new: Sequence[ast.AST]) -> str | None:
    """A query with as many marks as values, where both can be counted."""
    for calls in _calls(new).values():
        for call in calls:
            if (
                len(call.args) != 2
                or not isinstance(call.args[0], ast.Constant)
                or not isinstance(call.args[1], ast.Tuple)
            ):
                continue
            text = call.args[0].value
            marks = re.findall(r"(?<!%)%s|\?", text) if isinstance(text, str) else []
            if marks and len(set(marks)) == 1 and len(marks) != len(call.args[1].elts):
                return f"{len(marks)} marks stand in the text, for {len(call.args[1].elts)} values"
    return None


def _wrong_type(old: Sequence[ast.AST], new: Sequence[ast.AST]) -> str | None:
    """`isinstance` of a class instead of its object, or with a class that was not spoken of."""
    fresh = _calls(new).get("isinstance", [])
    if not fresh or _calls(old).get("isinstance"):
        return None
    for call in fresh:
        if any(isinstance(each, ast.Constant | ast.JoinedStr | ast.Subscript) for each in call.args[1:]):
            return "`isinstance` is given something that is no class"
        asked = ast.unparse(call.args[0]) if call.args else ""
        if asked.endswith(".__class__") or re.fullmatch(r"type\(.*\)", asked):
            return f"`{asked}` is a class, not an object of one"
    known = {child.id for node in old for child in ast.walk(node) if isinstance(child, ast.Name)}
    known |= {child.attr for node in old for child in ast.walk(node) if isinstance(child, ast.Attribute)}
    known |= {str(child.value) for node in old for child in ast.walk(node) if isinstance(child, ast.Constant)}
    known |= {type(c).__name__.lower() for node in old for c in ast.walk(node)}  # `type([])`: a list.
    known |= {type(c.value).__name__ for node in old for c in ast.walk(node) if isinstance(c, ast.Constant)}
    for call in fresh:
        for argument in call.args[1:]:
            for each in argument.elts if isinstance(argument, ast.Tuple) else [argument]:
                name = each.attr if isinstance(each, ast.Attribute) else getattr(each, "id", "")
                if name and name not in known:
                    return f"`{name}` is not the class that was asked for"
    return None


def _changed_head(region: Region, words: set[str]) -> str | None:
    """A function's decorators, and those of its defaults that were not wrong."""
    for one, other in zip(region.before, region.after, strict=False):
        if not isinstance(one, _FUNCTION) or not isinstance(other, _FUNCTION):
            continue
        kept = {ast.dump(each) for each in other.decorator_list}
        is_exchange = not kept <= {ast.dump(each) for each in one.decorator_list}
        for decorator in one.decorator_list:
            text = ast.unparse(decorator)
            is_meant = is_exchange or bool(words & set(re.findall(r"[a-z]+", text.lower())))
            if ast.dump(decorator) not in kept and not is_meant:
                return f"`@{text}` is lost"
        problem = _changed_default(one, other)
        if problem:
            return problem
    return None


_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


def _changed_default(
    one: ast.FunctionDef | ast.AsyncFunctionDef, other: ast.FunctionDef | ast.AsyncFunctionDef
) -> str | None:
    made = {_display(child) for child in ast.walk(other) if isinstance(child, ast.expr)}
    before = [*one.args.defaults, *one.args.kw_defaults]
    for old, new in zip(before, [*other.args.defaults, *other.args.kw_defaults], strict=False):
        if old is None or new is None or ast.dump(old) == ast.dump(new):
            continue
        if isinstance(old, ast.Constant):
            if not isinstance(old.value, str | bytes):
                return f"the default `{ast.unparse(old)}` becomes `{ast.unparse(new)}`"
        elif isinstance(new, ast.Constant) and new.value is None and _display(old) not in made:
            return f"the default `{ast.unparse(old)}` is lost"
    return None


def _display(node: ast.expr) -> str:
    """`list()` and `[]` are the same, as are `dict()` and `{}`."""
    return {"list()": "[]", "dict()": "{}"}.get(text := ast.unparse(node), text)
