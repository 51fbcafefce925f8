"""A server with one pull request."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.github_server import GitHubServer
from tests.support.respond import Desk


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitHubServer]:
    with GitHubServer(tmp_path / "github") as server:
        yield server
        assert not server.violations
        assert not server.limits.exceeded


@pytest.fixture
def desk(server: GitHubServer, tmp_path: Path) -> Desk:
    return Desk.open(server, tmp_path)
