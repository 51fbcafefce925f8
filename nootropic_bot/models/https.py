"""Which addresses are fetched from, how a redirect is followed, and how a server's headers are read.

Only `https`, and plain `http` to the machine itself (127.0.0.1); no other scheme, no password in an address;
certificates checked against the system's authorities (`SSL_CERT_FILE` for others), proxies from the environment.
"""

from __future__ import annotations

import email.utils
import re
import ssl
import sys
import urllib.request
from email.message import Message
from typing import IO
from urllib.parse import urlsplit

from nootropic_bot.constants import LOOPBACK
from nootropic_bot.errors import RemoteError, UsageError

# Python converts no more than 4,300 digits, and no length has as many as these.
_MAX_DIGITS = 18
_SHA256 = re.compile(r'"?([0-9a-f]{64})"?')


def check_url(url: str, *, is_redirect: bool = False) -> None:
    """Whether a file may come from there.

    Raises:
        UsageError: no `https` address (or `http` to the machine itself), or one with a secret in it: a password, or,
            unless it is where a redirect leads and so kept nowhere, a query or a fragment.
    """
    if not is_redirect:
        refuse_query(url)
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f"{url!r} is no address: {error}") from error
    if not url.isascii() or not url.isprintable() or " " in url:
        raise UsageError(f"{url!r} is no address", "percent-encode what is not ASCII")
    if parts.username is not None or parts.password is not None:
        raise UsageError("an address with a password in it is not fetched", "it would end up in logs and lock files")
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)):
        raise UsageError(f"{url!r} can't be fetched safely", "give an address that begins with https://")


def refuse_query(address: str) -> None:
    """Refuse an address with a query or a fragment, and don't repeat it: it may be a signature that anybody could use.

    Raises:
        UsageError: it has one.
    """
    if "?" in address or "#" in address:
        raise UsageError(
            "an address with a `?` or `#` is not fetched: it would end up in lock files",
            "leave out what follows the file's name; for a file that needs it, give an address that redirects there",
        )


class Redirects(urllib.request.HTTPRedirectHandler):
    """Follows to addresses as good as the first; keeps what the hub states about the file on the way."""

    max_redirections = 10

    def __init__(self) -> None:
        self.stated_sha256 = ""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> urllib.request.Request:
        """The request that follows a redirect.

        Raises:
            RemoteError: it leads to an unsafe address.
        """
        self.note(headers)
        try:
            check_url(newurl, is_redirect=True)
            is_safe = urlsplit(req.full_url).scheme != "https" or urlsplit(newurl).scheme == "https"
        except UsageError:
            is_safe = False
        if not is_safe:
            fp.close()
            # Without the address: a signed one is a secret.
            reason = "redirects to an address that is not encrypted, or otherwise unsafe"
            raise RemoteError(f"{host_of(req.full_url)} {reason}")
        return urllib.request.Request(newurl, headers=req.headers, unverifiable=True)  # noqa: S310  It was checked.

    # Python 3.10 does not know it.
    http_error_308 = urllib.request.HTTPRedirectHandler.http_error_302

    def note(self, headers: Message) -> None:
        """Hugging Face says the file's SHA-256 (its LFS object id) in `X-Linked-ETag`, on the redirect."""
        found = _SHA256.fullmatch(headers.get("X-Linked-ETag", ""))
        self.stated_sha256 = self.stated_sha256 or (found[1] if found else "")


def opener_for(url: str, redirects: Redirects) -> urllib.request.OpenerDirector:
    """What opens `url` and nothing but such addresses.

    Raises:
        UsageError: the proxy that the environment names is no address.
    """
    opener = urllib.request.OpenerDirector()
    # There are no handlers for file:, ftp: and data:.
    for handler in (
        urllib.request.ProxyHandler(_proxies(url)),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(context=ssl.create_default_context()),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        redirects,
    ):
        opener.add_handler(handler)
    return opener


def _proxies(url: str) -> dict[str, str]:
    """The proxies of the environment; the machine itself is reached without one, as are the hosts of NO_PROXY."""
    parts = urlsplit(url)
    if parts.hostname in LOOPBACK or urllib.request.proxy_bypass(parts.netloc.rpartition("@")[2]):
        return {}
    proxies = urllib.request.getproxies()
    proxy = proxies.get(parts.scheme, "")
    try:
        found = urlsplit(proxy if "://" in proxy else f"//{proxy}")
        is_address = bool(found.hostname) and found.port != 0 and ("://" in proxy or ":/" not in proxy)
    except ValueError:  # a port that is none
        is_address = False
    if proxy and not is_address:
        # Not shown: it may hold a password.
        name = f"{parts.scheme.upper()}_PROXY"
        raise UsageError(f"the proxy in {name} is no address", f"for example {name}=http://proxy.example.com:3128")
    return proxies


def host_of(url: str) -> str:
    """The server, for messages."""
    return urlsplit(url).hostname or url


def validator_of(headers: Message) -> str:
    """What `If-Range` may hold: a strong ETag, else the time of the last change."""
    etag: str = headers.get("ETag", "")
    return etag if etag and not etag.startswith("W/") else headers.get("Last-Modified", "")


def number(text: str | None) -> int:
    """A length from a header, 0 where there is none; one that no file has is as long as can be."""
    if not text or not text.isascii() or not text.isdigit():
        return 0
    return int(text) if len(text) <= _MAX_DIGITS else sys.maxsize


def retry_after(headers: Message, now: float) -> float | None:
    """How many seconds the server wants us to wait, if it says so."""
    text: str = headers.get("Retry-After", "")
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        return max(email.utils.parsedate_to_datetime(text).timestamp() - now, 0.0)
    except (TypeError, ValueError, OverflowError):
        return None
