"""Edits as the state keeps them, there and back: the same file comes out, whatever its form."""

from __future__ import annotations

import codecs
import json
import time
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nootropic_bot.diff import apply_edits
from nootropic_bot.records import Edit
from nootropic_bot.source import Source, decode, split_lines
from nootropic_bot.textedits import line_edits, text_edits


def there_and_back(path: str, raw: bytes, edits: Sequence[Edit]) -> tuple[Source, list[str]]:
    """A file, and its lines after the edits were recorded, stored as JSON, and read again."""
    source = decode(path, raw)
    recorded_edits, redacted = text_edits(source, edits)
    assert redacted == 0
    stored = json.loads(json.dumps(recorded_edits))
    return source, apply_edits(source.lines, line_edits(source, stored))


CALLS = "import os\n\n\ndef f(a, b):\n    return g(a), g(b), g(a)\n\n\nprint(f(1, 2))\n"


def whole(first: int, last: int, text: str) -> Edit:
    return Edit("a.py", first, last, text)


@pytest.mark.parametrize(
    ("text", "edits"),
    [
        (CALLS, [whole(5, 5, "    return h(a), h(b), h(a)\n")]),
        (CALLS, [whole(1, 1, "import os\nimport sys\n"), whole(5, 5, "    return h(a), g(b), h(a)\n")]),
        (CALLS, [whole(1, 1, "from __future__ import annotations\nimport os\n")]),
        (CALLS, [whole(3, 3, "\n# more\n"), whole(4, 4, "def f(a, b, c):\n")]),
        (CALLS, [whole(5, 5, "")]),
        (CALLS, [whole(1, 8, "")]),
        (CALLS, [whole(1, 8, CALLS.replace("g(", "h(").replace("\n\n\n", "\n"))]),
        (CALLS, [whole(8, 8, "print(f(1, 2))\nprint(3)\n")]),
        (CALLS, [whole(8, 8, "print(f(1, 2))")]),
        (CALLS[:-1], [whole(8, 8, "print(f(1, 2))\n")]),
        (CALLS[:-1], [whole(8, 8, "print(f(1, 2))\nprint(3)")]),
        (CALLS[:-1], [whole(8, 8, "")]),
        (CALLS, [whole(7, 7, "\n"), whole(8, 8, "print(f(1, 3))\n")]),
        (CALLS, [whole(4, 5, "def f(a, b):\n    # ü 𝒳 日\n    return g(a), g(b), g(a)\n")]),
        ("x = 'ü', 'é', '𝒳', 1\n", [whole(1, 1, "x = 'ü', 'é', '𝒳', 2\n")]),
        ("x", [whole(1, 1, "y")]),
    ],
)
@pytest.mark.parametrize("form", ["plain", "crlf", "bom", "latin-1", "lone cr"])
def test_f19_recorded_edits_give_the_same_file(text: str, edits: list[Edit], form: str) -> None:
    """Files of every form: the positions count code points of the decoded text, a byte order mark not among them."""
    newline = {"crlf": "\r\n", "lone cr": "\r\n"}.get(form, "\n")
    if form == "latin-1":
        text = "# -*- coding: latin-1 -*-\n" + text.replace("𝒳", "×")
        shift = 1
        edits = [
            Edit(e.path, e.start_line + shift, e.end_line + shift, e.replacement.replace("𝒳", "×").replace("日", "¥"))
            for e in edits
        ]
    if form == "lone cr":
        text = text.replace("print(", "print(\r")
    edits = [Edit(e.path, e.start_line, e.end_line, e.replacement.replace("\n", newline)) for e in edits]
    raw = text.replace("\n", newline).encode("latin-1" if form == "latin-1" else "utf-8")
    raw = codecs.BOM_UTF8 + raw if form == "bom" else raw
    source, lines = there_and_back("a.py", raw, edits)
    assert source.raw == raw
    expected = apply_edits(source.lines, edits)
    assert "".join(lines) == "".join(expected)
    assert source.encode("".join(lines)) == source.encode("".join(expected))


def test_f20_a_long_line_is_recorded_in_no_long_time() -> None:
    """A data file, or generated code: the hook has five seconds for everything."""
    line = "x = [" + "1, " * 4000 + "]; f(x)\n"
    source = decode("a.py", line.encode())
    started = time.process_time()
    edits, _redacted = text_edits(source, [whole(1, 1, line.replace("f(", "g("))])
    assert time.process_time() - started < 1
    assert edits == [{"start": len(line) - 5, "end": len(line) - 4, "text": "g"}]


_LINE = st.sampled_from(["", "a", "a b", "a(b)", "  a", "ü", "a\r", "\r", "a b c a b c", "\u2028", "x" * 9, "𝒳é"])
_TEXT = st.builds(
    lambda lines, end: "\n".join(lines) + end, st.lists(_LINE, min_size=1, max_size=7), st.sampled_from(["", "\n"])
)


@st.composite
def edited(draw: st.DrawFn) -> tuple[str, list[Edit]]:
    """A text, and edits of whole lines of it that do not overlap."""
    text = draw(_TEXT)
    count = len(split_lines(text))
    edits: list[Edit] = []
    line = 1
    while line <= count:
        last = draw(st.integers(line, min(count, line + 2)))
        if draw(st.booleans()):
            replacement = draw(st.lists(_LINE, max_size=3))
            # Only what replaces the last line may be without a line end.
            end = draw(st.sampled_from(["", "\n"])) if last == count else "\n"
            edits.append(Edit("a.txt", line, last, "\n".join(replacement) + end if replacement else ""))
        line = last + 1
    return text, edits


@given(edited())
@settings(max_examples=400, deadline=None)
@example(("a\na\na\n", [Edit("a.txt", 1, 1, "a\nb\n"), Edit("a.txt", 2, 2, "c\n"), Edit("a.txt", 3, 3, "")]))
@example(("a\nb", [Edit("a.txt", 2, 2, "b\nc")]))
@example(("\na", [Edit("a.txt", 1, 1, ""), Edit("a.txt", 2, 2, "\na")]))
def test_f19_any_recorded_edits_give_the_same_file(case: tuple[str, list[Edit]]) -> None:
    text, edits = case
    source, lines = there_and_back("a.txt", text.encode(), edits)
    assert "".join(lines) == "".join(apply_edits(source.lines, edits))


@given(
    st.sampled_from(["", "a", "a\n", "a\nb\n\nc", CALLS]),
    st.lists(
        st.fixed_dictionaries({"start": st.integers(0, 90), "end": st.integers(0, 90), "text": _LINE}), max_size=4
    ),
)
@settings(max_examples=300, deadline=None)
@example("", [{"start": 0, "end": 0, "text": "x"}])
def test_a44_forged_edits_fit_or_are_refused(text: str, edits: list[dict[str, Any]]) -> None:
    """Any numbers that the schema lets through: an answer or a `ValueError`, which a replay calls broken."""
    source = decode("a.txt", text.encode())
    try:
        apply_edits(source.lines, line_edits(source, edits))
    except ValueError:
        return
