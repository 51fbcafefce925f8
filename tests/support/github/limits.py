"""How many requests a token may make.

The numbers are those of GitHub's documentation: an hour's requests by kind of token, and the secondary limits on what
happens within a minute. All may be changed by a test before requests come in.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.support.github import records as r
from tests.support.github.errors import Refused
from tests.support.github.routing import Answer, Request, route

HOUR, MINUTE = 3600.0, 60.0
Key = tuple[str, object]


@dataclass
class Limits:
    """`secondary_status` and `tells_when`: GitHub answers 403 or 429, with or without `retry-after`."""

    hourly: dict[str, int] = field(
        default_factory=lambda: {"none": 60, "user": 5000, "installation": 5000, "app": 5000, "actions": 1000}
    )
    contents_a_minute: int = 80
    contents_an_hour: int = 500
    points_a_minute: int = 900
    graphql_points_a_minute: int = 2000
    concurrent: int = 100
    primary_status: int = 403
    secondary_status: int = 403
    tells_when: bool = True
    exceeded: list[str] = field(default_factory=list)
    most_at_once: int = 0
    _windows: dict[tuple[Key, str], tuple[float, int]] = field(default_factory=dict)
    _contents: dict[Key, deque[float]] = field(default_factory=dict)
    _points: dict[tuple[Key, str], deque[tuple[float, int]]] = field(default_factory=dict)
    _open: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def key(self, token: r.Token | None) -> Key:
        """Who shares a budget: all of a repository's workflows, all of an account's tokens."""
        if token is None:
            return ("none", None)
        return (token.kind, token.repositories if token.kind == "actions" else token.user.login)

    def state(self, token: r.Token | None, resource: str, now: float) -> dict[str, int]:
        """The hour's budget."""
        key = self.key(token)
        start, used = self._windows.get((key, resource), (now, 0))
        if now >= start + HOUR:
            start, used = now, 0
        limit = self.hourly[str(key[0])]
        return {"limit": limit, "remaining": max(0, limit - used), "reset": int(start + HOUR), "used": used}

    def headers(self, token: r.Token | None, resource: str, now: float) -> dict[str, str]:
        """What every answer carries."""
        told = {f"x-ratelimit-{name}": str(value) for name, value in self.state(token, resource, now).items()}
        return {**told, "x-ratelimit-resource": resource}

    def take(self, token: r.Token | None, resource: str, now: float, *, is_write: bool, is_content: bool) -> None:
        """Count a request, or refuse it."""
        key, state = self.key(token), self.state(token, resource, now)
        if state["remaining"] == 0:
            self.exceeded.append("primary")
            who = token.user.login if token else "127.0.0.1"
            raise Refused(self.primary_status, f"API rate limit exceeded for {who}.")
        self._windows[key, resource] = (state["reset"] - HOUR, state["used"] + 1)
        self._take_points(key, resource, now, 5 if is_write else 1)
        if is_content:
            self._take_content(key, now)

    def give_back(self, token: r.Token | None, resource: str, now: float) -> None:
        """A 304 is free."""
        start, used = self._windows[self.key(token), resource]
        self._windows[self.key(token), resource] = (start, used - 1)

    def _take_points(self, key: Key, resource: str, now: float, points: int) -> None:
        window = self._points.setdefault((key, resource), deque())
        while window and window[0][0] <= now - MINUTE:
            window.popleft()
        most = self.points_a_minute if resource == "core" else self.graphql_points_a_minute
        if sum(count for _, count in window) + points > most:
            raise self._secondary("points", window[0][0] + MINUTE - now)
        window.append((now, points))

    def _take_content(self, key: Key, now: float) -> None:
        window = self._contents.setdefault(key, deque())
        while window and window[0] <= now - HOUR:
            window.popleft()
        recent = [at for at in window if at > now - MINUTE]
        if len(recent) >= self.contents_a_minute:
            raise self._secondary("contents a minute", (recent or [now])[0] + MINUTE - now)
        if len(window) >= self.contents_an_hour:
            raise self._secondary("contents an hour", (window or [now])[0] + HOUR - now)
        window.append(now)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Count a request while it lasts."""
        with self._lock:
            self._open += 1
            now_open = self._open
            self.most_at_once = max(self.most_at_once, now_open)
        try:
            if now_open > self.concurrent:
                raise self._secondary("concurrent", 1)
            yield
        finally:
            with self._lock:
                self._open -= 1

    def _secondary(self, which: str, seconds: float) -> Refused:
        self.exceeded.append(which)
        headers = {"retry-after": str(max(1, int(seconds + 0.999)))} if self.tells_when else {}
        text = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
        return Refused(self.secondary_status, text, headers=headers)


@route("GET /rate_limit", "free")
def get_rate_limit(request: Request) -> Answer:
    limits: Limits = request.hub.limits
    core, graphql = (limits.state(request.token, name, request.hub.now()) for name in ("core", "graphql"))
    search = {"limit": 30, "remaining": 30, "reset": core["reset"], "used": 0}
    return Answer({"resources": {"core": core, "graphql": graphql, "search": search}, "rate": core})
