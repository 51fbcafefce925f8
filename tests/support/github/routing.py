"""Which function answers which request.

Paths are written as in GitHub's description, so that the description is found by them, and so that
`trim_openapi.py` knows what to keep.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from tests.support.github import records as r
from tests.support.github.errors import FORBIDDEN, Refused, not_found

if TYPE_CHECKING:
    from tests.support.github.hub import Hub

# Parameters that may hold slashes.
_LONG = ("path", "ref", "branch", "basehead")
REPO = "/repos/{owner}/{repo}"
PULL = REPO + "/pulls/{pull_number}"


@dataclass(frozen=True)
class Answer:
    """A response. `data`: JSON, or bytes of `media`; None has no body."""

    data: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    media: str = "application/json"

    @property
    def bytes(self) -> bytes:
        """The body."""
        if self.data is None:
            return b""
        return self.data if isinstance(self.data, bytes) else json.dumps(self.data).encode()


@dataclass(frozen=True)
class Listed:
    """A list that is cut into pages; only the items of the page are rendered. `key`: the name of the list in an
    object with `total_count`."""

    items: Sequence[Any]
    show: Callable[[Any], Any]
    key: str | None = None
    media: str = "application/json"


@dataclass
class Request:
    """What came in, and what the routing found out about it."""

    hub: Hub
    method: str
    path: str
    params: dict[str, str]
    query: dict[str, str]
    headers: Mapping[str, str]
    body: Any
    token: r.Token | None

    @property
    def repository(self) -> r.Repository:
        """The repository of the path."""
        found = self.hub.repository(f"{self.params['owner']}/{self.params['repo']}")
        if found.is_private and not self.may_see(found):
            raise not_found()
        return found

    @property
    def pull(self) -> r.PullRequest:
        """The pull request of the path."""
        number = self.params.get("pull_number") or self.params["issue_number"]
        return self.hub.pull(self.repository, int(number))

    @property
    def user(self) -> r.User:
        """Who asks."""
        if self.token is None:
            raise Refused(401, "Requires authentication")
        return self.token.user

    @property
    def accept(self) -> str:
        return self.headers.get("accept", "")

    @property
    def fields(self) -> dict[str, Any]:
        """The body's properties."""
        found: dict[str, Any] = self.body if isinstance(self.body, dict) else {}
        return found

    def number(self, name: str) -> int:
        """A parameter of the path that is a number."""
        return int(self.params[name])

    def may_see(self, repository: r.Repository) -> bool:
        """Whether a private repository exists for this token."""
        if self.token is None:
            return False
        if self.token.kind == "user":
            return repository.role(self.token.user) != "none"
        return self.token.repositories is None or repository.id in self.token.repositories


Handler = Callable[[Request], "Answer | Listed"]


@dataclass(frozen=True)
class Route:
    """A function and what a token needs for it. `needs`: `permission:level`; any one of them is enough."""

    method: str
    template: str
    handler: Handler
    needs: tuple[str, ...]
    is_content: bool

    def check(self, request: Request) -> None:
        """Refuse what the token may not do. Reading a public repository needs no permission, nor even a token."""
        if not self.needs or self.needs == ("free",):
            return
        token = request.token
        repository = request.repository if "{repo}" in self.template else None
        is_write = any(need.endswith(":write") for need in self.needs)
        if token is None:
            if is_write or repository is None or repository.is_private:
                raise Refused(401, "Requires authentication")
            return
        if repository is not None and not is_write and not repository.is_private:
            return
        if token.kind == "app":
            raise Refused(401, "A JSON web token could not be decoded")
        if token.kind == "user":
            self._check_person(token, repository)
        elif not self._is_allowed(token, repository):
            raise Refused(403, FORBIDDEN)

    def _is_allowed(self, token: r.Token, repository: r.Repository | None) -> bool:
        is_here = repository is None or token.repositories is None or repository.id in token.repositories
        return is_here and any(token.may(*need.split(":")) for need in self.needs)

    def _check_person(self, token: r.Token, repository: r.Repository | None) -> None:
        """Everyone who can read may comment, react and open pull requests; the rest takes a role."""
        if repository is None:
            return
        talk = any(need.split(":")[0] in ("issues", "pull_requests") for need in self.needs)
        wanted = "read" if talk or not any(need.endswith(":write") for need in self.needs) else "write"
        if r.ROLES.index(repository.role(token.user)) < r.ROLES.index(wanted):
            raise Refused(403, "Must have push access to repository") if not repository.is_private else not_found()


ROUTES: list[Route] = []


def route(operation: str, needs: str = "metadata:read", *, is_content: bool = False) -> Callable[[Handler], Handler]:
    """Register a function for `METHOD /path/{of}/the/description`. `is_content`: counts as creating content."""

    def register(handler: Handler) -> Handler:
        method, template = operation.split(" ")
        ROUTES.append(Route(method, template, handler, tuple(needs.split(" or ")), is_content))
        return handler

    return register


def pattern(template: str) -> re.Pattern[str]:
    """The paths that a template means."""
    parts = re.split(r"\{(\w+)\}", template)
    texts = [re.escape(part) if at % 2 == 0 else _part(part) for at, part in enumerate(parts)]
    return re.compile("".join(texts))


def _part(name: str) -> str:
    if name.endswith(("_id", "_number")) and name != "workflow_id" and name != "sarif_id":
        return rf"(?P<{name}>\d+)"
    return f"(?P<{name}>{'.+' if name in _LONG else '[^/]+'})"


class Router:
    """Finds the route; a path with more literal text wins, so `pulls/comments` is no pull request."""

    def __init__(self, routes: Sequence[Route]) -> None:
        ordered = sorted(routes, key=lambda each: (-len(re.sub(r"\{\w+\}", "", each.template)), each.template))
        self._table = [(pattern(each.template), each) for each in ordered]

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route and the decoded parameters of the path."""
        for regex, each in self._table:
            if each.method == method and (match := regex.fullmatch(path)):
                return each, {name: unquote(value) for name, value in match.groupdict().items()}
        return None
