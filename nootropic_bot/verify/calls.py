"""Functions that a fix calls: those of the standard library exist and take what they are given; a value is none."""

from __future__ import annotations

import ast
import builtins
import functools
import importlib
import importlib.util
import inspect
import re
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from nootropic_bot.pynames import bound_names, dotted, imported_names, runtime_imports
from nootropic_bot.verify.case import Case
from nootropic_bot.verify.trees import changed_nodes

# Modules that fixes bring in. Importing one runs nothing but its own definitions.
_KNOWN_MODULES = frozenset(
    {
        *("ast", "asyncio", "contextlib", "copy", "datetime", "functools", "hashlib", "hmac", "html", "io", "json"),
        *("logging", "math", "os", "pathlib", "random", "re", "secrets", "shlex", "shutil", "socket", "ssl"),
        *("string", "subprocess", "tarfile", "tempfile", "time", "urllib", "uuid"),
    }
)
_COROUTINES = frozenset(
    f"asyncio.{name}"
    for name in (
        *("create_subprocess_exec", "create_subprocess_shell", "open_connection", "sleep", "to_thread", "wait_for"),
    )
)
_UNKNOWN = object()
# A name of which something is taken, or that is called; `set()` is a literal to `ast.literal_eval`.
_NO_LITERAL = re.compile(r"\s*(?!set\()[^\W\d]\w*\s*[.(]")


def wrong_call(case: Case) -> str | None:
    """A function that does not exist, does not take such arguments, or is not awaited, as a sentence."""
    old, new = changed_nodes(case.regions, after=False), changed_nodes(case.regions, after=True)
    value = _called_value(case, old, new) or _called_each_time(old, new)
    if value is not None:
        return f"`{value}` is called, which was a value"
    known = {text for text, _node in _dotted(old)}
    bound = bound_names(case.after.tree, imports=False)
    meanings: dict[str, str] = {}
    for statement in runtime_imports(case.after.tree):
        meanings |= imported_names(statement)
    calls = {id(child.func): child for node in new for child in ast.walk(node) if isinstance(child, ast.Call)}
    handed_on = _handed_on(new)
    for text, node in _dotted(new):
        path = _path(text, meanings, bound)
        found = _resolve(path) if path else _UNKNOWN
        if found is None and text not in known:
            return f"there is no `{text}`"
        call = calls.get(id(node))
        if call is None or text in known:
            continue
        if path in _COROUTINES and id(call) not in handed_on:
            return f"`{text}` is not awaited"
        if callable(found) and not _takes(found, call):
            return f"`{text}` does not take these arguments"
        if path == "ast.literal_eval" and call.args and _NO_LITERAL.match(_beginning(call.args[0])):
            return f"`{text}` is given what is no literal"
    return None


def _beginning(node: ast.expr) -> str:
    """With which text a text begins that is put together."""
    if isinstance(node, ast.BinOp):
        return _beginning(node.left)
    if isinstance(node, ast.JoinedStr):
        return _beginning(node.values[0]) if node.values else ""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _called_value(case: Case, old: Sequence[ast.AST], new: Sequence[ast.AST]) -> str | None:
    """A name that a fix calls where the code only handed it on, and that nothing in the file says is a function."""
    read = {child.id for node in old for child in ast.walk(node) if isinstance(child, ast.Name)}
    fresh = _called_names(new) & read
    if not fresh:
        return None
    tree = case.before.tree
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    functions = {node.name for node in ast.walk(tree) if isinstance(node, definitions)}
    imported = bound_names(tree) - bound_names(tree, imports=False)
    known = functions | imported | _called_names([tree]) | _mapped(old) | set(dir(builtins))
    return min(fresh - known, default=None)


def _mapped(nodes: Sequence[ast.AST]) -> set[str]:
    """What `map` and `filter` call: a comprehension in their place calls it itself."""
    calls = (child for node in nodes for child in ast.walk(node) if isinstance(child, ast.Call) and child.args)
    return {dotted(call.args[0]) for call in calls if dotted(call.func) in ("map", "filter")}


def _called_each_time(old: Sequence[ast.AST], new: Sequence[ast.AST]) -> str | None:
    """What a keyword hands over to be called each time (`default=datetime.now`), and is called once by a fix."""
    before = {(each.arg, dotted(each.value)) for each in _keywords(old)}
    after = {(each.arg, dotted(each.value.func)) for each in _keywords(new) if isinstance(each.value, ast.Call)}
    return min((name for _arg, name in before & after if name), default=None)


def _keywords(nodes: Sequence[ast.AST]) -> Iterator[ast.keyword]:
    return (child for node in nodes for child in ast.walk(node) if isinstance(child, ast.keyword))


def _called_names(nodes: Sequence[ast.AST]) -> set[str]:
    """The names that are called, but not those that a `lambda` is there to call."""
    found: set[str] = set()
    pending = list(nodes)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            found.add(node.func.id)
        if not isinstance(node, ast.Lambda):
            pending += ast.iter_child_nodes(node)
    return found


def _dotted(nodes: Sequence[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
    """Names and longest chains of attributes, as written."""
    for node in nodes:
        inner = {id(child.value) for child in ast.walk(node) if isinstance(child, ast.Attribute)}
        for child in ast.walk(node):
            text = dotted(child)
            if text and id(child) not in inner:
                yield text, child


def _path(text: str, meanings: Mapping[str, str], bound: set[str]) -> str:
    """What a dotted text means, as a path from a module that is known; empty where that can't be told."""
    root, dot, rest = text.partition(".")
    if root in bound:
        return ""
    meant = meanings.get(root) or ("" if dot or not hasattr(builtins, root) else f"builtins.{root}")
    is_known = meant.partition(".")[0] in _KNOWN_MODULES or meant.startswith("builtins.")
    return f"{meant}{dot}{rest}" if meant and is_known else ""


def _resolve(path: str) -> object | None:
    """What a path leads to: None where there is nothing of that name."""
    names = path.split(".")
    if not _is_pythons_own(names[0]):
        return _UNKNOWN
    for number in range(len(names), 0, -1):
        try:
            found: object = importlib.import_module(".".join(names[:number]))
        except ImportError:
            continue
        for name in names[number:]:
            if not hasattr(found, name):
                # What a class's instances have, and what is an attribute of a value, can't be known.
                return None if inspect.ismodule(found) or inspect.isclass(found) else _UNKNOWN
            found = getattr(found, name)
        return found
    return None


@functools.lru_cache(maxsize=64)
def _is_pythons_own(module: str) -> bool:
    """Whether a module comes from the standard library, and not from the folder that is reviewed."""
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return False
    origin = spec.origin if spec is not None else None
    if origin is None or origin in ("built-in", "frozen"):
        return spec is not None
    folders = (sysconfig.get_path(name) for name in ("stdlib", "platstdlib"))
    is_inside = any(Path(origin).is_relative_to(folder) for folder in folders)
    return is_inside and not {"site-packages", "dist-packages"} & set(Path(origin).parts)


def _handed_on(nodes: Sequence[ast.AST]) -> set[int]:
    """Calls that are awaited, or given to another call (`gather`, `create_task`)."""
    found: set[int] = set()
    for node in nodes:
        for child in ast.walk(node):
            if isinstance(child, ast.Await):
                found.add(id(child.value))
            elif isinstance(child, ast.Call):
                found |= {id(each) for each in child.args}
    return found


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
