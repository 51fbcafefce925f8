"""Which backend answers: the first in the configured order that can; to its user the router is one more `Model`.

For each request, backend after backend:

1. one that is out for this run is skipped: it could not be made, said `Unavailable` or `NotAllowed`, or ran out of
   memory, as will every local one that is no smaller;
2. the cache is looked up, which costs nothing and asks nobody;
3. it is skipped while its circuit breaker is open, a server's wish to be left alone holds, or a budget is used up;
4. it is asked, and again after a growing pause where that may help (`ModelError.is_transient`).

All of this together takes no longer than the request's timeout, loading a model included. (Vectors are asked for
without one; there each backend has its own limit, and none is begun with after `EMBED_SECONDS`.) While another backend
could follow, one gets three quarters of what is left of it, so that a hanging model does not keep the next from
answering. An answer that is not the first backend's says so in its remarks. Every decision is recorded, in order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from nootropic_bot.models.answercache import AnswerCache
from nootropic_bot.models.asking import Asker, Pace
from nootropic_bot.models.base import Answer, BudgetSpent, Model, ModelError, Request, Unavailable
from nootropic_bot.models.breaker import Breaker
from nootropic_bot.models.budget import Budget
from nootropic_bot.models.routing import (
    Backend,
    Begun,
    Decision,
    Done,
    Skipped,
    T,
    Task,
    estimated_tokens,
    sentence,
    texts_of,
)

# Requests for vectors bring no timeout.
EMBED_SECONDS = 30.0


class Router:
    """Asks `backends` in order; satisfies `Model`. Nothing is made or loaded before the first request.

    `breakers` by backend may be handed in to share them between the routers of a run.
    """

    def __init__(
        self,
        backends: Sequence[Backend],
        *,
        budget: Budget | None = None,
        cache: AnswerCache | None = None,
        breakers: Mapping[str, Breaker] | None = None,
        pace: Pace | None = None,
    ) -> None:
        if not backends or len({backend.name for backend in backends}) < len(backends):
            raise ValueError("a router needs backends of different names")
        self.budget = budget or Budget()
        self._backends = tuple(backends)
        self._cache = cache
        self._pace = pace or Pace()
        self._asker = Asker(self._backends, self.budget, self._pace, breakers or {})

    @property
    def name(self) -> str:
        """The backends in order. Who answered says `Answer.model`."""
        return " > ".join(backend.name for backend in self._backends)

    @property
    def is_local(self) -> bool:
        """Whether all backends are."""
        return all(backend.is_local for backend in self._backends)

    @property
    def fingerprint(self) -> str:
        """Of all backends in order; makes them, but loads nothing. One that can't be made counts by its name."""
        digest = hashlib.sha256(b"router")
        for backend in self._backends:
            digest.update(f"\0{backend.name}\0{self._asker.fingerprint(backend)}".encode())
        return digest.hexdigest()

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """Everything that was decided in this run; `str` of each is a line for people."""
        return tuple(self._asker.decisions)

    def reasons(self) -> tuple[str, ...]:
        """Why backends did not answer, and budgets that run low: each sentence once, in order, for a run's notes."""
        told = [f"{d.backend}: {d.reason}" for d in self._asker.decisions if d.action in ("failed", "skipped")]
        return tuple(dict.fromkeys((*told, *self.budget.alerts)))

    def generate(self, request: Request) -> Answer:
        """The first answer to be had.

        Raises:
            ModelError: all backends failed, the last one in this way.
            Unavailable: no backend could even be asked; all reasons are told.
            BudgetSpent: the same, for the budget's sake alone.
        """
        cache = self._cache
        task = Task(
            "generate",
            request.timeout,
            estimated_tokens(texts_of(request)),
            request.max_tokens,
            lambda model, seconds: model.generate(replace(request, timeout=seconds)),
            lambda model: cache.get(request, model.fingerprint) if cache else None,
        )
        done = self._route(task)
        answer = done.value
        if not done.is_cached:
            read = answer.prompt_tokens or task.prompt_tokens
            written = answer.completion_tokens or estimated_tokens([answer.text])
            self._asker.charge(done.backend, answer.model, (read, written), done.seconds)
            if cache:
                cache.put(request, done.model.fingerprint, answer)
        return replace(answer, remarks=(*answer.remarks, *done.disclaimer))

    def stream(self, request: Request) -> Iterator[str]:
        """The first answer to be had, in pieces. After the first piece there is no way back to another backend.

        Raises:
            ModelError: as `generate`; also in the middle.
        """

        def begin(model: Model, seconds: float) -> Begun:
            pieces = model.stream(replace(request, timeout=seconds))
            return Begun(next(pieces, ""), pieces)

        read = estimated_tokens(texts_of(request))
        done = self._route(Task("generate", request.timeout, read, request.max_tokens, begin, _recall_nothing))
        pieces: list[str] = []
        started = self._pace.clock() - done.seconds
        try:
            for piece in done.value:
                pieces.append(piece)
                yield piece
        except ModelError as error:
            self._asker.broke_off(done.backend, error, self._pace.clock() - started)
            raise
        finally:
            done.value.close()
            tokens = (read, estimated_tokens(["".join(pieces)]))
            self._asker.charge(done.backend, done.model.name, tokens, self._pace.clock() - started)

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Vectors, all of a run from one backend: those of two models can't be compared.

        Raises:
            ModelError: as `generate`.
        """

        def ask(model: Model, _seconds: float) -> list[list[float]]:
            return model.embed(texts)

        tokens = estimated_tokens(texts)
        done = self._route(Task("embed", EMBED_SECONDS, tokens, 0, ask, _recall_nothing))
        self._asker.embedder = done.backend.name
        self._asker.charge(done.backend, done.model.name, (tokens, 0), done.seconds)
        return done.value

    def close(self) -> None:
        """Close every model that was made."""
        self._asker.close()

    def _route(self, task: Task[T]) -> Done[T]:
        self._asker.request += 1
        deadline = self._pace.clock() + task.seconds
        passed: dict[str, str] = {}
        last: ModelError | None = None
        is_budget = True
        for index, backend in enumerate(self._backends):
            later = self._backends[index + 1 :]
            try:
                return self._asker.ask(backend, task, deadline, later, passed)
            except Skipped as skipped:
                passed[backend.name] = skipped.reason
                is_budget = is_budget and skipped.is_budget
                self._asker.decide(backend, "skipped", skipped.reason)
            except ModelError as error:
                passed[backend.name] = sentence(error)
                last = error
        if last is not None:
            raise last
        kind = BudgetSpent if is_budget else Unavailable
        raise kind("; ".join(f"{name}: {reason}" for name, reason in passed.items()))


def _recall_nothing(_model: Model) -> None:
    return None
