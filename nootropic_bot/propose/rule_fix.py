"""Proposer 1: the rule's own `fix:`, filled in by the engine.

The engine's replacement for the matched range becomes a replacement of whole lines in the original file: the text
around the range, the file's line ends and its indentation stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator

from nootropic_bot.diff import minimal_edits
from nootropic_bot.propose.base import Context
from nootropic_bot.propose.imports import repair_imports
from nootropic_bot.records import Edit, Finding, Proposal


class RuleFix:
    """Satisfies `Proposer` for every rule with `fix:` or `fix-regex:`."""

    def propose(self, finding: Finding, context: Context) -> Iterator[Proposal]:
        """At most one proposal: the engine's replacement, with the imports it needs."""
        edit = _whole_line_edit(finding, context)
        if edit is None:
            return
        edits, needs = repair_imports(context.source, edit, context.rule)
        smallest = tuple(part for each in edits for part in minimal_edits(context.source.lines, each))
        if smallest:
            yield Proposal(finding.id, smallest, "rule", needs=needs)


def _whole_line_edit(finding: Finding, context: Context) -> Edit | None:
    source, match = context.source, context.match
    if match.fix is None or not source.is_faithful:
        return None
    start, end = source.original_offset(match.start_offset), source.original_offset(match.end_offset)
    original = source.text[start:end]
    normal = original.replace("\r\n", "\n")
    # Where the scanner was shown something else (NFKC, a lone carriage return), its text is not this file's text.
    if normal != source.scan_text[match.start_offset : match.end_offset]:
        return None
    fix = match.fix.replace("\r\n", "\n").replace("\n", source.newline)
    first, last = source.at(start), source.at(end)
    last_line = last.line if last.col > 1 or last.line == first.line else last.line - 1
    head = source.lines[first.line - 1][: first.col - 1]
    line_end = source.offset_of_line(last_line + 1)
    replacement = head + fix + source.text[end:line_end]
    return Edit(finding.path, first.line, last_line, replacement)
