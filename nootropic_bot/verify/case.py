"""A proposal under proof, with everything that the checks derive from it, each derived once."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from nootropic_bot.diff import LineRanges, apply_edits, meets
from nootropic_bot.records import Check, Edit, FileAnalysis, Match, Proposal
from nootropic_bot.source import Source, Undecodable, decode, split_lines
from nootropic_bot.statements import Node, header_lines, smallest_statement
from nootropic_bot.verify.trees import Region, Side, differences

if TYPE_CHECKING:
    from nootropic_bot.verify.together import Member


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
        return Side(parse(self.source.text), ranges, tuple((e.end_line, growth(e)) for e in self.trimmed))

    @cached_property
    def after(self) -> Side:
        """The fixed tree; its edited ranges are the images of the original ones."""
        ranges, grown = [], 0
        for edit in self.trimmed:
            ranges.append((edit.start_line + grown, edit.end_line + grown + growth(edit)))
            grown += growth(edit)
        return Side(parse(self.fixed.text), tuple(ranges))

    @cached_property
    def target(self) -> Node | None:
        """The smallest statement around the finding; None where there is none, or the file does not parse."""
        start, end = self.match.start, self.match.end
        try:
            tree = self.before.tree
        except Unparsable:
            return None
        return smallest_statement(tree, self._byte_place(start.line, start.col), self._byte_place(end.line, end.col))

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
        above = sum(growth(edit) for edit in self.trimmed if max(edit.start_line, edit.end_line) < first)
        within = sum(growth(edit) for edit in self.trimmed if first <= edit.start_line <= last + 1)
        return ((first + above, max(last + above + within, first + above)),)

    @cached_property
    def regions(self) -> list[Region]:
        """Where the trees differ, imports at module level left out."""
        found = differences(self.before, self.after)
        return [region for region in found if not _is_import_insertion(region)]

    @cached_property
    def static(self) -> tuple[Check, ...]:
        """What every check that needs no scanner says."""
        from nootropic_bot.verify.checks import static_checks

        try:
            _ = self.fixed
            return tuple(static_checks(self))
        except (ValueError, Undecodable) as error:
            return (Check("parse", "failed", f"the fix can't be written in this file: {error}"),)
        except RecursionError:  # An expression of hundreds of nested parts.
            return (Check("parse", "failed", "an expression is nested too deeply to be looked at"),)

    @property
    def stands(self) -> bool:
        """Whether no static check failed."""
        return not any(check.status == "failed" for check in self.static)

    @cached_property
    def member(self) -> Member | None:
        """How it can be scanned with other fixes of its file; None where it must be scanned alone."""
        from nootropic_bot.verify.together import member

        return member(self) if all(check.status == "passed" for check in self.static) else None

    def settle(self) -> None:
        """Find out all that needs the trees, and free these, a megabyte or more each; what is missed is made anew."""
        _ = self.static, self.member
        if self.stands:
            _ = self.inside_before, self.inside_after
        for name in ("before", "after", "target", "regions", "new_lines"):
            self.__dict__.pop(name, None)

    def _byte_place(self, line: int, col: int) -> tuple[int, int]:
        text = self.source.lines[line - 1][: col - 1] if line <= len(self.source.lines) else ""
        return line, len(text.encode("utf-8", "surrogateescape"))


@lru_cache(maxsize=4)
def parse(text: str) -> ast.Module:
    """The tree of a module.

    Raises:
        Unparsable: it has none.
    """
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


def growth(edit: Edit) -> int:
    """By how many lines an edit moves what lies below it."""
    return len(split_lines(edit.replacement)) - (edit.end_line - edit.start_line + 1)


def _is_import_insertion(region: Region) -> bool:
    imports = all(isinstance(node, ast.Import | ast.ImportFrom) for node in region.after)
    return not region.before and imports and isinstance(region.parent, ast.Module)
