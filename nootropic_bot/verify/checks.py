"""The single checks of the proof. Each takes a `Case` and answers a `Check`; none has side effects.

scope      edits lie in the finding's smallest statement (of a compound one: its head, plus a guard at the start of its
           body) and among the imports; no forbidden path, no mark that silences a checker
parse      the file parses, and its characters exist in its encoding
names      nothing new is undefined, and what the fix brings in means what it should
signature  parameters keep their names, order and kinds, and which of them have defaults
bounded    the change is a change of that statement: it is neither deleted nor hidden nor rewritten beyond recognition
gone       scanned again without suppression, this finding is gone
nothing_new  and no rule finds more than before
"""

from __future__ import annotations

import ast
import builtins
import io
import tokenize
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from nootropic_bot.constants import SILENCING_MARKS
from nootropic_bot.diff import LineRanges, apply_edits, is_forbidden_path, meets
from nootropic_bot.pynames import bound_names, imported_names, new_names, runtime_imports
from nootropic_bot.records import Check, Edit, FileAnalysis, Match, Proposal
from nootropic_bot.source import Source, decode, split_lines
from nootropic_bot.verify.trees import (
    Node,
    Region,
    Side,
    differences,
    extent,
    header_lines,
    header_nodes,
    smallest_statement,
)

_BUILTINS = frozenset(dir(builtins))
# What a fix may not bring in: ways to reach a function without naming it.
_EVASIONS = frozenset(
    {"__import__", "__builtins__", "compile", "eval", "exec", "getattr", "globals", "importlib", "locals", "setattr", "vars"}
)
_MAX_GROWTH = 4
_GROWTH_ALLOWANCE = 80
_MIN_KEPT = 0.34


class Unparsable(Exception):
    """This Python can't parse the file; the message says where."""


@dataclass(frozen=True)
class Case:
    """A proposal for one finding (`match`) in one file (`source`), with what the critic said of the file."""

    source: Source
    match: Match
    analysis: FileAnalysis
    proposal: Proposal

    @cached_property
    def trimmed(self) -> list[Edit]:
        """The edits without the lines they only repeat."""
        return [edit for each in self.proposal.edits if (edit := _trim(self.source, each)) is not None]

    @cached_property
    def new_lines(self) -> list[str]:
        """The fixed file, as lines.

        Raises:
            ValueError: the edits overlap or don't fit the file.
        """
        return apply_edits(self.source.lines, self.proposal.edits)

    @cached_property
    def fixed(self) -> Source:
        """The fixed file, decoded from its own bytes.

        Raises:
            ValueError: the edits don't fit, or a character doesn't exist in the file's encoding.
        """
        return decode(self.source.path, self.source.encode("".join(self.new_lines)))

    @cached_property
    def before(self) -> Side:
        """The original tree."""
        ranges = tuple((edit.start_line, edit.end_line) for edit in self.trimmed)
        return Side(_parse(self.source.text), ranges, tuple((e.end_line, _growth(e)) for e in self.trimmed))

    @cached_property
    def after(self) -> Side:
        """The fixed tree; its edited ranges are the images of the original ones."""
        ranges, grown = [], 0
        for edit in self.trimmed:
            ranges.append((edit.start_line + grown, edit.end_line + grown + _growth(edit)))
            grown += _growth(edit)
        return Side(_parse(self.fixed.text), tuple(ranges))

    @cached_property
    def target(self) -> Node | None:
        """The smallest statement around the finding."""
        start, end = self.match.start, self.match.end
        return smallest_statement(
            self.before.tree, self._byte_place(start.line, start.col), self._byte_place(end.line, end.col)
        )

    @cached_property
    def inside_before(self) -> LineRanges:
        """The lines of the statement (of a compound one, its head) and of the edits to it."""
        first, last = self.match.start.line, self.match.end.line
        if self.source.is_python and self.target is not None:
            head = header_lines(self.target)
            first, last = min(first, head[0]), max(min(last, head[1]), head[0])
        for edit in self.trimmed:
            if meets(((first, last + 1),), edit.start_line, edit.end_line):
                last = max(last, edit.end_line)
        return ((first, last),)

    @cached_property
    def inside_after(self) -> LineRanges:
        """The image of `inside_before` in the fixed file."""
        ((first, last),) = self.inside_before
        above = sum(_growth(edit) for edit in self.trimmed if edit.end_line < first)
        within = sum(_growth(edit) for edit in self.trimmed if first <= edit.start_line <= last + 1)
        return ((first + above, max(last + above + within, first + above)),)

    @cached_property
    def regions(self) -> list[Region]:
        """Where the trees differ, imports at module level left out."""
        found = differences(self.before, self.after)
        return [region for region in found if not _is_import_insertion(region)]

    def _byte_place(self, line: int, col: int) -> tuple[int, int]:
        text = self.source.lines[line - 1][: col - 1] if line <= len(self.source.lines) else ""
        return line, len(text.encode("utf-8", "surrogateescape"))


def static_checks(case: Case) -> list[Check]:
    """Every check that needs no scanner."""
    if not case.source.is_python:
        checks = [_scope_by_lines(case)]
        return checks + [Check(name, "not_run", "only Python is checked this deeply") for name in _PYTHON_ONLY]
    parse = _parse_check(case)
    if parse.status != "passed":
        reason = "the fixed file does not parse"
        return [parse, *(Check(name, "not_run", reason) for name in ("scope", "names", "signature", "bounded"))]
    return [_scope_check(case), parse, _names_check(case), _signature_check(case), _bounded_check(case)]


