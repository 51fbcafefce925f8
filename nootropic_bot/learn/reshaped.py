"""Mutations of several lines: calls with an argument a line that lack one, and defaults shared by all calls."""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nootropic_bot.learn.strings import Written
from nootropic_bot.pynames import dotted


@dataclass(frozen=True, slots=True)
class _Call:
    """A function that lacks `argument`, with at most `most` positional arguments: a further one would be it."""

    rule_id: str
    function: str
    argument: str
    imports: tuple[str, ...]
    most: int
    statement: bool = False


_CALLS = (
    _Call("http-call-without-timeout", "requests.get", "timeout=30", ("import requests",), 2),
    _Call("http-call-without-timeout", "requests.post", "timeout=30", ("import requests",), 3),
    _Call("http-call-without-timeout", "urllib.request.urlopen", "timeout=30", ("import urllib.request",), 2),
    _Call("subprocess-unchecked-run", "subprocess.run", "check=True", ("import subprocess",), 1, statement=True),
    _Call("torch-load-unsafe", "torch.load", "weights_only=True", ("import torch",), 2),
    _Call("tar-extract-unfiltered", "tar.extractall", 'filter="data"', ("import tarfile",), 2, statement=True),
    _Call("socket-without-timeout", "socket.create_connection", "timeout=30", ("import socket",), 1),
)


def stretched(tree: ast.Module, lines: Sequence[str], random_: random.Random) -> Iterator[Written]:
    """Real calls over several lines, one argument each, as calls that lack an argument."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign | ast.Expr | ast.Return) or not isinstance(node.value, ast.Call):
            continue
        last, name = node.end_lineno or 0, dotted(node.value.func)
        block = [line[node.col_offset :] for line in lines[node.lineno - 1 : last]]
        column = node.value.col_offset - node.col_offset
        chosen = random_.choice(_CALLS)
        is_named = all(each.arg and each.arg != chosen.argument.partition("=")[0] for each in node.value.keywords)
        is_plain = name and block[0].isascii() and block[0][column:] == name + "(" and block[-1].strip() == ")"
        if not (is_plain and is_named and 2 < len(block) <= 9 and block[-2].rstrip()[-1:] == ","):
            continue
        starred = any(isinstance(each, ast.Starred) for each in node.value.args)
        fits = 1 <= len(node.value.args) <= chosen.most and not starred
        if fits and (isinstance(node, ast.Expr) or not chosen.statement):
            yield _stretched(block, column, chosen)


def _stretched(block: Sequence[str], column: int, chosen: _Call) -> Written:
    unsafe = [block[0][:column] + chosen.function + "(", *block[1:]]
    indent = block[-2][: len(block[-2]) - len(block[-2].lstrip())]
    safe = [*unsafe[:-1], f"{indent}{chosen.argument},", unsafe[-1]]
    end = len(unsafe) - 1, len(unsafe[-1])
    return Written(chosen.rule_id, "\n".join(unsafe), "\n".join(safe), chosen.imports, (0, column), end)


_EMPTY = ("[]", "[]", "{}", "{}", "dict()", "list()", "set()")


def defaults(tree: ast.Module, lines: Sequence[str], random_: random.Random) -> Iterator[Written]:
    """Real functions with a default of None made a mutable one; the answer makes it anew at each call."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or node.decorator_list:
            continue
        arguments = [*node.args.posonlyargs, *node.args.args]
        paired = list(zip(arguments[len(arguments) - len(node.args.defaults) :], node.args.defaults, strict=True))
        paired += [(a, d) for a, d in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True) if d is not None]
        chosen = [(a, d) for a, d in paired if isinstance(d, ast.Constant) and d.value is None]
        last = node.end_lineno or 0
        block = [line[node.col_offset :] for line in lines[node.lineno - 1 : last]]
        if not chosen or last - node.lineno > 40 or not all(line.isascii() for line in block):
            continue
        argument, default = random_.choice(chosen)
        if argument.annotation is not None and "None" not in ast.unparse(argument.annotation):
            continue
        made = _with_mutable_default(node, block, argument, default, _mutable(tree, random_))
        if made is not None:
            yield made


def _mutable(tree: ast.Module, random_: random.Random) -> str:
    """An object that can change: empty, or of some of the file's own short strings and numbers."""
    if random_.random() < 0.5:
        return random_.choice(_EMPTY)
    constants = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    plain = [each for each in constants if type(each) in (str, int) and str(each).isprintable() and len(str(each)) < 16]
    quote = random_.choice('""\'')
    texts = [
        quote + each + quote if isinstance(each, str) else repr(each) for each in plain if not set(str(each)) & _ODD
    ]
    if not texts:
        return "[0]"
    chosen = [random_.choice(texts) for _each in range(random_.choice((1, 1, 2, 2, 3, 4)))]
    form = random_.random()
    if form < 0.25:
        return "{" + ", ".join(f"{key}: {random_.choice((*texts, 'None', 'True', '[]'))}" for key in chosen) + "}"
    text = ", ".join(chosen)
    return f"[{text}]" if form < 0.8 else "{" + text + "}" if form < 0.9 else f"list(({text},))"


_ODD = frozenset("\\\"'{}")


def _with_mutable_default(
    node: ast.FunctionDef | ast.AsyncFunctionDef, block: list[str], argument: ast.arg, default: ast.expr, empty: str
) -> Written | None:
    row, col = default.lineno - node.lineno, default.col_offset - node.col_offset
    if any(f"{argument.arg} is None" in line or f"not {argument.arg}" in line for line in block):
        return None
    body = node.body
    is_documented = isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    above = (body[0].end_lineno or 0) if is_documented else body[0].lineno - 1
    if above < default.lineno or body[0].lineno == node.lineno:
        return None
    indent = " " * (body[0].col_offset - node.col_offset)
    unsafe = list(block)
    unsafe[row] = block[row][:col] + empty + block[row][col + 4 :]
    at = above - node.lineno + 1
    guard = [f"{indent}if {argument.arg} is None:", f"{indent}    {argument.arg} = {empty}"]
    safe = [*block[:at], *guard, *block[at:]]
    head = body[0].lineno - node.lineno - 1
    while not block[head].strip() or block[head].lstrip().startswith("#"):
        head -= 1
    flag = ((0, 0), (head, len(unsafe[head]))) if len(argument.arg) % 3 else ((row, col), (row, col + len(empty)))
    return Written("mutable-default-argument", "\n".join(unsafe), "\n".join(safe), (), *flag)
