"""Small JSON files that may vanish at any time: written whole or not at all, bounded in number.

Two runs may write the same entry at once: each writes a file of its own and `os.replace`s it, so a reader sees
one or the other, never half of one. A cache that can't be written (a read-only clone, a full disk) is no failure.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

MAX_ENTRIES_A_FOLDER = 256
MAX_ENTRY_BYTES = 1 << 20


def read_cached(path: Path) -> Any | None:
    """The JSON of an entry, or None when it is missing or damaged."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


def write_cached(path: Path, text: str) -> None:
    """Store an entry; the oldest half of a full folder makes room first."""
    data = text.encode()
    if len(data) > MAX_ENTRY_BYTES:
        return
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        _make_room(path.parent)
        write_atomically(path, data)


def write_atomically(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Write a file whole or not at all, keeping the mode of the one it replaces.

    Raises:
        OSError: it could not be written; the old file is as it was and nothing is left behind.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            if durable:
                stream.flush()
                os.fsync(stream.fileno())
        os.chmod(temporary, _mode_for(path))
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _mode_for(path: Path) -> int:
    """The mode of the file that is replaced, or what a new file would get."""
    try:
        return path.stat().st_mode & 0o7777
    except FileNotFoundError:
        umask = os.umask(0)
        os.umask(umask)
        return 0o666 & ~umask


def _make_room(folder: Path) -> None:
    names = os.listdir(folder)
    if len(names) < MAX_ENTRIES_A_FOLDER:
        return
    entries = []
    for name in names:
        with contextlib.suppress(OSError):
            entries.append((os.stat(folder / name).st_mtime_ns, name))
    for _when, name in sorted(entries)[: len(entries) // 2]:
        with contextlib.suppress(OSError):
            os.unlink(folder / name)
