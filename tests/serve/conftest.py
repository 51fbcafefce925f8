"""A webhook server before a GitHub with one pull request."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.github_server import GitHubServer
from tests.support.respond import Desk
from tests.support.site import Site

APP = "def load(value):\n    if value == None:\n        return None\n    return value\n"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitHubServer]:
    with GitHubServer(tmp_path / "github") as server:
        yield server
        assert not server.violations
        assert not server.limits.exceeded


@pytest.fixture
def desk(server: GitHubServer, tmp_path: Path) -> Desk:
    """A pull request by `mona`, who may write, on a branch of the repository itself."""
    return Desk.open(server, tmp_path, app=APP)


@pytest.fixture
def site(desk: Desk, tmp_path: Path) -> Site:
    """Not started yet."""
    made = Site(desk.server, tmp_path)
    made.publish(desk.repository)
    return made


@pytest.fixture
def idle(site: Site) -> Site:
    """One that takes deliveries in and does nothing."""
    site.workers = 0
    return site
