"""Whose request is carried out next, where several clients are at it at once: the same order, the same outcome."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
_SECONDS = 60.0


class Turns:
    """One request at a time. `order`: the clients' names in turn; after its end, and for who is done, nobody waits."""

    def __init__(self, order: Iterable[str], clients: set[str]) -> None:
        self._order = deque(order)
        self._playing = set(clients)
        self._is_busy = False
        self._changed = threading.Condition()

    def played(self, name: str, client: Callable[[], T]) -> T:
        """Run a client to its end."""
        try:
            return client()
        finally:
            with self._changed:
                self._playing.discard(name)
                self._changed.notify_all()

    @contextlib.contextmanager
    def taken(self, name: str) -> Iterator[None]:
        """Wait for a client's turn, and let nobody else in as long as it lasts."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._is_next(name), _SECONDS):
                raise TimeoutError(f"the turn of {name} never came")
            self._is_busy = True
            if self._order and name in self._playing:
                self._order.popleft()
        try:
            yield
        finally:
            with self._changed:
                self._is_busy = False
                self._changed.notify_all()

    def _is_next(self, name: str) -> bool:
        while self._order and self._order[0] not in self._playing:
            self._order.popleft()
        # A download from the storage names nobody.
        is_turn = not self._order or name not in self._playing or self._order[0] == name
        return is_turn and not self._is_busy
