"""What a small model does wrong around `with`: it reads from at once what it opens, or loses words of what follows.

That something must be opened with `with` is what it has to know; the statement below the head can be written by code.
"""

from __future__ import annotations

import ast
import re

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
    """With the old statement below `with … as name:`, where the head opens what the statement opened and used at once.

    `name` stands for what was opened; the rest is the author's, whatever the model made of it.
    """
    head = _HEAD.match(new)
    tree, indent = parsed(old)
    if head is None or tree is None or head["indent"] != indent or len(tree.body) != 1:
        return new
    below = [line for line in new[head.end() :].split("\n") if line.strip()]
    statement = tree.body[0]
    if hasattr(statement, "body") or any(not line.startswith(indent + " ") for line in below):
        return new
    call = _used_at_once(statement, head["call"])
    # The lines of a text over several lines can't be moved to the right.
    is_movable = old.isascii() and not any(_is_long_text(node) for node in ast.walk(statement))
    if call is None or not is_movable or re.search(rf"\b{head['name']}\b", old):
        return new
    lines = old.rstrip("\n").split("\n")
    row, (first, last) = call.lineno - 1, (len(indent) + each for each in (call.col_offset, call.end_col_offset or 0))
    lines[row] = lines[row][:first] + head["name"] + lines[row][last:]
    ending = "\n" if new.endswith("\n") else ""
    return head[0] + "\n".join("    " + line for line in lines) + ending


def _used_at_once(statement: ast.stmt, opened: str) -> ast.Call | None:
    """The one call of a statement that the head of a `with` takes over, with arguments by keyword that it may add.

    None for a call whose result is only given a name or returned: then the name would not outlive the block.
    """
    try:
        wanted = ast.parse(opened, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None
    if not isinstance(wanted, ast.Call):
        return None
    calls = [node for node in ast.walk(statement) if isinstance(node, ast.Call) and _is_taken_over(node, wanted)]
    is_all = len(calls) == 1 and getattr(statement, "value", None) is calls[0]
    return calls[0] if len(calls) == 1 and not is_all and calls[0].lineno == calls[0].end_lineno else None


def _is_long_text(node: ast.AST) -> bool:
    is_text = isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
    )
    return is_text and node.lineno != node.end_lineno  # type: ignore[attr-defined]


def _is_taken_over(old: ast.Call, new: ast.Call) -> bool:
    same = ast.dump(old.func) == ast.dump(new.func) and list(map(ast.dump, old.args)) == list(map(ast.dump, new.args))
    return same and {ast.dump(each) for each in old.keywords} <= {ast.dump(each) for each in new.keywords}


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
