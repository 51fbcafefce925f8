"""What a new `with` opens: as often as before, and read before it is closed."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from nootropic_bot.runsonce import is_lazy, is_same_call, parts_that_run_once
from nootropic_bot.verify.case import Case
from nootropic_bot.verify.trees import changed_nodes


def opened_wrongly(case: Case) -> str | None:
    """What is wrong about a `with` that the fix brings in, as a sentence; None where nothing was found."""
    old, new = changed_nodes(case.regions, after=False), changed_nodes(case.regions, after=True)
    for node in new:
        for block in ast.walk(node):
            if isinstance(block, ast.With | ast.AsyncWith):
                problem = next(_problems(block, old), None)
                if problem:
                    return problem
    return None


def _problems(block: ast.With | ast.AsyncWith, old: Sequence[ast.AST]) -> Iterator[str]:
    for item in block.items:
        call = item.context_expr
        if not isinstance(call, ast.Call):
            continue
        if _was_sometimes(call, old):
            yield f"`{ast.unparse(call.func)}` was called now and then, or later, and is always now"
        if isinstance(item.optional_vars, ast.Name) and _outlives(item.optional_vars.id, block.body):
            yield f"`{item.optional_vars.id}` is closed before it is used"


def _was_sometimes(call: ast.Call, old: Sequence[ast.AST]) -> bool:
    """Whether the statement called this before, and none of its calls was sure to run once."""
    alike = [node for part in old for node in ast.walk(part) if isinstance(node, ast.Call) and is_same_call(node, call)]
    # Whether a statement runs at all is not asked here: conditions are compared elsewhere.
    statements = [each for part in old for each in ast.walk(part) if each is part or isinstance(each, ast.stmt)]
    sure = {id(node) for each in statements for node in parts_that_run_once(each)}
    return bool(alike) and not any(id(node) in sure for node in alike)


def _outlives(name: str, body: Sequence[ast.stmt]) -> bool:
    """Whether something in this block keeps what `name` is for later, unread."""
    for number, statement in enumerate(body):
        if any(isinstance(node, ast.Lambda) and _reads(node, name) for node in ast.walk(statement)):
            return True
        value = getattr(statement, "value", None)
        is_kept = is_lazy(value) or (isinstance(value, ast.Name) and value.id == name)
        if not is_kept or not _reads(value, name):
            continue
        targets = {
            node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        later = body[number + 1 :]
        if isinstance(statement, ast.Return) or not any(_reads(each, target) for each in later for target in targets):
            return True
    return False


def _reads(node: ast.AST | None, name: str) -> bool:
    names = (each for each in ast.walk(node) if isinstance(each, ast.Name)) if node is not None else ()
    return any(each.id == name and isinstance(each.ctx, ast.Load) for each in names)
