"""The one place where a call to GitHub is carried out, by PyGithub: what fails, is tried again, is waited for.

    Client.connect(api_url, token) ─▶ get, pages, send, graphql, download ─▶ data, or a ForgeError (failures.py)

Reading is tried again when no answer comes. Writing is not, unless it was certainly not carried out (no connection,
or a limit) or says the same when it is said twice: who wrote looks up what became of it. A limit is waited for within
one budget. The token goes to the API's own address only: a redirect to another one is an error, and the storage that
artifacts are kept in is asked without it.
"""

from __future__ import annotations

import itertools
import json
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from nootropic_bot import __version__
from nootropic_bot.constants import TOOL_NAME
from nootropic_bot.errors import EnvironmentFault, UsageError
from nootropic_bot.forge import ForgeError, Missing, Throttled, Unanswered
from nootropic_bot.github.failures import Headers, NotSent, of_graphql, of_status
from nootropic_bot.github.runner import Runner, check_api_url
from nootropic_bot.github.storage import fetch
from nootropic_bot.github.waiting import Pace, Patience

if TYPE_CHECKING:
    from github.Requester import Requester

_JSON = "application/vnd.github+json"
_UNREACHED = "see that the network is there and GITHUB_API_URL is right, then run it again"
_SECONDS = 30
_MAX_TRIES = 4
_MAX_REDIRECTS = 3
_MAX_PAGES = 100
_PER_PAGE = 100
# What a limit without a number asks for: "at least one minute", says the documentation.
_UNSAID_WAIT = 60.0
_NEXT = re.compile(r'<([^<>]+)>;\s*rel="next"')
_MOVED = re.compile(r"/repositories/\d+")
_FORMER = re.compile(r"/repos/[^/]+/[^/]+")


@dataclass(frozen=True, slots=True)
class _Request:
    """`address`: a path below the API's, or an address that GitHub gave. `is_repeatable`: twice is as good as once."""

    method: str
    address: str
    query: Mapping[str, str | int]
    body: object
    is_repeatable: bool
    is_write: bool
    is_graphql: bool = False


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Headers
    data: Any


