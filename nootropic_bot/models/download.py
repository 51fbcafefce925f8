"""One file over HTTP, as far as it got: resumed where it was cut, refused where it is not what was asked for.

The standard library's client, because the core should not carry another one: `huggingface_hub` and `httpx` bring ten
packages for what is one GET with a range. What they would do is done here: resume (`Range` with `If-Range`), back-off,
`Retry-After`, proxies from the environment, certificates checked.

    NAME.part         what came so far; kept when a download ends early
    NAME.part.json    where it came from, its length and its validator: a part of another file is never continued

Which addresses it goes to is said in `https.py`.
"""

from __future__ import annotations

import http.client
import json
import re
import shutil
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass
from email.message import Message
from pathlib import Path
from typing import IO, Any

from nootropic_bot import __version__
from nootropic_bot.cachefile import read_cached, write_atomically
from nootropic_bot.errors import EnvironmentFault, RemoteError
from nootropic_bot.models.https import Redirects, check_url, host_of, number, opener_for, retry_after, validator_of

# Hears the bytes that are here and the bytes there will be, 0 where the server does not say.
Report = Callable[[int, int], None]

MAX_BYTES = 64 << 30
_CHUNK = 1 << 18
_TIMEOUT = 30.0
_MAX_IDLE_TRIES = 4
_MAX_TRIES = 50
_MAX_WAIT = 120.0
_RESERVE = 64 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """`size` in bytes is what the file must have, 0 where unknown; `free` says how much a folder's disk has left."""

    size: int = 0
    max_bytes: int = MAX_BYTES
    free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class _Kept:
    """`NAME.part.json`."""

    url: str
    validator: str
    total: int
    stated_sha256: str


