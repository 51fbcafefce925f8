"""A server, and on it a repository with a pull request from a branch and one from a fork."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
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
    """`work`: a clone of the repository on the branch of pull request 1."""

    server: GitHubServer
    repository: r.Repository
    work: Repo
    folder: Path

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
        work = self.server.checkout(fork, self.folder / owner)
        work.git("switch", "--quiet", "--create", "patch")
        work.commit({"a.py": changed(at={10: "x10 = 'ten'\n"})})
        work.git("push", "--quiet", "origin", "patch")
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
    work = server.checkout(repository, tmp_path / "work")
    work.commit({"a.py": changed(), "gone.py": "gone = 1\n"}, "first")
    work.git("push", "--quiet", "origin", "HEAD:main")
    work.git("switch", "--quiet", "--create", "feature")
    scene = Scene(server, repository, work, tmp_path)
    work.git("rm", "--quiet", "gone.py")
    scene.push({"a.py": changed(at=FIVE_AND_THIRTY), "new.py": "one = 1\ntwo = 2\n"})
    server.open_pull(repository, "feature")
    return scene
