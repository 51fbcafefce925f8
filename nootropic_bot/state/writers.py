"""Who writes: random ids, one in use by one process at a time.

An id is a file in the git directory, locked (`flock`) by the process that writes under it; the lock dies with the
process, so nothing has to be cleaned up. A process that finds all ids of this clone in use makes a new one: writers
never wait for each other. The file remembers its own inode, so that a copied clone does not write under the ids of
its original (where that is not noticed, `sync.py` is the backstop).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
from collections.abc import Container, Iterator
from pathlib import Path
from types import TracebackType

from nootropic_bot.errors import EnvironmentFault

_ID = re.compile(r"[0-9a-f]{16}")


class Writer:
    """An id of this clone, held until `release`."""

    def __init__(self, identity: str, path: Path, handle: int) -> None:
        self.id = identity
        self._path = path
        self._handle: int | None = handle

    def release(self, *, retire: bool = False) -> None:
        """Let others have the id, or with `retire` nobody any more."""
        if self._handle is None:
            return
        if retire:
            with contextlib.suppress(OSError):
                self._path.unlink()
        os.close(self._handle)
        self._handle = None

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self.release()


def new_id() -> str:
    """An id that nobody has."""
    return secrets.token_hex(8)


def acquire(folder: Path, but: Container[str] = ()) -> Writer:
    """An id that no other process uses now, and that is none of `but`.

    Raises:
        EnvironmentFault: the git directory can't be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in sorted(os.listdir(folder)):
            writer = _take(folder / name) if _ID.fullmatch(name) and name not in but else None
            if writer is not None:
                return writer
        return _create(folder)
    except OSError as error:
        raise EnvironmentFault(
            f"nothing can be recorded: {error.strerror} in the git directory",
            "make it writable, or switch recording off: `[state] record = false`",
        ) from error


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One process of this clone at a time; where the git directory can't be written, nobody is kept out."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / "sync.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        yield
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def is_in_use(folder: Path, identity: str) -> bool:
    """Whether a process of this machine writes under an id of this clone."""
    try:
        handle = os.open(folder / identity, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def retire(folder: Path, identity: str) -> None:
    """Forget an id that nobody uses, so that nobody will."""
    with contextlib.suppress(OSError):
        (folder / identity).unlink()


def take(folder: Path, identity: str) -> Writer | None:
    """A certain id of this clone, or None when it is in use or not ours."""
    return _take(folder / identity)


def _take(path: Path) -> Writer | None:
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_original = os.read(handle, 64).decode("ascii", "replace") == _mark(handle)
        # Between opening and locking, another process may have retired the file.
        if is_original and path.exists() and path.stat().st_ino == os.fstat(handle).st_ino:
            return Writer(path.name, path, handle)
        if not is_original:
            path.unlink(missing_ok=True)
    except BlockingIOError:
        pass
    os.close(handle)
    return None


def _create(folder: Path) -> Writer:
    identity = new_id()
    # It gets its name when it is locked and marked, so that no other process takes it before.
    path, hidden = folder / identity, folder / f".{identity}"
    handle = os.open(hidden, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    fcntl.flock(handle, fcntl.LOCK_EX)
    os.write(handle, _mark(handle).encode())
    hidden.rename(path)
    return Writer(identity, path, handle)


def _mark(handle: int) -> str:
    status = os.fstat(handle)
    return f"{status.st_dev}:{status.st_ino}"
