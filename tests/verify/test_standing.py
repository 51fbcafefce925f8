"""Which candidates are kept for the scan."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nootropic_bot.records import Edit, FileAnalysis, Match, Position, Proposal
from nootropic_bot.source import decode
from nootropic_bot.verify.case import Case
from nootropic_bot.verify.standing import standing

SOURCE = decode("app.py", b"import os\n\nx = os.getcwd()\n")
MATCH = Match("r", Position(3, 5), Position(3, 16), 15, 26, "m", "s")


def case(text: str) -> Case:
    """A proposal for the third line."""
    proposal = Proposal("f", (Edit("app.py", 3, 3, text + "\n"),), "model")
    return Case(SOURCE, MATCH, FileAnalysis(), proposal)


GOOD, OTHER, THIRD, BAD, WORSE = (
    "x = os.getcwd().lower()",
    "x = str(os.getcwd())",
    "x = os.getcwd() or 1",
    "x = (",
    "x = )",
)


@pytest.mark.parametrize(
    ("texts", "wanted", "kept"),
    [
        ((GOOD, OTHER, THIRD), 2, (GOOD, OTHER)),
        ((BAD, GOOD, WORSE, OTHER), 2, (BAD, GOOD, OTHER)),
        ((GOOD, BAD), 2, (GOOD,)),
        ((BAD, WORSE), 2, (BAD,)),
        ((), 2, ()),
    ],
)
def test_the_first_that_stand_are_kept_and_one_that_fails(
    texts: tuple[str, ...], wanted: int, kept: tuple[str, ...]
) -> None:
    found = standing(map(case, texts), wanted)
    assert [each.proposal.edits[0].replacement.rstrip() for each in found] == list(kept)


def test_no_more_are_made_than_are_wanted() -> None:
    made = []

    def makes() -> Iterator[Case]:
        for text in (BAD, GOOD, OTHER):
            made.append(text)
            yield case(text)

    standing(makes(), 1)
    assert made == [BAD, GOOD]
