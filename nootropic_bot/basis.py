"""What a job with a token takes from the base of a pull request: its commit, and what that configures.

What the pull request itself says of these does not count (row A21).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from nootropic_bot import config
from nootropic_bot.constants import CONFIG_FILE, PYPROJECT_FILE, REMOTE
from nootropic_bot.errors import RemoteError
from nootropic_bot.git import Repository
from nootropic_bot.gitwrite import fetch, has_remote


def bring(repo: Repository, commits: Iterable[str]) -> bool:
    """Whether these commits are in the clone, after fetching, as objects, those that were not."""
    missing = [oid for oid in commits if repo.resolve(oid) is None]
    if missing and has_remote(repo, REMOTE):
        try:
            fetch(repo, REMOTE, missing)
        except RemoteError:
            return False
    return all(repo.resolve(oid) is not None for oid in missing)


def configuration(read: Callable[[str], bytes | None], cache: Path | None) -> config.Config:
    """The configuration in the files that `read` answers by their names.

    Raises:
        UsageError: it is wrong.
    """
    return config.load({name: read(name) for name in (CONFIG_FILE, PYPROJECT_FILE)}, os.environ, cache)
