"""The language of the bundled fixer: what it is shown, and how what it says is read."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nootropic_bot.models.base import BadAnswer, Prompt, Special
from nootropic_bot.models.fixer import (
    AFTER,
    BEFORE,
    CLOSE,
    CODE,
    END,
    FIX,
    LINES,
    OPEN,
    SPECIALS,
    USES,
    WEAKNESS,
    answer_parts,
    decode,
    encode,
    shorten,
)
from nootropic_bot.records import Match
from nootropic_bot.source import decode as decode_file
from nootropic_bot.window import MAX_ITEMS, Change, Item, Mark, Window, window_of

_TOKEN = re.compile(r"<\|[^|]*\|>")


_START = Mark(0, 0)


def window(*items: str, start: Mark = _START, end: Mark = _START, uses: tuple[str, ...] = ()) -> Window:
    made = tuple(Item(text, number, number) for number, text in enumerate(items, 1))
    return Window(made, ("before",), ("after",), uses, start, end, "")


def spelt(parts: Prompt) -> str:
    """As a runtime gives it back: control tokens spelt out."""
    return "".join(part.token if isinstance(part, Special) else part for part in parts)


# The prompt.


def test_the_form_of_a_prompt() -> None:
    text = "import yaml\n\n\ndef f(x):\n    # why\n    return yaml.load(x)\n"
    source = decode_file("app.py", text.encode())
    start = text.index("yaml.load(x)")
    shown = window_of(source, Match("r", source.at(start), source.at(start + 12), start, start + 12, "m", "s"))
    assert shown is not None
    assert encode("It is  unsafe.\n", shown) == (
        WEAKNESS, "It is unsafe.", USES, "import yaml", BEFORE, "def f(x):\n# why", CODE, LINES[0], "return ", OPEN,
        "yaml.load(x)", CLOSE, AFTER, FIX,
    )  # fmt: skip


def test_the_first_two_parts_depend_on_the_weakness_alone() -> None:
    one, other = encode("w", window("a", "b")), encode("w", window("c", uses=("import d",)))
    assert one[:2] == other[:2] == (WEAKNESS, "w")
    assert encode("v", window("a", "b"))[:2] != one[:2]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (Mark(0, 0), Mark(0, 3), (LINES[0], OPEN, "abc", CLOSE, LINES[1], "def")),
        (Mark(0, 1), Mark(0, 2), (LINES[0], "a", OPEN, "b", CLOSE, "c", LINES[1], "def")),
        (Mark(0, 1), Mark(1, 2), (LINES[0], "a", OPEN, "bc", LINES[1], "de", CLOSE, "f")),
        (Mark(0, 3), Mark(1, 0), (LINES[0], "abc", OPEN, LINES[1], CLOSE, "def")),
        (Mark(1, 1), Mark(1, 1), (LINES[0], "abc", LINES[1], "d", OPEN, CLOSE, "ef")),
    ],
)
def test_marks(start: Mark, end: Mark, expected: Prompt) -> None:
    parts = encode("w", window("abc", "def", start=start, end=end))
    assert parts[parts.index(CODE) + 1 : parts.index(AFTER)] == expected


_texts = st.one_of(
    st.text(max_size=30),
    st.lists(st.sampled_from([special.token for special in SPECIALS] + ["x", "\n", "<|", "|>", "é"]), max_size=6).map(
        "".join
    ),
)


@given(st.data())
def test_whatever_a_file_spells_is_text(data: st.DataObject) -> None:
    """Rows A19 and A20: the control tokens of a prompt are its own, in their order, and all text is in it as text."""
    items = data.draw(st.lists(_texts, min_size=1, max_size=MAX_ITEMS))
    places = sorted(
        (item, data.draw(st.integers(0, len(items[item]))))
        for item in data.draw(st.lists(st.integers(0, len(items) - 1), min_size=2, max_size=2))
    )
    weakness, use = data.draw(_texts), data.draw(_texts)
    shown = window(*items, start=Mark(*places[0]), end=Mark(*places[1]), uses=(use,))
    parts = encode(weakness, shown)
    specials = [part for part in parts if isinstance(part, Special) and part not in (OPEN, CLOSE)]
    assert specials == [WEAKNESS, USES, BEFORE, CODE, *LINES[: len(items)], AFTER, FIX]
    assert [part for part in parts if part in (OPEN, CLOSE)] == [OPEN, CLOSE]
    code = parts[parts.index(CODE) : parts.index(AFTER)]
    assert "".join(part for part in code if isinstance(part, str)) == "".join(items)
    assert "" not in parts


def test_the_control_tokens_are_all_different() -> None:
    assert len(set(SPECIALS)) == len(SPECIALS) == 13 + MAX_ITEMS
    assert all(_TOKEN.fullmatch(special.token) for special in SPECIALS)


@given(st.text())
def test_a_weakness_is_short(text: str) -> None:
    assert len(shorten(text)) <= 240
    assert shorten(shorten(text)) == shorten(text)


def test_a_weakness_is_cut_after_a_sentence() -> None:
    assert shorten("One  two.\n Three.") == "One two. Three."
    assert shorten("A sentence of some length that says what is wrong here, and why it matters. " + "x" * 300).endswith(
        "matters."
    )
    assert shorten("word " * 100).endswith("word")
    assert shorten("x" * 500) == "x" * 240


# The answer.


@pytest.mark.parametrize(
    "changes",
    [
        (),
        (Change(0, "x = 1"),),
        (Change(0, ""), Change(3, "a\nb\n  c")),
        (Change(1, "    if x:\n        y", keep=True), Change(19, "z")),
        (Change(0, "", keep=True),),
        (Change(2, "<| not a token |> and <|x"),),
    ],
)
def test_an_answer_reads_back(changes: tuple[Change, ...]) -> None:
    parts = answer_parts(changes)
    assert parts[-1] == END
    assert decode(spelt(parts)) == changes
    assert decode(spelt(parts[:-1])) == changes  # A runtime leaves out the token that ends it.


_plain = st.text(max_size=20).filter(lambda text: not _TOKEN.search(text) and "<|" not in text and "|>" not in text)


@given(st.sets(st.integers(0, MAX_ITEMS - 1), max_size=5), st.data())
def test_every_answer_reads_back(numbers: set[int], data: st.DataObject) -> None:
    changes = tuple(Change(n, data.draw(_plain), data.draw(st.booleans())) for n in sorted(numbers))
    assert decode(spelt(answer_parts(changes))) == changes


@pytest.mark.parametrize(
    "answer",
    [
        "x = 1",
        "x<|1|>y",
        "<|+|>x",
        "<|1|>x<|fix|>y",
        "<|1|>x<|+|>y",
        "<|1|><|+|>x<|+|>y",
        "<|1|>x<|end|>y",
        "<|1|>x<|end|><|end|>",
        "<|1|>x<|[|>y<|]|>",
        "<|weakness|>",
        "<|pad|><|1|>x",
    ],
)
def test_answers_in_another_form(answer: str) -> None:
    with pytest.raises(BadAnswer):
        decode(answer)


@pytest.mark.parametrize("answer", ["", "<|end|>", " \n", "\n<|end|>"])
def test_no_fix_is_known(answer: str) -> None:
    assert decode(answer) == ()


@given(_texts)
def test_any_answer_is_read_or_refused(answer: str) -> None:
    """What is read, and lies in a window, is whole lines of it; nothing else ends the reading but `BadAnswer`."""
    source = decode_file("a.py", b"x = f()\ny = 2\n")
    shown = window_of(source, Match("r", source.at(4), source.at(7), 4, 7, "m", "s"))
    assert shown is not None
    try:
        edits = shown.edits(source, decode(answer))
    except (BadAnswer, ValueError):
        return
    assert all((edit.start_line, edit.end_line) == (1, 1) for edit in edits)


def test_text_that_spells_a_line_may_name_only_lines_of_the_window() -> None:
    """A runtime spells control tokens out, so an answer can't tell them from text: what it may do stays the same."""
    changes = (Change(0, "s = '<|2|>'"),)
    assert decode(spelt(answer_parts(changes))) == (Change(0, "s = '"), Change(1, "'"))
    source = decode_file("a.py", b"s = f()\n")
    shown = window_of(source, Match("r", source.at(4), source.at(7), 4, 7, "m", "s"))
    assert shown is not None
    with pytest.raises(ValueError, match="line 2"):
        shown.edits(source, decode(spelt(answer_parts(changes))))


