"""Credentials that stand in the source: a fix takes them out, it does not dress them up."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from nootropic_bot.verify.case import Case
from nootropic_bot.verify.trees import changed_nodes

_SPOKEN_OF = re.compile(r"hard-?\s?coded|written in the source|secret store|credential", re.IGNORECASE)
_MIN_LENGTH = 4


def kept_credential(case: Case) -> str | None:
    """A value that the finding says must leave the source and that is still part of what its name is given."""
    if not _SPOKEN_OF.search(case.match.message):
        return None
    old = dict(_named(changed_nodes(case.regions, after=False)))
    for name, value in _named(changed_nodes(case.regions, after=True)):
        before = old.get(name)
        if not isinstance(before, ast.Constant) or ast.dump(before) == ast.dump(value):
            continue
        text = next(_texts(before), "")
        if len(text) >= _MIN_LENGTH and any(text in each for each in _texts(value)):
            return f"what `{name}` is given still holds the old text"
    return None


def _named(nodes: Sequence[ast.AST]) -> Iterator[tuple[str, ast.expr]]:
    """Values with the names that they are given: of variables and attributes, by keyword, in dicts."""
    for node in nodes:
        for child in ast.walk(node):
            if isinstance(child, ast.Assign):
                yield from ((ast.unparse(target), child.value) for target in child.targets)
            elif isinstance(child, ast.AnnAssign) and child.value is not None:
                yield ast.unparse(child.target), child.value
            elif isinstance(child, ast.keyword) and child.arg:
                yield child.arg, child.value
            elif isinstance(child, ast.Dict):
                pairs = zip(child.keys, child.values, strict=True)
                yield from ((ast.unparse(key), value) for key, value in pairs if key is not None)


def _texts(node: ast.expr) -> Iterator[str]:
    for child in ast.walk(node):
        if isinstance(child, ast.Constant) and isinstance(child.value, str):
            yield child.value
        elif isinstance(child, ast.Constant) and isinstance(child.value, bytes):
            yield child.value.decode("latin-1")
