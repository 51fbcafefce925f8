"""What a small model does wrong around `with`: it reads from at once what it opens, or loses words of what follows.

That something must be opened with `with` is what it has to know; a plain statement below the head can be written by
code.
"""

from __future__ import annotations

import ast
import re

from nootropic_bot.runsonce import is_same_call, parts_that_run_once

_HEAD = re.compile(r"(?P<indent>[ \t]*)with (?P<call>\S[^\n]*) as (?P<name>\w+):[ \t]*\n")


def parsed(text: str) -> tuple[ast.Module | None, str]:
    """The tree of whole statements, or of the head of one, without their indentation, and this; None: it has none."""
    lines = text.rstrip("\n").split("\n")
    indent = lines[0][: len(lines[0]) - len(lines[0].lstrip())]
    code = "\n".join(line.removeprefix(indent) for line in lines)
    for ending in ("", "\n    pass"):
        try:
            return ast.parse(code + ending), indent
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            continue
    return None, indent


def around_the_statement(old: str, new: str) -> str:
    """With the old statement below `with … as name:`, where the model opens what the statement opened and read at once.

    Only where what the model wrote there is no code, opens it again, or lost a word. `name` stands for what was opened.
    """
    head = _HEAD.match(new)
    tree, indent = parsed(old)
    if head is None or tree is None or head["indent"] != indent or len(tree.body) != 1:
        return new
    below = [line for line in new[head.end() :].split("\n") if line.strip()]
    statement, lines = tree.body[0], old.rstrip("\n").split("\n")
    if hasattr(statement, "body") or any(not line.startswith(indent + " ") for line in below):
        return new
    call = _read_at_once(statement, head["call"])
    # The lines of a text over several lines can't be moved to the right.
    is_movable = old.isascii() and all(line.startswith(indent) for line in lines)
    is_movable = is_movable and not any(_is_long_text(node) for node in ast.walk(statement))
    if call is None or not is_movable or re.search(rf"\b{head['name']}\b", old):
        return new
    row, (first, last) = call.lineno - 1, (len(indent) + each for each in (call.col_offset, call.end_col_offset or 0))
    lines[row] = lines[row][:first] + head["name"] + lines[row][last:]
    ending = "\n" if new.endswith("\n") else ""
    written = "\n".join(f"{indent}    {line[len(indent) :]}" for line in lines) + ending
    return new if _is_sound(new, call, _words(written)) else head[0] + written


def _is_sound(new: str, call: ast.Call, words: set[str]) -> bool:
    """Whether what the model wrote is code, opens nothing a second time and has these words."""
    tree, _indent = parsed(new)
    if tree is None or not isinstance(tree.body[0], ast.With):
        return False
    body = ast.Module(tree.body[0].body, [])
    is_opened_again = any(isinstance(node, ast.Call) and _is_taken_over(call, node) for node in ast.walk(body))
    return not is_opened_again and words <= _words(new)


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


def _read_at_once(statement: ast.stmt, opened: str) -> ast.Call | None:
    """The one call of a statement that the head of a `with` takes over, with arguments by keyword that it may add.

    None unless the statement runs it each time, once, and has read what it wants of it when it ends.
    """
    try:
        wanted = ast.parse(opened, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None
    if not isinstance(wanted, ast.Call):
        return None
    calls = [node for node in ast.walk(statement) if isinstance(node, ast.Call) and _is_taken_over(node, wanted)]
    if len(calls) != 1 or calls[0].lineno != calls[0].end_lineno:
        return None
    is_run = any(node is calls[0] for node in parts_that_run_once(statement))
    return calls[0] if is_run and _has_been_read(statement, calls[0]) else None


# Functions and methods that have read, or written, what they are given when they return.
_READERS = frozenset(
    {
        *("read", "readline", "readlines", "readinto", "write", "writelines", "load", "safe_load", "dump", "safe_dump"),
        *("parse", "file_digest", "print", "copyfileobj"),
    }
)
_CONSUMERS = frozenset(
    ("list", "tuple", "set", "frozenset", "dict", "sorted", "sum", "min", "max", "any", "all", "join")
)


def _has_been_read(statement: ast.stmt, call: ast.Call) -> bool:
    """Whether what a call opens is read by what it is given to at once."""
    above = {id(child): node for node in ast.walk(statement) for child in ast.iter_child_nodes(node)}
    user = above[id(call)]
    if isinstance(user, ast.keyword | ast.comprehension):
        user = above[id(user)]
    if isinstance(user, ast.Attribute):
        return user.attr in _READERS and isinstance(above[id(user)], ast.Call)
    if isinstance(user, ast.GeneratorExp):
        user = above[id(user)]
        return isinstance(user, ast.Call) and _called(user) in _CONSUMERS
    if isinstance(user, ast.ListComp | ast.SetComp | ast.DictComp):
        return True
    return isinstance(user, ast.Call) and _called(user) in _READERS | _CONSUMERS


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _is_long_text(node: ast.AST) -> bool:
    is_text = isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
    )
    return is_text and node.lineno != node.end_lineno  # type: ignore[attr-defined]


def _is_taken_over(old: ast.Call, new: ast.Call) -> bool:
    return is_same_call(old, new) and {ast.dump(each) for each in old.keywords} <= {ast.dump(k) for k in new.keywords}


def opened_only(old: str, new: str) -> str:
    """With `with open(p) as file:` where the head calls already what the body calls: `with open(p).read() as file:`."""
    tree, indent = parsed(new)
    if tree is None:
        return new
    made = new.split("\n")
    lines = [line.removeprefix(indent) for line in made]
    for node in tree.body:
        if isinstance(node, ast.With) and len(node.items) == 1:
            called = node.items[0].context_expr
            opened = _opened(node, called)
            number = called.lineno - 1
            is_fresh = lines[number].strip() not in old and called.lineno == called.end_lineno
            if opened is not None and is_fresh and lines[number].isascii():
                last, end = (len(indent) + (each.end_col_offset or 0) for each in (opened, called))
                made[number] = made[number][:last] + made[number][end:]
    return "\n".join(made)


def _opened(node: ast.With, called: ast.expr) -> ast.Call | None:
    """What is left of the call in the head without the method that the body calls on its result."""
    name = node.items[0].optional_vars
    if not isinstance(called, ast.Call) or not isinstance(called.func, ast.Attribute) or not isinstance(name, ast.Name):
        return None
    opened, method = called.func.value, called.func.attr
    parts = (each for statement in node.body for each in ast.walk(statement))
    is_called_there = any(_is_method(each, name.id, method) for each in parts)
    return opened if is_called_there and isinstance(opened, ast.Call) else None


def _is_method(node: ast.AST, name: str, method: str) -> bool:
    """Whether a node is `name.method`."""
    return isinstance(node, ast.Attribute) and node.attr == method and ast.unparse(node.value) == name
