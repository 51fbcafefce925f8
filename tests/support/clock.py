"""A clock that only tests move."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

START = datetime(2024, 2, 28, 12, 0, tzinfo=timezone.utc)


class Clock:
    """Seconds since it was made; `sleep` moves it, and is remembered."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        """Wait without waiting."""
        assert seconds >= 0
        self.slept.append(seconds)
        self.seconds += seconds

    def today(self) -> datetime:
        """The same clock on the wall."""
        return START + timedelta(seconds=self.seconds - 1000.0)
