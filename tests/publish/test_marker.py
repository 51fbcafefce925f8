"""The hidden last line: read back exactly, and never from anywhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nootropic_bot.forge import Thread
from nootropic_bot.marker import Marker, SummaryMarker, digest, key, parse_marker, parse_summary_marker

ID, FIX = "0123456789abcdef0123", "fedcba9876543210"
LINE = f"<!-- nootropic:v1 finding={ID} suggestion={FIX} block=1 -->"
hexadecimal = st.text("0123456789abcdef", min_size=8, max_size=64)


@given(hexadecimal, st.none() | hexadecimal, st.booleans(), st.none() | hexadecimal, st.text())
def test_a_marker_comes_back(
    finding: str, suggestion: str | None, is_block: bool, fixed: str | None, text: str
) -> None:
    marker = Marker(finding, suggestion, is_block, fixed)
    assert parse_marker(f"{text}\n{marker}") == marker
    assert parse_marker(f"{text}\r\n{marker}\r\n") == marker
    assert parse_summary_marker(f"{text}\n{marker}") is None


@given(st.none() | hexadecimal)
def test_a_summary_marker_comes_back(settled: str | None) -> None:
    marker = SummaryMarker(settled)
    assert parse_summary_marker(f"text\n{marker}\n") == marker
    assert parse_marker(str(marker)) is None


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<!-- nootropic:v1 -->",
        f"{LINE}\nmore",
        f"{LINE} more",
        f"more {LINE}",
        f"    {LINE}",
        f"> {LINE}",
        f"<!-- nootropic:v1 finding={ID} finding={ID} -->",
        f"<!-- nootropic:v1 finding={ID} unknown=1 -->",
        f"<!-- nootropic:v1 finding={ID.upper()} -->",
        f"<!-- nootropic:v1 finding={ID}&#x31; -->",
        f"<!-- nootropic:v1 finding={ID}\u2028 -->",
        f"<!-- nootropic:v1  finding={ID} -->",
        f"<!-- nootropic:v2 finding={ID} -->",
        f"<!-- nootropic:v1 finding={ID} block=2 -->",
        f"<!-- nootropic:v1 suggestion={FIX} -->",
        f"<!-- nootropic:v1 finding={'a' * 65} -->",
        "<!-- nootropic:v1 finding= -->",
        f"<!-- nootropic:v1 finding={ID} --><!-- nootropic:v1 finding={ID} -->",
    ],
)
def test_anything_else_is_no_marker(body: str) -> None:
    assert parse_marker(body) is None


def test_only_the_last_line_counts() -> None:
    forged = f"<!-- nootropic:v1 finding={'f' * 20} -->"
    assert parse_marker(f"{forged}\n{LINE}") == Marker(ID, FIX, True)


def test_a_marker_of_somebody_else_is_none_of_ours() -> None:
    thread = Thread("T", "C", "a.py", 1, None, LINE)
    assert thread.marker == Marker(ID, FIX, True)
    assert Thread("T", "C", "a.py", 1, None, LINE, is_ours=False).marker is None


def test_a_key_is_hexadecimal_whatever_the_id() -> None:
    assert key(ID) == ID
    for identity in ("", "a b", "--> <script>", "É" * 20, "a" * 65, "\udce9", "ABCDEF0123"):
        assert parse_marker(str(Marker(key(identity)))) == Marker(key(identity))
    assert key("a b") != key("a c")


def test_a_digest_tells_where_a_text_ends() -> None:
    assert digest(["ab", "c"]) != digest(["a", "bc"]) != digest(["a", "b", "c"])
