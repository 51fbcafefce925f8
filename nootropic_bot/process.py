"""The only door to subprocesses.

Every program is started without a shell, from a list of arguments, in a process group of its own that is
killed whole on time-out and on Ctrl-C, so that nothing outlives the run.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nootropic_bot.errors import EnvironmentFault


@dataclass(frozen=True, slots=True)
class Completed:
    """How a program ended. `timed_out`: it was killed, and `stdout` holds what it had written by then."""

    returncode: int
    stdout: bytes
    stderr: bytes
    timed_out: bool = False

    @property
    def error_text(self) -> str:
        """The last lines of standard error, decoded for a message."""
        return self.stderr.decode("utf-8", "replace").strip()[-2000:]


class Running:
    """A started program; `finish` waits for it."""

    def __init__(self, popen: subprocess.Popen[bytes], feed: bytes | None, timeout: float | None) -> None:
        self._popen = popen
        self._feed = feed
        self._timeout = timeout

    def finish(self) -> Completed:
        """Wait for the end, at most the time-out given at the start (seconds)."""
        try:
            stdout, stderr = self._popen.communicate(self._feed, timeout=self._timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            stdout, stderr = self._popen.communicate()
            return Completed(self._popen.returncode, stdout, stderr, timed_out=True)
        except BaseException:
            # Ctrl-C or a failure of ours: nothing we started may survive us.
            self.kill()
            self._popen.wait()
            raise
        return Completed(self._popen.returncode, stdout, stderr)

    def kill(self) -> None:
        """End the program and everything it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, signal.SIGKILL)


def start(
    args: Sequence[str],
    *,
    executable: Path | None = None,
    feed: bytes | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float | None = None,
) -> Running:
    """Start a program and return at once.

    Raises:
        EnvironmentFault: the program is not there or may not be run.
    """
    try:
        popen = subprocess.Popen(
            list(args),
            executable=executable,
            stdin=subprocess.PIPE if feed is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env=None if env is None else dict(env),
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise EnvironmentFault(f"`{args[0]}` was not found", "install it, then run `nootropic-bot doctor`") from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise EnvironmentFault(f"`{args[0]}` could not be started: {reason}") from error
    return Running(popen, feed, timeout)


def run(
    args: Sequence[str],
    *,
    executable: Path | None = None,
    feed: bytes | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float | None = None,
) -> Completed:
    """Run a program to its end; see `start`."""
    return start(args, executable=executable, feed=feed, cwd=cwd, env=env, timeout=timeout).finish()
