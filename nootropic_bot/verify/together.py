"""Fixes of one file that are proved together: one scan of a copy with many fixes instead of one copy for each.

This is group testing (Dorfman, 1943, "The detection of defective members of large populations"): a batch that passes
proves its members; one that does not refutes those in whose own statement it shows the reason. It passes only where
nothing can hide behind a neighbour: the members touch no line and no new name of each other, every finding of theirs is
gone, within the image of each member's region no rule finds more than what is left there of the findings that the batch
is to cure, and elsewhere there is nothing that was not there before, at its very place.
"""

from __future__ import annotations

import ast
import bisect
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from nootropic_bot.diff import LineRanges, meets
from nootropic_bot.pynames import bound_names
from nootropic_bot.records import Check, Edit, FileAnalysis, Gap, Match
from nootropic_bot.source import Source, decode, split_lines
from nootropic_bot.verify.case import Case, growth, parse
from nootropic_bot.verify.trees import Region, header_nodes, names_in

Range = tuple[int, int]


@dataclass(frozen=True)
class Member:
    """What a batch must know of a fix, without the trees that it was found by.

    `number`: what the caller calls it; `region`: the lines of the statement with the finding; `edits`: to statements;
    `imports`: what it imports at module level; `uses`: the names that the code holds before or after; `binds`: those
    that only one of the two defines.
    """

    case: Case
    region: Range
    edits: tuple[Edit, ...]
    imports: tuple[Edit, ...]
    uses: frozenset[str]
    binds: frozenset[str]
    number: int = -1

    def footprint(self, without: Collection[Edit] = ()) -> LineRanges:
        """The lines that no other member may touch; of an insertion, the lines on both sides."""
        places = ((edit.start_line, edit.end_line) for edit in self.edits if edit not in without)
        return (self.region, *((min(place), max(place)) for place in places))

    def is_apart_from(self, other: Member) -> bool:
        """Whether the two neither touch the same lines nor lean on a name that only the other one defines or drops.

        The same name put into the same import by both is one edit, and no quarrel.
        """
        if (self.uses & other.binds) - self.binds or (other.uses & self.binds) - other.binds:
            return False
        common = self.elsewhere & other.elsewhere
        mine = self.footprint(common)
        return not any(meets(mine, *place) for place in other.footprint(common))

    @cached_property
    def elsewhere(self) -> frozenset[Edit]:
        """The edits that lie outside of the statement: to imports."""
        return frozenset(edit for edit in self.edits if not meets((self.region,), edit.start_line, edit.end_line))


def member(case: Case) -> Member | None:
    """The fix as a member of a batch, None where it must be scanned alone.

    That is where it holds a name that was undefined before: were it undefined once more, the count of a file in which
    another fix defines it, or takes it away, would not show it.

    Raises:
        Unparsable: of the original or the fixed file.
    """
    uses = names_in(case.regions, after=False) | names_in(case.regions, after=True)
    if uses & set(case.analysis.undefined):
        return None
    binds = _bound(case.regions, after=False) ^ _bound(case.regions, after=True)
    binds |= _imported(case.before.tree) ^ _imported(case.after.tree)
    imports = tuple(edit for edit in case.trimmed if _is_import_insertion(edit))
    edits = tuple(edit for edit in case.trimmed if edit not in imports)
    return Member(case, case.inside_before[0], edits, imports, frozenset(uses), frozenset(binds))


