"""Import repair: what a fix needs is imported by code, never guessed.

A name that the fix brings in and nothing defines is imported if the rule says how (`metadata.nootropic.imports`), if
it is a module of the standard library and something of it is used (`json.loads`): alone it is rather a variable
(`code`, `token`) that does not exist; if it takes the place of a name from the same standard module; or if the rule's
examples import it, and from where this file can as well. Where it belongs is known to `importplaces.py`.
"""

from __future__ import annotations

import ast
import importlib
import re
import sys
from collections.abc import Mapping

from nootropic_bot.diff import apply_edits
from nootropic_bot.pynames import imported_names, new_names, runtime_imports, used_names
from nootropic_bot.records import Edit, Rule
from nootropic_bot.source import Source, split_lines

_WORD = re.compile(r"[^\W\d]\w*")
# To look into these runs nothing but their own definitions.
_PLAIN_MODULES = frozenset(
    {
        *("asyncio", "contextlib", "datetime", "hashlib", "hmac", "html", "json", "os", "os.path", "random", "secrets"),
        *("shlex", "ssl", "string", "subprocess", "tempfile", "time", "urllib.parse", "uuid"),
    }
)


def repair_imports(source: Source, edit: Edit, rule: Rule) -> tuple[tuple[Edit, ...], Mapping[str, str]]:
    """The edit plus one that inserts missing imports, and the import that each new name is meant to come from.

    Where nothing can be repaired (another language, a syntax error) the edit comes back alone; the proof will tell.
    """
    if not source.is_python:
        return (edit,), {}
    try:
        before = ast.parse(source.text)
        after = ast.parse("".join(apply_edits(source.lines, [edit])))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return (edit,), {}
    known = _imports_of_rule(rule)
    values = (node.value for node in ast.walk(after) if isinstance(node, ast.Attribute))
    roots = {value.id for value in values if isinstance(value, ast.Name)}
    wanted: dict[str, str] = {}
    for name in sorted(new_names(source, [edit]) & used_names(after)):
        is_module = name in sys.stdlib_module_names and name in roots
        own = f"import {name}" if is_module else None
        statement = known.get(name) or own or _import_beside(source, edit, name, before)
        statement = statement or _import_of_examples(rule, name, before)
        if statement is not None:
            wanted[name] = statement
    defined = {name for statement in runtime_imports(before) for name in imported_names(statement)}
    missing = [statement for name, statement in wanted.items() if name not in defined]
    if not missing:
        return (edit,), wanted
    insertion = _insertion(source, missing)
    if insertion is None:
        return (edit,), wanted
    return _combine(source, edit, insertion), wanted


def _imports_of_rule(rule: Rule) -> dict[str, str]:
    found: dict[str, str] = {}
    for statement in rule.imports:
        for node in ast.parse(statement).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                found.update(dict.fromkeys(imported_names(node), statement))
    return found


def _import_beside(source: Source, edit: Edit, name: str, tree: ast.Module) -> str | None:
    """The import of a name that takes the place of one from the same standard module: `sha256` for `md5`."""
    old = "".join(source.lines[edit.start_line - 1 : edit.end_line])
    gone = set(_WORD.findall(old)) - set(_WORD.findall(edit.replacement))
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and not node.level and node.module in _PLAIN_MODULES:
            is_replaced = any(alias.asname is None and alias.name in gone for alias in node.names)
            if is_replaced and hasattr(importlib.import_module(node.module), name):
                return f"from {node.module} import {name}"
    return None


def _import_of_examples(rule: Rule, name: str, tree: ast.Module) -> str | None:
    """How the rule's examples import a name, from a package that this file uses already, or else a standard module.

    None where neither is so, or where more than one would do: `escape` of two packages means two things. A package that
    the file imports in a `try` or an `if` may not be there, and what is added at the top has to be.
    """
    from nootropic_bot.propose.examples import imports_of

    certain = (node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom))
    here = {_package(module) for node in certain for module in _modules(node)}
    found = sorted(imports_of(rule).get(name, ()))
    for packages in (here - sys.stdlib_module_names, sys.stdlib_module_names):
        fitting = [module for module in found if _package(module) in packages]
        if fitting:
            return f"from {fitting[0]} import {name}" if len(fitting) == 1 else None
    return None


def _package(module: str) -> str:
    return module.partition(".")[0]


def _modules(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if node.module and not node.level else []


def _insertion(source: Source, statements: list[str]) -> Edit | None:
    """One edit that inserts import statements."""
    from nootropic_bot.propose.importplaces import with_imports

    text = source.text.replace("\r\n", "\n")
    changed = with_imports(text, statements)
    if changed is None:
        return None
    before, after = split_lines(text), split_lines(changed)
    first = _common(before, after)
    last = len(before) - _common(before[first:][::-1], after[first:][::-1])
    new = after[first : len(after) - (len(before) - last)]
    if not new:
        return None
    if first == last:  # A pure insertion: its anchor is the line before, or the first line of the file.
        new = [before[first - 1], *new] if first else [*new, *before[:1]]
        first, last = max(first - 1, 0), max(first, 1)
    replacement = "".join(new).replace("\n", source.newline)
    return Edit(source.path, first + 1, last, replacement)


def _common(one: list[str], other: list[str]) -> int:
    """How many leading lines are equal."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _combine(source: Source, edit: Edit, insertion: Edit) -> tuple[Edit, ...]:
    """Both edits, as one where they touch the same line."""
    if insertion.end_line < edit.start_line or insertion.start_line > edit.end_line:
        return tuple(sorted((insertion, edit), key=lambda e: e.start_line))
    anchor = "".join(source.lines[insertion.start_line - 1 : insertion.end_line])
    if insertion.start_line != insertion.end_line or anchor not in insertion.replacement:
        return (edit,)
    added_before, _anchor, added_after = insertion.replacement.partition(anchor)
    if insertion.start_line == edit.start_line and added_before and not added_after:
        return (Edit(edit.path, edit.start_line, edit.end_line, added_before + edit.replacement),)
    if insertion.start_line == edit.end_line and added_after and not added_before:
        return (Edit(edit.path, edit.start_line, edit.end_line, edit.replacement + added_after),)
    return (edit,)
