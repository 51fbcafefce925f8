"""Requests to servers with a deadline for all of it: looking up a name, connecting, TLS, every byte of the answer.

Time-outs of HTTP clients are per read, so a server that sends one byte a second is never late. Here a request is a task
of an event loop in a thread of its own: at the deadline it is cancelled, its connection is closed, and servers stop
generating when that happens. The caller's thread, which may run an event loop itself, only waits.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import queue
import threading
from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeVar

from nootropic_bot.models.base import TimedOut, Unavailable

T = TypeVar("T")

# Closing a connection takes no longer; whoever needs more is left behind.
_GRACE_SECONDS = 2.0
_CLOSED = "the model was closed while it answered"

Emit = Callable[[str], None]
Work = Callable[[], Coroutine[Any, Any, T]]


class ServerLoop:
    """The event loop. It starts with the first request and again after `close`; any number of threads may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: tuple[asyncio.AbstractEventLoop, threading.Thread] | None = None

    def run(self, work: Work[T], seconds: float) -> T:
        """What the coroutine that `work` makes returns.

        Raises:
            TimedOut: it took longer than `seconds`; it was cancelled.
        """
        future = self._submit(work, seconds)
        try:
            return future.result(max(seconds, 0) + _GRACE_SECONDS)
        except concurrent.futures.TimeoutError:
            raise TimedOut(_late(seconds)) from None
        except concurrent.futures.CancelledError:
            raise Unavailable(_CLOSED) from None
        finally:
            future.cancel()

    def pieces(self, work: Callable[[Emit], Coroutine[Any, Any, T]], seconds: float) -> Generator[str, None, None]:
        """The texts that the coroutine emits, as they come; closing the iterator cancels it and waits for its end.

        Raises:
            TimedOut: it took longer than `seconds`, the time between pieces included.
        """
        box: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        ended = threading.Event()

        async def whole() -> None:
            try:
                await work(box.put)
            finally:
                ended.set()

        future = self._submit(whole, seconds)
        future.add_done_callback(lambda _: box.put(None))
        try:
            while (piece := box.get()) is not None:
                yield piece
            future.result()
        except concurrent.futures.CancelledError:
            raise Unavailable(_CLOSED) from None
        finally:
            if future.cancel():
                ended.wait(_GRACE_SECONDS)

    def close(self, work: Work[None] | None = None) -> None:
        """Cancel what still runs, let `work` close connections, and end the thread. Harmless when called twice."""
        with self._lock:
            running, self._running = self._running, None
        if running is None:
            return
        loop, thread = running
        with contextlib.suppress(concurrent.futures.TimeoutError, asyncio.TimeoutError):
            asyncio.run_coroutine_threadsafe(_wind_up(work), loop).result(2 * _GRACE_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_GRACE_SECONDS)
        if not thread.is_alive():
            loop.close()

    def _submit(self, work: Work[T], seconds: float) -> concurrent.futures.Future[T]:
        if seconds <= 0:
            raise TimedOut(_late(seconds))
        with self._lock:
            if self._running is None:
                loop = asyncio.new_event_loop()
                thread = threading.Thread(target=loop.run_forever, name="nootropic-server-requests", daemon=True)
                thread.start()
                self._running = loop, thread
            return asyncio.run_coroutine_threadsafe(_bounded(work, seconds), self._running[0])


async def _bounded(work: Work[T], seconds: float) -> T:
    try:
        return await asyncio.wait_for(work(), seconds)
    except asyncio.TimeoutError:
        raise TimedOut(_late(seconds)) from None


async def _wind_up(work: Work[None] | None) -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    if others:
        await asyncio.wait(others, timeout=_GRACE_SECONDS)
    await asyncio.get_running_loop().shutdown_asyncgens()
    if work is not None:
        await asyncio.wait_for(work(), _GRACE_SECONDS)


def _late(seconds: float) -> str:
    return f"no answer within {max(seconds, 0):.3g} s"
