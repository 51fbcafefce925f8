"""Proposals for the proof, made from text: `before` and `after` of a file, and the text that the finding covers."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from nootropic_bot.records import Check, Edit, FileAnalysis, FixSource, Match, Proposal
from nootropic_bot.source import decode, split_lines
from nootropic_bot.verify.case import Case
from nootropic_bot.verify.checks import static_checks


def make_case(
    before: str,
    after: str,
    at: str,
    *,
    path: str = "app.py",
    needs: Mapping[str, str] | None = None,
    source_of_fix: FixSource = "rule",
    message: str = "m",
) -> Case:
    """A case whose finding covers the first occurrence of `at`, and whose edits turn `before` into `after`."""
    source = decode(path, before.encode())
    start = before.index(at)
    match = Match("rule", source.at(start), source.at(start + len(at)), start, start + len(at), message, "s")
    old, new = split_lines(before), split_lines(after)
    edits = []
    for tag, i, j, k, m in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "insert":
            anchor = max(i, 1)
            kept = old[anchor - 1]
            edits.append(Edit(path, anchor, anchor, kept + "".join(new[k:m]) if i else "".join(new[k:m]) + kept))
        elif tag != "equal":
            edits.append(Edit(path, i + 1, j, "".join(new[k:m])))
    proposal = Proposal("finding", tuple(edits), source_of_fix, needs=needs or {})
    return Case(source, match, FileAnalysis((match,)), proposal)


def failed(case: Case) -> dict[str, str]:
    """The static checks that did not pass, with what they say."""
    checks: list[Check] = static_checks(case)
    return {check.name: check.detail for check in checks if check.status != "passed"}
