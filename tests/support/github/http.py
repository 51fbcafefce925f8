"""HTTP on loopback."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

from tests.support.github.contract import Violation
from tests.support.github.faults import Faults
from tests.support.github.hub import Hub
from tests.support.github.log import Log, Logged
from tests.support.github.pipeline import Pipeline
from tests.support.github.routing import Answer
from tests.support.github.turns import Turns


class Http(ThreadingHTTPServer):
    """A thread a connection; all of them end with it."""

    daemon_threads = False  # Threads are joined at the end: a test can't leave one behind.
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[Handler]) -> None:
        super().__init__(address, handler)
        self._open: set[socket.socket] = set()

    def hang_up(self) -> None:
        """Close the connections that clients keep open for more requests."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are what some tests are about."""


class Owner(Protocol):
    """What the handler needs of the server."""

    hub: Hub
    faults: Faults
    log: Log
    pipeline: Pipeline
    stopping: threading.Event
    turns: Turns | None

    @property
    def drift(self) -> list[Violation]:
        """Where the server did not keep to the description, or failed."""


class Handler(BaseHTTPRequestHandler):
    """Reads requests, asks the pipeline, and writes answers; or lets something go wrong instead."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    owner: Owner
    timeout = 60

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on standard error."""

    def handle_any(self) -> None:
        """One request, when its turn has come."""
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        turns = self.owner.turns
        with contextlib.nullcontext() if turns is None else turns.taken(self.owner.pipeline.label(headers)):
            self._handle(headers, raw)

    def _handle(self, headers: dict[str, str], raw: bytes) -> None:
        """One request, with what was ordered to go wrong with it."""
        server, (path, _, query) = self.owner, self.path.partition("?")
        fault = server.faults.take(self.command, _place(path, raw))
        if fault is not None and fault.seconds:
            server.stopping.wait(fault.seconds)
        if fault is not None and fault.action is not None:
            fault.action()
        answer = self._answer(headers, raw) if fault is None or fault.effect else None
        if fault is not None and fault.status is not None:
            answer = fault.answer
        elif fault is not None and fault.is_drop:
            answer = None
        status = 0 if answer is None else answer.status
        label = server.pipeline.label(headers)
        server.log.append(Logged(server.hub.now(), self.command, path, query, label, status, _parsed(raw)))
        if answer is None:
            self._drop()
        else:
            self._send(answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815

    def _answer(self, headers: dict[str, str], raw: bytes) -> Answer:
        if match := re.fullmatch(r"/storage/artifacts/(\d+)", self.path):
            return self._storage(int(match[1]))
        try:
            return self.owner.pipeline.answer(self.command, self.path, headers, raw)
        except Exception as error:
            # A handler that fails must not look like a GitHub that is down: the test fails at the end.
            self.owner.drift.append(Violation(self.command, self.path, f"the server failed: {error!r}"))
            raise

    def _storage(self, number: int) -> Answer:
        if "authorization" in self.headers:
            return Answer(b"<Error>The authorization header is not supported</Error>", 400, media="application/xml")
        return Answer(self.owner.hub.artifacts[number].data, media="application/zip")

    def _send(self, answer: Answer) -> None:
        data = answer.bytes
        self.send_response(answer.status)
        media = answer.media if answer.media != "application/json" else "application/json; charset=utf-8"
        fixed = {"content-length": str(len(data)), "x-github-request-id": os.urandom(4).hex()}
        for name, value in {**({"content-type": media} if data else {}), **fixed, **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(data)

    def _drop(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True


def _place(path: str, raw: bytes) -> str:
    """What a fault is ordered by: the path, and of GraphQL's mutations the first field, as `/graphql#updateRefs`; a query
    for the threads is `/graphql#reviewThreads`."""
    query = _parsed(raw) if path == "/graphql" else None
    text = query.get("query") if isinstance(query, dict) else None
    found = re.match(r"\s*mutation[^{]*\{\s*(\w+)", text) if isinstance(text, str) else None
    found = found or (re.search(r"(reviewThreads)\(", text) if isinstance(text, str) else None)
    return f"{path}#{found[1]}" if found else path


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return raw
