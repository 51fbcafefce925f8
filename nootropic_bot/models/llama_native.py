"""llama.cpp through the C functions that llama-cpp-python exposes: load, tokenize, decode, save state.

Everything that can fail answers with a `ModelError`. A deadline stops a computation in its middle, by llama.cpp's own
abort callback; only a CPU computation asks it that often, on a GPU the check is between tokens.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
import time
from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from nootropic_bot.models.adapters import check_adapter
from nootropic_bot.models.base import BadAnswer, OutOfMemory, TimedOut, Unavailable
from nootropic_bot.models.ggufheader import read_header

_MAX_CONTEXT, _BATCH = 8192, 512
_MIN_CONTEXT = 512
_ABORTED = 2
_LOG_LEVEL_ERROR = 4  # `GGML_LOG_LEVEL_ERROR` of ggml.h, which the Python package does not name.
_INSTALL = "pip install 'nootropic-bot[local]'"


@dataclass(frozen=True, slots=True)
class NativeSettings:
    """See `LlamaCpp`."""

    context: int
    threads: int
    gpu_layers: int


class Native:
    """One loaded model with one context. `deadline` is in `time.monotonic()` seconds."""

    def __init__(self, path: Path, settings: NativeSettings, adapter: Path | None) -> None:
        self._lib = _library()
        self._errors = _log_sink()[0]
        self._errors.clear()
        self.deadline = math.inf
        self._abort = self._lib.ggml_abort_callback(lambda _data: time.monotonic() > self.deadline)
        self._settings, self._path = settings, path
        self._context: Any = None
        self._embedder: Any = None
        self._specials: dict[str, int] = {}
        self._model = self._load(path)
        with contextlib.ExitStack() as stack:
            stack.callback(self.close)  # A failure from here on gives the memory back: a smaller model may come next.
            self._vocab = self._lib.llama_model_get_vocab(self._model)
            self.vocabulary: int = self._lib.llama_vocab_n_tokens(self._vocab)
            trained: int = self._lib.llama_model_n_ctx_train(self._model)
            self._context, self.context = self._open(settings.context or min(trained, _MAX_CONTEXT))
            self._memory = self._lib.llama_get_memory(self._context)
            self._lora = self._apply(adapter) if adapter is not None else None
            end = {self._lib.llama_vocab_eos(self._vocab), self._lib.llama_vocab_eot(self._vocab)}
            self.end_tokens = frozenset(token for token in end if token >= 0)
            stack.pop_all()

    def _reason(self, what: str) -> str:
        return f"{what}: {self._errors[-1]}" if self._errors else what

    def _load(self, path: Path) -> Any:
        read_header(path)  # llama.cpp believes the counts of a header, and takes the memory that they ask for.
        parameters = self._lib.llama_model_default_params()
        parameters.n_gpu_layers = 999 if self._settings.gpu_layers < 0 else self._settings.gpu_layers
        model = self._lib.llama_model_load_from_file(os.fsencode(path), parameters)
        if model is None:
            reason = self._reason(f"llama.cpp can't load {path.name}")
            raise OutOfMemory(reason) if "alloc" in reason else Unavailable(reason)
        return model

    def _open(self, size: int, *, embeddings: bool = False) -> tuple[Any, int]:
        """A context of at most `size` tokens: half as large each time memory does not suffice."""
        parameters = self._lib.llama_context_default_params()
        parameters.n_threads = parameters.n_threads_batch = self._settings.threads
        parameters.embeddings = embeddings
        parameters.no_perf = True
        while True:
            parameters.n_ctx = size
            parameters.n_batch = parameters.n_ubatch = min(size, _BATCH)
            context = self._lib.llama_init_from_model(self._model, parameters)
            if context is not None:
                break
            if size <= _MIN_CONTEXT:
                raise OutOfMemory(self._reason("there is no memory for the model's context"))
            size //= 2
        self._lib.llama_set_abort_callback(context, self._abort, None)
        return context, size

    def _apply(self, adapter: Path) -> Any:
        check_adapter(adapter, self._path)
        lora = self._lib.llama_adapter_lora_init(self._model, os.fsencode(adapter))
        if lora is None:
            raise Unavailable(self._reason(f"the adapter {adapter.name} does not fit this model"))
        adapters = (self._lib.llama_adapter_lora_p_ctypes * 1)(lora)
        if self._lib.llama_set_adapters_lora(self._context, adapters, 1, (ctypes.c_float * 1)(1.0)) != 0:
            raise Unavailable(self._reason(f"the adapter {adapter.name} can't be applied"))
        return lora

    def close(self) -> None:
        """Free everything; harmless when called twice."""
        for context in (self._context, self._embedder):
            if context is not None:
                self._lib.llama_free(context)
        if self._model is not None:
            self._lib.llama_model_free(self._model)
        self._context = self._embedder = self._model = None

    def special(self, token: str) -> int:
        """The id of a control token.

        Raises:
            Unavailable: the model has none of that name.
        """
        if token not in self._specials:
            ids = self._tokenize(token, is_special=True)
            if len(ids) != 1:
                raise Unavailable(f"the model has no control token {token}")
            self._specials[token] = ids[0]
        return self._specials[token]

    def tokenize(self, text: str) -> list[int]:
        """Text as tokens; none becomes a control token."""
        return self._tokenize(text, is_special=False)

    def _tokenize(self, text: str, *, is_special: bool) -> list[int]:
        raw = text.encode("utf-8", "replace")
        size = len(raw) + 8
        buffer = (self._lib.llama_token * size)()
        count = self._lib.llama_tokenize(self._vocab, raw, len(raw), buffer, size, False, is_special)
        if count < 0:
            raise BadAnswer("the text can't be tokenized")
        return list(buffer[:count])

    def piece(self, token: int) -> bytes:
        """The bytes of a token; control tokens are spelt out."""
        buffer = ctypes.create_string_buffer(256)
        count = self._lib.llama_token_to_piece(self._vocab, token, buffer, 256, 0, True)
        return buffer.raw[: max(count, 0)]

    def is_end(self, token: int) -> bool:
        """Whether the model ends its answers with this token; it may have several."""
        return token in self.end_tokens or bool(self._lib.llama_vocab_is_eog(self._vocab, token))

    def truncate(self, length: int) -> None:
        """Keep the state of the first `length` tokens only."""
        self._lib.llama_memory_seq_rm(self._memory, 0, length, -1)

    def decode(self, tokens: list[int]) -> None:
        """Compute these tokens after those before them.

        Raises:
            TimedOut: the deadline passed.
        """
        for start in range(0, len(tokens), _BATCH):
            part = tokens[start : start + _BATCH]
            buffer = (self._lib.llama_token * len(part))(*part)
            code = self._lib.llama_decode(self._context, self._lib.llama_batch_get_one(buffer, len(part)))
            if code == _ABORTED or time.monotonic() > self.deadline:
                raise TimedOut("the model did not answer in time")
            if code != 0:
                raise OutOfMemory(self._reason(f"llama.cpp gave up ({code})"))

    def state(self) -> bytes:
        """The state of the tokens computed so far."""
        size = self._lib.llama_state_seq_get_size(self._context, 0)
        buffer = (ctypes.c_uint8 * size)()
        written = self._lib.llama_state_seq_get_data(self._context, buffer, size, 0)
        return bytes(buffer[:written]) if written != size else bytes(buffer)

    def restore(self, state: bytes) -> None:
        """Go back to a kept state."""
        self._lib.llama_memory_seq_rm(self._memory, 0, -1, -1)
        buffer = (ctypes.c_uint8 * len(state)).from_buffer_copy(state)
        if self._lib.llama_state_seq_set_data(self._context, buffer, len(state), 0) == 0:
            raise Unavailable("llama.cpp does not take back a state that it gave")

    def logits(self) -> Any:
        """The scores of the next token, a view that the next `decode` overwrites; float32, (vocabulary,)."""
        import numpy as np

        pointer = self._lib.llama_get_logits_ith(self._context, -1)
        if not pointer:
            raise Unavailable("llama.cpp gave no scores")
        return np.ctypeslib.as_array(pointer, shape=(self.vocabulary,))

    def grammar(self, text: str) -> Any:
        """A grammar that starts at its rule `root`, to be freed with `free_grammar`.

        Raises:
            BadAnswer: it can't be used.
        """
        raw = text.encode("utf-8", "replace")
        # An empty one would be none to llama.cpp, and everything allowed.
        grammar = self._lib.llama_sampler_init_grammar(self._vocab, raw, b"root") if raw.strip() else None
        if not grammar:
            raise BadAnswer(self._reason("the grammar is not valid GBNF"))
        return grammar

    def allowed(self, grammar: Any, tokens: Any, scores: Any) -> Any:
        """The scores with those of tokens that the grammar forbids at minus infinity."""
        import numpy as np

        array = (self._lib.llama_token_data * len(tokens))()
        view = np.ctypeslib.as_array(array)
        view["id"], view["logit"], view["p"] = tokens, scores, 0.0
        candidates = self._lib.llama_token_data_array(array, len(tokens), -1, False)
        self._lib.llama_sampler_apply(grammar, ctypes.byref(candidates))
        return view["logit"].copy()

    def accept(self, grammar: Any, token: int) -> None:
        """Tell the grammar which token was chosen."""
        self._lib.llama_sampler_accept(grammar, token)

    def free_grammar(self, grammar: Any) -> None:
        """Free a grammar."""
        self._lib.llama_sampler_free(grammar)

    def embedding(self, tokens: list[int]) -> list[float]:
        """The mean of the last layer's states over these tokens, scaled to length 1."""
        import numpy as np

        self.deadline = math.inf  # That of the last request is not this one's.
        if self._embedder is None:
            self._embedder, _size = self._open(min(self.context, _BATCH), embeddings=True)
        self._lib.llama_memory_clear(self._lib.llama_get_memory(self._embedder), True)
        part = tokens[:_BATCH] or list(self.end_tokens)[:1]
        buffer = (self._lib.llama_token * len(part))(*part)
        if self._lib.llama_decode(self._embedder, self._lib.llama_batch_get_one(buffer, len(part))) != 0:
            raise OutOfMemory(self._reason("llama.cpp gave up"))
        width = self._lib.llama_model_n_embd(self._model)
        pointer = self._lib.llama_get_embeddings(self._embedder)
        mean = np.ctypeslib.as_array(pointer, shape=(len(part) * width,)).reshape(len(part), width).mean(axis=0)
        scaled: list[float] = (mean / max(float(np.linalg.norm(mean)), 1e-12)).tolist()
        return scaled


def _library() -> Any:
    try:
        import llama_cpp
    except ImportError as error:
        raise Unavailable(f"llama-cpp-python is not installed: {_INSTALL}") from error
    except (OSError, RuntimeError) as error:  # Its shared library is missing, or built for another machine.
        raise Unavailable(f"llama-cpp-python can't be loaded ({error}): {_INSTALL}") from error
    return llama_cpp


@lru_cache(maxsize=1)
def _log_sink() -> tuple[deque[str], object]:
    """The last few errors that llama.cpp logs, and the callback that takes them; nothing goes to standard error.

    One for the whole process, and never freed: llama.cpp keeps its address.
    """
    library, errors = _library(), deque[str](maxlen=8)

    def on_log(level: int, text: bytes, _data: object) -> None:
        if level == _LOG_LEVEL_ERROR:
            errors.append(text.decode("utf-8", "replace").strip())

    callback = library.llama_log_callback(on_log)
    library.llama_log_set(callback, ctypes.c_void_p(0))
    return errors, callback
