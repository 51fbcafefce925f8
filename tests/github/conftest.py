"""A server, and on it a repository with a pull request from a branch and one from a fork."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest
from github.PullRequest import PullRequest

from tests.support.clock import Clock
from tests.support.github import records as r
from tests.support.github_server import GitHubServer
from tests.support.repo import Repo

LINES = [f"x{number} = {number}\n" for number in range(1, 41)]


def changed(*, at: dict[int, str] | None = None, above: str = "") -> str:
    """The file with some lines (1-based) replaced."""
    return above + "".join((at or {}).get(number, line) for number, line in enumerate(LINES, 1))


FIVE_AND_THIRTY = {5: "x5 = eval('5')\n", 30: "x30 = eval('30')\n"}


@dataclass
class Scene:
    """`main` and `head`: the commits that pull request 1 lies between."""

    server: GitHubServer
    repository: r.Repository
    folder: Path
    main: str
    head: str

    @cached_property
    def work(self) -> Repo:
        """A clone on the branch of pull request 1."""
        work = self.server.checkout(self.repository, self.folder / "work")
        work.git("switch", "--quiet", "feature")
        return work

    def push(self, files: dict[str, str | bytes], *, force: bool = False) -> str:
        """Commit, push, and answer the id."""
        sha = self.work.commit(files)
        self.work.git("push", "--quiet", *(["--force"] if force else []), "origin", "HEAD:feature")
        return sha

    def pull(self, label: str | None = "bot", number: int = 1) -> PullRequest:
        """A pull request through PyGithub."""
        return self.server.client(label).get_repo("octo/app").get_pull(number)

    def open_from_fork(self, owner: str = "eve") -> r.PullRequest:
        """A pull request from somebody's copy."""
        fork = self.server.fork(self.repository, owner)
        self.server.commit(fork, "patch", {"a.py": changed(at={10: "x10 = 'ten'\n"})}, user=owner, parent=self.main)
        return self.server.open_pull(self.repository, f"{owner}:patch", user=owner)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(tmp_path: Path, clock: Clock) -> Iterator[GitHubServer]:
    def now() -> float:
        return clock.today().timestamp()

    with GitHubServer(tmp_path / "github", clock=now) as server:
        yield server


@pytest.fixture
def scene(server: GitHubServer, tmp_path: Path) -> Scene:
    repository = server.create_repository("octo/app")
    main = server.commit(repository, "main", {"a.py": changed(), "gone.py": "gone = 1\n"}, "first")
    files = {"a.py": changed(at=FIVE_AND_THIRTY), "new.py": "one = 1\ntwo = 2\n", "gone.py": None}
    head = server.commit(repository, "feature", files, parent=main)
    server.open_pull(repository, "feature")
    return Scene(server, repository, tmp_path, main, head)
