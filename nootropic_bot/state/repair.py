"""Checking the state, and mending what a crash did to it.

A power cut can leave loose objects that are empty files (row F6); git then refuses everything that needs one. Those
that the state needs are moved aside, into `nootropic/damaged/` of the git directory, and fetched again from the remote.
Other empty objects are none of our business and stay.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nootropic_bot.errors import NootropicError
from nootropic_bot.git import Repository
from nootropic_bot.gitwrite import fetch, has_remote, list_refs, list_remote
from nootropic_bot.state import refs
from nootropic_bot.state.store import Store
from nootropic_bot.state.views import counts


@dataclass(frozen=True, slots=True)
class Checked:
    """Records by kind; lines and objects that are not what they should be; what was mended."""

    records: dict[str, int]
    quarantined: list[dict[str, Any]]
    damaged: dict[str, str]
    notes: list[str] = field(default_factory=list)


def check(store: Store) -> Checked:
    """Read everything again, from the refs, and mend what can be mended."""
    notes = []
    moved = set_aside_empty_objects(store.repo)
    if moved:
        notes.append(f"{len(moved)} empty objects were moved to nootropic/damaged in the git directory")
        notes.append(_fetch_again(store))
    damaged = dict(store.index.rebuild().damaged)
    quarantined = [entry._asdict() for entry in store.index.quarantined()]
    return Checked(counts(store.index), quarantined, damaged, [note for note in notes if note])


def set_aside_empty_objects(repo: Repository) -> list[str]:
    """Move empty loose objects that the state's refs lead to out of git's way; their ids."""
    empty = dict(_empty_objects(repo.common_dir / "objects"))
    if not empty:
        return []
    aside = repo.common_dir / "nootropic" / "damaged"
    aside.mkdir(parents=True, exist_ok=True)
    for oid, path in empty.items():
        os.replace(path, aside / oid)
    # With the files away git can tell which of them the state needs; the others go back.
    needed = set(_missing(repo, empty))
    for oid, path in empty.items():
        if oid not in needed:
            os.replace(aside / oid, path)
    return sorted(needed)


def _empty_objects(folder: Path) -> Iterable[tuple[str, Path]]:
    for part in os.scandir(folder):
        if part.is_dir() and re.fullmatch(r"[0-9a-f]{2}", part.name):
            for file in os.scandir(part.path):
                if file.is_file(follow_symlinks=False) and file.stat(follow_symlinks=False).st_size == 0:
                    yield part.name + file.name, Path(file.path)


def _missing(repo: Repository, suspects: Iterable[str]) -> Iterable[str]:
    wanted = set(suspects)
    for ref in list_refs(repo, refs.LOCAL):
        if ref.oid in wanted:
            yield ref.oid
            continue
        options = ("--objects", "--missing=print", "--stdin")
        done = repo.run("rev-list", *options, feed=f"{ref.oid}\n".encode(), check=False)
        for line in done.stdout.decode("utf-8", "replace").splitlines():
            if line.startswith("?") and line[1:] in wanted:
                yield line[1:]
    # A commit of the chain that is missing ends the walk without being named.
    for oid in wanted:
        if repo.run("cat-file", "-e", oid, check=False).returncode and _is_in_chain(repo, oid):
            yield oid


def _is_in_chain(repo: Repository, oid: str) -> bool:
    for ref in list_refs(repo, refs.LOCAL):
        done = repo.run("rev-list", "--parents", "--stdin", feed=f"{ref.oid}\n".encode(), check=False)
        if oid in done.stdout.decode("ascii", "replace") or oid in done.error_text:
            return True
    return False


def _fetch_again(store: Store) -> str:
    """Fetch the whole state as if nothing of it were here; a remark for the user."""
    if not has_remote(store.repo, store.settings.remote):
        return "there is no remote to fetch them from again"
    remote, namespace = store.settings.remote, store.namespace
    try:
        names = namespace.tracked(list_remote(store.repo, remote, namespace.patterns()))
        specs = [f"{namespace.on_remote(name)}:{name}" for name in names]
        done = fetch(store.repo, remote, specs, refetch=True)
    except NootropicError as error:
        return f"they could not be fetched again: {error.message}"
    return f"they could not be fetched again: {done.error_text}" if done.returncode else "they were fetched again"
