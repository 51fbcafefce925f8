"""Decoding and normalising: every byte comes back, and every place leads to the original file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nootropic_bot.records import Position
from nootropic_bot.source import Undecodable, decode, split_lines

LINE_ENDS = st.sampled_from(["\n", "\r\n", "\r"])
WORDS = st.sampled_from(["eval", "ｅｖａｌ", "é", "ﬁle", "x", "𝕩", "'文'", "# c", " ", "(", ")", "\t", "\x0c"])
TEXTS = st.lists(st.tuples(st.lists(WORDS).map("".join), LINE_ENDS)).map(lambda rows: "".join(a + b for a, b in rows))


@given(TEXTS, st.booleans())
def test_bytes_round_trip_and_normal_text_has_only_line_feeds(text: str, bom: bool) -> None:
    raw = (b"\xef\xbb\xbf" if bom else b"") + text.encode()
    source = decode("a.py", raw)
    assert source.encode(source.text) == raw
    assert source.is_faithful
    assert "\r" not in source.scan_text
    assert "ｅ" not in source.scan_text


@given(TEXTS)
def test_places_in_the_scanned_text_lead_to_the_original(text: str) -> None:
    source = decode("a.py", text.encode())
    for offset in range(len(source.scan_text) + 1):
        original = source.original_offset(offset)
        position = source.position(offset)
        assert source.offset(position) == original
        if offset < len(source.scan_text) and source.scan_text[offset] in "()#'":
            assert source.text[original] == source.scan_text[offset]


@given(TEXTS)
def test_lines_are_gits(text: str) -> None:
    assert "".join(split_lines(text)) == text
    assert len(split_lines(text)) == text.count("\n") + (not text.endswith("\n") and text != "")


@given(st.binary(max_size=200))
def test_any_bytes_are_decoded_or_refused(raw: bytes) -> None:
    for path in ("a.py", "a.txt"):
        try:
            source = decode(path, raw)
        except Undecodable:
            continue
        if source.is_faithful:
            assert source.encode(source.text) == raw


def test_a_byte_order_mark_is_no_column() -> None:
    assert decode("a.py", b"\xef\xbb\xbfx = 1\n").position(0) == Position(1, 1)


def test_windows_line_ends_are_recognised() -> None:
    assert decode("a.py", b"x = 1\r\ny = 2\r\n").newline == "\r\n"
    assert decode("a.py", b"x = 1\r\ny = 2\nz = 3\n").newline == "\n"


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"x = 1\0\n", "NUL"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "LFS"),
        (b"# coding: no-such-codec\n", "unknown"),
        (b"# coding: rot13\n", "not a text encoding"),
        (b"\xef\xbb\xbf# coding: latin-1\n", "declares"),
    ],
)
def test_what_python_would_not_read_is_refused_with_the_reason(raw: bytes, says: str) -> None:
    with pytest.raises(Undecodable, match=says):
        decode("a.py", raw)


def test_other_files_keep_bytes_that_are_not_utf8() -> None:
    source = decode("a.txt", b"caf\xe9\n")
    assert source.encode(source.text) == b"caf\xe9\n"
