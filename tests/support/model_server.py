"""A server on 127.0.0.1 that speaks the protocols of OpenAI and Anthropic, and misbehaves on command.

By itself it behaves: a make-believe model answers each prompt with words that depend on all of it, keeps to `max_tokens`
(a token is a word with its space), stops at stop texts, refuses prompts above its context, streams, and tells log
probabilities. Asked to take its time (`SLOWLY`), it writes a word every 20 ms. `misbehave` says what happens to the next requests instead, one step each:

    with ModelServer() as server:
        server.misbehave(status(503), hang)
        OpenAICompatible("x", url=server.url, model="m").generate(…)
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_WORDS = ("alpha", "beta", "gamma", "delta", "value", "query", "safe", "load", "item", "token")
CONTEXT_TOKENS = 400
SLOWLY = "take your time"
LOG_PROBABILITY = -0.01


@dataclass(frozen=True)
class Seen:
    """A request that came in; header names in lower case."""

    path: str
    headers: Mapping[str, str]
    body: Any


class ModelServer:
    """The server. Everything it still does ends with the `with` block.

    `seen`: all requests. `hung_up`: set when a client closed the connection that a step such as `hang` was holding.
    `owner`: what its list of models says. `tls`: serve https.
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None, owner: str = "test") -> None:
        self.seen: list[Seen] = []
        self.hung_up = threading.Event()
        self.stopping = threading.Event()
        self.owner = owner
        self._steps: list[Step] = []
        self._lock = threading.Lock()
        server = self

        class Handler(_Handler):
            owner = server

        self._http = _Server(("127.0.0.1", 0), Handler, tls)
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self._scheme = "http" if tls is None else "https"

    def __enter__(self) -> ModelServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._http.shutdown()
        self._http.hang_up()
        self._http.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        return int(self._http.server_address[1])

    @property
    def origin(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """The base URL for OpenAI's protocol; Anthropic's clients want `origin`."""
        return f"{self.origin}/v1"

    def misbehave(self, *steps: Step) -> None:
        """What happens to the next requests, in order; `behave` is what happens to the rest."""
        with self._lock:
            self._steps += steps

    def next_step(self) -> Step:
        with self._lock:
            return self._steps.pop(0) if self._steps else behave

    def bodies(self, path_end: str = "") -> list[Any]:
        """The bodies of requests whose path ends so."""
        return [each.body for each in self.seen if each.path.endswith(path_end)]


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # Threads are joined at the end: a test can't leave one behind.

    def __init__(self, address: tuple[str, int], handler: type[_Handler], tls: ssl.SSLContext | None) -> None:
        super().__init__(address, handler)
        self._tls = tls
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

    def finish_request(self, request: Any, client_address: Any) -> None:
        # Here, in the connection's own thread: a TLS handshake must not hold up others.
        if self._tls is None:
            super().finish_request(request, client_address)
            return
        with contextlib.suppress(OSError), self._tls.wrap_socket(request, server_side=True) as wrapped:
            super().finish_request(wrapped, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are what the tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner: ModelServer
    timeout = 60

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on standard error."""

    def do_GET(self) -> None:
        self._handle(None)

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        self._handle(json.loads(raw))

    def _handle(self, body: Any) -> None:
        self.body = body
        self.owner.seen.append(Seen(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        try:
            self.owner.next_step()(self)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            self.owner.hung_up.set()
            self.close_connection = True

    def reply(
        self, data: bytes, content_type: str, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in {"content-type": content_type, "content-length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def reply_json(self, data: object, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        self.reply(json.dumps(data).encode(), "application/json", status, headers)

    def begin_events(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True

    def event(self, data: object, name: str = "") -> None:
        text = data if isinstance(data, str) else json.dumps(data)
        self.wfile.write(f"{f'event: {name}' + chr(10) if name else ''}data: {text}\n\n".encode())
        self.wfile.flush()

    def wait_for_hang_up(self, seconds: float = 30.0) -> None:
        """Hold the connection until the client closes it or the server stops."""
        self.connection.settimeout(0.01)
        for _ in range(int(seconds / 0.01)):
            if self.owner.stopping.is_set():
                break
            with contextlib.suppress(TimeoutError, socket.timeout):
                if self.connection.recv(1) == b"":
                    self.owner.hung_up.set()
                    break
        self.close_connection = True


Step = Callable[[_Handler], None]


# What a server does when all is well.


def behave(handler: _Handler) -> None:
    """Answer as a model would."""
    path, body = handler.path, handler.body
    if path.endswith("/models"):
        handler.reply_json(
            {"object": "list", "data": [{"id": "m", "object": "model", "owned_by": handler.owner.owner}]}
        )
    elif path.endswith("/embeddings"):
        entries = [
            {"object": "embedding", "index": i, "embedding": _vector(text)} for i, text in enumerate(body["input"])
        ]
        handler.reply_json({"object": "list", "model": "m", "data": entries[::-1]})
    elif SLOWLY in json.dumps(body) and not body.get("stream"):
        handler.wait_for_hang_up()
    elif path.endswith("/messages"):
        _Answer.of(body).as_message(handler)
    elif _Answer.of(body).is_too_long:
        message = f"This model's maximum context length is {CONTEXT_TOKENS} tokens."
        handler.reply_json({"error": {"message": message, "code": "context_length_exceeded"}}, 400)
    elif body.get("stream"):
        _Answer.of(body).as_events(handler)
    else:
        _Answer.of(body).as_whole(handler)


@dataclass(frozen=True)
class _Answer:
    words: tuple[str, ...]
    finish: str
    prompt_tokens: int
    is_chat: bool
    has_log_probabilities: bool

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> _Answer:
        turns = [*([{"content": body["system"]}] if body.get("system") else []), *body.get("messages", [])]
        prompt = body.get("prompt") or "\n".join(turn["content"] for turn in turns)
        limit = body.get("max_tokens") or body.get("max_completion_tokens") or 16
        stops = body.get("stop") or body.get("stop_sequences") or []
        seed = body.get("seed", 0) if body.get("temperature") else 0
        words = tuple(itertools.islice(_words(prompt, seed), limit))
        text = "".join(words)
        cut = min((place for stop in stops if (place := text.find(stop)) >= 0), default=None)
        if body.get("response_format") or body.get("output_config"):
            words, cut = ('{"ok":', " true}"), 100
            text = "".join(words)
        kept = words if cut is None else (text[:cut],)
        finish = "length" if cut is None else "stop"
        return cls(kept, finish, len(prompt.split()), "messages" in body, bool(body.get("logprobs")))

    @property
    def is_too_long(self) -> bool:
        return self.prompt_tokens > CONTEXT_TOKENS

    def choice(self, text: str, finish: str | None, *, is_piece: bool) -> dict[str, Any]:
        choice: dict[str, Any] = {"index": 0, "finish_reason": finish, "logprobs": None}
        if not self.is_chat:
            return {**choice, "text": text}
        return {**choice, "delta" if is_piece else "message": {"role": "assistant", "content": text}}

    def as_whole(self, handler: _Handler) -> None:
        choice = self.choice("".join(self.words), self.finish, is_piece=False) | self.log_probabilities(self.words)
        kind = "chat.completion" if self.is_chat else "text_completion"
        handler.reply_json(
            {"id": "1", "object": kind, "created": 1, "model": "m", "choices": [choice], "usage": self.usage}
        )

    def as_events(self, handler: _Handler) -> None:
        handler.begin_events()
        handler.wfile.write(b": still here\n\n")
        for word in self.words:
            choice = self.choice(word, None, is_piece=True)
            handler.event({"object": "x.chunk", "choices": [choice | self.log_probabilities([word])]})
            self.pause(handler)
        handler.event({"object": "x.chunk", "choices": [self.choice("", self.finish, is_piece=True)]})
        if handler.body.get("stream_options"):
            handler.event({"object": "x.chunk", "choices": [], "usage": self.usage})
        handler.event("[DONE]")

    @property
    def usage(self) -> dict[str, int]:
        count = len(self.words)
        return {"prompt_tokens": self.prompt_tokens, "completion_tokens": count, "total_tokens": count}

    def log_probabilities(self, words: Iterable[str]) -> dict[str, Any]:
        if not self.has_log_probabilities:
            return {}
        tokens = [{"token": word, "logprob": LOG_PROBABILITY, "top_logprobs": []} for word in words]
        in_chat, raw = {"content": tokens}, {"token_logprobs": [token["logprob"] for token in tokens]}
        return {"logprobs": in_chat if self.is_chat else raw}

    def pause(self, handler: _Handler) -> None:
        if SLOWLY in json.dumps(handler.body):
            handler.owner.stopping.wait(0.02)

    def as_message(self, handler: _Handler) -> None:
        if self.is_too_long:
            error = {"type": "invalid_request_error", "message": "prompt is too long: 500 tokens > 400 maximum"}
            handler.reply_json({"type": "error", "error": error}, 400)
            return
        reason = {"length": "max_tokens", "stop": "end_turn"}[self.finish]
        usage = {"input_tokens": self.prompt_tokens, "output_tokens": len(self.words)}
        message: dict[str, Any] = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m"}
        if not handler.body.get("stream"):
            content = [{"type": "text", "text": "".join(self.words)}]
            handler.reply_json({**message, "content": content, "stop_reason": reason, "usage": usage})
            return
        handler.begin_events()
        handler.event({"type": "message_start", "message": {**message, "content": [], "usage": usage}}, "message_start")
        handler.event({"type": "ping"}, "ping")
        for word in self.words:
            delta = {"type": "text_delta", "text": word}
            handler.event({"type": "content_block_delta", "index": 0, "delta": delta}, "content_block_delta")
            self.pause(handler)
        handler.event({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": usage}, "message_delta")
        handler.event({"type": "message_stop"}, "message_stop")


def _words(prompt: str, seed: int) -> Iterator[str]:
    for number in itertools.count():
        digest = hashlib.sha256(f"{seed}\0{number}\0{prompt}".encode()).digest()
        yield f"{_WORDS[digest[0] % len(_WORDS)]} "


def _vector(text: str) -> list[float]:
    return [byte / 255 for byte in hashlib.sha256(text.encode()).digest()[:8]]


# What goes wrong. Each is a step for `misbehave`, or makes one.


def status(code: int, body: object = "", headers: Mapping[str, str] | None = None) -> Step:
    """An HTTP status with a body; text is sent as HTML, anything else as JSON."""

    def step(handler: _Handler) -> None:
        if isinstance(body, str):
            handler.reply(body.encode(), "text/html", code, headers)
        else:
            handler.reply_json(body, code, headers)

    return step


def raw(data: bytes, content_type: str = "application/json", headers: Mapping[str, str] | None = None) -> Step:
    """A body of exactly these bytes, status 200."""
    return lambda handler: handler.reply(data, content_type, 200, headers)


def says(data: object) -> Step:
    """Any JSON, status 200."""
    return lambda handler: handler.reply_json(data)


def answers(content: object, finish: object = "stop", **more: object) -> Step:
    """A chat's answer with this content."""
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": content}, **more}
    return says({"object": "chat.completion", "choices": [choice]})


def hang(handler: _Handler) -> None:
    """Say nothing until the client hangs up."""
    handler.wait_for_hang_up()


def reset(handler: _Handler) -> None:
    """Reset the connection instead of answering."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


def cut_body(handler: _Handler) -> None:
    """Announce more than is sent, and close."""
    handler.send_response(200)
    handler.send_header("content-type", "application/json")
    handler.send_header("content-length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"choices": [')
    handler.close_connection = True


def drip(pause: float = 0.02, *, in_headers: bool = False) -> Step:
    """A byte now and then, for ever: never idle for longer than `pause` seconds."""

    def step(handler: _Handler) -> None:
        handler.close_connection = True
        if in_headers:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nx-slow: ")
        else:
            handler.send_response(200)
            handler.send_header("content-type", "application/json")
            handler.end_headers()
        while not handler.owner.stopping.wait(pause):
            handler.wfile.write(b" " if not in_headers else b"a")

    return step


def events(*data: object, ends: str = "close", pause: float = 0.0) -> Step:
    """A stream of these events, then `ends`: "close", "hang" or "reset"."""

    def step(handler: _Handler) -> None:
        handler.begin_events()
        for each in data:
            handler.event(each)
            handler.owner.stopping.wait(pause)
        if ends == "hang":
            handler.wait_for_hang_up()
        elif ends == "reset":
            reset(handler)

    return step


def endless(handler: _Handler) -> None:
    """The same word again and again, as fast as it is taken."""
    handler.begin_events()
    while not handler.owner.stopping.is_set():
        handler.event({"object": "x.chunk", "choices": [{"index": 0, "delta": {"content": "again " * 50}}]})


def huge(megabytes: int) -> Step:
    """One answer of that size."""

    def step(handler: _Handler) -> None:
        handler.send_response(200)
        handler.send_header("content-type", "application/json")
        handler.send_header("connection", "close")
        handler.end_headers()
        handler.close_connection = True
        handler.wfile.write(b'{"choices": [{"message": {"content": "')
        for _ in range(megabytes):
            handler.wfile.write(b"x" * 2**20)
        handler.wfile.write(b'"}}]}')

    return step


def piece(text: object, finish: object = None) -> dict[str, Any]:
    """One event of a chat's stream."""
    return {
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}],
    }


def unused_port() -> int:
    """A port of 127.0.0.1 where nobody listened just now."""
    with socketserver.TCPServer(("127.0.0.1", 0), socketserver.BaseRequestHandler) as server:
        return int(server.server_address[1])
