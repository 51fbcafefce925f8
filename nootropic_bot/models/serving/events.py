"""What a server sends, read with bounds: JSON bodies, streams of events, an answer that comes in pieces."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import Any

from nootropic_bot.models.base import BadAnswer, FinishReason, Request
from nootropic_bot.models.serving.failures import Failed, Peer, quoted, server_broke
from nootropic_bot.models.serving.loop import Emit

# No tokenizer of text makes tokens this long on average; whoever sends more does not keep to `max_tokens`.
_CHARACTERS_PER_TOKEN = 64
_SPARE_CHARACTERS = 4096


class Gathering:
    """An answer that comes in pieces, and the bounds it must keep to. `is_streamed`: it turned out to be a stream."""

    def __init__(self, request: Request, emit: Emit, peer: Peer) -> None:
        self.finish: FinishReason | None = None
        self.is_streamed = False
        self._emit = emit
        self._peer = peer
        self._pieces: list[str] = []
        self._left = request.max_tokens * _CHARACTERS_PER_TOKEN + _SPARE_CHARACTERS

    @property
    def is_mute_stream(self) -> bool:
        """Whether a stream was begun, of which no text came so far."""
        return self.is_streamed and not self._pieces

    def add(self, piece: object) -> None:
        """One more piece; `None` and `""` are none.

        Raises:
            Failed: it is no text, or all of it is longer than was asked for.
        """
        if piece is None or piece == "":
            return
        if not isinstance(piece, str):
            raise Failed(BadAnswer(f"{self._peer.label} sent an answer that is no text"))
        self._left -= len(piece)
        if self._left < 0:
            raise Failed(BadAnswer(f"{self._peer.label} sent far more than the tokens asked for"))
        # Half of a surrogate pair, escaped in JSON, is no text that could ever be written to a file.
        piece = piece.encode("utf-8", "replace").decode()
        self._pieces.append(piece)
        self._emit(piece)

    def text(self) -> str:
        """All of it.

        Raises:
            Failed: the answer ended without saying so, or is empty.
        """
        if self.finish is None:
            raise server_broke(f"{self._peer.label} broke off in the middle of its answer")
        text = "".join(self._pieces)
        if not text.strip():
            raise Failed(BadAnswer(f"{self._peer.label} sent an empty answer"))
        return text


def is_stream(response: Any) -> bool:
    """Whether the answer comes as a stream of events."""
    return "text/event-stream" in response.headers.get("content-type", "")


async def read_events(response: Any, peer: Peer) -> AsyncGenerator[dict[str, Any] | None, None]:
    """The JSON objects of an answer: its one body, or the events of a stream; at the end `None` if it said [DONE].

    What the answer's type is, and not what was asked for, decides: some servers always stream, some never.

    Raises:
        Failed: no JSON, or no object, or an error in it.
    """
    if not is_stream(response):
        yield _checked(await response.read(), peer)
        return
    async for line in response.iter_lines():
        if not line.startswith("data:"):  # `event:`, `id:`, comments to keep the connection open
            continue
        data = line[len("data:") :].strip()
        if data == "[DONE]":
            yield None
            return
        yield _checked(data, peer)


async def read_object(response: Any, peer: Peer) -> dict[str, Any]:
    """The one JSON object of an answer.

    Raises:
        Failed: it is none.
    """
    return _checked(await response.read(), peer)


def _checked(raw: str | bytes, peer: Peer) -> dict[str, Any]:
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError):
        raise server_broke(f"{peer.label} sent something that is no JSON") from None
    if not isinstance(data, dict):
        raise Failed(BadAnswer(f"{peer.label} sent JSON that is no answer"))
    if data.get("error"):
        error = data["error"]
        said = error.get("message", "") if isinstance(error, dict) else error
        raise server_broke(f"{peer.label} failed: {quoted(str(said), peer)}")
    return data


def count(value: object) -> int:
    """A number of tokens that a server tells, 0 where it is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