_PYTHON_ONLY = ("parse", "names", "signature", "bounded")


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


@lru_cache(maxsize=4)
def _parse(text: str) -> ast.Module:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None)
        raise Unparsable(f"line {line}: {error}" if line else str(error)) from error


def _trim(source: Source, edit: Edit) -> Edit | None:
    old = source.lines[edit.start_line - 1 : edit.end_line]
    new = split_lines(edit.replacement)
    start, end = edit.start_line, edit.end_line
    while old and new and old[0] == new[0]:
        old, new, start = old[1:], new[1:], start + 1
    while old and new and old[-1] == new[-1]:
        old, new, end = old[:-1], new[:-1], end - 1
    return Edit(edit.path, start, end, "".join(new)) if old or new else None


def _growth(edit: Edit) -> int:
    return len(split_lines(edit.replacement)) - (edit.end_line - edit.start_line + 1)


def _is_import_insertion(region: Region) -> bool:
    imports = all(isinstance(node, ast.Import | ast.ImportFrom) for node in region.after)
    return not region.before and imports and isinstance(region.parent, ast.Module)


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
    return Check("parse", "passed")


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
    place = region.before[0] if region.before else region.parent
    return f"it changes the statement at line {extent(place)[0]}, beyond the one with the finding"


def _is_guard(region: Region) -> bool:
    """An `if` put at the start of a body, after the docstring at most."""
    body = getattr(region.parent, "body", [])
    has_docstring = bool(body) and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    return region.index <= int(has_docstring) and all(isinstance(node, ast.If) for node in region.after)


def _names_check(case: Case) -> Check:
    bound = bound_names(case.before.tree)
    problem = next(_needed_names_problems(case), None)
    used = _names_in(case.regions, after=True) - _names_in(case.regions, after=False)
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


def _names_in(regions: Sequence[Region], *, after: bool) -> set[str]:
    names: set[str] = set()
    for node in _changed_nodes(regions, after=after):
        names |= {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}
    return names


def _changed_nodes(regions: Sequence[Region], *, after: bool) -> list[ast.AST]:
    found: list[ast.AST] = []
    for region in regions:
        for node in region.after if after else region.before:
            found += header_nodes(node) if region.header else [node]
    return found


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


def _bounded_check(case: Case) -> Check:
    problem = _deletion(case.regions) or _evasion(case.regions) or _size_problem(case.regions)
    if not case.regions:
        problem = "it changes no code"
    problem = problem or _lost_comment(case)
    return Check("bounded", "failed", problem) if problem else Check("bounded", "passed")


def _deletion(regions: Sequence[Region]) -> str | None:
    for region in regions:
        if region.before and not region.after:
            return "it deletes the statement"
        if region.before and not region.header and all(_does_nothing(node) for node in region.after):
            if not all(_does_nothing(node) for node in region.before):
                return "it replaces the statement by nothing"
    old, new = _changed_nodes(regions, after=False), _changed_nodes(regions, after=True)
    data = {name for node in old for name in _data_names(node)}
    kept = {child.id for node in new for child in ast.walk(node) if isinstance(child, ast.Name)}
    stored = {c.id for node in old for c in ast.walk(node) if isinstance(c, ast.Name) and isinstance(c.ctx, ast.Store)}
    if data and not data & kept:
        return f"nothing is left of {', '.join(f'`{name}`' for name in sorted(data)[:3])}"
    if stored - kept:
        return f"`{min(stored - kept)}` is no longer assigned"
    return None


def _lost_comment(case: Case) -> str | None:
    for edit in case.trimmed:
        if "#" not in "".join(case.source.lines[edit.start_line - 1 : edit.end_line]):
            continue
        for line, comment in _comments(case.source.text):
            if edit.start_line <= line <= edit.end_line and comment not in edit.replacement:
                return f"the comment on line {line} is lost"
    return None


def _comments(text: str) -> Iterator[tuple[int, str]]:
    """Comments with their lines. The text parses, so it can be tokenized."""
    for token in tokenize.generate_tokens(io.StringIO(text, newline="").readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string.rstrip()


def _does_nothing(node: Node) -> bool:
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _data_names(node: ast.AST) -> Iterator[str]:
    """Names that are passed as positional arguments: what the statement works on."""
    called = {_root(call.func) for call in ast.walk(node) if isinstance(call, ast.Call)}
    arguments = [a for call in ast.walk(node) if isinstance(call, ast.Call) for a in call.args]
    for argument in arguments:
        for child in ast.walk(argument):
            if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Load) and child.id not in called:
                yield child.id


def _root(node: ast.AST) -> str | None:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _evasion(regions: Sequence[Region]) -> str | None:
    fresh = _names_in(regions, after=True) - _names_in(regions, after=False)
    hidden = sorted(fresh & _EVASIONS)
    return f"it brings in `{hidden[0]}`" if hidden else None


def _size_problem(regions: Sequence[Region]) -> str | None:
    old = sum(1 for node in _changed_nodes(regions, after=False) for _ in ast.walk(node))
    new = sum(1 for node in _changed_nodes(regions, after=True) for _ in ast.walk(node))
    if old and new < old * _MIN_KEPT:
        return f"it keeps {new} of {old} parts of the statement"
    if new > old * _MAX_GROWTH + _GROWTH_ALLOWANCE:
        return f"it makes {new} parts of {old}"
    return None


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
