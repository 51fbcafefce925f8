"""Fetches a file from the storage that GitHub redirects to: without the token, and no more of it than was asked for."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from nootropic_bot.constants import LOOPBACK
from nootropic_bot.forge import Missing, TooLarge, Unanswered
from nootropic_bot.github.failures import of_status

_CHUNK = 1 << 16


def fetch(address: str, limit: int, seconds: float) -> bytes:
    """The bytes at a signed address, which is a secret and so in no message. `seconds`: for the connection, each read.

    Raises:
        TooLarge: there are more than `limit`.
        Missing: the address is not encrypted, or is not there.
        Unanswered: it could not be read to the end.
    """
    import requests

    parts = urlsplit(address)
    if not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)):
        raise Missing("GitHub redirects a download to an address that is not encrypted")
    try:
        with requests.get(
            address,
            stream=True,
            timeout=seconds,
            allow_redirects=False,
            # Anything but None keeps credentials of a `.netrc` out.
            auth=lambda request: request,
        ) as response:
            if response.status_code != 200:
                raise of_status(response.status_code, {}, None)
            return _read(response.iter_content(_CHUNK), response.headers.get("content-length", ""), limit)
    except requests.exceptions.RequestException as error:
        # The error itself names the address.
        raise Unanswered(f"the download broke off ({type(error).__name__})") from None


def _read(chunks: Iterable[bytes], stated: str, limit: int) -> bytes:
    if stated.isascii() and stated.isdigit() and len(stated) < 19 and int(stated) > limit:
        raise TooLarge(f"it has {int(stated):,} bytes, at most {limit:,} are read")
    found = bytearray()
    for chunk in chunks:
        found += chunk
        if len(found) > limit:
            raise TooLarge(f"it has more than the {limit:,} bytes that are read")
    return bytes(found)
