"""The records of the router: what it is given, what it decides, and what one request is to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

from nootropic_bot.escape import one_line
from nootropic_bot.models.base import Model, ModelError, Request
from nootropic_bot.models.breaker import Breaker

# Source code has three to four bytes a token in the usual vocabularies; used only where a backend tells no figures.
BYTES_A_TOKEN = 3

Action = Literal["asked", "skipped", "failed", "answered", "cached"]
Feature = Literal["generate", "embed"]
FEATURES: tuple[Feature, ...] = ("generate", "embed")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Backend:
    """A model of the configuration, made by `open` when it is first needed.

    `is_in_process`: it runs here, so that its tokens cost nobody anything. `latency_seconds`: a slower answer is used
    but counts as a failure; 0 means no limit. Prices in dollars for a million tokens. `size_bytes`: of the weights in
    memory here, 0 where they are not here or it is not known.
    """

    name: str
    open: Callable[[], Model]
    is_local: bool = True
    is_in_process: bool = False
    latency_seconds: float = 0.0
    prompt_price: float = 0.0
    answer_price: float = 0.0
    size_bytes: int = 0

    def __post_init__(self) -> None:
        if not all(0 <= figure < float("inf") for figure in (self.prompt_price, self.answer_price)):
            raise ValueError(f"the prices of {self.name} are no prices")

    @property
    def is_paid(self) -> bool:
        """Whether asking costs money."""
        return self.prompt_price > 0 or self.answer_price > 0


@dataclass(frozen=True, slots=True)
class Decision:
    """What was done with a backend. `request` counts from 1; `seconds`: how long it took to answer or fail."""

    request: int
    backend: str
    action: Action
    reason: str = ""
    seconds: float = 0.0

    def __str__(self) -> str:
        """The decision as a line for people."""
        took = f" after {self.seconds:.2f} s" if self.action in ("answered", "failed") else ""
        reason = f": {self.reason}" if self.reason else ""
        return one_line(f"request {self.request}: {self.backend} {self.action}{took}{reason}")


@dataclass(slots=True)
class Status:
    """What is known of a backend in this run. `out`: features for which it is not asked again, and why.

    `rests_until`: by the router's clock, when a server that asked us to wait may be asked again.
    """

    breaker: Breaker
    model: Model | None = None
    out: dict[Feature, str] = field(default_factory=dict)
    rests_until: float = float("-inf")


@dataclass(frozen=True, slots=True)
class Task(Generic[T]):
    """One request to the router. `prompt_tokens` is estimated, `max_tokens` what the answer may have at most.

    `ask` gets the seconds that are left; `recall` answers from the cache.
    """

    feature: Feature
    seconds: float
    prompt_tokens: int
    max_tokens: int
    ask: Callable[[Model, float], T]
    recall: Callable[[Model], T | None]


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """How a task ended. `passed`: the backends before this one, and why they did not answer."""

    backend: Backend
    model: Model
    value: T
    seconds: float
    passed: Mapping[str, str]
    is_cached: bool = False

    @property
    def disclaimer(self) -> tuple[str, ...]:
        """The remark on an answer that is not the first backend's."""
        if not self.passed:
            return ()
        why = "; ".join(f"{name}: {reason}" for name, reason in self.passed.items())
        return (f"answered by {self.backend.name}, because {why}",)


@dataclass(frozen=True, slots=True)
class Begun:
    """A stream whose first piece has come."""

    first: str
    rest: Iterator[str]

    def __iter__(self) -> Iterator[str]:
        if self.first:
            yield self.first
        yield from self.rest

    def close(self) -> None:
        """Stop the generation."""
        close = getattr(self.rest, "close", None)
        if close is not None:
            close()


class Skipped(Exception):
    """A backend is not asked. `is_budget`: for the budget's sake."""

    def __init__(self, reason: str, *, is_budget: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_budget = is_budget


def sentence(error: ModelError) -> str:
    """Why a model could not answer, to stand within a sentence."""
    return str(error).rstrip(".") or type(error).__name__


def estimated_tokens(texts: Iterable[str]) -> int:
    """About how many tokens some texts have, rather too many than too few."""
    size = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)
    return -(-size // BYTES_A_TOKEN)


def texts_of(request: Request) -> list[str]:
    """Everything that a model reads of a request."""
    parts = [part if isinstance(part, str) else part.token for part in request.prompt]
    return [*parts, *(message.content for message in request.messages)]
