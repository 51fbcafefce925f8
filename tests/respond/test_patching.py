"""Fixes made in files: exactly what was proved, or nothing; drawn at random and held against plain text work."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from nootropic_bot.host import File
from nootropic_bot.respond.patching import Fix, patch
from tests.support.reports import make_finding, make_source, make_suggestion

_WORDS = st.text("abc= \t'é", max_size=6)


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, list[tuple[int, int, str]]]:
    """A file, and edits of whole lines that may overlap."""
    end = draw(st.sampled_from(["\n", "\r\n"]))
    lines = draw(st.lists(_WORDS, min_size=1, max_size=12))
    text = end.join(lines) + draw(st.sampled_from(["", end]))
    count = len(make_source("a.txt", text).lines)
    edits = []
    for _ in range(draw(st.integers(1, 4)) if count else 0):
        first = draw(st.integers(1, count))
        last = draw(st.integers(first, count))
        new = "".join(f"{word}{end}" for word in draw(st.lists(_WORDS, max_size=3)))
        edits.append((first, last, new))
    return text, edits


@settings(max_examples=200, deadline=None)
@given(cases())
def test_what_is_made_is_what_was_proved(case: tuple[str, list[tuple[int, int, str]]]) -> None:
    text, edits = case
    source = make_source("a.txt", text)
    fixes = [
        Fix(make_finding("a.txt", first, id=f"{n:020x}"), make_suggestion(source, (first, last, new), id=f"{n:016x}"))
        for n, (first, last, new) in enumerate(edits)
    ]
    made = patch(fixes, {"a.txt": File("a.txt", text.encode(), "0" * 40, "100755")})
    assert len(made.fixes) + len(made.left) == len(fixes), "each is made or accounted for"
    # Made by hand, from the last line to the first.
    lines = list(source.lines)
    for first, last, new in sorted({edits[int(fix.suggestion.id, 16)] for fix in made.fixes}, reverse=True):
        lines[first - 1 : last] = [new]
    if made.fixes:
        (file,) = made.files
        assert (file.data.decode(), file.mode) == ("".join(lines), "100755")
    else:
        assert made.files == ()


@given(cases(), st.integers(0, 11))
def test_a_file_that_differs_where_the_diff_shows_it_is_left_alone(
    case: tuple[str, list[tuple[int, int, str]]], at: int
) -> None:
    text, edits = case
    source = make_source("a.txt", text)
    other = list(source.lines)
    if not edits or not other:
        return
    first, last, new = edits[0]
    at = min(max(first - 1, 0) + at % (last - first + 1), len(other) - 1)
    other[at] = "something else\n"
    fix = Fix(make_finding("a.txt", first), make_suggestion(source, (first, last, new)))
    made = patch([fix], {"a.txt": File("a.txt", "".join(other).encode(), "0" * 40)})
    assert made.files == ()
    assert len(made.left) == 1
