"""Models in this process, through llama-cpp-python's low-level interface to llama.cpp.

The low-level interface, because the high-level one compiles the chat template of the model file, which is code from
outside (row A49 of the attack corpus), copies the logits of whole batches, and can't be stopped inside a long prompt.
A file's hash is proved before llama.cpp parses it (row A48): by `lock.locate`, whose answer `models/factory.py` hands
over.

State is kept between requests: what the new prompt has in common with the last one is not computed again, and the state
after a request's `shared_prefix` is kept aside, so that findings of many rules can alternate.
"""

from __future__ import annotations

import codecs
import hashlib
import itertools
import math
import os
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nootropic_bot.models.base import (
    Answer,
    BadAnswer,
    ContextOverflow,
    FinishReason,
    Prompt,
    Request,
    Special,
    Unavailable,
)
from nootropic_bot.models.chat import find_template, render_chat
from nootropic_bot.models.llama_native import Native, NativeSettings
from nootropic_bot.models.llama_sampler import Sampler
from nootropic_bot.models.verified import check_header

_STATE_BYTES = 256 * 1024 * 1024
_MAX_PERIOD, _REPEATS = 16, 6


@dataclass(frozen=True, slots=True)
class _Piece:
    """One generated token: its text so far decodable, and its probability."""

    text: str
    probability: float
    is_last: bool
    finish: FinishReason


