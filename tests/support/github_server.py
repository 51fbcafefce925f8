"""A GitHub on 127.0.0.1 for tests: real bare git repositories behind GitHub's REST and GraphQL interfaces.

Diffs, merges and the places of comments are git's own answers; every request and every answer is held to GitHub's own
description of its interface; the rules that no description holds are in `tests/support/github/`.

    with GitHubServer(tmp_path / "github") as server:
        repository = server.create_repository("octo/app")
        work = server.checkout(repository, tmp_path / "work")
        … commit and push with git …
        pull = server.open_pull(repository, "feature")
        server.client("bot").get_repo("octo/app").get_pull(pull.number).create_review(…)
        assert not server.violations
        assert server.log.count("POST") == 1

An answer of the server that GitHub would not give raises `ContractBroken` at the end of the `with` block.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import socket
import struct
import threading
import time
import zipfile
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.github import records as r
from tests.support.github.contract import ContractBroken, Violation
from tests.support.github.events import Events
from tests.support.github.faults import Fault, Faults
from tests.support.github.hub import Hub
from tests.support.github.limits import Limits
from tests.support.github.log import Log, Logged
from tests.support.github.people import apply_suggestions
from tests.support.github.pipeline import Pipeline
from tests.support.github.routing import Answer
from tests.support.repo import Repo

if TYPE_CHECKING:
    from github import Github

BOT = "github-actions[bot]"


class GitHubServer:
    """The server, and what people do there in their browsers.

    `log`: all requests. `violations`: what clients asked for that GitHub's description does not know; a test
    asserts that there are none. `limits`: the rate limits and which were exceeded. `hub`: the memory.
    Tokens by label: `bot` (a workflow's, may write everything), `poster` (like it, but for contents: it can't
    resolve threads), `fork` (a workflow's on a fork's pull request: reads), `read-only` (a person's without any role),
    `app` (an installation's), `revoked`; `add_token` makes more, `add_person` one for a person.
    """

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.time) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.hub = Hub(folder.resolve(), clock)
        self.limits = Limits()
        self.log = Log()
        self.stopping = threading.Event()
        self.faults = Faults()
        self.pipeline = Pipeline(self.hub, self.limits)
        server = self

        class Handler(_Handler):
            owner = server

        self._http = _Http(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self.hub.url = self.url
        self._add_tokens()

    def __enter__(self) -> GitHubServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._http.shutdown()
        self._http.hang_up()
        self._http.server_close()
        self._thread.join()
        if self.drift:
            # Also when the test failed for another reason: this is likelier to be the cause.
            raise ContractBroken("\n".join(f"{each.method} {each.path}: {each.message}" for each in self.drift))

    @property
    def url(self) -> str:
        """The base URL, as `GITHUB_API_URL` would say it."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    @property
    def violations(self) -> list[Violation]:
        """Where clients did not keep to the description."""
        return self.pipeline.violations

    @property
    def drift(self) -> list[Violation]:
        """Where the server did not, or failed."""
        return self.pipeline.drift

    # Tokens and clients.

    def _add_tokens(self) -> None:
        no_contents = {**r.WRITE_ALL, "contents": "read"}
        self.add_token("bot", BOT, permissions=r.WRITE_ALL)
        self.add_token("poster", BOT, permissions=no_contents)
        self.add_token("fork", BOT, permissions=r.READ_ALL)
        self.add_token("app", "nootropic[bot]", kind="installation", permissions=r.WRITE_ALL)
        self.add_token("revoked", BOT, permissions=r.WRITE_ALL, is_revoked=True)
        self.add_token("read-only", "passer-by", kind="user")

    def add_token(
        self, label: str, login: str, *, kind: str = "actions", permissions: Mapping[str, str] | None = None,
        repositories: frozenset[int] | None = None, is_revoked: bool = False,
    ) -> r.Token:  # fmt: skip
        """A token for an account; `records.Token` says what the kinds are."""
        user, value = self.hub.user(login), f"ghs_{label}_{len(self.hub.tokens)}"
        token = r.Token(label, value, kind, user, permissions or {}, repositories, is_revoked)
        self.hub.tokens[value] = token
        return token

    def add_person(self, login: str, repository: r.Repository | None = None, role: str = "read") -> r.Token:
        """A person, their role in a repository, and their token, whose label is their login."""
        if repository is not None:
            repository.roles[login] = role
        return self.add_token(login, login, kind="user")

    def token(self, label: str) -> str:
        """The text of a token."""
        return next(each.value for each in self.hub.tokens.values() if each.label == label)

    def client(self, label: str | None = "bot", **options: Any) -> Github:
        """PyGithub with only the base URL changed. Nothing is tried again or delayed unless the options say so."""
        import github

        auth = None if label is None else github.Auth.Token(self.token(label))
        options = {"retry": None, "seconds_between_requests": 0, "seconds_between_writes": 0, "timeout": 30, **options}
        return github.Github(auth=auth, base_url=self.url, **options)

    # What people do.

    def create_repository(self, full_name: str, **options: Any) -> r.Repository:
        """A new, empty one; options of `Hub.create_repository`."""
        with self.hub.lock:
            return self.hub.create_repository(full_name, **options)

    def commit(
        self, repository: r.Repository, branch: str, files: Mapping[str, str | bytes | None], message: str = "change",
        *, user: str = "mona", parent: str | None = None,
    ) -> str:  # fmt: skip
        """A commit without a clone, as if pushed; None removes a file. `parent`: where a new branch starts."""
        with self.hub.lock:
            return self.hub.commit(repository, branch, files, message, self.hub.user(user), parent=parent)

    def fork(self, repository: r.Repository, owner: str) -> r.Repository:
        """A person's copy of its branches."""
        with self.hub.lock:
            return self.hub.fork(repository, owner)

    def checkout(self, repository: r.Repository, folder: Path) -> Repo:
        """A clone to commit in; `git push` from it is all that a push takes."""
        folder.parent.mkdir(parents=True, exist_ok=True)
        at = Repo(folder.parent)
        at.git("clone", "--quiet", str(repository.git.path), str(folder))
        return Repo(folder)

    def open_pull(
        self, repository: r.Repository, head: str, base: str = "main", *, user: str = "mona", title: str = "A change",
        body: str | None = None, draft: bool = False,
    ) -> r.PullRequest:  # fmt: skip
        """A pull request of a branch, or of `owner:branch` of a fork."""
        with self.hub.lock:
            author = self.hub.user(user)
            return self.hub.open_pull(repository, author, title, head=head, base=base, body=body, draft=draft)

    def sync(self) -> None:
        """Notice pushes now. Requests do so by themselves; this is for two pushes without one in between."""
        with self.hub.lock:
            for pull in self.hub.pulls.values():
                self.hub.sync(pull)

    def comment(self, pull: r.PullRequest, user: str, body: str) -> r.IssueComment:
        """A person's comment on a pull request."""
        with self.hub.lock:
            now = self.hub.now()
            comment = r.IssueComment(self.hub.new_id(), self.hub.user(user), body, now, now, pull=pull)
            pull.comments.append(comment)
            self.hub.keep(comment, "IC")
            return comment

    def find_comment(self, number: int) -> r.ReviewComment:
        """A review comment by its number."""
        comment: r.ReviewComment = self.hub.nodes[f"PRRC_{number}"]
        return comment

    def apply_suggestions(self, *numbers: int, user: str = "mona") -> str:
        """The button of the page, for these review comments in one batch; `NotApplicable` where there is none."""
        with self.hub.lock:
            return apply_suggestions(self.hub, [self.find_comment(each) for each in numbers], self.hub.user(user))

    @property
    def events(self) -> Events:
        """What webhooks and workflows are told."""
        return Events(self.hub)

    def add_workflow(self, repository: r.Repository, path: str, name: str) -> r.Workflow:
        """A workflow file; its text is read from git when it is dispatched."""
        with self.hub.lock:
            workflow = r.Workflow(self.hub.new_id(), repository, path, name)
            self.hub.workflows[workflow.id] = workflow
            return workflow

    def add_run(
        self, workflow: r.Workflow, pull: r.PullRequest, artifacts: Mapping[str, Mapping[str, bytes] | bytes], *,
        event: str = "pull_request", conclusion: str = "success",
    ) -> r.WorkflowRun:  # fmt: skip
        """A finished run for a pull request's head. An artifact: files by name, or the bytes of what should be a zip."""
        with self.hub.lock:
            self.hub.sync(pull)
            source = pull.head_repository or pull.repository
            run = r.WorkflowRun(
                self.hub.new_id(), len(self.hub.runs) + 1, workflow, event, source, pull.head_branch, pull.head,
                pull.user, self.hub.now(), "completed", conclusion,
            )  # fmt: skip
            self.hub.runs[run.id] = run
            for name, content in artifacts.items():
                data = content if isinstance(content, bytes) else _zip(content)
                artifact = r.Artifact(self.hub.new_id(), run, name, data, self.hub.now())
                run.artifacts.append(artifact)
                self.hub.artifacts[artifact.id] = artifact
            return run

    # What goes wrong.

    def fail_next(
        self, method: str, path: str, status: int, *, headers: Mapping[str, str] | None = None, body: object = None,
        times: int = 1, effect: bool = False,
    ) -> None:  # fmt: skip
        """The next requests that fit (`*`: any method; `path`: a regular expression) get this status. `effect`: they
        are carried out before, as when a time-out hides that a write was accepted."""
        self.faults.add(Fault(method, path, status, headers or {}, body, times, effect))

    def drop_next(self, method: str, path: str, *, times: int = 1, effect: bool = False) -> None:
        """The connection is reset instead of an answer."""
        self.faults.add(Fault(method, path, times=times, effect=effect, is_drop=True))

    def slow_next(self, method: str, path: str, seconds: float, *, times: int = 1) -> None:
        """The answer comes late."""
        self.faults.add(Fault(method, path, times=times, effect=True, seconds=seconds))


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return raw


def _zip(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return packed.getvalue()


class _Http(ThreadingHTTPServer):
    daemon_threads = False  # Threads are joined at the end: a test can't leave one behind.
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[_Handler]) -> None:
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


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    owner: GitHubServer
    timeout = 60

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on standard error."""

    def handle_any(self) -> None:
        """One request, with what was ordered to go wrong with it."""
        server, (path, _, query) = self.owner, self.path.partition("?")
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        fault = server.faults.take(self.command, path)
        if fault is not None and fault.seconds:
            server.stopping.wait(fault.seconds)
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
