"""Asking one backend: whether it may be asked, how often, and what its failures mean for the rest of a run."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from nootropic_bot.models.base import (
    BadAnswer,
    BudgetSpent,
    ContextOverflow,
    Model,
    ModelError,
    NotAllowed,
    OutOfMemory,
    RateLimited,
    TimedOut,
    Unavailable,
)
from nootropic_bot.models.breaker import Breaker
from nootropic_bot.models.budget import Budget, charge_of
from nootropic_bot.models.routing import (
    FEATURES,
    Action,
    Backend,
    Decision,
    Done,
    Feature,
    Skipped,
    Status,
    T,
    Task,
    sentence,
)

RETRIES = 2
# The pause doubles with each attempt, and half of it is left to chance, so that many clients don't come back at once.
FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 0.5, 8.0
# Of the time that is left, while another backend could follow.
SHARE_OF_TIME = 0.75


@dataclass(frozen=True, slots=True)
class Pace:
    """How often and when to ask again. `clock` is monotonic; `sleep` takes seconds; `jitter` answers 0..1."""

    retries: int = RETRIES
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random


class Asker:
    """Asks one backend at a time, and remembers for a run how each of them does."""

    def __init__(
        self, backends: Sequence[Backend], budget: Budget, pace: Pace, breakers: Mapping[str, Breaker]
    ) -> None:
        self.decisions: list[Decision] = []
        self.request = 0
        self.embedder: str | None = None
        self._backends = tuple(backends)
        self._budget = budget
        self._retries, self._clock, self._sleep, self._jitter = pace.retries, pace.clock, pace.sleep, pace.jitter
        self._status = {each.name: Status(breakers.get(each.name) or Breaker(pace.clock)) for each in backends}

    def close(self) -> None:
        """Close every model that was made."""
        for status in self._status.values():
            _close(status)

    def fingerprint(self, backend: Backend) -> str:
        """The fingerprint of a backend, "" when it can't be made."""
        status = self._status[backend.name]
        if status.model is None and status.out:
            return ""
        try:
            return self._model(backend).fingerprint
        except ModelError as error:
            self._failed(backend, error, FEATURES)
            return ""

    def broke_off(self, backend: Backend, error: ModelError, seconds: float) -> None:
        """A stream ended before its end."""
        self._failed(backend, error, ("generate",), seconds)

    def ask(
        self, backend: Backend, task: Task[T], deadline: float, later: Iterable[Backend], passed: Mapping[str, str]
    ) -> Done[T]:
        """Ask a backend until it answers, asking again does not help, or its time is over.

        `deadline` by the clock is the request's; `later` backends could follow; `passed` ones did not answer.

        Raises:
            ModelError: it failed.
            Skipped: it was not asked.
        """
        if reason := self._out(backend, task.feature):
            raise Skipped(reason)
        try:
            model = self._model(backend)
            known = task.recall(model)
        except ModelError as error:
            self._failed(backend, error, FEATURES)
            raise
        if known is not None:
            self.decide(backend, "cached")
            return Done(backend, model, known, 0.0, passed, is_cached=True)
        if obstacle := self._obstacle(backend):
            raise obstacle
        left = deadline - self._clock()
        if left <= 0:
            raise Skipped("no time was left")
        is_last = all(self._out(each, task.feature) or self._obstacle(each) for each in later)
        value, seconds = self._insist(backend, model, task, deadline - (0 if is_last else left * (1 - SHARE_OF_TIME)))
        return Done(backend, model, value, seconds, passed)

    def _insist(self, backend: Backend, model: Model, task: Task[T], until: float) -> tuple[T, float]:
        """The value, and how many seconds it took."""
        attempt = 0
        while True:
            started = self._clock()
            self.decide(backend, "asked", "again" if attempt else "")
            try:
                return self._ask_once(backend, model, task, until - started)
            except ModelError as error:
                pause = self._pause(backend, error, attempt, until, self._clock() - started)
                if pause is None:
                    raise
                self._sleep(pause)
                if self._clock() >= until:  # It slept longer than asked.
                    raise
            attempt += 1

    def _ask_once(self, backend: Backend, model: Model, task: Task[T], seconds: float) -> tuple[T, float]:
        breaker = self._status[backend.name].breaker
        breaker.begin()
        started = self._clock()
        try:
            value = task.ask(model, seconds)
        except ModelError as error:
            took = self._clock() - started
            self._failed(backend, error, (task.feature,), took)
            if isinstance(error, TimedOut | BadAnswer):
                # Something was generated, and nobody says how much: the most it can have been.
                self.charge(backend, model.name, (task.prompt_tokens, task.max_tokens), took)
            raise
        except BaseException:
            breaker.abandoned()
            raise
        took = self._clock() - started
        if 0 < backend.latency_seconds < took:
            breaker.failed()
            self.decide(backend, "answered", f"later than the {backend.latency_seconds:g} s it is given", took)
        else:
            breaker.succeeded()
            self.decide(backend, "answered", "", took)
        return value, took

    def _pause(self, backend: Backend, error: ModelError, attempt: int, until: float, took: float) -> float | None:
        """How long to wait before asking again; None where that is of no use or takes too long."""
        if not error.is_transient or attempt >= self._retries or self._obstacle(backend, is_resting_one=False):
            return None
        pause = min(FIRST_PAUSE_SECONDS * 2**attempt, MAX_PAUSE_SECONDS) * (0.5 + self._jitter() / 2)
        if isinstance(error, RateLimited) and error.retry_after is not None:
            pause = max(pause, error.retry_after)
        # What did not come in time will not come in less of it.
        needed = took if isinstance(error, TimedOut) else 0.0
        return pause if pause + needed < until - self._clock() else None

    def _out(self, backend: Backend, feature: Feature) -> str | None:
        """Why a backend is not asked any more in this run."""
        if feature == "embed" and self.embedder not in (None, backend.name):
            return f"the vectors of this run are {self.embedder}'s"
        return self._status[backend.name].out.get(feature)

    def _obstacle(self, backend: Backend, *, is_resting_one: bool = True) -> Skipped | None:
        """Why a backend is not asked just now. `is_resting_one`: whether a server's wish to wait is one, too."""
        status = self._status[backend.name]
        if not status.breaker.is_admitting:
            return Skipped(status.breaker.reason)
        if is_resting_one and self._clock() < status.rests_until:
            return Skipped("it asked us to wait")
        refusal = self._budget.refusal(is_paid=backend.is_paid, is_in_process=backend.is_in_process)
        return Skipped(refusal, is_budget=True) if refusal else None

    def _failed(self, backend: Backend, error: ModelError, features: Sequence[Feature], seconds: float = 0.0) -> None:
        """Remember a failure, and what it means for the rest of the run."""
        status, reason = self._status[backend.name], sentence(error)
        self.decide(backend, "failed", reason, seconds)
        if isinstance(error, BadAnswer | ContextOverflow | BudgetSpent):
            # These say something of the question; the backend is alive.
            status.breaker.succeeded()
        else:
            status.breaker.failed()
        if isinstance(error, RateLimited) and error.retry_after is not None:
            status.rests_until = self._clock() + error.retry_after
        if isinstance(error, OutOfMemory):
            self._make_room(backend, reason)
        elif isinstance(error, Unavailable | NotAllowed) or status.model is None:
            status.out.update(dict.fromkeys(features, reason))

    def _make_room(self, backend: Backend, reason: str) -> None:
        """After this one did not fit into memory, no other of its size is tried, and its own memory is given back."""
        status = self._status[backend.name]
        _close(status)
        status.out.update(dict.fromkeys(FEATURES, reason))
        for other in self._backends:
            if other.is_local and other is not backend and 0 < backend.size_bytes <= other.size_bytes:
                too_large = f"it needs no less memory than {backend.name}, which did not fit"
                self._status[other.name].out.update(dict.fromkeys(FEATURES, too_large))

    def _model(self, backend: Backend) -> Model:
        status = self._status[backend.name]
        if status.model is None:
            status.model = backend.open()
        return status.model

    def charge(self, backend: Backend, model: str, tokens: tuple[int, int], seconds: float) -> None:
        """Count (prompt, answer) tokens against the budget."""
        prices = (backend.prompt_price, backend.answer_price)
        made = charge_of(backend.name, model, tokens, seconds, prices)
        self._budget.charge(made, is_in_process=backend.is_in_process)

    def decide(self, backend: Backend, action: Action, reason: str = "", seconds: float = 0.0) -> None:
        """Record a decision."""
        self.decisions.append(Decision(self.request, backend.name, action, reason, seconds))


def _close(status: Status) -> None:
    model, status.model = status.model, None
    if model is not None:
        model.close()
