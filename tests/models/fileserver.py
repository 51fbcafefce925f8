"""A real HTTP server on the loopback interface that serves one file, well or badly, as the script says.

Each request takes the next step of the script; the last one stays. `requests` holds what was asked: path and headers.
"""

from __future__ import annotations

import re
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Step = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Server:
    """A running server."""

    url: str
    requests: list[tuple[str, Message]] = field(default_factory=list)
    script: list[Step] = field(default_factory=list)

    def asked(self, header: str) -> list[str | None]:
        """A header of each request."""
        return [headers.get(header) for _path, headers in self.requests]

    def next_step(self) -> Step:
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]


@contextmanager
def serve(*script: Step, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Run a server as long as the context."""
    server = Server("", script=list(script))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            server.requests.append((self.path, self.headers))
            self.close_connection = True
            server.next_step()(self)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = False

        def handle_error(self, request: object, client_address: object) -> None:
            pass  # A client that goes away, or refuses the certificate, is what some tests are about.

    httpd = Quiet(("127.0.0.1", 0), Handler)
    if tls:
        httpd.socket = tls.wrap_socket(httpd.socket, server_side=True)
    server.url = f"{'https' if tls else 'http'}://127.0.0.1:{httpd.server_address[1]}/m/model-q8_0.gguf"
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()


def file(
    body: bytes,
    *,
    etag: str | None = '"one"',
    ranges: bool = True,
    cut: int | None = None,
    length: bool = True,
    headers: Mapping[str, str] | None = None,
) -> Step:
    """Serve `body`; `cut`: end the connection after so many bytes of it; `ranges` False: as if `Range` were unknown."""

    def step(handler: BaseHTTPRequestHandler) -> None:
        wanted = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        matches = handler.headers.get("If-Range") in (None, etag)
        start = int(wanted[1]) if wanted and ranges and matches else 0
        if start and start >= len(body):
            handler.send_response(416)
            handler.send_header("Content-Range", f"bytes */{len(body)}")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        handler.send_response(206 if start else 200)
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        if length:
            handler.send_header("Content-Length", str(len(body) - start))
        if etag:
            handler.send_header("ETag", etag)
        for name, value in (headers or {}).items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body[start : start + cut] if cut is not None else body[start:])

    return step


def answer(code: int, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Step:
    """Any answer."""

    def step(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return step


def silence(handler: BaseHTTPRequestHandler) -> None:
    """End the connection without a word."""


def model_bytes(size: int = 5000, fill: bytes = b"weights ") -> bytes:
    """What begins like a model file."""
    return (b"GGUF" + (3).to_bytes(4, "little") + fill * (size // len(fill) + 1))[:size]