class _Cut(Exception):
    """The attempt ended early and another may go on; after `wait` seconds, if the server says so."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


def download(
    url: str,
    part: Path,
    *,
    limits: Limits = NO_LIMITS,
    report: Report = lambda _done, _total: None,
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.time,
) -> str:
    """Fetch `url` into `part`, going on with what is there. Its bytes are not trusted yet: the caller checks the hash.

    Returns:
        The SHA-256 that the server states, "" where it states none.

    Raises:
        UsageError: the address.
        RemoteError: the server says no, is broken or can't be reached.
        EnvironmentFault: the disk.
    """
    check_url(url)
    idle = 0
    redirects = Redirects()
    opener = opener_for(url, redirects)
    for _attempt in range(_MAX_TRIES):
        before = _size(part)
        try:
            return _Attempt(url, part, limits, report, now).run(opener, redirects)
        except _Cut as cut:
            idle = 0 if _size(part) > before else idle + 1
            reason = str(cut)
            if idle >= _MAX_IDLE_TRIES:
                break
            wait = 2.0 ** (idle - 1) if cut.wait is None else cut.wait
            if wait > _MAX_WAIT:
                reason += f"; it wants us to wait {wait:.0f} seconds"
                break
            sleep(wait)
    raise RemoteError(f"{host_of(url)}: {reason}", _go_on())


class _Attempt:
    """One request and its answer."""

    def __init__(self, url: str, part: Path, limits: Limits, report: Report, now: Callable[[], float]) -> None:
        self._url, self._part, self._limits, self._report, self._now = url, part, limits, report, now
        kept = _read_kept(part)
        is_ours = kept is not None and kept.url == url and bool(kept.validator)
        self._kept = kept if is_ours else None
        self._have = _size(part) if is_ours else 0

    def run(self, opener: urllib.request.OpenerDirector, redirects: Redirects) -> str:
        """Ask, receive, and answer the SHA-256 that the server states."""
        self._redirects = redirects
        redirects.stated_sha256 = ""
        headers = {"User-Agent": f"nootropic-bot/{__version__}", "Accept-Encoding": "identity"}
        if self._kept and self._have:
            headers |= {"Range": f"bytes={self._have}-", "If-Range": self._kept.validator}
        try:
            request = urllib.request.Request(self._url, headers=headers)  # noqa: S310  The address was checked.
            with opener.open(request, timeout=_TIMEOUT) as response:
                self._receive(response)
        except urllib.error.HTTPError as error:
            with error:
                self._refused(error)
        except urllib.error.URLError as error:
            raise self._unreachable(error.reason) from error
        except (http.client.HTTPException, OSError) as error:  # What the disk raises was turned into another kind.
            raise _Cut(f"the connection broke ({type(error).__name__})") from error
        return self._stated()

    def _stated(self) -> str:
        return self._redirects.stated_sha256 or (self._kept.stated_sha256 if self._kept else "")

    def _receive(self, response: Any) -> None:
        headers: Message = response.headers
        self._redirects.note(headers)
        if headers.get("Content-Encoding", "identity") != "identity":
            raise RemoteError(f"{host_of(self._url)} sends the file compressed, though it was asked not to")
        start, total = self._range(response.status, headers)
        if self._limits.size and total and total != self._limits.size:
            raise RemoteError(
                f"{host_of(self._url)} offers a file of {total} bytes, expected are {self._limits.size}",
                "the file was replaced there; nothing was fetched",
            )
        if not total and not self._limits.size and headers.get("Transfer-Encoding", "") != "chunked":
            raise RemoteError(f"{host_of(self._url)} does not say how long the file is: it could end anywhere")
        self._check_room(start, total)
        if start == 0:  # First, so that no part of another file ever stands beside this one's validator.
            _disk(self._part, "wb").close()
        self._keep(_Kept(self._url, validator_of(headers), total, self._stated()))
        done = self._copy(response, start, total)
        whole = total or self._limits.size
        if done < (whole or 1):
            raise _Cut(f"the connection ended after {done} of {whole or 'unknown'} bytes")

    def _range(self, status: int, headers: Message) -> tuple[int, int]:
        """(where the answer's bytes begin, the file's length)."""
        if status != 206:
            return 0, number(headers.get("Content-Length"))
        found = re.fullmatch(r"bytes (\d{1,18})-\d{1,18}/(\d{1,18})", headers.get("Content-Range", "").strip())
        kept = self._kept
        if kept is None or found is None or int(found[1]) != self._have:
            raise self._restart("the server answered with another range than it was asked for")
        if (kept.total and int(found[2]) != kept.total) or validator_of(headers) not in ("", kept.validator):
            raise self._restart("the file changed on the server")
        return self._have, int(found[2])

    def _copy(self, response: Any, start: int, total: int) -> int:
        done = start
        limit = total or self._limits.size or self._limits.max_bytes
        with _disk(self._part, "ab") as stream:
            while chunk := response.read1(_CHUNK):
                done += len(chunk)
                if done > limit:
                    raise RemoteError(f"{host_of(self._url)} sends more than the {limit} bytes it should")
                _write(stream, chunk, self._part)
                self._report(done, total)
        return done

    def _check_room(self, start: int, total: int) -> None:
        if total > self._limits.max_bytes:
            raise RemoteError(
                f"{host_of(self._url)} offers {total} bytes; more than {self._limits.max_bytes} are not fetched"
            )
        free = self._limits.free(self._part.parent)
        if total and free < total - start + _RESERVE:
            raise EnvironmentFault(
                f"the disk of {self._part.parent} has {free / 2**30:.1f} GiB left, "
                f"{(total - start) / 2**30:.1f} GiB are needed",
                "free space, or set NOOTROPIC_MODELS to a folder on a larger disk",
            )

    def _refused(self, error: urllib.error.HTTPError) -> None:
        """An answer that is no file; returns only when the part turns out to be whole."""
        host = host_of(self._url)
        if error.code == 416 and self._kept:
            found = re.fullmatch(r"bytes \*/(\d{1,18})", error.headers.get("Content-Range", "").strip())
            if found and int(found[1]) == self._have:
                return
            raise self._restart("the file changed on the server")
        if error.code == 429 or error.code >= 500:
            raise _Cut(f"{host} answered {error.code}", retry_after(error.headers, self._now()))
        if error.code in (401, 403):
            raise RemoteError(
                f"{host} answered {error.code}: the file needs an account, or its licence to be accepted there",
                "accept it there and offer the file on a server of yours, or choose another model",
            )
        if error.code in (404, 410):
            raise RemoteError(f"{host} answered {error.code}: there is no such file", "check the address")
        raise RemoteError(f"{host} answered {error.code}")

    def _unreachable(self, reason: object) -> Exception:
        if isinstance(reason, ssl.SSLCertVerificationError):
            return RemoteError(
                f"the certificate of {host_of(self._url)} is not valid: {reason.verify_message}",
                "behind a proxy that replaces certificates, set SSL_CERT_FILE to its certificate",
            )
        return _Cut(f"it can't be reached ({reason})")

    def _restart(self, reason: str) -> _Cut:
        self._part.unlink(missing_ok=True)
        _kept_path(self._part).unlink(missing_ok=True)
        return _Cut(reason, 0.0)

    def _keep(self, kept: _Kept) -> None:
        self._kept = kept
        try:
            write_atomically(_kept_path(self._part), json.dumps(asdict(kept)).encode())
        except OSError as error:
            raise _disk_fault(self._part, error) from error


def forget(part: Path) -> None:
    """Remove a part and what is known of it."""
    part.unlink(missing_ok=True)
    _kept_path(part).unlink(missing_ok=True)


def _disk(part: Path, mode: str) -> IO[bytes]:
    try:
        return part.open(mode, buffering=0)
    except OSError as error:
        raise _disk_fault(part, error) from error


def _write(stream: IO[bytes], chunk: bytes, part: Path) -> None:
    view = memoryview(chunk)
    try:
        while view:
            view = view[stream.write(view) :]
    except OSError as error:
        raise _disk_fault(part, error) from error


def _disk_fault(part: Path, error: OSError) -> EnvironmentFault:
    return EnvironmentFault(f"{part.parent} can't be written: {error.strerror}", _go_on())


def _go_on() -> str:
    return "what came so far is kept: the same command goes on from there"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _kept_path(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _read_kept(part: Path) -> _Kept | None:
    data = read_cached(_kept_path(part))
    try:
        return _Kept(**data) if isinstance(data, dict) else None
    except TypeError:
        return None
