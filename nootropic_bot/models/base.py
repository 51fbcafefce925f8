"""What every model backend looks like, and how it may fail.

    Model                   one loaded or reachable model: `llama_cpp`, `openai_compatible`, `cloud`, `scripted`
      generate(request)     one answer, whole
      stream(request)       the same in pieces as they come; closing the iterator stops the generation
      embed(texts)          vectors

    ModelError              the reason is a sentence for people; none of these ever reaches them as a traceback
    ├── Unavailable         no runtime, no file, a wrong hash, a server that can't be reached or says no
    ├── NotAllowed          text would leave the machine and the configuration does not allow it
    ├── TimedOut            the answer did not come in time; the generation was stopped
    ├── OutOfMemory         the model or its context does not fit
    ├── ContextOverflow     the prompt is longer than the context
    ├── RateLimited         the server wants us to wait (`retry_after` seconds, if it says)
    ├── ServerFailed        5xx, a broken stream, an answer that is no JSON
    ├── BadAnswer           an answer came, but it is empty, endless or not in the demanded form
    └── BudgetSpent         the run's, day's or month's budget is used up

A backend reads a prompt and answers; it knows nothing of findings, and renders no template of a model file: chat
templates are ours (`models/chat.py`), because one in a model file is code from outside (row A49 of the attack corpus).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

Role = Literal["system", "user", "assistant"]
FinishReason = Literal["stop", "length"]


class ModelError(Exception):
    """A model could not answer. `is_transient`: asking again may help."""

    is_transient: ClassVar[bool] = False


class Unavailable(ModelError):
    """No runtime, no file, a wrong hash, a server that can't be reached or says no."""


class NotAllowed(ModelError):
    """Text would leave the machine, and the configuration does not allow it."""


class TimedOut(ModelError):
    """The answer did not come in time."""

    is_transient = True


class OutOfMemory(ModelError):
    """The model or its context does not fit into memory."""


class ContextOverflow(ModelError):
    """The prompt is longer than the model's context."""


class RateLimited(ModelError):
    """The server wants us to wait."""

    is_transient = True

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ServerFailed(ModelError):
    """The server broke: 5xx, a stream that ended early, an answer that is no JSON."""

    is_transient = True


class BadAnswer(ModelError):
    """An answer came, but it is empty, endless or not in the demanded form."""


class BudgetSpent(ModelError):
    """The run's, day's or month's budget is used up."""


@dataclass(frozen=True, slots=True)
class Special:
    """A control token of the model's own vocabulary, as opposed to text that only looks like one."""

    token: str


# Raw prompt text in parts. Text from a repository is always a `str`: whatever it spells, it becomes no control token.
Prompt = tuple[str | Special, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Request:
    """What to generate. Exactly one of `prompt` (raw completion) and `messages` (chat) is given.

    `max_tokens`: of the answer. `temperature` 0 is greedy. `stop`: texts, or control tokens, that end the answer and
    are not part of it. `grammar` is GBNF; `json_schema` a JSON schema that the answer must satisfy; at most one of
    both. `timeout` in seconds, after which the generation is stopped and `TimedOut` raised. `shared_prefix`: how many
    leading parts of `prompt` (or of `messages`) later requests will begin with too; their state may be kept.
    """

    prompt: Prompt = ()
    messages: tuple[Message, ...] = ()
    max_tokens: int = 256
    temperature: float = 0.0
    seed: int = 0
    stop: tuple[str | Special, ...] = ()
    grammar: str | None = None
    json_schema: Mapping[str, Any] | None = None
    timeout: float = 30.0
    shared_prefix: int = 0

    def __post_init__(self) -> None:
        if bool(self.prompt) == bool(self.messages):
            raise ValueError("a request has either a prompt or messages")
        if self.grammar is not None and self.json_schema is not None:
            raise ValueError("a request has either a grammar or a JSON schema")


@dataclass(frozen=True, slots=True)
class Answer:
    """What was generated.

    `confidence`: the product of the probabilities of the answer's tokens, 0..1, None where the backend does not tell.
    `seconds` is wall-clock time. `model` is `name@version`. `remarks` are sentences for people (a degraded answer's
    disclaimer, say).
    """

    text: str
    model: str
    finish: FinishReason = "stop"
    confidence: float | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    remarks: tuple[str, ...] = ()


class Model(Protocol):
    """One model that can be asked. Built without work; the first request loads it."""

    @property
    def name(self) -> str:
        """`name@version`, as it stands in suggestions and records."""
        ...

    @property
    def is_local(self) -> bool:
        """Whether everything stays on this machine or on a server that the user runs."""
        ...

    @property
    def fingerprint(self) -> str:
        """What an answer depends on besides the request: weights, adapter, settings. A hash."""
        ...

    def generate(self, request: Request) -> Answer:
        """The whole answer.

        Raises:
            ModelError: one of the kinds in the module's docstring.
        """
        ...

    def stream(self, request: Request) -> Iterator[str]:
        """The answer's text in pieces.

        Raises:
            ModelError: also in the middle, when the server breaks.
        """
        ...

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector a text.

        Raises:
            ModelError: also where the backend has no embeddings (`Unavailable`).
        """
        ...

    def close(self) -> None:
        """Give back memory and connections; harmless when called twice."""
        ...
