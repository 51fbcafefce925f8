"""The webhook server in tests: the real one on loopback, before the GitHub of the tests, and deliveries to it."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import os
import queue
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from nootropic_bot.github.apps import App, Credentials
from nootropic_bot.github.runner import Runner
from nootropic_bot.serve.app import Door
from nootropic_bot.serve.server import Settings, bind, open_door, serve
from tests.support.github import records as r
from tests.support.github_server import GitHubServer
from tests.support.repo import PROJECT

SECRET = "tell nobody, not even the log"
WEB = "https://github.test"
_SECONDS = 240.0
# Where this test process finds what is installed beside the project.
PATHS = os.pathsep.join([str(PROJECT), os.environ.get("PYTHONPATH", "")]).strip(os.pathsep)


@cache
def private_key() -> str:
    """An app's key."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, plain)
    return pem.decode()


@dataclass(frozen=True)
class Reply:
    """What the sender of a delivery is told."""

    status: int
    headers: Mapping[str, str]
    text: str


@dataclass
class Site:
    """A server that may be started several times on the same folder. `lines`: its log; `slept`: what it waited; `web`:
    where git finds the repositories."""

    server: GitHubServer
    folder: Path
    workers: int = 2
    credentials: Credentials | None = None
    web: str = WEB
    lines: list[str] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    _news: queue.Queue[str] = field(default_factory=queue.Queue)
    port: int = 0

    def publish(self, repository: r.Repository) -> None:
        """Let git find a repository where the web would have it."""
        path = Path(os.environ["HOME"]) / ".gitconfig"
        place = repository.git.path.as_uri()
        with path.open("a") as file:
            file.write(f'[url "{place}"]\n\tinsteadOf = {WEB}/{repository.full_name}.git\n')

    def app(self, **more: Any) -> App:
        """The app that is installed everywhere on that GitHub."""
        return App(
            self.server.url,
            str(self.server.hub.user("nootropic[bot]").id),
            private_key(),
            pause=self.slept.append,
            **more,
        )

    def settings(self, **changed: Any) -> Settings:
        """As the command makes them."""
        runner = Runner(api_url=self.server.url, server_url=self.web)
        made = Settings(
            self.folder / "serve", SECRET.encode(), self.credentials or self.app(), runner, self.workers, grace=60.0
        )
        return replace(made, **changed)

    @contextmanager
    def running(self, *, pause: Callable[[float], None] | None = None, **changed: Any) -> Iterator[Door]:
        """The server, until the end of the context."""
        with closing(bind("127.0.0.1", 0)) as listener, self._opened(pause, changed) as door:
            self.port = listener.getsockname()[1]
            asgi = serve(door)
            thread = threading.Thread(target=asgi.run, kwargs={"sockets": [listener]})
            thread.start()
            try:
                yield door
            finally:
                asgi.should_exit = True
                thread.join()

    def _opened(
        self, pause: Callable[[float], None] | None, changed: Mapping[str, Any]
    ) -> AbstractContextManager[Door]:
        return open_door(self.settings(**changed), self._log, pause=pause or self.slept.append)

    def send(
        self, event: str, payload: Any, *, delivery: str | None = None, headers: Mapping[str, str] | None = None,
        signature: str | None = None, body: bytes | None = None,
    ) -> Reply:  # fmt: skip
        """A delivery, signed as GitHub signs it unless told otherwise; a header of "" is left out."""
        raw = json.dumps(payload).encode() if body is None else body
        given = {
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": delivery or str(uuid.uuid4()),
            "X-Hub-Signature-256": sign(raw) if signature is None else signature,
            "Content-Type": "application/json",
            **(headers or {}),
        }
        return self.request("POST", "/webhook", raw, {name: value for name, value in given.items() if value})

    def request(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Reply:
        """Any request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body or None, dict(headers or {}))
            answer = connection.getresponse()
            return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read().decode())
        finally:
            connection.close()

    def push(self, pull: r.PullRequest, action: str = "opened", **more: Any) -> Reply:
        """The delivery of a pull request that was opened, or pushed to."""
        return self.send("pull_request", self.server.events.pull_request(pull, action), **more)

    def say(self, comment: r.IssueComment, **more: Any) -> Reply:
        """The delivery of a comment."""
        return self.send("issue_comment", self.server.events.issue_comment(comment), **more)

    def wait(self, text: str) -> str:
        """The next line of the log that begins like this."""
        while True:
            line = self._news.get(timeout=_SECONDS)
            if line.startswith(text):
                return line

    def _log(self, line: str) -> None:
        self.lines.append(line)
        self._news.put(line)


def sign(body: bytes, secret: str = SECRET, method: str = "sha256") -> str:
    """The header of a signature."""
    return f"{method}={hmac.new(secret.encode(), body, getattr(hashlib, method)).hexdigest()}"
