"""The single checks of the proof. Each takes a `Case` and answers a `Check`; none has side effects.

scope      edits lie in the finding's smallest statement (of a compound one: its head, plus a guard at the start of its
           body; of an idle exception handler: a report of the error) and among the imports; no forbidden path, no mark
           that silences a checker
parse      the file parses and compiles, and its characters exist in its encoding
names      nothing new is undefined, and what the fix brings in means what it should
signature  parameters keep their names, order and kinds, and which of them have defaults
bounded    the change is a change of that statement: it is neither deleted nor hidden nor rewritten beyond recognition
gone       scanned again without suppression, this finding is gone
nothing_new  and no rule finds more than before
"""

from __future__ import annotations

import ast
import builtins
from collections import Counter
from collections.abc import Iterator

from nootropic_bot.constants import SILENCING_MARKS
from nootropic_bot.diff import LineRanges, is_forbidden_path, meets
from nootropic_bot.pynames import bound_names, imported_names, new_names, runtime_imports
from nootropic_bot.records import Check, FileAnalysis, Match
from nootropic_bot.statements import Node, extent, header_lines
from nootropic_bot.verify.bounds import bounded_check
from nootropic_bot.verify.case import Case, Unparsable
from nootropic_bot.verify.trees import Region, fills_handler, names_in

_BUILTINS = frozenset(dir(builtins))
_PYTHON_ONLY = ("parse", "names", "signature", "bounded")


def static_checks(case: Case) -> list[Check]:
    """Every check that needs no scanner."""
    if not case.source.is_python:
        checks = [_scope_by_lines(case)]
        return checks + [Check(name, "not_run", "only Python is checked this deeply") for name in _PYTHON_ONLY]
    parse = _parse_check(case)
    if parse.status != "passed":
        reason = "the fixed file does not parse"
        return [parse, *(Check(name, "not_run", reason) for name in ("scope", "names", "signature", "bounded"))]
    return [_scope_check(case), parse, _names_check(case), _signature_check(case), bounded_check(case)]


def scan_checks(case: Case, after: FileAnalysis) -> list[Check]:
    """The checks that compare what the critic says before and after; undefined names among them."""
    # A part that the scanner could not read before either hides nothing new.
    if len(after.gaps) > len(case.analysis.gaps) or any(gap.transient for gap in after.gaps):
        reason = f"the fixed file could not be analysed: {after.gaps[0].reason}"
        return [Check("gone", "not_run", reason), Check("nothing_new", "not_run", reason)]
    checks = [_gone_check(case, after), _nothing_new_check(case, after)]
    undefined = Counter(after.undefined) - Counter(case.analysis.undefined)
    if undefined:
        checks.append(Check("names", "failed", f"undefined: {', '.join(sorted(undefined))}"))
    return checks


def _parse_check(case: Case) -> Check:
    try:
        _ = case.before.tree
    except Unparsable as error:
        return Check("parse", "not_run", f"the original does not parse: {error}")
    try:
        _ = case.after.tree
    except Unparsable as error:
        return Check("parse", "failed", str(error))
    except ValueError as error:
        return Check("parse", "failed", f"the fix can't be written in this file: {error}")
    problem = _compile_problem(case.after.tree)
    if problem and not _compile_problem(case.before.tree):
        return Check("parse", "failed", problem)
    return Check("parse", "passed")


