"""Stop texts, also when pieces split them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nootropic_bot.models.base import Special
from nootropic_bot.models.stopping import StopCutter, cut_at_stop, stop_texts

LETTERS = st.text(alphabet="ab\n", max_size=12)
STOPS = st.lists(st.text(alphabet="ab\n", min_size=1, max_size=4), max_size=3)


def in_pieces(pieces: list[str], stops: list[str]) -> tuple[list[str], bool]:
    cutter = StopCutter(stops)
    out = [cutter.feed(piece) for piece in pieces]
    return [*out, cutter.rest()], cutter.is_done


def test_text_before_the_first_stop() -> None:
    assert cut_at_stop("x = 1\nEND more\n", ["END", "\n"]) == ("x = 1", True)
    assert cut_at_stop("x = 1", ["END"]) == ("x = 1", False)
    assert cut_at_stop("x = 1", []) == ("x = 1", False)
    assert cut_at_stop("END", ["END"]) == ("", True)


def test_stop_that_is_split_is_found_and_its_start_is_held_back() -> None:
    cutter = StopCutter(["END"])
    assert cutter.feed("xE") == "x"
    assert cutter.feed("N") == ""
    assert cutter.feed("Dy") == ""
    assert cutter.is_done
    assert cutter.feed("z") == ""
    assert cutter.rest() == ""


def test_start_of_a_stop_that_was_none_is_given() -> None:
    cutter = StopCutter(["END"])
    assert [cutter.feed("xEN"), cutter.feed("E"), cutter.feed("x"), cutter.rest()] == ["x", "EN", "Ex", ""]


def test_rest_is_given_once() -> None:
    cutter = StopCutter(["END"])
    cutter.feed("xE")
    assert (cutter.rest(), cutter.rest()) == ("E", "")


@given(st.lists(LETTERS, max_size=6), STOPS)
def test_pieces_make_no_difference(pieces: list[str], stops: list[str]) -> None:
    text = "".join(pieces)
    places = [place for stop in stops if (place := text.find(stop)) >= 0]
    out, is_done = in_pieces(pieces, stops)
    assert is_done == bool(places)
    # A stop that ends earlier is seen earlier; with whole text the first to begin counts.
    whole, _ = cut_at_stop(text, stops)
    assert whole == (text[: min(places)] if places else text)
    assert "".join(out).startswith(whole)
    assert not any(stop in "".join(out) for stop in stops)


@given(LETTERS, STOPS)
def test_single_letters_hold_back_no_more_than_needed(text: str, stops: list[str]) -> None:
    cutter, given_out = StopCutter(stops), ""
    for position, letter in enumerate(text, 1):
        given_out += cutter.feed(letter)
        if cutter.is_done:
            return
        assert position - len(given_out) < max((len(stop) for stop in stops), default=1)
    assert given_out + cutter.rest() == text


def test_stops_as_texts() -> None:
    assert stop_texts(("\n", Special("<|end|>"), "", "\n")) == ("\n", "<|end|>")
