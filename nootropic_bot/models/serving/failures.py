"""What goes wrong with a server, as the kinds of `ModelError`, whatever client library saw it.

Nothing here trusts the text of a client's exception: it may quote a header, and with it a key. A server's own words are
shown shortened, escaped, and without the key if they repeat it.
"""

from __future__ import annotations

import contextlib
import email.utils
import json
import math
import re
import socket
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nootropic_bot.escape import one_line
from nootropic_bot.models.base import (
    ContextOverflow,
    ModelError,
    OutOfMemory,
    RateLimited,
    ServerFailed,
    TimedOut,
    Unavailable,
)

_SAID_LENGTH = 200
# The words of OpenAI, vLLM, llama-server, llama-cpp-python, Ollama, LM Studio, Anthropic, Hugging Face.
_OVERFLOW = re.compile(
    r"context_length_exceeded|maximum context length|exceed_context_size|exceeds? (?:the )?(?:available )?context"
    r"|context (?:window|length|size)|input length exceeds|n_ctx|prompt is too long|too many (?:input )?tokens"
    r"|must be <= |inputs tokens",
    re.IGNORECASE,
)
_MEMORY = re.compile(
    r"out of memory|requires more (?:system |gpu )?memory|insufficient memory|cuda.*alloc|failed to allocate",
    re.IGNORECASE,
)
_NO_MODEL = re.compile(r"model_not_found|model \S+ (?:does not exist|not found)", re.IGNORECASE)
_NO_CREDIT = re.compile(r"insufficient_quota|credit balance|billing", re.IGNORECASE)


class Unsuited(ContextOverflow):
    """The question is none for this server. Like a prompt that is too long, it says nothing of the server's health.

    Whoever chooses between backends goes on to the next one, and asks this one again the next time.
    """


@dataclass(frozen=True, slots=True)
class Peer:
    """Who was asked: `label` for messages, `secrets` never to be shown, `model` as the server knows it."""

    label: str
    model: str
    secrets: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Peer({self.label!r}, {self.model!r})"


class Failed(Exception):
    """A request failed. `error` is what the caller gets; the rest is for asking again.

    `wait`: seconds the server wants us to wait. `status` and `said`: the HTTP status, 0 without, and the body's text.
    """

    def __init__(
        self,
        error: ModelError,
        *,
        is_retryable: bool = False,
        wait: float | None = None,
        status: int = 0,
        said: str = "",
    ) -> None:
        super().__init__(str(error))
        self.error = error
        self.is_retryable = is_retryable
        self.wait = wait
        self.status = status
        self.said = said


@contextlib.contextmanager
def translated(kinds: Sequence[type[Exception]], peer: Peer) -> Iterator[None]:
    """Failures of a client library and of the network inside the block, as `Failed`.

    Raises:
        Failed: instead of one of `kinds`, which has to include all that the library raises.
    """
    try:
        yield
    except Failed:
        raise
    except tuple(kinds) as error:
        raise _explain(error, peer) from None


def server_broke(message: str) -> Failed:
    """The server answered nonsense or not to the end; it may do better the next time."""
    return Failed(ServerFailed(message), is_retryable=True)


def quoted(text: str, peer: Peer) -> str:
    """A server's words, fit to be shown: short, on one line, without the key."""
    for secret in peer.secrets:
        text = text.replace(secret, "…")
    text = " ".join(text.split())
    return one_line(text if len(text) <= _SAID_LENGTH else text[:_SAID_LENGTH] + "…")


