"""What the critic sees itself while a file is decoded: things that no pattern can find, because they change the
text that the pattern engine is shown (rows A29 and A30 of the attack corpus).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from nootropic_bot.critique.scope import snippet_hash
from nootropic_bot.records import Match
from nootropic_bot.rulefiles import own_rules
from nootropic_bot.source import Source

# The explicit embeddings, overrides and isolates of Unicode's bidirectional algorithm (UAX #9), as in CVE-2021-42574.
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_LONE_RETURN = re.compile(r"\r(?!\n)")
# Encodings in which every ASCII byte means itself, so that what a reviewer sees is what runs.
_ASCII_SUPERSETS = re.compile(
    r"^(?:utf-?8.*|ascii|us-ascii|latin|iso-?8859-.*|cp125\d|windows-125\d|koi8-[rut]|mac-.*|cp8\d\d|euc.*|gb2312|gbk|gb18030|big5.*)$"
)


def own_matches(source: Source) -> list[Match]:
    """Matches for a decoded file; most files have none, and the rules are then not even loaded."""
    return [_match(source, *found) for found in _look(source)]


def _look(source: Source) -> Iterator[tuple[str, int, str]]:
    if not source.text.isascii():
        for found in _BIDI.finditer(source.text):
            yield "source-bidirectional-control", found.start(), f"U+{ord(found.group()):04X}"
    if not source.is_python:
        return
    if not _ASCII_SUPERSETS.match(source.encoding):
        yield "source-unusual-encoding", 0, source.encoding
    lone = _LONE_RETURN.search(source.text)
    if lone:
        yield "source-lone-carriage-return", lone.start(), ""


def _match(source: Source, rule_id: str, offset: int, detail: str) -> Match:
    message = next(rule.message for rule in own_rules() if rule.id == rule_id).replace("{detail}", detail)
    start = source.at(offset)
    line = source.lines[start.line - 1] if source.lines else ""
    return Match(rule_id, start, source.at(offset + 1), offset, offset + 1, message, snippet_hash(line))
