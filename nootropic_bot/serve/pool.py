"""Threads that take work from the ledger, one piece at a time for each pull request, until they are told to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from nootropic_bot.errors import EnvironmentFault, NootropicError, RemoteError
from nootropic_bot.escape import one_line
from nootropic_bot.forge import ForgeError, Throttled, Unanswered
from nootropic_bot.serve.analysis import Analyst
from nootropic_bot.serve.deliveries import Asked
from nootropic_bot.serve.ledger import MAX_ATTEMPTS, Job, Ledger
from nootropic_bot.serve.worker import Interrupted, Result, Worker

Log = Callable[[str], None]

# How long work waits that failed because somebody did not answer, the first time.
RETRY_SECONDS = 60.0
# How long, at the end, for what can't be ended.
_LAST_SECONDS = 5.0


@dataclass(slots=True)
class Pool:
    """`size`: how many threads at most; each lives for one piece of work."""

    worker: Worker
    ledger: Ledger
    analyst: Analyst
    log: Log
    stopping: threading.Event
    size: int = 2
    retry_seconds: float = RETRY_SECONDS
    _running: dict[threading.Thread, Job] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wake(self) -> None:
        """Begin what waits, as far as there is room.

        Raises:
            EnvironmentFault: the ledger can't be read.
        """
        with self._lock:
            while not self.stopping.is_set() and len(self._running) < self.size:
                job = self.ledger.take()
                if job is None:
                    return
                # A thread that hangs on the network must not keep the process from ending.
                thread = threading.Thread(target=self._run, args=(job,), daemon=True)
                self._running[thread] = job
                thread.start()

    @property
    def running(self) -> int:
        """How much is being done now."""
        with self._lock:
            return len(self._running)

    def stop(self, seconds: float) -> int:
        """Begin nothing more; wait so long for what is being done, then end it. How much is left for the next time."""
        self.stopping.set()
        self._join(seconds)
        self.analyst.stop()
        self._join(_LAST_SECONDS)
        with self._lock:
            left = list(self._running.values())
        for job in left:
            self.ledger.put_back(job, counts=False)
        return self.ledger.waiting()

    def _join(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        with self._lock:
            threads = list(self._running)
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _run(self, job: Job) -> None:
        result: Result | None = Result("failed", "a bug")
        try:
            result = self._result(job)
        finally:
            # Also after a bug, which ends this thread and nothing else.
            self._end(job, result)

    def _result(self, job: Job) -> Result | None:
        """What became of it; None where it is to be begun again."""
        try:
            return self.worker.carry_out(job.asked)
        except Interrupted:
            self.ledger.put_back(job, counts=False)
            return None
        except NootropicError as error:
            if not _is_transient(error) or job.attempts >= MAX_ATTEMPTS:
                return Result("failed", error.message)
            self.log(f"{told(job.asked)}: not yet: {one_line(error.message)}")
            self.worker.pause(self.retry_seconds * job.attempts)
            self.ledger.put_back(job, counts=not self.stopping.is_set())
            return None

    def _end(self, job: Job, result: Result | None) -> None:
        try:
            if result is not None:
                self.ledger.settle(job, result.how)
                self.log(f"{told(job.asked)}: {result.how}: {one_line(result.note)}")
        except EnvironmentFault as error:
            self.log(f"{told(job.asked)}: {one_line(error.message)}")
        with self._lock:
            self._running.pop(threading.current_thread(), None)
        try:
            self.wake()
        except EnvironmentFault as error:
            self.log(one_line(error.message))


def told(asked: Asked) -> str:
    """What is asked for, for the log."""
    return f"{asked.kind} {asked.repository}#{asked.number}"


def _is_transient(error: NootropicError) -> bool:
    """Whether nobody answered, so that it may go well the next time."""
    if isinstance(error, ForgeError):
        return isinstance(error, Unanswered | Throttled)
    return isinstance(error, RemoteError)
