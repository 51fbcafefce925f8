"""Unsafe code made of real code, by undoing what a fix would do.

Each mutation looks at one expression or statement of real code, and says how its unsafe form would be written; the real
text is then the answer. Names, formatting and surroundings are natural, which templates can't give. The table below
holds one line a weakness; the kinds of undoing are few:

    renamed    json.loads(x)            → pickle.loads(x)
    dropped    open(p, encoding="utf-8") → open(p)
    replaced   x is None                → x == None
    planted    client.get(url)          → requests.get(url), whose fix adds a time-out: both sides are written
"""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from nootropic_bot.learn.material import segment_of
from nootropic_bot.learn.synthetic import Written

_TIMEOUT_CALLS = ("requests.get", "requests.post", "requests.put", "requests.head", "requests.delete", "requests.request")
_TIMEOUT_CALLS += ("httpx.get", "httpx.post", "urllib.request.urlopen", "urlopen")


@dataclass(frozen=True, slots=True)
class Mutation:
    """Replace the columns `first`..`last` of line `line` (1-based) by `unsafe` in the bad text and `safe` in the good.

    `flag_from`: the line and column (1-based, 0-based) where the flagged part begins, where that is not the first of the
    replaced columns; it ends with `unsafe`, or after its first `flag_length` characters. `imports`: what the file must
    import.
    """

    rule_id: str
    line: int
    first: int
    last: int
    unsafe: str
    safe: str
    flag_from: tuple[int, int] | None = None
    flag_length: int | None = None
    imports: tuple[str, ...] = ()