class LlamaCpp:
    """A GGUF file as a `Model`.

    `context` 0 means the model's own, at most 8,192 tokens; more than its own is never used. `threads` 0 means one a
    core; `gpu_layers` -1 means all of them where llama.cpp was built for a GPU; `batch`: tokens of a prompt that are
    read at once. `sha256` is what was proved of the file, for the fingerprint. `adapter` is a LoRA adapter in GGUF,
    checked before it is loaded (`models/adapters.py`). `embed_timeout`: seconds for vectors; other requests bring their
    own. The first request loads the model, and its time-out holds for that too.
    """

    def __init__(
        self,
        path: Path,
        *,
        name: str,
        sha256: str | None = None,
        context: int = 0,
        threads: int = 0,
        gpu_layers: int = -1,
        batch: int = 512,
        chat_format: str = "chatml",
        adapter: Path | None = None,
        embed_timeout: float = 30.0,
    ) -> None:
        self.name = name
        self.is_local = True
        self._path, self._sha256, self._chat_format, self._adapter = path, sha256, chat_format, adapter
        self._settings = NativeSettings(context, threads or cores(), gpu_layers, batch)
        self._embed_timeout = embed_timeout
        self._native: Native | None = None
        self._tokens: list[int] = []
        self._states: OrderedDict[tuple[int, ...], bytes] = OrderedDict()

    @property
    def fingerprint(self) -> str:
        """Name, weights and adapter: by their hash where it is known, else by path, size and time of change."""
        parts = [self.name, self._chat_format]
        for path, digest in ((self._path, self._sha256), (self._adapter, None)):
            if path is not None and digest is None:
                stat = path.stat() if path.exists() else None
                digest = f"{path}:{stat.st_size}:{stat.st_mtime_ns}" if stat else "missing"
            parts.append(digest or "")
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def generate(self, request: Request) -> Answer:
        """The whole answer; greedy at temperature 0."""
        started = time.monotonic()
        text, log_probability, count, finish = "", 0.0, 0, "stop"
        native = self._loaded(started + request.timeout)
        tokens = self._prompt_tokens(native, request)
        for piece in self._pieces(native, tokens, request):
            text += piece.text
            log_probability += math.log(max(piece.probability, 1e-30))
            count += 1
            finish = piece.finish
        return Answer(
            text,
            self.name,
            finish="length" if finish == "length" else "stop",
            confidence=math.exp(log_probability),
            prompt_tokens=len(tokens),
            completion_tokens=count,
            seconds=time.monotonic() - started,
        )

    def stream(self, request: Request) -> Iterator[str]:
        """The answer in pieces of text, held back while they may be the beginning of a stop text."""
        native = self._loaded(time.monotonic() + request.timeout)
        for piece in self._pieces(native, self._prompt_tokens(native, request), request):
            if piece.text:
                yield piece.text

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """The mean of the last layer's states over each text, in a context of its own."""
        native = self._loaded(time.monotonic() + self._embed_timeout)
        return [native.embedding(native.tokenize(text)) for text in texts]

    def close(self) -> None:
        """Free the model; the next request loads it again."""
        if self._native is not None:
            self._native.close()
            self._native = None
        self._tokens.clear()
        self._states.clear()

    def _loaded(self, deadline: float) -> Native:
        """The model, with `deadline` in `time.monotonic()` seconds for all that is computed from now on."""
        if self._native is None:
            if not self._path.is_file():
                raise Unavailable(f"the model file {self._path.name} is not there")
            try:
                check_header(self._path)
            except OSError as error:
                raise Unavailable(f"the model file {self._path.name} can't be read: {error.strerror}") from error
            self._native = Native(self._path, self._settings, self._adapter, deadline)
        self._native.deadline = deadline
        return self._native

    def _prompt_tokens(self, native: Native, request: Request) -> list[int]:
        prompt, _stop = self._prompt(request)
        tokens = _tokens_of(native, prompt)
        if len(tokens) + request.max_tokens > native.context:
            raise ContextOverflow(
                f"the prompt of {len(tokens)} tokens and an answer of {request.max_tokens} exceed the context of "
                f"{native.context}"
            )
        return tokens

    def _prompt(self, request: Request) -> tuple[Prompt, tuple[str | Special, ...]]:
        if request.prompt:
            return request.prompt, request.stop
        chat = find_template(self._chat_format)
        return render_chat(chat, request.messages), (*request.stop, *chat.stop)

    def _shared_tokens(self, native: Native, request: Request) -> list[int]:
        if not request.shared_prefix:
            return []
        if request.prompt:
            return _tokens_of(native, request.prompt[: request.shared_prefix])
        shared = request.messages[: request.shared_prefix]
        return _tokens_of(native, render_chat(find_template(self._chat_format), shared, is_answer_opened=False))

    def _pieces(self, native: Native, tokens: list[int], request: Request) -> Iterator[_Piece]:
        self._read(native, tokens, self._shared_tokens(native, request))
        stop = self._prompt(request)[1]
        stop_tokens = {native.special(part.token) for part in stop if isinstance(part, Special)}
        stop_texts = [part for part in stop if isinstance(part, str)]
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        held, made = "", []
        with Sampler(native, request) as sampler:
            for number in range(request.max_tokens):
                token, probability = sampler.next()
                if token in stop_tokens or native.is_end(token):
                    yield _Piece(held, probability, True, "stop")
                    return
                made.append(token)
                held += decoder.decode(native.piece(token))
                cut = min((held.find(text) for text in stop_texts if text in held), default=-1)
                if cut >= 0:
                    yield _Piece(held[:cut], probability, True, "stop")
                    return
                _refuse_repetition(made)
                is_last = number + 1 == request.max_tokens
                ready = held if is_last else held[: len(held) - _overlap(held, stop_texts)]
                held = held[len(ready) :]
                yield _Piece(ready, probability, is_last, "length" if is_last else "stop")
                if not is_last:
                    native.decode([token])
                    self._tokens.append(token)

    def _read(self, native: Native, tokens: list[int], shared: list[int]) -> None:
        """Compute the prompt's state, from the longest known beginning on."""
        common = _common(self._tokens, tokens)
        prefix = tuple(shared) if len(shared) < len(tokens) and tokens[: len(shared)] == shared else ()
        if prefix and common < len(prefix) and prefix in self._states:
            self._tokens = []
            native.restore(self._states[prefix])
            self._states.move_to_end(prefix)
            self._tokens, common = list(prefix), len(prefix)
        # At least one token is computed, for its successor's probabilities.
        common = min(common, len(tokens) - 1)
        self._tokens = []
        common = native.truncate(common)
        self._tokens = tokens[:common]
        if prefix and common < len(prefix) and prefix not in self._states:
            self._decode(native, tokens[common : len(prefix)])
            self._keep_state(native, prefix)
            common = len(prefix)
        self._decode(native, tokens[common:])

    def _decode(self, native: Native, tokens: list[int]) -> None:
        native.decode(tokens)
        self._tokens = self._tokens + tokens

    def _keep_state(self, native: Native, prefix: tuple[int, ...]) -> None:
        self._states[prefix] = native.state()
        while len(self._states) > 1 and sum(map(len, self._states.values())) > _STATE_BYTES:
            self._states.popitem(last=False)


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _tokens_of(native: Native, prompt: Prompt) -> list[int]:
    """Token ids; neighbouring texts are one text to the tokenizer."""
    tokens: list[int] = []
    for is_special, parts in itertools.groupby(prompt, lambda part: isinstance(part, Special)):
        if is_special:
            tokens += [native.special(part.token) for part in parts if isinstance(part, Special)]
        else:
            tokens += native.tokenize("".join(part for part in parts if isinstance(part, str)))
    return tokens


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _overlap(text: str, stops: Sequence[str]) -> int:
    """How many characters at the end may be the beginning of a stop text."""
    longest = max(map(len, stops), default=1) - 1
    return next((n for n in range(min(longest, len(text)), 0, -1) if any(s.startswith(text[-n:]) for s in stops)), 0)


def _refuse_repetition(tokens: Sequence[int]) -> None:
    """Small models may fall into a loop; six rounds of at most sixteen tokens are no code."""
    for period in range(1, _MAX_PERIOD + 1):
        tail = tokens[-period * _REPEATS :]
        if len(tail) == period * _REPEATS >= 24 and tail == list(tail[:period]) * _REPEATS:
            raise BadAnswer("the answer repeats itself without end")