# What an answer leaves unsaid: the text before and after the mark.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = safe(y) or z", Change(0, "safe(y)", head=True, tail=True)),
        ("x = safe(y)", Change(0, "safe(y)", head=True)),
        ("safe(y) or z", Change(0, "safe(y)", tail=True)),
        ("return safe(y)", Change(0, "return safe(y)")),
        ("x =  or z", Change(0, "", head=True, tail=True)),
        ("", Change(0, "")),
    ],
)
def test_text_beside_the_mark_is_not_repeated(text: str, expected: Change) -> None:
    shown = window("x = bad(y) or z", start=Mark(0, 4), end=Mark(0, 10))
    assert shown.abridged(Change(0, text)) == expected
    assert shown.written_out(expected) == Change(0, text)
    assert decode(spelt(answer_parts((expected,)))) == (expected,)


@given(st.text("ab ", max_size=8), st.text("ab ", max_size=8), st.text("ab ", max_size=8), st.text("ab ", max_size=16))
def test_abridging_loses_nothing(before: str, marked: str, after: str, new: str) -> None:
    shown = window(before + marked + after, start=Mark(0, len(before)), end=Mark(0, len(before + marked)))
    assert shown.written_out(shown.abridged(Change(0, new))) == Change(0, new)


def test_a_mark_over_lines_has_its_beginning_in_one_and_its_end_in_another() -> None:
    shown = window("x = bad(", "  y,", ") or z", start=Mark(0, 4), end=Mark(2, 1))
    assert shown.abridged(Change(0, "x = safe(")) == Change(0, "safe(", head=True)
    assert shown.abridged(Change(1, "  w,")) == Change(1, "  w,")
    assert shown.abridged(Change(2, ", 1) or z")) == Change(2, ", 1)", tail=True)


@pytest.mark.parametrize("answer", ["<|1|><|+|><|<|>x", "<|1|><|+|>x<|>|>", "<|1|>a<|<|>b", "<|1|>a<|>|>b", "<|<|>a"])
def test_marks_of_an_answer_in_wrong_places(answer: str) -> None:
    with pytest.raises(BadAnswer):
        decode(answer)
