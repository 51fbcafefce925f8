"""What a model's fix must leave in the statement: results that are used, calls and what they get, words of a text.

Small models drop things at the end of a line. The scanner does not miss `.fetchall()`, and no name is undefined without
`--force`, so the proof looks for both.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from nootropic_bot.pynames import dotted
from nootropic_bot.verify.case import Case
from nootropic_bot.verify.trees import changed_nodes

_WORD = re.compile(r"[\w./=-]{2,}")
# A place for a value is no word: `%s`, `%(name)s`, `{name}`.
_PLACE = re.compile(r"%(?:\(\w+\))?[-+ #0]*[\d.*]*[a-zA-Z]\S*|\{[^{}\s]*\}\S*")
# A shorter text is a value (`"md5"`), which a fix may replace; a longer one is a command, a query, a sentence.
_MIN_WORDS = 3
_SAME_TEXT = 0.5

# Calls that say again what a value is, or say too much of it: `if len(rows):`, `key in list(rows)`, `mark_safe(text)`.
_WRAPPERS = frozenset({"bool", "len", "list", "tuple", "set", "str", "mark_safe", "Markup"})


def lost_part(case: Case) -> str | None:
    """What is missing after the fix, as a sentence; None where nothing is."""
    old, new = changed_nodes(case.regions, after=False), changed_nodes(case.regions, after=True)
    left = {child.attr for node in new for child in ast.walk(node) if isinstance(child, ast.Attribute)}
    names = left | {child.id for node in new for child in ast.walk(node) if isinstance(child, ast.Name)}
    for function, name in _used_results(case, old):
        # Another function may give what is wanted at once: `Path.read_text()` for `open().read()`.
        if function in names and name not in left:
            return f"`.{name}()` of the result is lost"
    emptied = _emptied_call(old, new) or _only_unwrapped(case) or _quoted_name(old, new)
    if emptied:
        return emptied
    lost = sorted(_entries(old) - _entries(new) - {repr(name) for name in _keywords(new)})
    if lost and len(_entries(new)) < len(_entries(old)):
        return f"the entry {lost[0]} of a dict is lost"
    text = " ".join(_texts(new))
    words = set(_WORD.findall(text)) | {part for word in _WORD.findall(text) for part in word.split("=")}
    for sentence in _texts(old):
        wanted = _WORD.findall(_PLACE.sub(" ", sentence))
        missing = [word for word in wanted if word not in words and word.partition("=")[0] not in words]
        if len(sentence.split()) >= _MIN_WORDS and missing and len(missing) < len(wanted) * _SAME_TEXT:
            return f"`{missing[0]}` of the text is lost"
    return None


def _emptied_call(old: Sequence[ast.AST], new: Sequence[ast.AST]) -> str | None:
    """A call that was given something, is given constants now, and what it was given is nowhere else either."""
    given = _given(new)
    used = {child.id for node in new for child in ast.walk(node) if isinstance(child, ast.Name)}
    for called, values in sorted(_given(old).items()):
        if values and not given.get(called, values) and not values & used:
            return f"`{called}` is given nothing of {', '.join(f'`{name}`' for name in sorted(values)[:3])}"
    return None


def _quoted_name(old: Sequence[ast.AST], new: Sequence[ast.AST]) -> str | None:
    """A variable of which only its name is left, as a text: `run(["action", target])` for `run(action % target)`."""
    (names, texts), (kept, written) = _names_and_texts(old), _names_and_texts(new)
    quoted = (names - kept) & (written - texts)
    return f"of `{min(quoted)}` only the name is left, as a text" if quoted else None


def _names_and_texts(nodes: Sequence[ast.AST]) -> tuple[set[str], set[str]]:
    parts = [child for node in nodes for child in ast.walk(node)]
    names = {part.id for part in parts if isinstance(part, ast.Name)}
    return names, {part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)}


def _given(nodes: Sequence[ast.AST]) -> dict[str, set[str]]:
    """The names in the arguments of each function that is called just once, with any."""
    calls = [child for node in nodes for child in ast.walk(node) if isinstance(child, ast.Call) and child.args]
    texts = Counter(dotted(call.func) for call in calls)
    given: dict[str, set[str]] = {}
    for call in calls:
        called = dotted(call.func)
        if called and texts[called] == 1:
            # What stands in a dict is counted by its keys (`_entries`).
            values = [*call.args, *(keyword.value for keyword in call.keywords)]
            values = [each for each in values if not isinstance(each, ast.Dict)]
            given[called] = {name.id for each in values for name in ast.walk(each) if isinstance(name, ast.Name)}
    return given


def _only_unwrapped(case: Case) -> str | None:
    """A call of which nothing is left but what it was given: whatever it did is not done any more."""
    for region in case.regions:
        for one, other in zip(region.before, region.after, strict=False):
            old, new = _difference(one, other)
            # Of two calls one may well be enough: `Markup(escape(x))` → `escape(x)`.
            if not isinstance(old, ast.Call) or isinstance(new, ast.Call):
                continue
            called = ast.unparse(old.func)
            if called.rpartition(".")[2] not in _WRAPPERS and ast.dump(new) in {ast.dump(each) for each in old.args}:
                return f"of the call of `{called}` only what it was given is left"
    return None


def _difference(one: ast.AST, other: ast.AST) -> tuple[ast.AST, ast.AST]:
    """The innermost parts in which two trees differ, as far as they are of one shape around them."""
    while type(one) is type(other):
        pairs = list(zip(ast.iter_child_nodes(one), ast.iter_child_nodes(other), strict=False))
        differing = [(a, b) for a, b in pairs if ast.dump(a) != ast.dump(b)]
        if len(differing) != 1 or len(pairs) != len(list(ast.iter_child_nodes(one))):
            break
        one, other = differing[0]
    return one, other


def _entries(nodes: Sequence[ast.AST]) -> set[str]:
    """The keys in dicts, without those of yes, no and none, which may be what was wrong."""
    found = [child for node in nodes for child in ast.walk(node) if isinstance(child, ast.Dict)]
    pairs = [pair for display in found for pair in zip(display.keys, display.values, strict=True)]
    return {repr(key.value) for key, value in pairs if isinstance(key, ast.Constant) and not _is_switch(value)}


def _keywords(nodes: Sequence[ast.AST]) -> set[str | None]:
    return {child.arg for node in nodes for child in ast.walk(node) if isinstance(child, ast.keyword)}


def _is_switch(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, bool))


def _used_results(case: Case, nodes: Sequence[ast.AST]) -> Iterator[tuple[str, str]]:
    """What is called on what the flagged code gives: `execute`, `fetchall` for `cursor.execute(…).fetchall()`."""
    match, lines = case.match, case.source.lines
    start, end = (
        (place.line, len(lines[place.line - 1][: place.col - 1].encode("utf-8", "surrogateescape")))
        for place in (match.start, match.end)
    )
    for node in nodes:
        for call in ast.walk(node):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
                value = call.func.value
                first, last = (value.lineno, value.col_offset), (value.end_lineno or 0, value.end_col_offset or 0)
                if first <= start and end <= last and isinstance(value, ast.Call):
                    function = value.func
                    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
                    yield name, call.func.attr


def _texts(nodes: Sequence[ast.AST]) -> Iterator[str]:
    """The texts of these nodes; an f-string is one text, its values left out."""
    for node in nodes:
        inner: set[int] = set()
        for child in ast.walk(node):
            if isinstance(child, ast.JoinedStr):
                parts = [p for p in child.values if isinstance(p, ast.Constant)]
                inner.update(id(part) for part in parts)
                yield " ".join(str(part.value) for part in parts)
            elif isinstance(child, ast.Constant) and isinstance(child.value, str) and id(child) not in inner:
                yield child.value
