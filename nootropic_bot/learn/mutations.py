"""Unsafe code made of real code, by undoing what a fix would do.

Each mutation looks at one expression or statement of real code, and says how its unsafe form would be written; the real
text is then the answer. Names, formatting and surroundings are natural, which templates can't give. The kinds of
undoing are few:

    renamed    json.loads(x)            → pickle.loads(x)
    dropped    open(p, encoding="utf-8") → open(p)
    replaced   x is None                → x == None
    planted    load(path)               → torch.load(path), whose fix adds an argument: both sides are written

The last kind lies in `planted.py`, changes of several lines in `reshaped.py`.
"""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from nootropic_bot.learn.material import segment_of
from nootropic_bot.pynames import dotted


@dataclass(frozen=True, slots=True)
class Mutation:
    """Replace the columns `first`..`last` of line `line` (1-based) by `unsafe` in the bad text and `safe` in the good.

    `flag_from`: the line and column (1-based, 0-based) where the flagged part begins, where that is not the first of
    the replaced columns; it ends with `unsafe`, or after its first `flag_length` characters. `imports`: what the file
    must import.
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


# What binds as tightly as a call may stand wherever a call stood; below these parents a comparison would come apart.
_TIGHT = ast.Compare | ast.BinOp | ast.Attribute | ast.Subscript | ast.Starred | ast.Await | ast.NamedExpr | ast.Call


def nodes_of(tree: ast.Module) -> Iterator[tuple[ast.AST, ast.AST]]:
    """Every node with its parent, but those inside f-strings, whose places Python tells only since 3.12."""
    pending: list[tuple[ast.AST, ast.AST]] = [(tree, tree)]
    while pending:
        node, parent = pending.pop()
        yield node, parent
        if not isinstance(node, ast.JoinedStr):
            pending += [(child, node) for child in reversed(list(ast.iter_child_nodes(node)))]


def mutations(tree: ast.Module, lines: Sequence[str], random_: random.Random) -> Iterator[Mutation]:
    """Every mutation that some expression on one line of the file allows."""
    for node, parent in nodes_of(tree):
        if isinstance(node, ast.Compare):
            yield from _comparisons(node, lines, random_)
        elif isinstance(node, ast.Call):
            yield from _calls(node, parent, lines)
        elif isinstance(node, ast.ExceptHandler):
            yield from _handlers(node, lines)
        elif isinstance(node, ast.Raise):
            yield from _raises(node, lines)
        elif isinstance(node, ast.Await) and not isinstance(parent, ast.Return):
            yield from _awaits(node, lines)


def _whole(node: ast.expr, rule_id: str, lines: Sequence[str], unsafe: str) -> Iterator[Mutation]:
    text = segment_of(lines, node)
    if text is not None and node.end_col_offset is not None:
        yield Mutation(rule_id, node.lineno, node.col_offset, node.end_col_offset, unsafe, text)


def _sides(node: ast.Compare, lines: Sequence[str]) -> tuple[str, str] | None:
    """Both sides of a comparison as written, with the parentheses around them."""
    whole, left, other = segment_of(lines, node), node.left, node.comparators[0]
    if whole is None or left.end_col_offset is None or segment_of(lines, other) is None:
        return None
    between = lines[node.lineno - 1][left.end_col_offset : other.col_offset]
    match = re.fullmatch(r"([\s)]*?)\s*(?:\bis\s+not\b|\bis\b|\bnot\s+in\b|\bin\b|==|!=)\s*([\s(]*)", between)
    if match is None:
        return None
    start = node.col_offset
    return whole[: left.end_col_offset - start] + match[1], match[2] + whole[other.col_offset - start :]


def _comparisons(node: ast.Compare, lines: Sequence[str], random_: random.Random) -> Iterator[Mutation]:
    sides = _sides(node, lines) if len(node.ops) == 1 else None
    if sides is None:
        return
    (left, right), op, other = sides, node.ops[0], node.comparators[0]
    is_none = isinstance(other, ast.Constant) and other.value is None
    is_text = isinstance(other, ast.Constant) and type(other.value) in (str, int)
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
    "secrets.choice": (("insecure-random", "random.choice", ("import random", "import secrets")),),
}
_FLAGGED_BY_NAME = frozenset({"yaml.unsafe_load", "yaml.full_load"})
_DROPPED: Mapping[str, tuple[str, str, object]] = {
    "open": ("open-without-encoding", "encoding", "utf-8"),
    "io.open": ("open-without-encoding", "encoding", "utf-8"),
    "subprocess.run": ("subprocess-unchecked-run", "check", True),
    "requests.get": ("http-call-without-timeout", "timeout", 30),
    "requests.post": ("http-call-without-timeout", "timeout", 30),
    "socket.create_connection": ("socket-without-timeout", "timeout", 30),
    "torch.load": ("torch-load-unsafe", "weights_only", True),
}


def _calls(node: ast.Call, parent: ast.AST, lines: Sequence[str]) -> Iterator[Mutation]:
    name, text = dotted(node.func), segment_of(lines, node)
    if text is None:
        return
    if isinstance(node.func, ast.Attribute) and node.func.attr in ("read_text", "write_text"):
        yield from _without_keyword(node, text, lines, "path-read-without-encoding", "encoding", "utf-8")
    if not text.startswith(name + "("):
        return
    for rule_id, unsafe, imports in _RENAMED.get(name, ()):
        length = len(unsafe) if unsafe in _FLAGGED_BY_NAME else None
        for made in _whole(node, rule_id, lines, unsafe + text[len(name) :]):
            yield replace(made, imports=imports, flag_length=length)
    if name in _DROPPED and (name != "subprocess.run" or isinstance(parent, ast.Expr)):
        yield from _without_keyword(node, text, lines, *_DROPPED[name])
    if name == "isinstance" and len(node.args) == 2 and not isinstance(parent, _TIGHT):
        yield from _type_comparison(node, parent, lines)


def _without_keyword(
    node: ast.Call, text: str, lines: Sequence[str], rule_id: str, keyword: str, standard: object
) -> Iterator[Mutation]:
    """The call without its last argument, when that is the keyword with the value that a fix would give it."""
    if not node.keywords or node.keywords[-1].arg != keyword:
        return
    last = node.keywords[-1].value
    if not isinstance(last, ast.Constant) or last.value != standard:
        return
    earlier: list[ast.expr] = [*node.args, *(each.value for each in node.keywords[:-1])]
    end = max(each.end_col_offset or 0 for each in earlier or [node.func]) - node.col_offset
    closing = text[end : text.index(keyword, end)].strip()
    if closing == ("," if earlier else "("):
        rest = text[(last.end_col_offset or 0) - node.col_offset :]
        yield from _whole(node, rule_id, lines, text[:end] + "(" * (not earlier) + rest)


def _type_comparison(node: ast.Call, parent: ast.AST, lines: Sequence[str]) -> Iterator[Mutation]:
    one, other = segment_of(lines, node.args[0]), segment_of(lines, node.args[1])
    if one and other and isinstance(node.args[1], ast.Name | ast.Attribute | ast.Tuple):
        op, negated = ("in", "not in") if isinstance(node.args[1], ast.Tuple) else ("==", "!=")
        yield from _whole(node, "type-comparison", lines, f"type({one}) {op} {other}")
        if isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not):
            yield from _whole(parent, "type-comparison", lines, f"type({one}) {negated} {other}")


def _handlers(node: ast.ExceptHandler, lines: Sequence[str]) -> Iterator[Mutation]:
    line = lines[node.lineno - 1]
    reraises = any(isinstance(child, ast.Raise) for child in ast.walk(node))
    if line.strip() == "except Exception:" and not reraises:
        start = len(line) - len(line.lstrip())
        yield Mutation("bare-except", node.lineno, start, len(line.rstrip()), "except:", "except Exception:")
    if node.name is not None:
        yield from _raised_again(node.body, node.name)


def _raised_again(body: Sequence[ast.stmt], name: str) -> Iterator[Mutation]:
    """Every bare `raise` of a handler, but those in a handler or a function of its own."""
    for statement in body:
        if isinstance(statement, ast.Raise) and statement.exc is None:
            where = statement.lineno, statement.col_offset, statement.end_col_offset or 0
            yield Mutation("raise-caught-exception-by-name", *where, f"raise {name}", "raise")
        elif isinstance(statement, ast.If | ast.For | ast.While | ast.With):
            yield from _raised_again([*statement.body, *getattr(statement, "orelse", ())], name)


def _raises(node: ast.Raise, lines: Sequence[str]) -> Iterator[Mutation]:
    line, end = lines[node.lineno - 1], node.end_col_offset or 0
    if isinstance(node.cause, ast.Name) and node.exc is not None and node.exc.end_lineno == node.end_lineno:
        last, cut = node.end_lineno or 0, node.exc.end_col_offset or 0
        if lines[last - 1].isascii():
            safe = lines[last - 1][cut:end]
            yield Mutation("lost-exception-cause", last, cut, end, "", safe, (node.lineno, node.col_offset))
    if node.lineno != node.end_lineno or not line.isascii() or node.cause is not None:
        return
    text = line[node.col_offset : end]
    where = node.lineno, node.col_offset, end
    if isinstance(node.exc, ast.Call):
        unsafe = text.removeprefix("raise ").lstrip()
        yield Mutation("exception-without-raise", *where, unsafe, text, flag_length=unsafe.find("("))
    raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    if isinstance(raised, ast.Name) and raised.id == "NotImplementedError":
        unsafe = text.replace("NotImplementedError", "NotImplemented", 1)
        yield Mutation("raise-not-implemented-constant", *where, unsafe, text)


def _awaits(node: ast.Await, lines: Sequence[str]) -> Iterator[Mutation]:
    text = segment_of(lines, node)
    if text is not None and isinstance(node.value, ast.Call):
        unsafe = text.removeprefix("await ").lstrip()
        length = (node.value.func.end_col_offset or 0) - node.value.col_offset
        for made in _whole(node, "missing-await", lines, unsafe):
            yield replace(made, flag_length=length)