def _explain(error: Exception, peer: Peer) -> Failed:
    chain = list(_causes(error))
    known = next((cause for cause in chain if isinstance(cause, Failed)), None)
    if known is not None:
        return known
    response = getattr(error, "response", None)
    if response is not None and isinstance(getattr(response, "status_code", None), int):
        return _explain_status(response, peer)
    return _explain_network(chain, peer)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and all that led to it, nearest first; the members of exception groups too."""
    waiting: list[BaseException] = [error]
    seen: set[int] = set()
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        linked = (current.__cause__, current.__context__, *getattr(current, "exceptions", ()))
        waiting += [cause for cause in linked if isinstance(cause, BaseException)]


def _explain_network(chain: Sequence[BaseException], peer: Peer) -> Failed:
    names = {kind.__name__ for cause in chain for kind in type(cause).__mro__}
    certificate = next((cause for cause in chain if isinstance(cause, ssl.SSLCertVerificationError)), None)
    if certificate is not None:
        reason = one_line(str(certificate.verify_message or "it can't be verified"))
        return Failed(
            Unavailable(
                f"the certificate of {peer.label} is not valid: {reason}; for an authority of your own, name "
                "its file in SSL_CERT_FILE"
            )
        )
    if any(isinstance(cause, ssl.SSLError) for cause in chain):
        return Failed(Unavailable(f"{peer.label} does not speak TLS as it should; perhaps its `url` is http://"))
    if any(isinstance(cause, socket.gaierror) for cause in chain):
        return Failed(Unavailable(f"the name of {peer.label} has no address"))
    if "ProxyError" in names:
        return Failed(Unavailable(f"the proxy would not connect to {peer.label}"))
    if "TimeoutException" in names or "TimeoutError" in names:
        return Failed(TimedOut(f"no answer from {peer.label} in time"))
    if "ConnectError" in names or any(isinstance(cause, ConnectionRefusedError) for cause in chain):
        return Failed(Unavailable(f"no server answers at {peer.label}"))
    if any(isinstance(cause, (json.JSONDecodeError, UnicodeDecodeError)) for cause in chain):
        return server_broke(f"{peer.label} sent something that is no JSON")
    return server_broke(f"the connection to {peer.label} broke off")


def _explain_status(response: Any, peer: Peer) -> Failed:
    status: int = response.status_code
    said = _body(response)
    shown = quoted(_message(said), peer)
    detail = f": {shown}" if shown else ""
    wait = retry_after(response.headers)
    if 300 <= status < 400:
        return Failed(Unavailable(f"{peer.label} redirects elsewhere, which is not followed; correct its `url`"))
    if status == 429 and not _NO_CREDIT.search(said):
        limited = RateLimited(f"{peer.label} asks to wait{detail}", wait)
        return Failed(limited, is_retryable=True, wait=wait, status=status, said=said)
    if status in (401, 402, 403, 429):
        reason = {401: "does not accept the key", 403: "does not allow this"}.get(status, "wants to be paid first")
        # What it says of a key is not repeated: servers quote parts of it.
        return Failed(Unavailable(f"{peer.label} {reason} (HTTP {status})"), status=status, said=said)
    if status == 413 or (status in (400, 422, 500) and _OVERFLOW.search(said)):
        return Failed(ContextOverflow(f"the prompt is too long for {peer.label}{detail}"), status=status, said=said)
    if status >= 400 and _MEMORY.search(said):
        return Failed(OutOfMemory(f"{peer.label} ran out of memory{detail}"), status=status, said=said)
    if status == 404 or (status == 400 and _NO_MODEL.search(said)):
        reason = f"{peer.label} has no model {one_line(peer.model)!r}, or nothing at this `url`{detail}"
        return Failed(Unavailable(reason), status=status, said=said)
    if status >= 500 or status in (408, 409, 425):
        failure = ServerFailed(f"{peer.label} failed with HTTP {status}{detail}")
        return Failed(failure, is_retryable=status != 501, wait=wait, status=status, said=said)
    kind = Unsuited if status in (400, 422) else Unavailable
    return Failed(kind(f"{peer.label} refused the request with HTTP {status}{detail}"), status=status, said=said)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that `Retry-After` or `retry-after-ms` asks for, never below 0; None without a usable value."""
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        with contextlib.suppress(ValueError):
            seconds = float(headers.get(name, "")) * scale
            if math.isfinite(seconds):
                return max(seconds, 0.0)
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        return max(email.utils.parsedate_to_datetime(headers.get("retry-after", "")).timestamp() - time.time(), 0.0)
    return None


def _body(response: Any) -> str:
    with contextlib.suppress(RuntimeError, ValueError, LookupError):  # not read, no text, an unknown character set
        return str(response.text)
    return ""


def _message(said: str) -> str:
    """The sentence in an error's body: `error.message`, `detail`, or the text itself if it is no JSON."""
    try:
        data = json.loads(said)
    except (ValueError, RecursionError):
        return "" if said.lstrip()[:1] == "<" else said
    error = data.get("error", data) if isinstance(data, dict) else data
    if isinstance(error, dict):
        error = next((error[key] for key in ("message", "detail") if error.get(key)), "")
    return error if isinstance(error, str) else json.dumps(error)
