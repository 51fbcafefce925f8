"""Bring a model file to this machine: look, lock, look again, fetch, prove, rename.

Two pulls of one model at once: the second waits for the first and finds its work done. A file gets its name only when
its hash was proved; where nothing says what the hash should be, the first pull believes the server (over an encrypted
connection) and pins what came: trust on first use, and the answer says so.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from nootropic_bot.errors import EnvironmentFault, UsageError
from nootropic_bot.models.base import Unavailable
from nootropic_bot.models.download import NO_LIMITS, Limits, Report, download, forget
from nootropic_bot.models.https import check_url, host_of, refuse_query
from nootropic_bot.models.registry import FILE_NAME, NAME, SHA256, Entry, Installed, installed_models, write_card
from nootropic_bot.models.verified import check_header, hash_file, verify

_SPLIT = re.compile(r"-\d{5}-of-\d{5}\.gguf$")
_HUB = "https://huggingface.co"


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull did. `was_there`: nothing, it was installed and is whole."""

    model: Installed
    was_there: bool


def entry_of(address: str, name: str | None, sha256: str | None) -> Entry:
    """The entry of a file that no registry knows: a URL, or `hf:owner/repo/file` for a file of Hugging Face.

    Raises:
        UsageError: the address, the name or the hash can't be.
    """
    refuse_query(address)
    url = _hub_url(address) if address.startswith("hf:") else address
    check_url(url)
    file = unquote(urlsplit(url).path).rpartition("/")[2]
    if not FILE_NAME.fullmatch(file):
        raise UsageError(f"{url!r} names no model file", "the address ends in a file name such as `model-q4_k_m.gguf`")
    if _SPLIT.search(file):
        raise UsageError(
            f"{file} is one of several parts", "choose a quantization that is one file, or merge the parts"
        )
    chosen = name or file.removesuffix(".gguf").lower()[:64]
    if not NAME.fullmatch(chosen):
        raise UsageError(f"{chosen!r} is no name for a model", "use letters, digits, `.`, `_` and `-`, at most 64")
    wanted = parse_sha256(sha256)
    return Entry(chosen, (wanted or "")[:12] or "unpinned", "chat", file, url=url, sha256=wanted, chat_format="chatml")


def parse_sha256(text: str | None) -> str | None:
    """A SHA-256 as people paste it.

    Raises:
        UsageError: it is none.
    """
    digest = text.strip().lower().removeprefix("sha256:") if text is not None else None
    if digest is not None and not SHA256.fullmatch(digest):
        raise UsageError(f"{text!r} is no SHA-256", "it has 64 hexadecimal digits")
    return digest


def _hub_url(address: str) -> str:
    parts = address.removeprefix("hf:").split("/")
    if len(parts) < 3 or not all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", part) for part in parts):
        raise UsageError(f"{address!r} is not of the form hf:owner/repo/file.gguf")
    return f"{_HUB}/{parts[0]}/{parts[1]}/resolve/main/{'/'.join(parts[2:])}"


def pull(
    entry: Entry,
    home: Path,
    *,
    report: Report = lambda _done, _total: None,
    checking: Report = lambda _done, _total: None,
    note: Callable[[str], None] = lambda _text: None,
    sleep: Callable[[float], None] = time.sleep,
    limits: Limits = NO_LIMITS,
    cache: Path | None = None,
) -> Pulled:
    """Install a model. `entry.sha256` is what the file must be; None: what comes is pinned.

    Args:
        entry: the model.
        home: where model files lie.
        report: hears of the download.
        checking: hears of the check that follows.
        note: hears that another pull is waited for.
        sleep: waits between two attempts, seconds.
        limits: of size and disk.
        cache: where files that were proved are remembered.

    Raises:
        UsageError: the address.
        RemoteError: the server.
        EnvironmentFault: the disk, or the file that came is not what it should be.
    """
    assert entry.url
    try:
        if there := _look(entry, home, cache):
            return Pulled(there, was_there=True)
        partial = home / "partial"
        partial.mkdir(parents=True, exist_ok=True)
        key = hashlib.sha256(entry.url.encode()).hexdigest()[:32]
        with _locked(partial / f"{key}.lock", note):
            if there := _look(entry, home, cache):
                return Pulled(there, was_there=True)
            part = partial / f"{key}.part"
            size = entry.size_bytes if entry.sha256 else 0
            stated = download(entry.url, part, limits=replace(limits, size=size), report=report, sleep=sleep)
            return Pulled(_install(entry, home, part, stated, checking), was_there=False)
    except OSError as error:
        raise EnvironmentFault(
            f"{home} can't be used: {error.strerror or type(error).__name__}", "set NOOTROPIC_MODELS to another folder"
        ) from error


def _look(entry: Entry, home: Path, cache: Path | None) -> Installed | None:
    """The model, if it is here and whole. A file that is not what it should be is fetched anew."""
    for model in installed_models(home):
        if model.entry.name != entry.name or (entry.sha256 and model.sha256 != entry.sha256):
            continue
        # Under a name of the user's own, another address means another model.
        if not entry.sha256 and model.entry.url != entry.url:
            continue
        try:
            verify(model.path, sha256=model.sha256, size=model.entry.size_bytes, cache=cache)
        except Unavailable:
            continue
        return model
    return None


def _install(entry: Entry, home: Path, part: Path, stated: str, checking: Report) -> Installed:
    size = part.stat().st_size
    digest = hash_file(part, lambda done: checking(done, size))
    expected = entry.sha256 or stated or None
    if expected and digest != expected:
        forget(part)
        who = "expected" if entry.sha256 else f"stated by {host_of(entry.url or '')}"
        raise EnvironmentFault(
            f"what came as {entry.file} is not the file: SHA-256 {digest}, {who} {expected}; it was removed",
            "pull again; if it stays so, the file was replaced there: trust it only if you know why",
        )
    try:
        check_header(part)
    except Unavailable as error:
        forget(part)
        raise EnvironmentFault(
            f"what came as {entry.file} is {str(error).partition(' is ')[2]}; it was removed"
        ) from error
    version = digest[:12] if entry.version == "unpinned" else entry.version
    proved = replace(entry, sha256=digest, size_bytes=size, version=version)
    folder = home / digest
    folder.mkdir(parents=True, exist_ok=True)
    with part.open("rb") as stream:
        os.fsync(stream.fileno())
    os.replace(part, folder / entry.file)
    forget(part)
    on_first_use = entry.sha256 is None
    write_card(folder, proved, entry.url or "", on_first_use=on_first_use)
    return Installed(proved, folder / entry.file, digest, entry.url or "", on_first_use)


@contextmanager
def _locked(path: Path, note: Callable[[str], None]) -> Iterator[None]:
    """One pull of an address at a time; the lock dies with its process. The file stays: removing it would be a race."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            note("another pull of this model is under way; waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
