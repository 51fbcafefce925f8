"""The identity of a finding, and whether it belongs to the change under review.

A fingerprint is made of the rule, the path, the matched text with white space folded, and its occurrence among
equals in the file. Line numbers are not part of it, so it survives moved and re-indented code.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from nootropic_bot.diff import LineRanges, meets
from nootropic_bot.records import Match


@dataclass(frozen=True, slots=True)
class Scope:
    """What of a file is under review: everything, or the changed lines plus what the base did not have."""

    whole: bool
    ranges: LineRanges = ()

    def covers(self, first: int, last: int) -> bool:
        """Whether lines `first`..`last` are under review by their place alone."""
        return self.whole or meets(self.ranges, first, last)


def snippet_hash(text: str) -> str:
    """The hash of a text with its white space folded."""
    return hashlib.sha256(" ".join(text.split()).encode("utf-8", "surrogateescape")).hexdigest()[:24]


def fingerprints(path: str, matches: Iterable[Match]) -> Iterator[tuple[str, Match]]:
    """Each match with its fingerprint, in the order of the file."""
    seen: dict[tuple[str, str], int] = {}
    for match in sorted(matches, key=match_order):
        key = (match.rule_id, match.snippet)
        occurrence = seen[key] = seen.get(key, 0) + 1
        text = "\0".join((match.rule_id, path, match.snippet, str(occurrence)))
        yield hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:20], match


def match_order(match: Match) -> tuple[int, int, int, int, str]:
    """By place, then by rule: the order of every report."""
    return match.start.line, match.start.col, match.end.line, match.end.col, match.rule_id
