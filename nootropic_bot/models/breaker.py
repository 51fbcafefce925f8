"""A circuit breaker: a backend that keeps failing is left alone for a while, so that a run does not wait for it again
and again.

    closed ──more than 5 failures within 60 s──▶ open ──300 s──▶ half open ──the one trial succeeds──▶ closed
                                                  ▲                  │
                                                  └──the trial fails─┘

The pattern is Nygard's ("Release It!", 2007). A breaker lives as long as its run and is not shared between processes.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Literal

MAX_FAILURES = 5
WINDOW_SECONDS = 60.0
PAUSE_SECONDS = 300.0

BreakerState = Literal["closed", "open", "half_open"]


class Breaker:
    """Of one backend. `clock` is monotonic, in seconds.

    Who asks the backend calls `begin` before, and one of `succeeded`, `failed` and `abandoned` after.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        *,
        max_failures: int = MAX_FAILURES,
        window: float = WINDOW_SECONDS,
        pause: float = PAUSE_SECONDS,
    ) -> None:
        self.max_failures = max_failures
        self.window = window
        self.pause = pause
        self._clock = clock
        self._failures: deque[float] = deque()
        self._opened: float | None = None
        self._is_on_trial = False

    @property
    def state(self) -> BreakerState:
        """Where it stands now; time alone turns open into half open."""
        if self._opened is None:
            return "closed"
        return "open" if self._clock() - self._opened < self.pause else "half_open"

    @property
    def is_admitting(self) -> bool:
        """Whether the backend may be asked now: half open, only while no trial is under way."""
        state = self.state
        return state == "closed" or (state == "half_open" and not self._is_on_trial)

    @property
    def reason(self) -> str:
        """Why it is open, the same words each time, so that they are said once."""
        return (
            f"failed more than {self.max_failures} times within {self.window:.0f} s; left alone for {self.pause:.0f} s"
        )

    def begin(self) -> None:
        """The backend is asked now."""
        self._is_on_trial = self.state == "half_open"

    def succeeded(self) -> None:
        """It answered as it should. While open this is the late answer to an old question and changes nothing."""
        if self.state == "half_open":
            self._opened = None
            self._failures.clear()
        self._is_on_trial = False

    def failed(self) -> None:
        """It failed, or was too slow."""
        self._is_on_trial = False
        state, now = self.state, self._clock()
        if state == "half_open":
            self._opened = now
        elif state == "closed":
            self._failures.append(now)
            while now - self._failures[0] >= self.window:
                self._failures.popleft()
            if len(self._failures) > self.max_failures:
                self._opened = now

    def abandoned(self) -> None:
        """Nobody waited for the answer: it says nothing of the backend, and a trial may be made again."""
        self._is_on_trial = False
