"""The door: `POST /webhook` and `GET /healthz`, as an ASGI application.

In this order: size, signature, and only then the content. What is taken in is in the ledger before GitHub is told so.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from nootropic_bot.errors import NootropicError, UsageError
from nootropic_bot.escape import one_line
from nootropic_bot.serve.deliveries import EVENTS, Asked, read_delivery
from nootropic_bot.serve.ledger import Ledger
from nootropic_bot.serve.pool import Log, Pool, told
from nootropic_bot.serve.signature import HEADER, is_signed, is_well_formed

# GitHub's own limit.
MAX_BODY = 25 << 20
# Bodies up to this are read whenever they come; larger ones, which are rare, a few at a time.
_SMALL = 1 << 20
_LARGE_AT_ONCE = 4
# GitHub gives up after ten.
BODY_SECONDS = 10.0
_RETRY_AFTER = "120"
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_STATUS = {"queued": 202, "known": 200, "full": 503}


class _Refused(Exception):
    """The delivery is not taken in. `status`: of the answer."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(slots=True)
class Door:
    """What a request is compared with, and where it goes. `covers`: whether a repository is ours."""

    secret: bytes = field(repr=False)
    ledger: Ledger
    pool: Pool
    covers: Callable[[str], bool]
    log: Log
    max_body: int = MAX_BODY
    body_seconds: float = BODY_SECONDS
    _large: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_LARGE_AT_ONCE))

    async def webhook(self, request: Request) -> Response:
        """Take a delivery in."""
        try:
            body = await self._signed_body(request)
            event, delivery = _header(request, "x-github-event"), _header(request, "x-github-delivery")
            status, answer = await run_in_threadpool(self._take_in, event, delivery, _media(request), body)
        except _Refused as refused:
            self.log(f"refused: {refused.reason}")
            return _answer(refused.status, refused.reason)
        except ClientDisconnect:
            self.log("refused: the sender hung up")
            return _answer(400, "incomplete")
        self.log(f"delivery {delivery}: {answer}")
        return _answer(status, answer.rpartition(": ")[2])

    async def health(self, request: Request) -> Response:
        """Whether the ledger can be read, and how much there is to do."""
        try:
            waiting = await run_in_threadpool(self.ledger.waiting)
        except NootropicError:
            return JSONResponse({"status": "failing"}, 503)
        status = "stopping" if self.pool.stopping.is_set() else "ok"
        return JSONResponse({"status": status, "waiting": waiting, "running": self.pool.running})

    async def _signed_body(self, request: Request) -> bytes:
        signatures = request.headers.getlist(HEADER)
        if not is_well_formed(signatures):
            raise _Refused(401, "no SHA-256 signature")
        stated = request.headers.get("content-length", "")
        if stated.isdecimal() and (len(stated) > 18 or int(stated) > self.max_body):
            raise _Refused(413, "too large")
        is_small = stated.isdecimal() and int(stated) <= _SMALL
        try:
            async with contextlib.nullcontext() if is_small else self._large:
                body = await asyncio.wait_for(self._read(request), self.body_seconds)
        except asyncio.TimeoutError:
            raise _Refused(408, "too slow") from None
        # A large one takes a while to be hashed, during which others are answered.
        if not await run_in_threadpool(is_signed, self.secret, body, signatures):
            raise _Refused(401, "the signature is wrong")
        return body

    async def _read(self, request: Request) -> bytes:
        found = bytearray()
        async for chunk in request.stream():
            found += chunk
            if len(found) > self.max_body:
                raise _Refused(413, "too large")
        return bytes(found)

    def _take_in(self, event: str, delivery: str, media: str, body: bytes) -> tuple[int, str]:
        """Status and what is said; of the delivery only after its signature was found good."""
        if self.pool.stopping.is_set():
            raise _Refused(503, "stopping")
        if media != "application/json":
            raise _Refused(415, f"the webhook sends {media[:60]!r}: choose `application/json` in its settings")
        if event not in EVENTS:
            return (200 if event == "ping" else 204), f"{event}: none of ours"
        try:
            asked = read_delivery(event, body)
        except UsageError as error:
            raise _Refused(400, f"{event}: {one_line(error.message)}") from error
        if asked is None or not self.covers(asked.repository):
            return 204, f"{event}: none of ours"
        return self._accept(delivery, asked)

    def _accept(self, delivery: str, asked: Asked) -> tuple[int, str]:
        try:
            accepted = self.ledger.accept(delivery, asked)
            if accepted == "queued":
                self.pool.wake()
        except NootropicError as error:
            raise _Refused(503, one_line(error.message)) from error
        return _STATUS[accepted], f"{told(asked)}: {accepted}"


def make_app(door: Door) -> Starlette:
    """The application; nothing is started."""
    return Starlette(routes=[Route("/webhook", door.webhook, methods=["POST"]), Route("/healthz", door.health)])


def _header(request: Request, name: str) -> str:
    """A header that is a plain name.

    Raises:
        _Refused: it is missing, or something else.
    """
    value = request.headers.get(name, "")
    if not _NAME.fullmatch(value):
        raise _Refused(400, f"no {name}")
    return value


def _media(request: Request) -> str:
    return one_line(request.headers.get("content-type", "").partition(";")[0].strip().lower())


def _answer(status: int, text: str) -> Response:
    headers = {"Retry-After": _RETRY_AFTER} if status == 503 else None
    if status == 204:
        return Response(None, 204)
    return JSONResponse({"status": text}, status, headers=headers)
