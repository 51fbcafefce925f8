"""The repositories of the server: a clone of each, with nothing checked out, and for each analysis one of its own.

    clones/OWNER/NAME      written by us only, with a token: commits and state, as objects
    caches/OWNER/NAME      written by analyses only
    scratch/…              one analysis: reads the clone's objects, writes to itself and to the caches

An analysis sees what anybody may have written. Nothing that it can write to is configuration of a process with a token.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from nootropic_bot.constants import REMOTE
from nootropic_bot.errors import EnvironmentFault, RemoteError, UsageError
from nootropic_bot.git import Repository
from nootropic_bot.github.names import commit_id, repository_name
from nootropic_bot.gitinit import borrow_objects, create_repository, set_remote, tidy
from nootropic_bot.gitwrite import fetch, without_credentials

_SERVER = re.compile(r"https://[A-Za-z0-9.-]+(?::\d{1,5})?|http://(?:127\.0\.0\.1|localhost)(?::\d{1,5})?")
# Refs keep what was fetched, so that the next fetch asks for what is new only; so many pull requests have one.
_SLOTS = 512
# What analyses remember of files and rules, kept for the next one.
_CACHES = ("analyses", "answers", "config", "proofs", "rules")
_STATE = "+refs/nootropic/remote/*:refs/nootropic/remote/*"


@dataclass(slots=True)
class Mirrors:
    """All of them, below one folder that only one process uses."""

    folder: Path
    server_url: str
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        if not _SERVER.fullmatch(self.server_url):
            raise UsageError("GITHUB_SERVER_URL is no address of a server", "for example https://github.com")

    def clean(self) -> None:
        """Remove what analyses left that did not end."""
        shutil.rmtree(self._scratch, ignore_errors=True)

    def open(self, repository: str, token: str) -> Repository:
        """The clone of a repository (`owner/name`), its transfers with a token.

        Raises:
            EnvironmentFault: it can't be made.
        """
        name = repository_name(repository)
        path = self.folder / "clones" / name.lower()
        with self._lock:
            # Also where one is: a process may have died while it made it.
            found = create_repository(path)
            set_remote(found, REMOTE, f"{self.server_url}/{name}.git")
        return found.with_token(self.server_url, token)

    def fetch(self, mirror: Repository, number: int, base: str, head: str) -> None:
        """Bring the two commits of a pull request.

        Raises:
            RemoteError: they can't be had.
        """
        ends = {"base": commit_id(base), "head": commit_id(head)}
        slot = f"refs/nootropic-server/{number % _SLOTS}"
        done = fetch(mirror, REMOTE, [f"+{oid}:{slot}/{name}" for name, oid in ends.items()])
        if any(mirror.resolve(oid) is None for oid in ends.values()):
            reason = without_credentials(done.error_text) or "they are not there"
            raise RemoteError(
                f"the commits of the pull request can't be fetched: {reason}", "see the app's permissions"
            )
        tidy(mirror)

    @contextmanager
    def analysis(self, mirror: Repository, repository: str) -> Iterator[Repository]:
        """A repository for one analysis: the clone's objects, and what was decided, as far as the clone knows.

        Raises:
            EnvironmentFault: it can't be made.
        """
        caches = self.folder / "caches" / repository_name(repository).lower()
        try:
            self._scratch.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self._scratch, ignore_cleanup_errors=True) as name:
                made = create_repository(Path(name) / "repository")
                borrow_objects(made, mirror)
                fetch(made, str(mirror.common_dir), [_STATE])
                _link(made.cache_dir, caches)
                yield made
        except OSError as error:
            raise EnvironmentFault(f"no room for an analysis: {error.strerror}", "see the state folder") from error

    @property
    def _scratch(self) -> Path:
        return self.folder / "scratch"


def _link(cache: Path, kept: Path) -> None:
    cache.mkdir(exist_ok=True)
    for name in _CACHES:
        (kept / name).mkdir(parents=True, exist_ok=True)
        (cache / name).symlink_to(kept / name, target_is_directory=True)
