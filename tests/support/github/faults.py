"""What goes wrong on command."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.support.github.routing import Answer

TEXTS = {500: "Server Error", 502: "Server Error", 503: "Service Unavailable", 504: "Gateway Timeout"}


@dataclass
class Fault:
    """One thing that goes wrong with the next `times` requests that fit.

    `effect`: whether the request is carried out all the same, as when the answer gets lost on its way. `is_drop`: the
    connection is closed instead of an answer. `seconds`: how long it takes. `action`: happens just before; `skip`: so
    many requests that fit come first.
    """

    method: str
    path: str
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: object = None
    times: int = 1
    effect: bool = False
    is_drop: bool = False
    seconds: float = 0.0
    action: Callable[[], object] | None = None
    skip: int = 0

    def fits(self, method: str, path: str) -> bool:
        """Whether it is about this request."""
        return self.times > 0 and self.method in ("*", method) and re.search(self.path, path) is not None

    @property
    def answer(self) -> Answer:
        """What is said instead. 5xx come from the proxy in front of GitHub, which says them in HTML."""
        assert self.status is not None
        body = self.body
        if body is None:
            text = TEXTS.get(self.status, "Injected")
            body = f"<html><body>{text}</body></html>" if self.status >= 500 else {"message": text}
        if isinstance(body, (str, bytes)):
            data = body if isinstance(body, bytes) else body.encode()
            return Answer(data, self.status, self.headers, "text/html")
        return Answer(json.dumps(body).encode(), self.status, self.headers)


class Faults:
    """Those that are still to come."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Let it happen."""
        re.compile(fault.path)
        with self._lock:
            self._waiting.append(fault)

    def take(self, method: str, path: str) -> Fault | None:
        """The first that fits; it is used up."""
        with self._lock:
            for fault in self._waiting:
                if not fault.fits(method, path):
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                return fault
        return None

    @property
    def left(self) -> list[Fault]:
        """Those that never happened, or not often enough."""
        return [fault for fault in self._waiting if fault.times > 0]
