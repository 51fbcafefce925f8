"""A public fake: answers from a script, for this project's tests and for yours.

    model = Scripted(["x = safe(y)", TimedOut("too slow"), "second try"])

Each request takes the next step: a text is the answer, an exception is raised, a callable is asked. After the last
step the script starts again if `repeat` is set, else `Unavailable` is raised. `requests` holds what was asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence

from nootropic_bot.models.base import Answer, ModelError, Request, Unavailable

Step = str | ModelError | Callable[[Request], str]


class Scripted:
    """Satisfies `Model`. `confidence` is what every answer carries."""

    def __init__(
        self,
        script: Sequence[Step],
        *,
        name: str = "scripted@1",
        is_local: bool = True,
        repeat: bool = False,
        confidence: float | None = 1.0,
    ) -> None:
        self.name = name
        self.is_local = is_local
        self.requests: list[Request] = []
        self._script = tuple(script)
        self._repeat = repeat
        self._confidence = confidence
        self._next = 0

    @property
    def fingerprint(self) -> str:
        """Two fakes of one name are told apart by nothing else."""
        return hashlib.sha256(f"scripted\0{self.name}".encode()).hexdigest()

    def generate(self, request: Request) -> Answer:
        """The next step of the script."""
        self.requests.append(request)
        if self._next >= len(self._script) and self._repeat:
            self._next = 0
        if self._next >= len(self._script):
            raise Unavailable("the script has no further answer")
        step = self._script[self._next]
        self._next += 1
        if isinstance(step, ModelError):
            raise step
        text = step if isinstance(step, str) else step(request)
        return Answer(text, self.name, confidence=self._confidence, completion_tokens=len(text.split()))

    def stream(self, request: Request) -> Iterator[str]:
        """The next answer, word by word."""
        for piece in self.generate(request).text.splitlines(keepends=True):
            yield from (part for part in piece.partition(" ") if part)

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """A vector of letter frequencies: equal texts are equal, similar ones are near."""
        return [[text.count(chr(letter)) / max(len(text), 1) for letter in range(97, 123)] for text in texts]

    def close(self) -> None:
        """Nothing to give back."""
