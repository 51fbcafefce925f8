"""A server whose clock is a test's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.clock import Clock
from tests.support.github_server import GitHubServer
from tests.support.trusted import TrustedJob, numbered


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(tmp_path: Path, clock: Clock) -> Iterator[GitHubServer]:
    with GitHubServer(tmp_path / "github", clock=lambda: clock.today().timestamp()) as server:
        yield server
        assert not server.violations


@pytest.fixture
def job(server: GitHubServer, tmp_path: Path, clock: Clock) -> TrustedJob:
    """A fork's pull request that changes lines 10 and 20 of `a.py` and all of `b.py`."""
    base = {"a.py": numbered(40), "b.py": numbered(40), "nootropic.toml": 'fail_on = "error"\n'}
    head = {"a.py": numbered(40, 10, 20), "b.py": numbered(40, *range(1, 41))}
    made = TrustedJob.open(server, tmp_path, base, head)
    made.clock = clock
    return made
