"""The HTTP client that the official libraries are given: it goes where it was told and says no more than it must.

- It follows no redirect: the code in a request would follow.
- Proxies of the environment are not used for this machine and private networks, nor for `http://`, where a proxy would
  read along.
- Headers that the libraries add on their own (operating system, tracing, what the environment holds) are left out.
- An answer's size is bounded before it is in memory.
"""

from __future__ import annotations

import importlib
import ssl
from collections.abc import AsyncIterator, Mapping
from typing import Any

from nootropic_bot import __version__
from nootropic_bot.models.base import BadAnswer
from nootropic_bot.models.serving.failures import Failed, server_broke
from nootropic_bot.models.serving.hosts import Address

BODY_LIMIT = 32 * 1024 * 1024

_KEPT_HEADERS = frozenset(
    (
        "accept",
        "anthropic-version",
        "connection",
        "content-length",
        "content-type",
        "host",
        "transfer-encoding",
        "x-stainless-raw-response",  # by which the libraries remember how to hand over the answer
    )
)


def open_http(sdk: Any, address: Address, auth: Mapping[str, str]) -> Any:
    """An asynchronous client for the `http_client` argument of the `openai` and `anthropic` packages.

    `auth`: the only headers with a key that are ever sent.
    """

    async def tidy(request: Any) -> None:
        for name in list(request.headers):
            if name.lower() not in _KEPT_HEADERS:
                del request.headers[name]
        request.headers.update({"user-agent": f"nootropic-bot/{__version__}", "accept-encoding": "identity", **auth})

    async def bound(response: Any) -> None:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise server_broke(f"{address.label} sent a compressed answer unasked")
        response.stream = _bounded_stream(sdk, response.stream, address.label)

    is_near = address.is_near or address.scheme == "http"
    return sdk.DefaultAsyncHttpxClient(
        follow_redirects=False,
        trust_env=not is_near,
        verify=_tls(address) if is_near else True,
        timeout=None,
        event_hooks={"request": [tidy], "response": [bound]},
    )


def _tls(address: Address) -> ssl.SSLContext:
    if address.scheme == "http":  # Loading the authorities takes longer than asking a server next door.
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Without `trust_env` the client itself would not look at SSL_CERT_FILE.
    return ssl.create_default_context()


def network_failures(sdk: Any) -> tuple[type[Exception], ...]:
    """What the HTTP library below the official one raises: `httpx`, or its successor, whichever that is built on."""
    http, anyio = _http_library(sdk), importlib.import_module("anyio")
    ended = (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError)
    return (http.HTTPError, http.StreamError, http.InvalidURL, *ended, OSError, ValueError, RecursionError)


def _http_library(sdk: Any) -> Any:
    return importlib.import_module(sdk.DefaultAsyncHttpxClient.__mro__[1].__module__.partition(".")[0])


def _bounded_stream(sdk: Any, stream: Any, label: str) -> Any:
    base: Any = _http_library(sdk).AsyncByteStream

    class Bounded(base):  # type: ignore[misc]
        """A body that fails when it grows too long."""

        async def __aiter__(self) -> AsyncIterator[bytes]:
            size = 0
            async for part in stream:
                size += len(part)
                if size > BODY_LIMIT:
                    raise Failed(BadAnswer(f"{label} sent more than {BODY_LIMIT // 2**20} MiB"))
                yield part

        async def aclose(self) -> None:
            await stream.aclose()

    return Bounded()
