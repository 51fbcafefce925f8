"""Stops llama.cpp in the middle of its work: at a deadline, or when somebody interrupts (Ctrl-C, SIGTERM).

llama.cpp asks a callback whether to go on. Python delivers signals between its own instructions, so during a long
computation the only place for an interruption is that callback, and ctypes lets no exception out of one: it is printed
and forgotten. So what is raised there is kept, the computation is told to stop, and `calling` raises it again.
"""

from __future__ import annotations

import contextlib
import math
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any


class Watch:
    """When to stop. `deadline` is in `time.monotonic()` seconds; `abort` and `progress` are for llama.cpp."""

    def __init__(self, library: Any) -> None:
        self.deadline = math.inf
        self._raised: BaseException | None = None
        # llama.cpp keeps their addresses: they live as long as this.
        self.abort = library.ggml_abort_callback(lambda _data: self._is_over())
        self.progress = library.llama_progress_callback(lambda _share, _data: not self._is_over())

    @property
    def is_late(self) -> bool:
        """Whether the deadline has passed."""
        return time.monotonic() > self.deadline

    def _is_over(self) -> bool:
        try:
            return self._raised is not None or self.is_late
        except KeyboardInterrupt as error:  # What SIGINT, SIGTERM and SIGHUP raise; `calling` raises it again.
            self._raised = error
            return True

    @contextlib.contextmanager
    def calling(self) -> Iterator[None]:
        """Around a call of llama.cpp.

        Raises:
            KeyboardInterrupt: somebody interrupted the call.
        """
        self._raised = None  # Of a call that somebody interrupted twice.
        with self._ear():
            yield
        raised, self._raised = self._raised, None
        if raised is not None:
            raise raised

    @contextlib.contextmanager
    def _ear(self) -> Iterator[None]:
        """From Python 3.11 on a signal is raised before a function's first line, where no `try` of it can catch it.

        What is left is the hook for exceptions that can't be raised. Signals come to the main thread only.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = sys.unraisablehook

        def keep(unraisable: Any) -> None:
            is_ours = "ctypes callback" in (unraisable.err_msg or "")
            if is_ours and threading.current_thread() is threading.main_thread():
                self._raised = unraisable.exc_value
            else:
                before(unraisable)

        sys.unraisablehook = keep
        try:
            yield
        finally:
            sys.unraisablehook = before
