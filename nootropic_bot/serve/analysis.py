"""The analysis: a process of its own, which sees the pull request and therefore has no token."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nootropic_bot import process
from nootropic_bot.errors import IncompleteError
from nootropic_bot.escape import one_line
from nootropic_bot.git import Repository

REPORT, RECORDS = "report.json", "records.jsonl"
# What a process needs of the environment; all else may be a secret.
_KEPT = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TMPDIR", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR"),
        *("PYTHONPATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "OMP_NUM_THREADS"),
        *("CUDA_VISIBLE_DEVICES", "GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_GLOBAL", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"),
    }
)
_KEPT_PREFIXES = ("LC_", "NOOTROPIC_")
_SECRET = re.compile(r"TOKEN|SECRET|KEY|PASSWORD|CREDENTIAL")


def bare_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of an analysis: what it needs, and no name that sounds like a secret."""
    kept = {
        name: value
        for name, value in environment.items()
        if (name in _KEPT or name.startswith(_KEPT_PREFIXES)) and not _SECRET.search(name)
    }
    return kept | {"PYTHONSAFEPATH": "1", "NO_COLOR": "1"}


@dataclass(slots=True)
class Analyst:
    """Starts analyses; threads may share it. `seconds`: how long one may take."""

    seconds: float
    _running: set[process.Running] = field(default_factory=set)
    _is_stopped: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def analyse(self, repo: Repository, base: str, head: str, number: int) -> Path:
        """Review the range of a pull request; the folder with `REPORT` and `RECORDS`, inside the repository's own.

        Raises:
            IncompleteError: there is no report.
        """
        folder = repo.common_dir / "nootropic-report"
        folder.mkdir(exist_ok=True)
        range_ = ("--base", base, "--head", head, "--pull-request", str(number))
        outputs = ("--output", f"json={folder / REPORT}", "--output", f"records={folder / RECORDS}")
        command = (sys.executable, "-m", "nootropic_bot", "review", *range_, "--fail-on", "never", *outputs)
        done = self._run((*command, "--format", "json"), repo.top)
        if done.timed_out:
            raise IncompleteError(f"the analysis did not end within {self.seconds:.0f} s", "see --time-limit")
        if not (folder / REPORT).is_file():
            said = one_line(done.error_text.rpartition("\n")[2])[:200]
            raise IncompleteError(f"the analysis ended with code {done.returncode} and no report: {said}")
        return folder

    def stop(self) -> None:
        """End all analyses that run, and begin no more."""
        with self._lock:
            self._is_stopped = True
            for each in self._running:
                each.kill()

    def _run(self, command: tuple[str, ...], folder: Path) -> process.Completed:
        with self._lock:
            if self._is_stopped:
                raise IncompleteError("the server is stopping")
            running = process.start(command, cwd=folder, env=bare_environment(os.environ), timeout=self.seconds)
            self._running.add(running)
        try:
            return running.finish()
        finally:
            with self._lock:
                self._running.discard(running)
