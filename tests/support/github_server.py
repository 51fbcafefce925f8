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

import io
import threading
import time
import zipfile
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tests.support.github import records as r
from tests.support.github.contract import ContractBroken, Violation
from tests.support.github.events import Events
from tests.support.github.faults import Fault, Faults
from tests.support.github.http import Handler, Http
from tests.support.github.hub import Hub
from tests.support.github.limits import Limits
from tests.support.github.log import Log
from tests.support.github.people import apply_suggestions
from tests.support.github.pipeline import Pipeline
from tests.support.github.turns import Turns
from tests.support.repo import Repo

if TYPE_CHECKING:
    from github import Github

BOT = "github-actions[bot]"
T = TypeVar("T")


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
        self.turns: Turns | None = None
        self.pipeline = Pipeline(self.hub, self.limits)
        server = self

        class Own(Handler):
            owner = server

        self._http = Http(("127.0.0.1", 0), Own)
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

    # What goes wrong, or happens at once.

    def play(self, order: Iterable[str], **clients: Callable[[], T]) -> dict[str, T]:
        """Run clients at once, each in a thread of its own and named like its token; `order` says whose request is
        carried out next. What each of them answered."""
        self.turns = turns = Turns(order, set(clients))
        with ThreadPoolExecutor(len(clients)) as pool:
            running = {name: pool.submit(turns.played, name, client) for name, client in clients.items()}
        self.turns = None
        return {name: each.result() for name, each in running.items()}

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

    def meanwhile(self, method: str, path: str, action: Callable[[], object], *, skip: int = 0, times: int = 1) -> None:
        """Something happens just before the next request that fits is carried out, the first `skip` left out."""
        self.faults.add(Fault(method, path, times=times, effect=True, action=action, skip=skip))


def _zip(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return packed.getvalue()
