"""The file of the local index: where it lies, and that there always is a database to work with."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from nootropic_bot.git import Repository
from nootropic_bot.state import tables


def path_of(repo: Repository) -> Path:
    """Where the index of a repository lies."""
    return repo.cache_dir / "state.sqlite"


def connect(repo: Repository) -> sqlite3.Connection:
    """The database, begun anew where it is missing, damaged or of another version."""
    path = path_of(repo)
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return tables.connect(path)
    except sqlite3.DatabaseError:
        return connect_anew(repo)


def connect_anew(repo: Repository) -> sqlite3.Connection:
    """An empty database in place of what was there; in memory where the git directory can't be written."""
    path = path_of(repo)
    try:
        for suffix in ("", "-wal", "-shm"):
            path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)
        return tables.connect(path)
    except (OSError, sqlite3.Error):
        return tables.connect(None)
