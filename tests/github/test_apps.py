"""Tokens of an app's installation: for one repository, no more than is used, until shortly before they end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nootropic_bot.errors import EnvironmentFault, UsageError
from nootropic_bot.forge import Missing
from nootropic_bot.github.apps import PERMISSIONS, App, OneToken
from nootropic_bot.github.client import Client
from tests.support.github import records as r
from tests.support.github_server import GitHubServer
from tests.support.site import private_key


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitHubServer]:
    with GitHubServer(tmp_path / "github") as server:
        for name in ("app", "other"):
            server.commit(server.create_repository(f"octo/{name}", is_private=True), "main", {"a.py": "a = 1\n"})
        yield server
        assert not server.violations


def app(server: GitHubServer, clock: Callable[[], float] = time.time) -> App:
    return App(server.url, str(server.hub.user("nootropic[bot]").id), private_key(), clock=clock)


def issued(server: GitHubServer) -> list[r.Token]:
    return [each for each in server.hub.tokens.values() if each.label == "installation"]


def test_a_token_is_for_one_repository_and_used_again(server: GitHubServer) -> None:
    ours = app(server)
    token = ours.token("octo/app")
    assert ours.token("Octo/App") == token
    (made,) = issued(server)
    assert made.value == token
    assert made.permissions == PERMISSIONS
    assert len(made.repositories or ()) == 1
    client = Client.connect(server.url, token)
    assert client.get("/repos/octo/app")["full_name"] == "octo/app"
    with pytest.raises(Missing):
        client.get("/repos/octo/other")
    assert ours.token("octo/other") != token
    assert token not in repr(ours)
    assert token not in repr(vars(ours))


def test_a_token_is_renewed_before_it_ends(server: GitHubServer) -> None:
    at = [time.time()]
    ours = app(server, clock=lambda: at[0])
    first = ours.token("octo/app")
    at[0] += 40 * 60
    assert ours.token("octo/app") == first
    at[0] += 10 * 60
    assert ours.token("octo/app") != first


def test_where_the_app_is_not_installed_that_is_told(server: GitHubServer) -> None:
    with pytest.raises(Missing, match="the app is not installed there"):
        app(server).token("octo/missing")
    with pytest.raises(UsageError):
        app(server).token("octo/../app")


@pytest.mark.parametrize("key", ["", "x", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n"])
def test_a_key_that_is_none_is_refused_at_the_start(key: str) -> None:
    with pytest.raises(EnvironmentFault, match="private key can't be used"):
        App("https://api.github.com", "1", key)
    with pytest.raises(UsageError):
        App("https://api.github.com", "1 2", private_key())
    with pytest.raises(UsageError):
        App("http://api.github.com", "1", private_key())


def test_one_token_serves_one_repository() -> None:
    one = OneToken("octo/app", "sesame")
    assert (one.covers("Octo/App"), one.covers("octo/other"), one.token("octo/app")) == (True, False, "sesame")
    assert "sesame" not in repr(one)
    with pytest.raises(UsageError):
        one.token("octo/other")
