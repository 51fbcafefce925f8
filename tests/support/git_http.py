"""git over HTTP with tokens, as a forge has it: git's own `http-backend` behind a door that asks who is there."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.github import records as r
from tests.support.github_server import GitHubServer


class GitWeb:
    """Serves `/owner/name.git` of a test server to whoever shows a token of it. `denied`: requests without a good one;
    `users`: the labels of the tokens that were shown."""

    def __init__(self, server: GitHubServer) -> None:
        self.server = server
        self.denied: list[str] = []
        self.users: list[str] = []
        web = self

        class Own(_Handler):
            owner = web

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Own)
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> GitWeb:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """What GITHUB_SERVER_URL would say."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def repository(self, path: str) -> r.Repository:
        """The repository of a request."""
        return self.server.hub.repository(path.removeprefix("/").partition(".git")[0])

    def token(self, authorization: str) -> r.Token | None:
        """Whose request it is."""
        scheme, _, value = authorization.partition(" ")
        if scheme.lower() != "basic":
            return None
        user, _, password = base64.b64decode(value).decode().partition(":")
        found = self.server.hub.tokens.get(password)
        return found if user == "x-access-token" and found is not None and not found.is_revoked else None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner: GitWeb

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on standard error."""

    def handle_any(self) -> None:
        path, _, query = self.path.partition("?")
        repository = self.owner.repository(path)
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        given = self.headers.get_all("authorization") or []
        token = self.owner.token(given[0]) if len(given) == 1 else None
        if token is None or (token.repositories is not None and repository.id not in token.repositories):
            self.owner.denied.append(f"{self.command} {path}")
            self._send(401, {"WWW-Authenticate": 'Basic realm="git"'}, b"")
            return
        self.owner.users.append(token.label)
        self._send(*self._backend(repository, path, query, raw))

    do_GET = do_POST = handle_any  # noqa: N815

    def _backend(
        self, repository: r.Repository, path: str, query: str, raw: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        place = repository.git.path
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(place.parent),
            "PATH_INFO": f"/{place.name}{path.partition('.git')[2]}",
            "GIT_HTTP_EXPORT_ALL": "1",
            "REMOTE_USER": "somebody",
            "REQUEST_METHOD": self.command,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("content-type", ""),
            "CONTENT_LENGTH": str(len(raw)),
            "HTTP_CONTENT_ENCODING": self.headers.get("content-encoding", ""),
            "GIT_PROTOCOL": self.headers.get("git-protocol", ""),
            # As GitHub: any commit that a ref leads to may be asked for.
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "uploadpack.allowReachableSHA1InWant",
            "GIT_CONFIG_VALUE_0": "true",
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        done = subprocess.run(["git", "http-backend"], input=raw, env=environment, capture_output=True, check=True)
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        return int(headers.pop("Status", "200").split(" ")[0]), headers, body

    def _send(self, status: int, headers: dict[str, Any], body: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": len(body)}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)