def mutations(tree: ast.Module, lines: Sequence[str], random_: random.Random) -> Iterator[Mutation]:
    """Every mutation that some expression on one line of the file allows."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            yield from _comparisons(node, lines, random_)
        elif isinstance(node, ast.Call):
            yield from _calls(node, lines, random_)
        elif isinstance(node, ast.ExceptHandler):
            yield from _handlers(node, lines)
        elif isinstance(node, ast.Raise):
            yield from _raises(node, lines)
        elif isinstance(node, ast.Await):
            yield from _awaits(node, lines)


def _whole(node: ast.expr, rule_id: str, lines: Sequence[str], unsafe: str, **more: object) -> Iterator[Mutation]:
    text = segment_of(lines, node)
    if text is not None and node.end_col_offset is not None:
        yield Mutation(rule_id, node.lineno, node.col_offset, node.end_col_offset, unsafe, text, **more)  # type: ignore[arg-type]


def _comparisons(node: ast.Compare, lines: Sequence[str], random_: random.Random) -> Iterator[Mutation]:
    if len(node.ops) != 1:
        return
    left, right = segment_of(lines, node.left), segment_of(lines, node.comparators[0])
    if left is None or right is None or node.lineno != node.end_lineno:
        return
    op, other = node.ops[0], node.comparators[0]
    is_none = isinstance(other, ast.Constant) and other.value is None
    is_text = isinstance(other, ast.Constant) and isinstance(other.value, str | int) and not isinstance(other.value, bool)
    if is_none and isinstance(op, ast.Is):
        yield from _whole(node, "none-comparison", lines, f"{left} == None")
    if is_none and isinstance(op, ast.IsNot):
        yield from _whole(node, "none-comparison-negated", lines, f"{left} != None")
        if random_.random() < 0.5:
            yield from _whole(node, "identity-not-is", lines, f"not {left} is None")
    if isinstance(op, ast.NotIn):
        form = "not {} in {}" if random_.random() < 0.6 else "not ({} in {})"
        yield from _whole(node, "membership-not-in", lines, form.format(left, right))
    if isinstance(op, ast.In) and isinstance(other, ast.Name | ast.Attribute):
        yield from _whole(node, "keys-membership", lines, f"{left} in {right}.keys()")
    if is_text and isinstance(op, ast.Eq):
        yield from _whole(node, "is-literal", lines, f"{left} is {right}")
    if is_text and isinstance(op, ast.NotEq):
        yield from _whole(node, "is-literal-negated", lines, f"{left} is not {right}")


_RENAMED: Mapping[str, Sequence[tuple[str, str, tuple[str, ...]]]] = {
    "json.loads": (
        ("pickle-load", "pickle.loads", ("import json", "import pickle")),
        ("marshal-load", "marshal.loads", ("import json", "import marshal")),
        ("jsonpickle-decode", "jsonpickle.decode", ("import json", "import jsonpickle")),
    ),
    "json.load": (
        ("pickle-load", "pickle.load", ("import json", "import pickle")),
        ("marshal-load", "marshal.load", ("import json", "import marshal")),
    ),
    "yaml.safe_load": (
        ("yaml-unsafe-load", "yaml.load", ()),
        ("yaml-unsafe-load", "yaml.unsafe_load", ()),
        ("yaml-unsafe-load", "yaml.full_load", ()),
    ),
    "hashlib.sha256": (("weak-hash", "hashlib.md5", ()), ("weak-hash", "hashlib.sha1", ())),
    "ast.literal_eval": (("eval-exec-use", "eval", ()),),
    "uuid.uuid4": (("uuid1-as-token", "uuid.uuid1", ()),),
    "secrets.choice": (("insecure-random", "random.choice", ("import random", "import secrets")),),
}
_DROPPED: Mapping[str, Sequence[tuple[str, str]]] = {
    "open": (("open-without-encoding", "encoding"),),
    "io.open": (("open-without-encoding", "encoding"),),
    "subprocess.run": (("subprocess-unchecked-run", "check"),),
    "requests.get": (("http-call-without-timeout", "timeout"),),
    "requests.post": (("http-call-without-timeout", "timeout"),),
    "socket.create_connection": (("socket-without-timeout", "timeout"),),
    "torch.load": (("torch-load-unsafe", "weights_only"),),
}


def dotted(node: ast.expr) -> str:
    """`a.b.c` of names and attributes; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inner = dotted(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    return ""


def _calls(node: ast.Call, lines: Sequence[str], random_: random.Random) -> Iterator[Mutation]:
    name = dotted(node.func)
    text = segment_of(lines, node)
    if text is None:
        return
    for rule_id, unsafe, imports in _RENAMED.get(name, ()):
        yield from _whole(node, rule_id, lines, unsafe + text[len(name) :], imports=imports)
    for rule_id, keyword in _DROPPED.get(name, ()):
        yield from _without_keyword(node, rule_id, keyword, lines)
    if name == "isinstance" and len(node.args) == 2:
        yield from _type_comparison(node, lines)
    if name.endswith((".get", ".post", ".fetch", ".request", ".call", ".send")) and node.args and "timeout" not in text:
        yield from _planted(node, text, name, random_)
    yield from _other_planted(node, text, name, random_)


def _without_keyword(node: ast.Call, rule_id: str, keyword: str, lines: Sequence[str]) -> Iterator[Mutation]:
    """The call without its last argument, when that is the keyword."""
    text = segment_of(lines, node)
    if text is None or not node.keywords or node.keywords[-1].arg != keyword or len(node.keywords) + len(node.args) < 2:
        return
    last = node.keywords[-1].value
    standard = {"encoding": "utf-8", "check": True, "weights_only": True, "timeout": 30}
    if not isinstance(last, ast.Constant) or last.value != standard[keyword]:
        return
    earlier: list[ast.expr] = [*node.args, *(each.value for each in node.keywords[:-1])]
    end = max(each.end_col_offset or 0 for each in earlier) - node.col_offset
    closing = text[end : text.index(keyword, end)]
    if closing.strip() == ",":
        unsafe = text[:end] + text[(last.end_col_offset or 0) - node.col_offset :]
        yield from _whole(node, rule_id, lines, unsafe)


def _type_comparison(node: ast.Call, lines: Sequence[str]) -> Iterator[Mutation]:
    one, other = segment_of(lines, node.args[0]), segment_of(lines, node.args[1])
    if one and other:
        op = "in" if isinstance(node.args[1], ast.Tuple) else "=="
        yield from _whole(node, "type-comparison", lines, f"type({one}) {op} {other}")


def _planted(node: ast.Call, text: str, name: str, random_: random.Random) -> Iterator[Mutation]:
    """A call like an HTTP request becomes one without a time-out, whose fix adds it."""
    arguments = text[len(name) :]
    if not arguments.startswith("(") or arguments.rstrip(") ").endswith(","):
        return
    if any(each.arg is None for each in node.keywords) or any(isinstance(a, ast.Starred) for a in node.args):
        return
    call = random_.choice(_TIMEOUT_CALLS)
    unsafe = call + arguments
    safe = f"{unsafe[:-1]}, timeout=30)"
    where = node.lineno, node.col_offset, node.end_col_offset or 0
    imported = {"urlopen": "from urllib.request import urlopen", "urllib": "import urllib.request"}
    first = call.partition(".")[0]
    yield Mutation("http-call-without-timeout", *where, unsafe, safe, imports=(imported.get(first, f"import {first}"),))


# (rule, unsafe, safe, imports): the real argument takes the place of `@`.
_PLANTS: Sequence[tuple[str, str, str, tuple[str, ...]]] = (
    ("yaml-unsafe-load", "yaml.load(@)", "yaml.safe_load(@)", ("import yaml",)),
    ("yaml-unsafe-loader", "yaml.load(@, Loader=yaml.Loader)", "yaml.load(@, Loader=yaml.SafeLoader)", ("import yaml",)),
    ("weak-hash", "hashlib.md5(@).hexdigest()", "hashlib.sha256(@).hexdigest()", ("import hashlib",)),
    ("weak-hash", "hashlib.sha1(@).digest()", "hashlib.sha256(@).digest()", ("import hashlib",)),
    ("eval-exec-use", "eval(@)", "ast.literal_eval(@)", ("import ast",)),
    ("pickle-load", "pickle.loads(@)", "json.loads(@)", ("import json", "import pickle")),
    ("open-without-encoding", "open(@)", 'open(@, encoding="utf-8")', ()),
    ("open-without-encoding", 'open(@, "w")', 'open(@, "w", encoding="utf-8")', ()),
    ("open-without-encoding", "open(@, 'a')", 'open(@, \'a\', encoding="utf-8")', ()),
    ("open-without-encoding", 'open(@, "r")', 'open(@, "r", encoding="utf-8")', ()),
    ("open-without-encoding", "open(@, 'w+')", 'open(@, \'w+\', encoding="utf-8")', ()),
    ("open-without-encoding", 'open(@, mode="w")', 'open(@, mode="w", encoding="utf-8")', ()),
    ("open-without-encoding", "@.write_text(text)", '@.write_text(text, encoding="utf-8")', ()),
    ("open-without-encoding", "io.open(@, 'wt')", 'io.open(@, \'wt\', encoding="utf-8")', ("import io",)),
    ("naive-datetime-now", "datetime.fromtimestamp(@)", "datetime.fromtimestamp(@, timezone.utc)", ("from datetime import datetime",)),
    ("naive-datetime-now", "datetime.datetime.fromtimestamp(@)", "datetime.datetime.fromtimestamp(@, datetime.timezone.utc)", ("import datetime",)),
    ("naive-datetime-now", "@ - datetime.now()", "@ - datetime.now(timezone.utc)", ("from datetime import datetime, timedelta",)),
    ("naive-datetime-now", "@ - dt.datetime.now()", "@ - dt.datetime.now(dt.timezone.utc)", ("import datetime as dt",)),
    ("naive-datetime-utcnow", "@ - datetime.utcnow()", "@ - datetime.now(timezone.utc)", ("from datetime import datetime",)),
    ("path-read-without-encoding", "Path(@).read_text()", 'Path(@).read_text(encoding="utf-8")', ("from pathlib import Path",)),
    ("torch-load-unsafe", "torch.load(@)", "torch.load(@, weights_only=True)", ("import torch",)),
    ("numpy-allow-pickle", "np.load(@, allow_pickle=True)", "np.load(@, allow_pickle=False)", ("import numpy as np",)),
    ("subprocess-unchecked-run", "subprocess.run(@)", "subprocess.run(@, check=True)", ("import subprocess",)),
    ("tls-verify-disabled", "requests.get(@, verify=False, timeout=10)", "requests.get(@, verify=True, timeout=10)", ("import requests",)),
    ("tar-extract-unfiltered", "tar.extractall(@)", 'tar.extractall(@, filter="data")', ("import tarfile",)),
    ("socket-without-timeout", "socket.create_connection(@)", "socket.create_connection(@, timeout=30)", ("import socket",)),
    ("tempfile-mktemp", "tempfile.mktemp(@)", "tempfile.mkstemp(@)[1]", ("import tempfile",)),
)


def _other_planted(node: ast.Call, text: str, name: str, random_: random.Random) -> Iterator[Mutation]:
    """One of the calls of the table in place of a real call, around its argument."""
    if not name or len(node.args) != 1 or node.keywords or isinstance(node.args[0], ast.Starred):
        return
    argument = text[len(name) + 1 : -1].strip().rstrip(",")
    rule_id, unsafe, safe, imports = random_.choice(_PLANTS)
    where = node.lineno, node.col_offset, node.end_col_offset or 0
    yield Mutation(rule_id, *where, unsafe.replace("@", argument), safe.replace("@", argument), imports=imports)


def _handlers(node: ast.ExceptHandler, lines: Sequence[str]) -> Iterator[Mutation]:
    line = lines[node.lineno - 1]
    reraises = any(isinstance(child, ast.Raise) for child in ast.walk(node))
    if line.strip() == "except Exception:" and not reraises:
        start = len(line) - len(line.lstrip())
        yield Mutation("bare-except", node.lineno, start, len(line.rstrip()), "except:", "except Exception:")


def _raises(node: ast.Raise, lines: Sequence[str]) -> Iterator[Mutation]:
    line, end = lines[node.lineno - 1], node.end_col_offset or 0
    if isinstance(node.cause, ast.Name) and node.exc is not None and node.exc.end_lineno == node.end_lineno:
        last, cut = node.end_lineno or 0, node.exc.end_col_offset or 0
        if lines[last - 1].isascii():
            safe = lines[last - 1][cut:end]
            yield Mutation("lost-exception-cause", last, cut, end, "", safe, (node.lineno, node.col_offset))
    if node.lineno != node.end_lineno or not line.isascii():
        return
    text = line[node.col_offset : end]
    where = node.lineno, node.col_offset, end
    if isinstance(node.exc, ast.Call) and node.cause is None:
        unsafe = text.removeprefix("raise ").lstrip()
        yield Mutation("exception-without-raise", *where, unsafe, text, flag_length=unsafe.find("("))
    if "NotImplementedError" in text and node.cause is None:
        yield Mutation("raise-not-implemented-constant", *where, text.replace("Error", "", 1), text)


def _awaits(node: ast.Await, lines: Sequence[str]) -> Iterator[Mutation]:
    text = segment_of(lines, node)
    if text is not None and isinstance(node.value, ast.Call):
        unsafe = text.removeprefix("await ").lstrip()
        length = (node.value.func.end_col_offset or 0) - node.value.col_offset
        yield from _whole(node, "missing-await", lines, unsafe, flag_length=length)


_STRETCHED: Sequence[tuple[str, str, str, tuple[str, ...]]] = (
    ("http-call-without-timeout", "requests.get", "timeout=30", ("import requests",)),
    ("http-call-without-timeout", "requests.post", "timeout=30", ("import requests",)),
    ("http-call-without-timeout", "httpx.get", "timeout=30", ("import httpx",)),
    ("open-without-encoding", "open", 'encoding="utf-8"', ()),
    ("subprocess-unchecked-run", "subprocess.run", "check=True", ("import subprocess",)),
    ("torch-load-unsafe", "torch.load", "weights_only=True", ("import torch",)),
    ("tar-extract-unfiltered", "tar.extractall", 'filter="data"', ("import tarfile",)),
    ("socket-without-timeout", "socket.create_connection", "timeout=30", ("import socket",)),
)


def stretched(tree: ast.Module, lines: Sequence[str], random_: random.Random) -> Iterator[Written]:
    """Real calls over several lines, one argument each, as calls that lack an argument."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign | ast.Expr | ast.Return) or not isinstance(node.value, ast.Call):
            continue
        call = node.value
        last, name = node.end_lineno or 0, dotted(call.func)
        arguments: list[ast.expr] = [*call.args, *(each.value for each in call.keywords)]
        closing = lines[last - 1].strip()
        is_plain = name and arguments and all(each.arg for each in call.keywords) and closing == ")"
        if not is_plain or not 2 <= last - node.lineno <= 8 or lines[last - 2].rstrip()[-1:] != ",":
            continue
        block = [line[node.col_offset :] for line in lines[node.lineno - 1 : last]]
        column = call.col_offset - node.col_offset
        if not block[0].isascii() or block[0][column:] != name + "(":
            continue
        rule_id, function, argument, imports = random_.choice(_STRETCHED)
        if any(argument.partition("=")[0] + "=" in line for line in block):
            continue
        unsafe = [block[0][:column] + function + "(", *block[1:]]
        indent = block[-2][: len(block[-2]) - len(block[-2].lstrip())]
        safe = [*unsafe[:-1], f"{indent}{argument},", unsafe[-1]]
        yield Written(
            rule_id, "\n".join(unsafe), "\n".join(safe), imports, (0, column), (len(unsafe) - 1, len(unsafe[-1]))
        )


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
        made = _with_mutable_default(node, block, argument, default, random_.choice(_EMPTY))
        if made is not None:
            yield made


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
    flag = ((0, 0), (head, len(unsafe[head]))) if len(argument.arg) % 3 else ((row, col), (row, col + len(empty)))
    return Written("mutable-default-argument", "\n".join(unsafe), "\n".join(safe), (), *flag)