def _compile_problem(tree: ast.Module) -> str | None:
    """What parses and is no program all the same: an `await` outside of `async def`, a `return` outside of any."""
    try:
        compile(tree, "<fixed>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return str(error)
    return None


def _forbidden(case: Case) -> str | None:
    for edit in case.proposal.edits:
        if edit.path != case.source.path:
            return f"it edits another file, {edit.path}"
    if is_forbidden_path(case.source.path):
        return f"{case.source.path} may not be touched by a fix"
    for edit in case.trimmed:
        old = "".join(case.source.lines[edit.start_line - 1 : edit.end_line]).lower()
        for mark in SILENCING_MARKS:
            if edit.replacement.lower().count(mark) > old.count(mark):
                return f"it adds `{mark}`"
    return None


def _scope_by_lines(case: Case) -> Check:
    reason = _forbidden(case)
    first, last = case.match.start.line, case.match.end.line
    if reason is None and any(edit.start_line < first or edit.end_line > last for edit in case.trimmed):
        reason = f"it edits lines outside {first}-{last}"
    return Check("scope", "failed", reason) if reason else Check("scope", "passed")


def _scope_check(case: Case) -> Check:
    reason = _forbidden(case)
    if reason is None and case.target is None:
        reason = "the finding lies in no single statement"
    if reason is None and case.target is not None:
        reason = next(filter(None, (_outside(region, case.target) for region in case.regions)), None)
    if reason is None and case.target is not None and not case.regions:
        reason = _comments_only(case, header_lines(case.target))
    return Check("scope", "failed", reason) if reason else Check("scope", "passed")


def _comments_only(case: Case, allowed: tuple[int, int]) -> str | None:
    outside = [e for e in case.trimmed if not allowed[0] <= e.start_line <= e.end_line <= allowed[1]]
    return f"it edits line {outside[0].start_line}, outside the statement" if outside else None


def _outside(region: Region, target: Node) -> str | None:
    """Why a difference lies outside the target statement, or None when it lies inside."""
    heads = [target, *getattr(target, "handlers", ()), *getattr(target, "cases", ())]
    if region.header and region.before[0] in heads:
        return None
    if not region.header and list(region.before) == [target]:
        return None
    if not region.before and region.parent is target and _is_guard(region):
        return None
    if region.parent is target and fills_handler(region):
        return None
    place = region.before[0] if region.before else region.parent
    return f"it changes the statement at line {extent(place)[0]}, beyond the one with the finding"


def _is_guard(region: Region) -> bool:
    """An `if` put at the start of a body, after the docstring if there is one."""
    body = getattr(region.parent, "body", [])
    has_docstring = bool(body) and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    return region.index == int(has_docstring) and all(isinstance(node, ast.If) for node in region.after)


def _names_check(case: Case) -> Check:
    bound = bound_names(case.before.tree)
    problem = next(_needed_names_problems(case), None)
    used = names_in(case.regions, after=True) - names_in(case.regions, after=False)
    for name in sorted(used & _BUILTINS & new_names(case.source, case.trimmed)):
        if name in bound:
            problem = problem or f"`{name}` is redefined in this file"
    return Check("names", "failed", problem) if problem else Check("names", "passed")


def _needed_names_problems(case: Case) -> Iterator[str]:
    """Names that must come from an import, but mean something else somewhere in the file."""
    for name, statement in case.proposal.needs.items():
        meant = {imported_names(node).get(name) for node in runtime_imports(ast.parse(statement))}
        present = {imported_names(node).get(name) for node in runtime_imports(case.after.tree)}
        if not meant & present:
            yield f"`{statement}` could not be added"
        everywhere = [n for n in ast.walk(case.before.tree) if isinstance(n, ast.Import | ast.ImportFrom)]
        others = {imported_names(node).get(name) for node in everywhere} - {None} - meant
        if others or name in bound_names(case.before.tree, imports=False):
            yield f"`{name}` already means something else in this file"


def _signature_check(case: Case) -> Check:
    old = [_signature(f) for r in case.regions for n in r.before for f in _functions(n)]
    new = [_signature(f) for r in case.regions for n in r.after for f in _functions(n)]
    if old == new:
        return Check("signature", "passed")
    changed = [name for name, *_rest in old if (name, *_rest) not in new] or ["a function"]
    return Check("signature", "failed", f"the parameters of `{changed[0]}` change")


def _functions(node: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [child for child in ast.walk(node) if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)]


def _signature(function: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[object, ...]:
    args = function.args
    return (
        function.name,
        [a.arg for a in args.posonlyargs],
        [a.arg for a in args.args],
        args.vararg.arg if args.vararg else None,
        [a.arg for a in args.kwonlyargs],
        args.kwarg.arg if args.kwarg else None,
        len(args.defaults),
        [default is not None for default in args.kw_defaults],
    )


def _gone_check(case: Case, after: FileAnalysis) -> Check:
    rule = case.match.rule_id
    left = _count_inside(after, case.inside_after, rule)
    had = _count_inside(case.analysis, case.inside_before, rule)
    if left < had:
        return Check("gone", "passed")
    return Check("gone", "failed", f"{rule} still finds it")


def _nothing_new_check(case: Case, after: FileAnalysis) -> Check:
    inside_before, inside_after = case.inside_before, case.inside_after
    for inside in (True, False):
        old = Counter(m.rule_id for m in case.analysis.matches if _is_inside(m, inside_before) is inside)
        new = Counter(m.rule_id for m in after.matches if _is_inside(m, inside_after) is inside)
        risen = sorted((new - old).keys())
        if risen:
            return Check("nothing_new", "failed", f"{risen[0]} finds more than before")
    return Check("nothing_new", "passed")


def _count_inside(analysis: FileAnalysis, ranges: LineRanges, rule_id: str) -> int:
    return sum(1 for m in analysis.matches if m.rule_id == rule_id and _is_inside(m, ranges))


def _is_inside(match: Match, ranges: LineRanges) -> bool:
    return meets(ranges, match.start.line, match.end.line)
