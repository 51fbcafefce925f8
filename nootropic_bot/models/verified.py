"""A model file is what it should be, before any parser sees it (row A48 of the attack corpus).

First the size, then the SHA-256 of the whole file, then the first bytes. A file that was proved is remembered by its
path, size, times and inode, so that seven gigabytes are not read at each start; when any differs it is read again.

Not covered: whoever may write to the user's cache may also write what is remembered there; and between the proof and
the moment a runtime opens the file, someone with the user's rights could swap it.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

from nootropic_bot.cachefile import read_cached, write_cached
from nootropic_bot.models.base import Unavailable

_CHUNK = 1 << 20
_MAGIC = b"GGUF"
_VERSIONS = (2, 3)  # little-endian; 1 is not read by llama.cpp any more


def verify(path: Path, *, sha256: str | None, size: int = 0, cache: Path | None = None) -> str:
    """The SHA-256 of a model file that is what it should be.

    Args:
        path: the file.
        sha256: what it must be; None where nothing says so (then only the first bytes are checked).
        size: what it must be in bytes; 0 where nothing says so.
        cache: the folder for what was proved before.

    Raises:
        Unavailable: it is not there, can't be read, is another file than it should be, or no model file.
    """
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode):
            raise Unavailable(f"{path.name} is no regular file")
        if size and found.st_size != size:
            raise Unavailable(
                f"{path.name} has {found.st_size} bytes instead of {size}: "
                "it was truncated or replaced, and is not opened"
            )
        digest = _remembered(path, found, cache) or _hash_and_remember(path, found, cache)
        if sha256 is not None and digest != sha256:
            raise Unavailable(
                f"{path.name} is not the file it should be (SHA-256 {digest[:12]}… instead of {sha256[:12]}…), "
                "and is not opened"
            )
        check_header(path)
    except OSError as error:
        raise Unavailable(f"{path.name} can't be read: {error.strerror or type(error).__name__}") from error
    return digest


def hash_file(path: Path, report: Callable[[int], None] = lambda _done: None) -> str:
    """The SHA-256 of a whole file. `report` hears how many bytes were read.

    Raises:
        OSError: it can't be read.
    """
    digest = hashlib.sha256()
    done = 0
    with path.open("rb", buffering=0) as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            done += len(chunk)
            report(done)
    return digest.hexdigest()


def check_header(path: Path) -> None:
    """Whether a file begins like a model file; says what it is where that can be told.

    Raises:
        Unavailable: it does not.
        OSError: it can't be read.
    """
    with path.open("rb") as stream:
        head = stream.read(64)
    if head[:4] == _MAGIC and int.from_bytes(head[4:8], "little") in _VERSIONS:
        return
    if head[:4] == _MAGIC:
        raise Unavailable(f"{path.name} is a GGUF file of a version that is not known (or was cut off)")
    start = head.lstrip().lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        kind = "a web page"
    elif start.startswith(b"version https://git-lfs"):
        kind = "a Git LFS pointer, not the file it points to"
    else:
        kind = "no GGUF model file" if head else "empty"
    raise Unavailable(f"{path.name} is {kind}")


def _entry(path: Path, cache: Path) -> Path:
    name = hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:32]
    return cache / "verified" / f"{name}.json"


def _identity(path: Path, found: os.stat_result) -> list[str | int]:
    # The change time can't be set back by whoever replaces a file, the modification time can.
    times = (found.st_mtime_ns, found.st_ctime_ns)
    return [os.fsdecode(path.absolute()), found.st_size, *times, found.st_ino, found.st_dev]


def _remembered(path: Path, found: os.stat_result, cache: Path | None) -> str | None:
    known = read_cached(_entry(path, cache)) if cache else None
    if not isinstance(known, dict) or known.get("file") != _identity(path, found):
        return None
    digest = known.get("sha256")
    return digest if isinstance(digest, str) and len(digest) == 64 else None


def _hash_and_remember(path: Path, found: os.stat_result, cache: Path | None) -> str:
    digest = hash_file(path)
    if _identity(path, os.stat(path)) != _identity(path, found):
        raise Unavailable(f"{path.name} changed while it was read")
    if cache:
        write_cached(_entry(path, cache), json.dumps({"file": _identity(path, found), "sha256": digest}))
    return digest
