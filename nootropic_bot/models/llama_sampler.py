"""How the next token is chosen: the likeliest or by chance, and within a grammar where one is given."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from nootropic_bot.models.base import BadAnswer, Request
from nootropic_bot.models.llama_native import Native


class Sampler:
    """Chooses tokens, within a grammar where there is one. A context manager, for the grammar's memory.

    Raises:
        BadAnswer: the grammar or the schema can't be used.
    """

    def __init__(self, native: Native, request: Request) -> None:
        import numpy as np

        grammar = _grammar_of(request.json_schema) if request.json_schema is not None else request.grammar
        self._native, self._temperature = native, request.temperature
        self._grammar = native.grammar(grammar) if grammar is not None else None
        self._random = np.random.default_rng(request.seed if request.seed >= 0 else None)

    def __enter__(self) -> Sampler:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._grammar is not None:
            self._native.free_grammar(self._grammar)
            self._grammar = None

    def next(self) -> tuple[int, float]:
        """The next token and its probability at temperature 1, before the grammar."""
        import numpy as np

        scores = self._native.logits()
        top = float(scores.max())
        total = float(np.exp(scores - top).sum())
        token = int(scores.argmax()) if self._temperature <= 0 else -1
        if token < 0 or not self._is_allowed(token, scores):
            token = self._choose(scores)
        if self._grammar is not None:
            self._native.accept(self._grammar, token)
        return token, math.exp(float(scores[token]) - top) / total

    def _is_allowed(self, token: int, scores: Any) -> bool:
        if self._grammar is None:
            return True
        return bool(math.isfinite(self._native.allowed(self._grammar, [token], [scores[token]])[0]))

    def _choose(self, scores: Any) -> int:
        import numpy as np

        if self._grammar is not None:
            scores = self._native.allowed(self._grammar, np.arange(len(scores)), scores)
        if not np.isfinite(scores.max()):
            raise BadAnswer("the grammar allows no token here")
        if self._temperature <= 0:
            return int(scores.argmax())
        weights = np.exp((scores - scores.max()) / self._temperature)
        return int(self._random.choice(len(weights), p=weights / weights.sum()))


def _grammar_of(schema: Mapping[str, Any]) -> str:
    from llama_cpp.llama_grammar import json_schema_to_gbnf

    try:
        text: str = json_schema_to_gbnf(json.dumps(schema))
    except (ValueError, KeyError, TypeError, AttributeError, AssertionError, RuntimeError) as error:
        raise BadAnswer(f"llama.cpp knows no grammar for this JSON schema: {error}") from error
    return text