def partition(members: Iterable[Member]) -> list[list[Member]]:
    """Members by batches in which all are apart; each goes to the first that has room for it."""
    parts: list[list[Member]] = []
    for each in members:
        room = (part for part in parts if all(each.is_apart_from(other) for other in part))
        part = next(room, None)
        if part is None:
            parts.append([each])
        else:
            part.append(each)
    return parts


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one scan says of a batch. `is_proof`: of every member. Else, by the members' numbers:

    `refuted`: the check that each fails in its own statement; `suspects`: those that stand near to something new;
    `unread`: why the copy could not be analysed to the end, which says nothing of anybody.
    """

    is_proof: bool
    refuted: Mapping[int, Check] = field(default_factory=dict)
    suspects: Sequence[int] = ()
    unread: str = ""


@dataclass(frozen=True)
class Batch:
    """Fixes that were made together in one copy of their file. `edits` lie apart and are in order of place."""

    members: tuple[Member, ...]
    edits: tuple[Edit, ...]
    fixed: Source

    @classmethod
    def of(cls, members: Iterable[Member]) -> Batch:
        """The copy with all these fixes; they are apart, and of one file.

        Raises:
            ValueError: an import would be put into a fixed statement, or the result can't be written in this file.
            Unparsable: it is no program.
        """
        ordered = tuple(sorted(members, key=lambda each: each.region))
        imports = _merged_imports(ordered)
        own = list(dict.fromkeys(edit for each in ordered for edit in each.edits))
        for edit in imports:
            if any(first < edit.start_line <= last for each in ordered for first, last in each.footprint()):
                raise ValueError("an import would be put into a fixed statement")
        # Stable: at one place, imports come before what is inserted into a statement.
        edits = tuple(sorted([*imports, *own], key=_place))
        source = ordered[0].case.source
        lines = list(source.lines)
        for edit in reversed(edits):
            lines[edit.start_line - 1 : edit.end_line] = split_lines(edit.replacement)
        fixed = decode(source.path, source.encode("".join(lines)))
        parse(fixed.text)
        return cls(ordered, edits, fixed)

    def judge(self, after: FileAnalysis) -> Judgement:
        """What the scan of `fixed` says of the members."""
        unread = next((gap.reason for gap in after.gaps if gap.transient), "")
        if unread:
            return Judgement(is_proof=False, unread=unread)
        inside, elsewhere = _sorted_out(after.matches, self._images)
        unexplained = [*self._new_elsewhere(elsewhere), *self._new_gaps(after.gaps)]
        undefined = Counter(after.undefined) - Counter(self._before.undefined)
        refuted = {each.number: check for i, each in enumerate(self.members) if (check := self._failure(i, inside[i]))}
        suspects = [
            each.number
            for number, each in enumerate(self.members)
            if each.number not in refuted
            and (
                any(meets(self._traces[number], *place) for place in unexplained) or not each.uses.isdisjoint(undefined)
            )
        ]
        return Judgement(not (refuted or unexplained or undefined), refuted, suspects)

    @property
    def _before(self) -> FileAnalysis:
        return self.members[0].case.analysis

    @cached_property
    def _regions(self) -> list[Range]:
        return [each.region for each in self.members]

    @cached_property
    def _images(self) -> list[Range]:
        """Where each region went: as long as before, plus what its own edits add."""
        found = []
        for each in self.members:
            first, last = each.region
            within = [edit for edit in each.edits if first <= edit.start_line <= last + 1]
            above = self._shift(first) - sum(growth(edit) for edit in within if edit.end_line < first)
            found.append((first + above, max(last + above + sum(map(growth, within)), first + above)))
        return found

    @cached_property
    def _traces(self) -> list[LineRanges]:
        """All places of each member in the copy: the image of its region, and its new lines."""
        return [(image, *self._new_lines(each)) for image, each in zip(self._images, self.members, strict=True)]

    def _new_lines(self, each: Member) -> Iterator[Range]:
        for edit in each.edits:
            above = sum(growth(other) for other in self.edits if _place(other) < _place(edit))
            yield edit.start_line + above, edit.start_line + above + max(len(split_lines(edit.replacement)) - 1, 0)

    @cached_property
    def _shifts(self) -> tuple[list[int], list[int]]:
        """The last lines of the edits, in order, and by how much what lies below each of them is moved."""
        lasts, moved = [], [0]
        for edit in sorted(self.edits, key=lambda each: each.end_line):
            lasts.append(edit.end_line)
            moved.append(moved[-1] + growth(edit))
        return lasts, moved

    def _shift(self, line: int) -> int:
        lasts, moved = self._shifts
        return moved[bisect.bisect_left(lasts, line)]

    @cached_property
    def _had(self) -> tuple[list[Counter[str]], list[Match]]:
        return _sorted_out(self._before.matches, self._regions)

    @cached_property
    def _credited(self) -> list[Counter[str]]:
        """By region, the findings that the batch is to cure there, by rule: nothing may take the place of one."""
        return _sorted_out((each.case.match for each in self.members), self._regions)[0]

    def _failure(self, number: int, left: Counter[str]) -> Check | None:
        """What a member fails where nobody else changed anything: its finding is still there, or there are more."""
        had, rule = self._had[0][number], self.members[number].case.match.rule_id
        if left[rule] >= had[rule]:
            return Check("gone", "failed", f"{rule} still finds it")
        new = left - (had - self._credited[number])
        if new:
            return Check("nothing_new", "failed", f"{min(new)} finds more than before")
        return None

    def _new_elsewhere(self, matches: Iterable[Match]) -> Iterator[Range]:
        """Places of matches, all outside of the regions, of which the original has none of this rule at this place."""
        known = Counter(
            (m.rule_id, m.start.line + self._shift(m.start.line), m.start.col,
             m.end.line + self._shift(m.end.line), m.end.col)
            for m in self._had[1]
        )  # fmt: skip
        for match in matches:
            place = (match.rule_id, match.start.line, match.start.col, match.end.line, match.end.col)
            known[place] -= 1
            if known[place] < 0:
                yield match.start.line, match.end.line

    def _new_gaps(self, gaps: Sequence[Gap]) -> Iterator[Range]:
        """Places that could not be analysed, and could be before."""
        known = Counter(
            (gap.first + self._shift(gap.first), gap.last + self._shift(gap.last)) if gap.first else gap.reason
            for gap in self._before.gaps
        )
        for gap in gaps:
            place = (gap.first, gap.last) if gap.first else gap.reason
            known[place] -= 1
            if known[place] < 0:
                yield gap.first, gap.last


def _place(edit: Edit) -> Range:
    return edit.start_line, edit.end_line


def _sorted_out(matches: Iterable[Match], ranges: Sequence[Range]) -> tuple[list[Counter[str]], list[Match]]:
    """How often each rule matches in each range, and the matches that lie in none. The ranges are in order, apart."""
    lasts = [last for _first, last in ranges]
    inside: list[Counter[str]] = [Counter() for _ in ranges]
    outside = []
    for match in matches:
        number = start = bisect.bisect_left(lasts, match.start.line)
        while number < len(ranges) and ranges[number][0] <= match.end.line:
            inside[number][match.rule_id] += 1
            number += 1
        if number == start:
            outside.append(match)
    return inside, outside


def _bound(regions: Iterable[Region], *, after: bool) -> set[str]:
    """The names that one side of the differences defines."""
    found: set[str] = set()
    for region in regions:
        for node in region.after if after else region.before:
            parts = header_nodes(node) if region.header else [node]
            found.update(*(bound_names(part) for part in parts))
            if region.header and isinstance(node, ast.ExceptHandler) and node.name:
                found.add(node.name)
    return found


def _imported(tree: ast.Module) -> set[str]:
    """The names that imports at module level bind."""
    imports = (node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom))
    return {name for node in imports for name in bound_names(node)}


def _is_import_insertion(edit: Edit) -> bool:
    """Whether an edit only inserts imports at module level; nothing else parses where it starts a line."""
    if edit.start_line <= edit.end_line:
        return False
    try:
        body = ast.parse(edit.replacement).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return all(isinstance(node, ast.Import | ast.ImportFrom) for node in body)


def _merged_imports(members: Sequence[Member]) -> list[Edit]:
    """The import statements that the members insert, at each place each once."""
    wanted: dict[int, dict[str, None]] = {}
    for edit in (edit for each in members for edit in each.imports):
        lines = wanted.setdefault(edit.start_line, {})
        lines.update(dict.fromkeys(ast.unparse(node) for node in ast.parse(edit.replacement).body))
    source = members[0].case.source
    return [
        Edit(source.path, line, line - 1, "".join(f"{each}{source.newline}" for each in statements))
        for line, statements in wanted.items()
    ]
