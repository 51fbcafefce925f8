"""Records from caches: what was written comes back the same, and nothing else becomes a record."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nootropic_bot.cachedrecords import read_record
from nootropic_bot.records import Check, Edit, FileAnalysis, Gap, Match, Position, Suggestion, Suppression

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.just("a\udcff")
NUMBERS = st.integers(0, 1 << 20)
POSITIONS = st.builds(Position, NUMBERS, NUMBERS)
SUPPRESSIONS = st.builds(Suppression, TEXTS, TEXTS, st.none() | TEXTS)
MATCHES = st.builds(
    Match, TEXTS, POSITIONS, POSITIONS, NUMBERS, NUMBERS, TEXTS, TEXTS, st.none() | TEXTS, st.none() | SUPPRESSIONS
)
ANALYSES = st.builds(
    FileAnalysis,
    st.lists(MATCHES, max_size=3).map(tuple),
    st.lists(st.builds(Gap, TEXTS, NUMBERS, NUMBERS, st.booleans()), max_size=2).map(tuple),
    st.lists(TEXTS, max_size=3).map(tuple),
)
FIX = Suggestion(
    "5" * 16, (Edit("a.py", 1, 2, "x = 1\n"),), "model", True, (Check("scope", "passed"),), "--- a\n", "m@1", None, 0.5
)  # fmt: skip
FOUND = FileAnalysis(
    (Match("r", Position(1, 2), Position(1, 3), 1, 2, "no", "ab", None, Suppression("triage", "why")),), (Gap("odd"),)
)


@given(ANALYSES)
def test_what_was_written_comes_back(analysis: FileAnalysis) -> None:
    assert read_record(FileAnalysis, json.loads(json.dumps(asdict(analysis)))) == analysis


def test_a_suggestion_comes_back_with_the_types_of_its_fields() -> None:
    assert read_record(Suggestion, json.loads(json.dumps(asdict(FIX)))) == FIX


def places(data: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in nested data, as what holds it and the key."""
    for key in data if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ():
        yield data, key
        yield from places(data[key])


WRONG = [7.5, -1, 1 << 40, True, "\ud800", [], {}, [[]], {"a": 1}]


@pytest.mark.parametrize("record", [FIX, FOUND])
def test_a_value_of_another_type_makes_no_record(record: Suggestion | FileAnalysis) -> None:
    """Whatever is put wherever: it is refused, or it is a value that the field may have."""
    plain = json.loads(json.dumps(asdict(record)))
    refused = 0
    for number in range(len(list(places(plain)))):
        for wrong in WRONG:
            data = copy.deepcopy(plain)
            holder, key = list(places(data))[number]
            holder[key] = wrong
            try:
                made = read_record(type(record), data)
            except ValueError:
                refused += 1
            else:
                assert isinstance(wrong, list | bool), f"{wrong!r} was taken for {key}"
                assert json.loads(json.dumps(asdict(made))) == data
    assert refused > 100


@pytest.mark.parametrize(
    "data", [None, [], "x", 1, {}, {"matches": [], "gaps": []}, {"matches": [], "gaps": [], "undefined": [], "more": 1}]
)
def test_what_is_no_analysis_at_all(data: object) -> None:
    with pytest.raises(ValueError, match="FileAnalysis"):
        read_record(FileAnalysis, data)


@pytest.mark.parametrize("name", asdict(FIX))
def test_every_field_must_be_there(name: str) -> None:
    data = json.loads(json.dumps(asdict(FIX)))
    del data[name]
    with pytest.raises(ValueError, match="no Suggestion"):
        read_record(Suggestion, data)
