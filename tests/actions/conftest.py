"""A repository with our workflows on the server, pull requests of a branch and of a fork, and a machine that runs jobs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.action_runner import Machine
from tests.support.github_server import GitHubServer
from tests.support.place import ACTIONS as ACTIONS
from tests.support.place import CLEAN, Place
from tests.support.place import HOSTED as HOSTED
from tests.support.place import OWN as OWN
from tests.support.place import WRONG as WRONG


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitHubServer]:
    with GitHubServer(tmp_path / "github") as server:
        yield server


@pytest.fixture
def place(server: GitHubServer, tmp_path: Path) -> Place:
    repository = server.create_repository("octo/app")
    main = server.commit(repository, "main", {"load.py": CLEAN, "README.md": "x\n"}, "first")
    server.add_person("mona", repository, "write")
    return Place(server, repository, Machine(server, repository, tmp_path / "machine"), main)