class Client:
    """Asks GitHub with one token. `requests`: how many calls were made. Made by `connect`; not for several threads."""

    def __init__(self, requester: Requester, patience: Patience, pace: Pace) -> None:
        self.requests = 0
        self._requester = requester
        self._patience = patience
        self._pace = pace
        self._moved: dict[str, str] = {}

    @classmethod
    def connect(
        cls, api_url: str, token: str, *, patience: Patience | None = None, pace: Pace | None = None,
        is_app: bool = False,
    ) -> Client:  # fmt: skip
        """A client; nothing is asked yet. `is_app`: the token is one that an app signed for itself.

        Raises:
            UsageError: the address is not safe to send a token to, or there is no token.
            EnvironmentFault: PyGithub is not installed.
        """
        if not token:
            raise UsageError("there is no token for GitHub", "set GITHUB_TOKEN, in a workflow to ${{ github.token }}")
        if not token.isascii() or not token.isprintable() or " " in token:
            raise UsageError("GITHUB_TOKEN holds no token", "a token has no blanks, line ends or special characters")
        try:
            import github
        except ImportError as error:
            remedy = "pip install 'nootropic-bot[github]'"
            raise EnvironmentFault("talking to GitHub needs PyGithub, which is not installed", remedy) from error
        # It would tell a job's log where it is redirected.
        logging.getLogger("github").setLevel(logging.WARNING)
        hub = github.Github(
            auth=github.Auth.AppAuthToken(token) if is_app else github.Auth.Token(token),
            base_url=check_api_url(api_url),
            timeout=_SECONDS,
            user_agent=f"{TOOL_NAME}/{__version__}",
            # Waiting and trying again are this module's.
            retry=None,
            seconds_between_requests=0,
            seconds_between_writes=0,
        )
        return cls(hub.requester, patience or Patience(), pace or Pace())

    @classmethod
    def of_runner(cls, runner: Runner, *, patience: Patience | None = None, pace: Pace | None = None) -> Client:
        """A client with the address and the token of a runner; see `connect`."""
        return cls.connect(runner.api_url, runner.token, patience=patience, pace=pace)

    def get(self, path: str, query: Mapping[str, str | int] | None = None) -> Any:
        """The JSON of one answer.

        Raises:
            ForgeError: there is none.
        """
        return self._call(_reading(path, query or {})).data

    def pages(
        self, path: str, query: Mapping[str, str | int] | None = None, *, key: str | None = None
    ) -> Iterator[Any]:
        """The items of a list, asked for page by page as they are taken. `key`: the list's name in its object.

        Raises:
            ForgeError: a page is not to be had.
        """
        request = _reading(path, {"per_page": _PER_PAGE, **(query or {})})
        for _page in range(_MAX_PAGES):
            answer = self._call(request)
            items = answer.data.get(key) if key is not None and isinstance(answer.data, dict) else answer.data
            yield from items if isinstance(items, list) else ()
            following = _NEXT.search(answer.headers.get("link", ""))
            if following is None:
                return
            # The address of the next page holds the query, and leads on where the repository was renamed.
            request = replace(request, address=self._own(following[1]), query={})

    def send(self, method: str, path: str, body: object = None, *, is_repeatable: bool = False) -> Any:
        """Write, and answer the JSON that comes back. `is_repeatable`: doing it twice does what doing it once does.

        Raises:
            ForgeError: it was not carried out; `Unanswered`: it may have been.
        """
        return self._call(_Request(method, path, {}, body, is_repeatable, is_write=True)).data

    def graphql(self, query: str, variables: Mapping[str, object], *, is_write: bool = False) -> Any:
        """The `data` of a GraphQL answer; one with errors in it is a failure. `is_write`: a mutation.

        Raises:
            ForgeError: it was not carried out.
        """
        body = {"query": query, "variables": dict(variables)}
        address = self._requester.graphql_url
        request = _Request("POST", address, {}, body, not is_write, is_write, is_graphql=True)
        return self._call(request).data

    def download(self, path: str, limit: int) -> bytes:
        """What an address of the API redirects to, at most `limit` bytes of it. The token stays with the API.

        Raises:
            TooLarge: it has more bytes.
            ForgeError: it is not to be had.
        """
        answer = self._call(_reading(path, {}), redirects_elsewhere=True)
        location = answer.headers.get("location", "")
        for attempt in itertools.count():
            try:
                return fetch(location, limit, _SECONDS)
            except Unanswered:
                if attempt + 1 >= _MAX_TRIES or not self._patience.back_off(attempt):
                    raise
        raise AssertionError("unreachable")

    # One call.

    def _call(self, request: _Request, *, redirects_elsewhere: bool = False) -> _Answer:
        """Carry a request out, with the waits and repetitions that it allows."""
        for attempt in itertools.count():
            if request.is_write:
                self._pace.take(self._patience)
            try:
                return self._followed(request, redirects_elsewhere=redirects_elsewhere)
            except ForgeError as error:
                if attempt + 1 >= _MAX_TRIES or not self._waited(request, error, attempt):
                    raise
                # A connection that was idle for so long may be closed at the other end.
                self._requester.close()
        raise AssertionError("unreachable")

    def _waited(self, request: _Request, error: ForgeError, attempt: int) -> bool:
        """Whether to try again, after the wait that this takes."""
        if isinstance(error, Throttled):
            if error.retry_after is None:
                return self._patience.back_off(attempt, _UNSAID_WAIT)
            return self._patience.wait(error.retry_after)
        if isinstance(error, NotSent) or (isinstance(error, Unanswered) and request.is_repeatable):
            return self._patience.back_off(attempt)
        return False

    def _followed(self, request: _Request, *, redirects_elsewhere: bool) -> _Answer:
        """The answer, where a renamed repository is now: PyGithub follows a 301 only."""
        for _hop in range(_MAX_REDIRECTS):
            answer = self._once(request)
            if answer.status in (301, 302, 307, 308):
                if redirects_elsewhere and answer.status == 302:
                    return answer
                request = replace(request, address=self._new_place(request, answer), query={})
                continue
            if answer.status >= 300:
                raise of_status(answer.status, answer.headers, answer.data)
            if request.is_graphql:
                return self._of_graphql(answer)
            return answer
        raise Missing("GitHub redirects in a circle")

    def _of_graphql(self, answer: _Answer) -> _Answer:
        data = answer.data if isinstance(answer.data, dict) else {}
        if data.get("errors") or data.get("data") is None:
            raise of_graphql(data.get("errors"), answer.headers)
        return replace(answer, data=data["data"])

    def _new_place(self, request: _Request, answer: _Answer) -> str:
        """Where a redirect leads; where a repository was renamed, everything else of it is asked for there, too."""
        place = self._own(answer.headers.get("location", ""))
        former, now = _FORMER.match(request.address), _MOVED.search(urlsplit(place).path)
        if former is not None and now is not None:
            self._moved[former[0]] = now[0]
        return place

    def _own(self, address: str) -> str:
        """An address that GitHub gave, if it is one of the API that we were told to ask.

        Raises:
            Missing: it is not.
        """
        base, found = urlsplit(self._requester.base_url), urlsplit(address)
        if (found.scheme, found.netloc) != (base.scheme, base.netloc) or not found.path.startswith(base.path):
            raise Missing("GitHub redirects to another server, which is not given the token")
        return address

    def _once(self, request: _Request) -> _Answer:
        """One request over the network.

        Raises:
            Unanswered: no answer came; `NotSent`: no connection was made.
        """
        import requests

        former = _FORMER.match(request.address)
        address = request.address
        if former is not None and former[0] in self._moved:
            address = self._moved[former[0]] + address[former.end() :]
        self.requests += 1
        headers = {"Accept": _JSON}
        try:
            status, told, text = self._requester.requestJson(
                request.method, address, dict(request.query), headers, request.body
            )
        except requests.exceptions.ConnectTimeout as error:
            raise NotSent("GitHub could not be reached in time", _UNREACHED) from error
        except requests.exceptions.ConnectionError as error:
            kind = NotSent if _is_unsent(error) else Unanswered
            raise kind("GitHub could not be reached, or ended the connection", _UNREACHED) from error
        except requests.exceptions.RequestException as error:
            raise Unanswered(f"GitHub did not answer ({type(error).__name__})") from error
        except RuntimeError as error:
            # PyGithub's own refusal to follow a 301 to another server.
            raise Missing("GitHub redirects to another server, which is not given the token") from error
        except (ValueError, ArithmeticError) as error:
            # PyGithub reads the numbers of some headers itself.
            raise Unanswered("GitHub's answer can't be read") from error
        return _Answer(status, told, _parsed(status, text))


def _reading(path: str, query: Mapping[str, str | int]) -> _Request:
    return _Request("GET", path, query, None, is_repeatable=True, is_write=False)


def _parsed(status: int, text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError) as error:
        # An error may come from the proxy in front of GitHub, which says it in HTML.
        if status >= 300:
            return None
        raise Unanswered("GitHub's answer can't be read") from error


def _is_unsent(error: Exception) -> bool:
    """Whether a connection was never made: no such host, refused, or no route."""
    from urllib3.exceptions import MaxRetryError, NewConnectionError

    reason = error.args[0] if error.args else None
    return isinstance(reason, MaxRetryError) and isinstance(reason.reason, NewConnectionError)
