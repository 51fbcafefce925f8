"""Slips of a small model's pen, put right by code: what it meant is plain, and the proof decides all the same.

It closes a bracket once too often or once too seldom, indents the first line by a column more, gives a keyword that
the call has already, takes the default from one parameter and asks whether another one is None, asks whether a class is
an object of a class; what it does wrong around `with` is in `withslips.py`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Sequence

from nootropic_bot.propose import withslips
from nootropic_bot.propose.withslips import parsed

_TOKEN = re.compile(
    r"""(?P<text>[bBfFrRuU]{0,2}(?:'''(?:\\.|[^\\])*?'''|\"\"\"(?:\\.|[^\\])*?\"\"\"|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"))"""
    r"|(?P<comment>\#[^\n]*)|(?P<keyword>[^\W\d]\w*\s*=(?!=))|(?P<open>[(\[{])|(?P<close>[)\]}])|\w+|.",
    re.DOTALL,
)
_GUARD = re.compile(r"(?P<start>\n[ \t]*if )(?P<name>\w+)(?P<middle> is None:\s+)(?P=name)(?= = )")
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_TAIL = re.compile(r"[,:]?[ \t]*(?:\#[^\n]*)?\n?\Z")


def without_slips(old: str, new: str) -> str:
    """The new text of some lines without such slips, `new` itself where it has none. `old`: the lines it replaces."""
    made = withslips.opened_only(old, _of_objects(old, _guarded_as_changed(old, _indented_as(old, new))))
    made = withslips.around_the_statement(old, made)
    # Lines from the middle of a statement may look whole and lack the bracket that ends it.
    is_part = any(_open_brackets(old))
    return made if _is_right(made) and not is_part else _closed_as(old, _without_repeated_keywords(made))


def _is_right(text: str) -> bool:
    """Whether the text is whole statements, or the head of one. Other parts of statements may be right as well."""
    tree, _indent = parsed(text)
    if tree is None:
        return False
    # The compiler would refuse a repeated keyword, but it refuses a `return` outside a function as well.
    calls = [[each.arg for each in n.keywords if each.arg] for n in ast.walk(tree) if isinstance(n, ast.Call)]
    return all(len(set(names)) == len(names) for names in calls)


def _indented_as(old: str, new: str) -> str:
    """One column more or less than the line had is no indentation."""
    before, after = (len(text) - len(text.lstrip(" ")) for text in (old, new))
    return new if abs(before - after) != 1 else " " * before + new.lstrip(" ")


def _guarded_as_changed(old: str, new: str) -> str:
    """With `if x is None: x = ...` about the one parameter that has become None, where it is about another."""
    fresh = [guard for guard in _GUARD.finditer(new) if guard[0] not in old]
    emptied = _absent_by_default(new) - _absent_by_default(old)
    guarded = emptied | {guard["name"] for guard in _GUARD.finditer("\n" + old)}
    if len(fresh) != 1 or len(emptied) != 1 or fresh[0]["name"] in guarded:
        return new
    (guard,), (name,) = fresh, emptied
    return f"{new[: guard.start()]}{guard['start']}{name}{guard['middle']}{name}{new[guard.end() :]}"


def _absent_by_default(text: str) -> set[str]:
    """The names that stand before `= None`, with an annotation or without."""
    found: set[str] = set()
    starts: list[str] = [""]
    tokens = [token for token in _TOKEN.finditer(text) if token[0] == "\n" or not token[0].isspace()]
    for token, following in zip(tokens, [*tokens[1:], None], strict=False):
        if token["open"]:
            starts.append("")
        elif token["close"]:
            starts = starts[:-1] or [""]
        elif token[0] in (",", "\n"):
            starts[-1] = ""
        elif not starts[-1]:
            starts[-1] = token[0].rstrip("= \t")
        if token[0].endswith("=") and following is not None and following[0] == "None":
            found.add(starts[-1])
    return found


def _of_objects(old: str, new: str) -> str:
    """With `isinstance(x, T)` for `isinstance(x.__class__, T)`, `isinstance(type(x), T)` and `isinstance(x == T)`.

    Only where the old text compares the class of that `x`, or that `x`: of a class of classes it may be asked.
    """
    before, _indent = parsed(old)
    compared = [node for node in ast.walk(before) if isinstance(node, ast.Compare)] if before is not None else []
    known = {ast.dump(part) for node in compared for part in (node, node.left, *node.comparators)}
    while known:
        changed = _of_one_object(known, new)
        if changed == new:
            break
        new = changed
    return new


def _of_one_object(known: Collection[str], new: str) -> str:
    tree, indent = parsed(new)
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call)) if tree is not None else ()
    lines = new.split("\n")
    for call in calls:
        line, meant = lines[call.lineno - 1], _meant_by(call)
        is_plain = call.lineno == call.end_lineno and line.isascii() and line.startswith(indent)
        if meant is not None and is_plain and ast.dump(call.args[0]) in known:
            spans = (call, *meant)
            (start, end), *parts = ((len(indent) + n.col_offset, len(indent) + (n.end_col_offset or 0)) for n in spans)
            texts = ", ".join(line[first:last] for first, last in parts)
            lines[call.lineno - 1] = f"{line[:start]}isinstance({texts}){line[end:]}"
            break
    return "\n".join(lines)


def _meant_by(call: ast.Call) -> tuple[ast.expr, ast.expr] | None:
    """The arguments of `isinstance` that were meant, None where these were, or another function is called."""
    if not isinstance(call.func, ast.Name) or call.func.id != "isinstance" or call.keywords:
        return None
    args = call.args
    if len(args) == 1 and isinstance(args[0], ast.Compare) and [type(op) for op in args[0].ops] in ([ast.Eq], [ast.Is]):
        return _object_of(args[0].left) or args[0].left, args[0].comparators[0]
    subject = _object_of(args[0]) if len(args) == 2 else None
    return (subject, args[1]) if subject is not None else None


def _object_of(node: ast.expr) -> ast.expr | None:
    """What a class is asked of, in `x.__class__` and `type(x)`."""
    if isinstance(node, ast.Attribute) and node.attr == "__class__":
        return node.value
    is_type = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "type"
    return node.args[0] if is_type and len(node.args) == 1 and not node.keywords else None  # type: ignore[attr-defined]


def _closed_as(old: str, new: str) -> str:
    """With one bracket more, or less, at the end, where only so many are closed as before."""
    (missing, extra), (were_missing, were_extra) = _open_brackets(new), _open_brackets(old)
    if len(missing) == len(were_missing) + 1 and len(extra) == len(were_extra):
        return _with_last(new, _CLOSING[missing[-1]])
    if len(extra) == len(were_extra) + 1 and missing == were_missing:
        at = extra[-1]
        return new[:at] + new[at + 1 :]
    if len(extra) == len(were_extra) - 1 and missing == were_missing:
        return _with_last(new, old[were_extra[-1]])
    return new


def _with_last(text: str, bracket: str) -> str:
    """With a bracket behind everything but a comma, a colon or a comment."""
    end = _TAIL.search(text)
    at = len(text) if end is None else end.start()
    return text[:at] + bracket + text[at:]


def _open_brackets(text: str) -> tuple[list[str], list[int]]:
    """The brackets that are not closed, and the places of those that close none."""
    stack: list[str] = []
    extra: list[int] = []
    for token in _TOKEN.finditer(text):
        if token["open"]:
            stack.append(token[0])
        elif token["close"]:
            if stack and _CLOSING[stack[-1]] == token[0]:
                stack.pop()
            else:
                extra.append(token.start())
    return stack, extra


def _without_repeated_keywords(text: str) -> str:
    """Every keyword once in its brackets: the first one stays, which is the author's."""
    levels: list[set[str]] = [set()]
    cuts: list[tuple[int, int]] = []
    tokens = list(_TOKEN.finditer(text))
    for number, token in enumerate(tokens):
        if token["open"]:
            levels.append(set())
        elif token["close"] and len(levels) > 1:
            levels.pop()
        elif token["keyword"] and len(levels) > 1 and _is_argument(tokens, number):
            name = token[0].rstrip("= \t")
            if name in levels[-1]:
                cuts.append((_before(tokens, number).start(), _end_of(tokens, number)))
            levels[-1].add(name)
    for start, end in reversed(cuts):
        text = text[:start] + text[end:]
    return text


def _before(tokens: Sequence[re.Match[str]], number: int) -> re.Match[str]:
    """The last token before this one that is no white space; there is one inside brackets."""
    return next(token for token in reversed(tokens[:number]) if not token[0].isspace())


def _is_argument(tokens: Sequence[re.Match[str]], number: int) -> bool:
    return _before(tokens, number)[0] in ("(", ",")


def _end_of(tokens: Sequence[re.Match[str]], number: int) -> int:
    """Where an argument ends."""
    depth = 0
    for place in range(number, len(tokens)):
        token = tokens[place]
        depth += bool(token["open"]) - bool(token["close"])
        if depth < 0 or (depth == 0 and token[0] == ","):
            return _before(tokens, place).end()
    return tokens[-1].end()
