"""Tokens for a repository: those that a GitHub App is given for an installation, or one that somebody made by hand.

A token of an installation is asked for one repository, with no more than the bot uses and the installation allows, and
is used again until shortly before it ends.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from nootropic_bot.errors import EnvironmentFault, UsageError
from nootropic_bot.forge import Missing, Refused
from nootropic_bot.github.client import Client
from nootropic_bot.github.names import repository_name
from nootropic_bot.github.waiting import Patience

# What the bot does with a token; docs/webhook-server.md says what each is for.
PERMISSIONS = {
    "checks": "write",
    "contents": "write",
    "issues": "write",
    "metadata": "read",
    "pull_requests": "write",
    "security_events": "write",
}
# Seconds before its end that a token is not used any more: what it is for may take a while.
_MARGIN = 900.0
# GitHub takes ten minutes at most; its clock and ours may differ.
_JWT_SECONDS = 300
_MAX_KEPT = 1_000
_LEVELS = ("none", "read", "write", "admin")


class Credentials(Protocol):
    """Who we are on a forge. Both methods may be called by several threads."""

    def covers(self, repository: str) -> bool:
        """Whether anything may be done in a repository (`owner/name`); known without asking."""
        ...

    def token(self, repository: str) -> str:
        """A token for it; raises a `NootropicError` where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class OneToken:
    """A token that somebody made, for one repository."""

    repository: str
    value: str = field(repr=False)

    def covers(self, repository: str) -> bool:
        """Whether that is the repository."""
        return repository.lower() == self.repository.lower()

    def token(self, repository: str) -> str:
        """The token.

        Raises:
            UsageError: it is for another repository.
        """
        if not self.covers(repository):
            raise UsageError(f"the token is for {self.repository}, not for {repository}")
        return self.value


@dataclass(frozen=True, slots=True)
class _Token:
    value: str = field(repr=False)
    ends: float


class App:
    """A GitHub App. `key`: its private key, PEM. `clock`: seconds since 1970; `pause` waits so many seconds.

    Raises:
        EnvironmentFault: the key is none, or what signs with it is not installed.
        UsageError: the app's id, or the address of the API, is none.
    """

    def __init__(
        self, api_url: str, app_id: str, key: str, *, clock: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:  # fmt: skip
        if not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", app_id):
            raise UsageError("that is no id of a GitHub App", "its page says it: `App ID`, or `Client ID`")
        self._api_url = api_url
        self._id = app_id
        self._key = key
        self._clock = clock
        self._pause = pause
        self._kept: dict[str, _Token] = {}
        self._lock = threading.Lock()
        # Both are known to be good before the first delivery comes.
        Client.connect(api_url, self._sign(), is_app=True)

    def covers(self, repository: str) -> bool:
        """GitHub delivers only what the app is installed for."""
        return True

    def token(self, repository: str) -> str:
        """A token for one repository.

        Raises:
            ForgeError: GitHub gives none.
        """
        name = repository_name(repository)
        with self._lock:
            kept = self._kept.get(name.lower())
            if kept is not None and kept.ends - self._clock() > _MARGIN:
                return kept.value
        made = self._ask(name)
        with self._lock:
            self._kept.pop(name.lower(), None)
            self._kept[name.lower()] = made
            while len(self._kept) > _MAX_KEPT:
                del self._kept[next(iter(self._kept))]
        return made.value

    def _ask(self, repository: str) -> _Token:
        client = Client.connect(self._api_url, self._sign(), patience=Patience(sleep=self._pause), is_app=True)
        try:
            installation = client.get(f"/repos/{repository}/installation")
        except Missing as error:
            raise Missing("the app is not installed there", "install it, or let it see the repository") from error
        try:
            number, given = int(installation["id"]), dict(installation["permissions"])
        except (KeyError, TypeError, ValueError) as error:
            raise Refused("GitHub's answer is no installation") from error
        fields = {"repositories": [repository.partition("/")[2]], "permissions": _wanted(given)}
        path = f"/app/installations/{number:d}/access_tokens"
        return _parsed(client.send("POST", path, fields, is_repeatable=True))

    def _sign(self) -> str:
        try:
            import github
            import jwt
        except ImportError as error:
            remedy = "pip install 'nootropic-bot[serve]'"
            raise EnvironmentFault("a GitHub App needs PyGithub, which is not installed", remedy) from error
        remedy = "generate one on the app's page and give the file as it is"
        try:
            return github.Auth.AppAuth(self._id, self._key).create_jwt(_JWT_SECONDS)
        except (jwt.exceptions.PyJWTError, ValueError, TypeError, AssertionError):
            # The error may repeat parts of the key.
            raise EnvironmentFault("the app's private key can't be used", remedy) from None


def _wanted(given: dict[str, Any]) -> dict[str, str]:
    """What is asked for: never more than the installation has, or GitHub refuses all of it."""

    def least(name: str) -> str:
        has = given.get(name)
        return min((PERMISSIONS[name], has if has in _LEVELS else "none"), key=_LEVELS.index)

    return {name: level for name in PERMISSIONS if (level := least(name)) != "none"}


def _parsed(made: Any) -> _Token:
    try:
        ends = datetime.fromisoformat(made["expires_at"].replace("Z", "+00:00")).timestamp()
        value = made["token"]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Refused("GitHub's answer is no token") from error
    if not isinstance(value, str) or not value:
        raise Refused("GitHub's answer is no token")
    return _Token(value, ends)
