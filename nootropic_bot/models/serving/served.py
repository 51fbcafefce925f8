"""A model behind a server: deadlines, asking again, stop texts and bounds, the same for every protocol.

A protocol is a `Wire`: it turns a request into HTTP and what comes back into text. `Served` is the model around it.

Asking again: after 429, 5xx and broken connections, `max_retries` times, waiting 0.5 s, 1 s, 2 s … with up to a quarter
of chance added, or as long as the server says; never beyond the request's time-out: whoever says to wait longer is not
waited for. A stream is not asked for again once a piece of it was given.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from nootropic_bot.models.base import Answer, FinishReason, Request
from nootropic_bot.models.jsonanswers import checked_json
from nootropic_bot.models.serving.failures import Failed
from nootropic_bot.models.serving.loop import Emit, ServerLoop
from nootropic_bot.models.stopping import StopCutter, cut_at_stop, stop_texts

T = TypeVar("T")

_FIRST_WAIT_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered, before stop texts and schemas are looked at."""

    text: str
    finish: FinishReason = "stop"
    confidence: float | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    remarks: tuple[str, ...] = ()


class Wire(Protocol):
    """One protocol, spoken with one server, in the event loop of a `ServerLoop`. What fails, fails with `Failed`."""

    def load(self) -> None:
        """Import what takes long to import, before the clock of a request runs; in the caller's thread."""
        ...

    async def exchange(self, request: Request, emit: Emit, *, is_streamed: bool) -> Reply:
        """Ask, and hand each piece of text to `emit` as it comes."""
        ...

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector a text."""
        ...

    async def close(self) -> None:
        """Close connections; the next request opens them again."""
        ...


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and when to ask again. `clock`, `sleep` and `chance` (0..1) are for tests."""

    max_retries: int = 2
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random

    def wait(self, failure: Failed, number: int) -> float:
        """Seconds before the attempt after `number` (0 is the first)."""
        if failure.wait is not None:
            return failure.wait
        return float(_FIRST_WAIT_SECONDS * 2**number * (1 + self.chance() / 4))


class Served:
    """Satisfies `Model`. `embed_timeout` in seconds; `permit` raises `NotAllowed` where nothing may be sent."""

    def __init__(
        self,
        wire: Wire,
        *,
        name: str,
        is_local: bool,
        settings: Mapping[str, Any],
        patience: Patience,
        embed_timeout: float = 30.0,
        permit: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self.is_local = is_local
        self._wire = wire
        self._settings = dict(settings)
        self._patience = patience
        self._embed_timeout = embed_timeout
        self._permit = permit
        self._loop = ServerLoop()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    @property
    def fingerprint(self) -> str:
        """Of the address, the model, its version and the settings; the key has no part in it."""
        return hashlib.sha256(json.dumps([self.name, self._settings], sort_keys=True).encode()).hexdigest()

    def generate(self, request: Request) -> Answer:
        """The whole answer.

        Raises:
            ModelError: one of the kinds in `base.py`.
        """
        self._prepare()
        begin = self._patience.clock()

        def attempt(left: float) -> Reply:
            return self._loop.run(lambda: self._wire.exchange(request, _ignore, is_streamed=False), left)

        reply = self._retrying(attempt, begin + request.timeout)
        text, is_cut = cut_at_stop(reply.text, stop_texts(request.stop))
        if request.json_schema is not None:
            text = checked_json(text, request.json_schema)
        return Answer(
            text,
            self.name,
            finish="stop" if is_cut else reply.finish,
            confidence=reply.confidence,
            prompt_tokens=reply.prompt_tokens,
            completion_tokens=reply.completion_tokens,
            seconds=self._patience.clock() - begin,
            remarks=reply.remarks,
        )

    def stream(self, request: Request) -> Iterator[str]:
        """The answer's text in pieces; one that breaks a demanded schema is complained of at its end.

        Raises:
            ModelError: also in the middle.
        """
        self._prepare()
        cutter = StopCutter(stop_texts(request.stop))
        given: list[str] = []
        with contextlib.closing(self._pieces(request)) as pieces:
            for piece in pieces:
                if text := cutter.feed(piece):
                    given.append(text)
                    yield text
                if cutter.is_done:
                    break
        if text := cutter.rest():
            given.append(text)
            yield text
        if request.json_schema is not None:
            checked_json("".join(given), request.json_schema)

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector a text.

        Raises:
            ModelError: one of the kinds in `base.py`.
        """
        if not texts:
            return []
        self._prepare()
        deadline = self._patience.clock() + self._embed_timeout
        return self._retrying(lambda left: self._loop.run(lambda: self._wire.embed(texts), left), deadline)

    def close(self) -> None:
        """Close connections and end the thread; a request after it opens them again."""
        self._loop.close(self._wire.close)

    def _prepare(self) -> None:
        self._permit()
        try:
            self._wire.load()
        except Failed as failure:
            raise failure.error from None

    def _pieces(self, request: Request) -> Generator[str, None, None]:
        deadline = self._patience.clock() + request.timeout

        def attempt(left: float) -> tuple[list[str], Generator[str, None, None]]:
            pieces = self._loop.pieces(lambda emit: self._wire.exchange(request, emit, is_streamed=True), left)
            return [piece for piece in [next(pieces, "")] if piece], pieces

        first, pieces = self._retrying(attempt, deadline)
        with contextlib.closing(pieces):
            yield from first
            try:
                yield from pieces
            except Failed as failure:
                raise failure.error from None

    def _retrying(self, attempt: Callable[[float], T], deadline: float) -> T:
        number = 0
        while True:
            try:
                return attempt(deadline - self._patience.clock())
            except Failed as failure:
                wait = self._patience.wait(failure, number)
                if (
                    not failure.is_retryable
                    or number >= self._patience.max_retries
                    or wait >= deadline - self._patience.clock()
                ):
                    raise failure.error from None
            self._patience.sleep(wait)
            number += 1


def _ignore(piece: str) -> None:
    """Whole answers are looked at when they are complete."""
