"""llama.cpp through the C functions that llama-cpp-python exposes: load, tokenize, decode, save state.

Everything that can fail answers with a `ModelError`. A deadline stops loading and computing in their middle, by
llama.cpp's own callbacks (`llama_watch.py`); only a CPU computation asks that often, on a GPU the check is between
tokens. Making a context asks nobody.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nootropic_bot.models.adapters import check_adapter
from nootropic_bot.models.base import BadAnswer, ContextOverflow, OutOfMemory, TimedOut, Unavailable
from nootropic_bot.models.ggufheader import read_header
from nootropic_bot.models.llama_library import library, log_sink
from nootropic_bot.models.llama_watch import Watch

_MAX_CONTEXT, _BATCH = 8192, 512
_MIN_CONTEXT = 512
_ABORTED = 2
_NO_MEMORY = ("alloc", "out of memory")


@dataclass(frozen=True, slots=True)
class NativeSettings:
    """See `LlamaCpp`."""

    context: int
    threads: int
    gpu_layers: int
    batch: int = _BATCH


class Native:
    """One loaded model with one context.

    Raises:
        ModelError: it can't be loaded, or not until `deadline`, in `time.monotonic()` seconds.
    """

    def __init__(self, path: Path, settings: NativeSettings, adapter: Path | None, deadline: float) -> None:
        self._lib = library()
        self._errors = log_sink()[0]
        self._watch = Watch(self._lib)
        self._watch.deadline = deadline
        self._settings, self._path = settings, path
        self._context: Any = None
        self._embedder: Any = None
        self._model: Any = None
        self._specials: dict[str, int] = {}
        with contextlib.ExitStack() as stack:
            stack.callback(self.close)  # A failure from here on gives the memory back: a smaller model may come next.
            self._load(path)
            self._vocab = self._lib.llama_model_get_vocab(self._model)
            self.vocabulary: int = self._lib.llama_vocab_n_tokens(self._vocab)
            trained: int = self._lib.llama_model_n_ctx_train(self._model)
            # Beyond what it was trained for a model answers nonsense.
            wanted = settings.context or _MAX_CONTEXT
            self._context, self.context = self._open(min(wanted, trained) if trained > 0 else wanted)
            self._memory = self._lib.llama_get_memory(self._context)
            self._lora = self._apply(adapter) if adapter is not None else None
            end = {self._lib.llama_vocab_eos(self._vocab), self._lib.llama_vocab_eot(self._vocab)}
            self.end_tokens = frozenset(token for token in end if token >= 0)
            stack.pop_all()

    @property
    def deadline(self) -> float:
        """When computations are stopped, in `time.monotonic()` seconds."""
        return self._watch.deadline

    @deadline.setter
    def deadline(self, moment: float) -> None:
        self._watch.deadline = moment

    @contextlib.contextmanager
    def _calling(self) -> Iterator[None]:
        """Around what may take long, or fail with something in the log."""
        self._errors.clear()
        with self._watch.calling():
            yield

    def _reason(self, what: str) -> str:
        """The first error is the cause; those after it say that something failed because something failed."""
        return f"{what}: {self._errors[0]}" if self._errors else what

    def _load(self, path: Path) -> None:
        read_header(path)  # llama.cpp believes the counts of a header, and takes the memory that they ask for.
        parameters = self._lib.llama_model_default_params()
        parameters.n_gpu_layers = 999 if self._settings.gpu_layers < 0 else self._settings.gpu_layers
        parameters.progress_callback = self._watch.progress
        with self._calling():
            self._model = self._lib.llama_model_load_from_file(os.fsencode(path), parameters)
        if self._model is None:
            if self._watch.is_late:
                raise TimedOut(f"{path.name} was not loaded in time")
            reason = self._reason(f"llama.cpp can't load {path.name}")
            is_memory = any(word in line.lower() for line in self._errors for word in _NO_MEMORY)
            raise OutOfMemory(reason) if is_memory else Unavailable(reason)

    def _open(self, size: int, *, embeddings: bool = False) -> tuple[Any, int]:
        """A context of at most `size` tokens: half as large each time memory does not suffice."""
        parameters = self._lib.llama_context_default_params()
        parameters.n_threads = parameters.n_threads_batch = self._settings.threads
        parameters.embeddings = embeddings
        parameters.no_perf = True
        while True:
            parameters.n_ctx = size
            parameters.n_batch = parameters.n_ubatch = min(size, self._settings.batch)
            with self._calling():
                context = self._lib.llama_init_from_model(self._model, parameters)
            if context is not None:
                break
            if size <= _MIN_CONTEXT:
                raise OutOfMemory(self._reason("there is no memory for the model's context"))
            size //= 2
        self._lib.llama_set_abort_callback(context, self._watch.abort, None)
        return context, size

    def _apply(self, adapter: Path) -> Any:
        check_adapter(adapter, self._path)
        with self._calling():
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

    def truncate(self, length: int) -> int:
        """Keep the state of the first `length` tokens only; of none where the model's memory can't be cut there.

        Returns:
            How many are kept: the others are to be computed.
        """
        if self._lib.llama_memory_seq_rm(self._memory, 0, length, -1):
            return length
        # Recurrent models and sliding windows hold no earlier state.
        self._lib.llama_memory_clear(self._memory, True)
        return 0

    def decode(self, tokens: list[int]) -> None:
        """Compute these tokens after those before them.

        Raises:
            TimedOut: the deadline passed.
        """
        for start in range(0, len(tokens), self._settings.batch):
            self._compute(self._context, tokens[start : start + self._settings.batch])

    def _compute(self, context: Any, tokens: list[int]) -> None:
        buffer = (self._lib.llama_token * len(tokens))(*tokens)
        with self._calling():
            code = self._lib.llama_decode(context, self._lib.llama_batch_get_one(buffer, len(tokens)))
        if code == _ABORTED or self._watch.is_late:
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
        with self._calling():
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
        """The mean of the last layer's states over these tokens, scaled to length 1.

        Raises:
            ContextOverflow: they are more than are computed at once, of which alone a mean can be had.
            TimedOut: the deadline passed.
        """
        import numpy as np

        if self._embedder is None:
            self._embedder, _size = self._open(min(self.context, self._settings.batch), embeddings=True)
        most = self._lib.llama_n_batch(self._embedder)
        if len(tokens) > most:
            raise ContextOverflow(f"a text of {len(tokens)} tokens is too long for a vector: {most} are read at most")
        self._lib.llama_memory_clear(self._lib.llama_get_memory(self._embedder), True)
        part = tokens or list(self.end_tokens)[:1]
        self._compute(self._embedder, part)
        width = self._lib.llama_model_n_embd(self._model)
        pointer = self._lib.llama_get_embeddings(self._embedder)
        mean = np.ctypeslib.as_array(pointer, shape=(len(part) * width,)).reshape(len(part), width).mean(axis=0)
        scaled: list[float] = (mean / max(float(np.linalg.norm(mean)), 1e-12)).tolist()
        return scaled
