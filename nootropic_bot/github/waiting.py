"""How a client waits: within one budget for all of a run, and never faster than GitHub takes new content."""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from nootropic_bot.forge import Throttled

# GitHub takes 80 creations a minute and 500 an hour; other workflows of the repository share that.
_A_MINUTE = (60.0, 60, "a minute")
_AN_HOUR = (3600.0, 450, "an hour")


@dataclass(slots=True)
class Patience:
    """`budget`: the seconds that all waits of a run may take together. `jitter` answers 0..1."""

    budget: float = 300.0
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random

    def wait(self, seconds: float) -> bool:
        """Wait; False, at once, when the budget does not hold that much."""
        if seconds > self.budget:
            return False
        self.budget -= seconds
        self.sleep(seconds)
        return True

    def back_off(self, attempt: int, first: float = 1.0) -> bool:
        """Wait twice as long as the last time, and a little more or less, so that many do not come back at once."""
        return self.wait(first * 2**attempt * (0.75 + self.jitter() / 2))


@dataclass(slots=True)
class Pace:
    """Keeps what is written below GitHub's limits for new content; several clients of one process may share one."""

    clock: Callable[[], float] = time.monotonic
    _written: deque[float] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, patience: Patience) -> None:
        """Take a place for one write, after waiting for it.

        Raises:
            Throttled: the wait would be longer than there is patience for.
        """
        while True:
            with self._lock:
                seconds, period = self._wait()
                if seconds <= 0:
                    self._written.append(self.clock())
                    return
            if not patience.wait(seconds):
                raise Throttled(f"as much was written as GitHub takes in {period}", retry_after=seconds)

    def _wait(self) -> tuple[float, str]:
        """How long until the next write is welcome, and in which time too many were made."""
        now = self.clock()
        while self._written and self._written[0] <= now - _AN_HOUR[0]:
            self._written.popleft()
        waits = [(0.0, "")]
        for seconds, number, period in (_A_MINUTE, _AN_HOUR):
            if len(self._written) >= number:
                waits.append((self._written[-number] + seconds - now, period))
        return max(waits)
