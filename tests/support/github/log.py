"""What was asked of the server, so that a test can count it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Logged:
    """A request and how it was answered. `status` 0: the connection was dropped. `token`: the label of the token."""

    at: float
    method: str
    path: str
    query: str
    token: str
    status: int
    body: Any


class Log(list[Logged]):
    """All requests in the order of their answers."""

    def find(
        self, method: str | None = None, path: str = "", *, token: str | None = None, status: int | None = None
    ) -> list[Logged]:
        """Those that fit; `path` is searched for as a regular expression."""
        return [
            each
            for each in self
            if method in (None, each.method)
            and re.search(path, each.path)
            and token in (None, each.token)
            and status in (None, each.status)
        ]

    def count(  # type: ignore[override]
        self, method: str | None = None, path: str = "", *, token: str | None = None, status: int | None = None
    ) -> int:
        """How many fit."""
        return len(self.find(method, path, token=token, status=status))

    def writes(self) -> list[Logged]:
        """Those that could have changed something."""
        return [each for each in self if each.method not in ("GET", "HEAD")]
