"""Stop texts: the answer ends before the first of them, also when it comes in pieces that split one in two."""

from __future__ import annotations

from collections.abc import Iterable

from nootropic_bot.models.base import Special


def stop_texts(stops: Iterable[str | Special]) -> tuple[str, ...]:
    """Stops as texts, for who knows control tokens by their spelling only. Empty ones stop nothing."""
    texts = (stop.token if isinstance(stop, Special) else stop for stop in stops)
    return tuple(dict.fromkeys(text for text in texts if text))


class StopCutter:
    """Lets text through up to the first stop text, and holds back what may turn out to be the start of one.

    `is_done`: a stop text has come; nothing comes out any more.
    """

    def __init__(self, stops: Iterable[str]) -> None:
        self.is_done = False
        self._stops = tuple(stops)
        self._held = ""

    def feed(self, piece: str) -> str:
        """What of all that came so far is now sure to be part of the answer."""
        if self.is_done:
            return ""
        text = self._held + piece
        found = [place for stop in self._stops if (place := text.find(stop)) >= 0]
        if found:
            self.is_done, self._held = True, ""
            return text[: min(found)]
        sure = len(text) - max((_overlap(text, stop) for stop in self._stops), default=0)
        self._held = text[sure:]
        return text[:sure]

    def rest(self) -> str:
        """What was held back, when nothing more comes."""
        held, self._held = self._held, ""
        return held


def _overlap(text: str, stop: str) -> int:
    """The length of the longest end of `text` with which `stop` begins, `stop` itself excepted."""
    longest = min(len(text), len(stop) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(stop[:size])), 0)


def cut_at_stop(text: str, stops: Iterable[str]) -> tuple[str, bool]:
    """`text` up to the first stop text, and whether there was one."""
    cutter = StopCutter(stops)
    return cutter.feed(text) + cutter.rest(), cutter.is_done
