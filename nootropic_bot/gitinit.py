"""The making half of the door to git: repositories of our own, where they fetch from, and whose objects they read."""

from __future__ import annotations

import os
from pathlib import Path

from nootropic_bot import process
from nootropic_bot.errors import EnvironmentFault
from nootropic_bot.git import Repository, clean_environment

_SECONDS = 600.0


def create_repository(folder: Path) -> Repository:
    """An empty repository in a folder, or the one that is there; nothing of the user's templates, no hook.

    Raises:
        EnvironmentFault: it can't be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentFault(f"{folder} can't be made: {error.strerror}", "see who may write there") from error
    command = ("git", "-c", "init.defaultBranch=main", "init", "--quiet", "--template=")
    done = process.run(command, cwd=folder, env=clean_environment())
    if done.returncode:
        raise EnvironmentFault(f"`git init` failed: {done.error_text}")
    return Repository.open(folder)


def set_remote(repo: Repository, name: str, url: str) -> None:
    """Where a remote of that name is; the names are our own, and the address is checked by the caller.

    Raises:
        EnvironmentFault: git can't write its configuration.
    """
    key = f"remote.{name}.url"
    if repo.run("config", "--get", key, check=False).stdout != f"{url}\n".encode():
        repo.run("config", key, url)


def borrow_objects(repo: Repository, lender: Repository) -> None:
    """Let a repository read the objects of another; it writes to its own only.

    Raises:
        EnvironmentFault: the file that says so can't be written.
    """
    path = repo.common_dir / "objects" / "info" / "alternates"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.fsencode(lender.common_dir / "objects") + b"\n")
    except OSError as error:
        raise EnvironmentFault(f"the git directory can't be written: {error.strerror}") from error


def tidy(repo: Repository) -> None:
    """Let git pack what has piled up, if it finds that there is enough of it; a failure is the next run's."""
    repo.run("-c", "gc.autoDetach=false", "gc", "--auto", "--quiet", check=False, timeout=_SECONDS)
