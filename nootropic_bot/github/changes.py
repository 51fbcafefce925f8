"""What a pull request changes, told by the API: for a job without a clone. With a clone, git knows better.

The list of files has none after the 3,000th, and no patch of a file that is too long to be shown; the lines of such a
file can't be commented on, so its findings go to the summary.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from nootropic_bot.forge import Forbidden, Missing, TooLarge
from nootropic_bot.git import Change
from nootropic_bot.github.client import Client
from nootropic_bot.github.names import is_commit_id

MAX_FILES = 3_000
# Each takes a request; of more files a fix is shown as a patch.
_MAX_BLOBS = 30


@dataclass(frozen=True, slots=True)
class Changes:
    """`patch`: in git's form, each file told by its pair of blob ids. `is_cut`: there may be more files."""

    files: tuple[Change, ...]
    patch: bytes
    is_cut: bool


def read_changes(client: Client, repository: str, number: int) -> Changes:
    """What a pull request changes at its present head.

    Raises:
        ForgeError: it can't be read.
    """
    files: list[Change] = []
    parts: list[bytes] = []
    for item in client.pages(f"/repos/{repository}/pulls/{number:d}/files"):
        change = _change(item)
        files.append(change)
        if change.new_oid is not None and isinstance(item.get("patch"), str):
            parts += _patch(change, item["patch"])
    return Changes(tuple(files), b"".join(parts), is_cut=len(files) >= MAX_FILES)


def read_blobs(client: Client, repository: str, changes: Changes, paths: Iterable[str]) -> dict[str, bytes]:
    """The contents at head of these of the changed files, by blob id; of a file that is too large there is none.

    Raises:
        ForgeError: GitHub can't be reached.
    """
    wanted = set(paths)
    oids = [change.new_oid for change in changes.files if change.path in wanted and change.new_oid]
    found = {}
    for oid in list(dict.fromkeys(oids))[:_MAX_BLOBS]:
        try:
            answer = client.get(f"/repos/{repository}/git/blobs/{oid}")
            found[oid] = base64.b64decode(answer["content"])
        except (TooLarge, Missing, Forbidden, KeyError, TypeError, binascii.Error):
            continue
    return found


def _change(item: Any) -> Change:
    """A file of the list; where its blob was at the base is not said, so its place there is named by its path."""
    try:
        path, oid, status = item["filename"], item["sha"], item["status"]
        old_path = item.get("previous_filename") or path
        is_known = isinstance(path, str) and isinstance(oid, str) and is_commit_id(oid)
    except (KeyError, TypeError, AttributeError) as error:
        raise Missing("GitHub's answer is no list of files") from error
    if not is_known:
        raise Missing("GitHub's answer is no list of files")
    made_up = hashlib.sha1(path.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()
    old = made_up.ljust(len(oid), "0")
    return Change(path, old_path, "100644", None if status == "added" else old, None if status == "removed" else oid)


def _patch(change: Change, hunks: str) -> Iterator[bytes]:
    """A patch of one file. Its path stands in it as a stand-in: who reads it goes by the ids."""
    old = change.old_oid or "0" * len(change.new_oid or "")
    yield b"diff --git a/x b/x\n"
    yield f"index {old}..{change.new_oid} 100644\n--- a/x\n+++ b/x\n".encode()
    yield hunks.encode("utf-8", "surrogatepass")
    yield b"\n"
