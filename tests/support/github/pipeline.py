"""From a request to its answer: token, limits, permission, description, handler, pages, description again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.support.github import graphql, routes
from tests.support.github import records as r
from tests.support.github.actions import is_valid, jwt_claims
from tests.support.github.contract import Violation, check_answer, check_request
from tests.support.github.errors import Refused, not_found
from tests.support.github.hub import Hub
from tests.support.github.limits import Limits
from tests.support.github.routing import ROUTES, Answer, Listed, Request, Route, Router

PER_PAGE, MOST_PER_PAGE = 30, 100
_FREE = "/rate_limit"


class Pipeline:
    """Answers requests, and notes who did not keep to GitHub's description."""

    def __init__(self, hub: Hub, limits: Limits) -> None:
        assert routes.MODULES
        self.hub = hub
        self.limits = hub.limits = limits
        self.violations: list[Violation] = []
        self.drift: list[Violation] = []
        self._router = Router(ROUTES)

    def token(self, headers: Mapping[str, str]) -> r.Token | None:
        """Whose request it is; 401 when the token is not, or no longer, known."""
        scheme, _, value = headers.get("authorization", "").partition(" ")
        if not scheme:
            return None
        found = self.hub.tokens.get(value.strip())
        if scheme.lower() in ("token", "bearer") and found is None and (claims := jwt_claims(value)) is not None:
            issuer = next((each for each in self.hub.users.values() if str(each.id) == str(claims.get("iss"))), None)
            if issuer is not None and is_valid(claims, self.hub.now()):
                return r.Token("app", value, "app", issuer)
        if scheme.lower() not in ("token", "bearer") or found is None or found.is_revoked:
            raise Refused(401, "Bad credentials")
        return found

    def label(self, headers: Mapping[str, str]) -> str:
        """The label of a request's token."""
        value = headers.get("authorization", "").rpartition(" ")[2]
        found = self.hub.tokens.get(value)
        return found.label if found is not None else "unknown" if value else "anonymous"

    def answer(self, method: str, target: str, headers: Mapping[str, str], raw: bytes) -> Answer:
        """The whole answer."""
        split = urlsplit(target)
        path, query = split.path, dict(parse_qsl(split.query, keep_blank_values=True))
        token: r.Token | None = None
        resource = "graphql" if path == "/graphql" else "core"
        try:
            token = self.token(headers)
            if "user-agent" not in headers:
                raise Refused(
                    403,
                    "Request forbidden by administrative rules. Please make sure your request has a User-Agent header",
                )
            body = _json(raw)
            with self.limits.at_once():
                if path == "/graphql":
                    answer = self._graphql(token, method, body)
                else:
                    answer = self._rest(token, method, path, query, headers, raw, body)
        except Refused as refused:
            answer = Answer(refused.body, refused.status, refused.headers)
        with self.hub.lock:
            told = self.limits.headers(token, resource, self.hub.now())
        return Answer(answer.data, answer.status, {**told, **answer.headers}, answer.media)

    def _rest(
        self, token: r.Token | None, method: str, path: str, query: dict[str, str], headers: Mapping[str, str],
        raw: bytes, body: Any,
    ) -> Answer:  # fmt: skip
        found = self._router.find(method, self._by_id(path))
        with self.hub.lock:
            if path != _FREE:
                is_content = found is not None and found[0].is_content
                is_write = method not in ("GET", "HEAD", "OPTIONS")
                self.limits.take(token, "core", self.hub.now(), is_write=is_write, is_content=is_content)
            if (moved := self._moved(method, path)) is not None:
                return moved
        if found is None:
            self.violations.append(Violation(method, path, "the server has no such endpoint"))
            raise not_found()
        route, params = found
        request = Request(self.hub, method, path, params, query, headers, body, token)
        try:
            with self.hub.lock:
                route.check(request)
                self._check(request, route, has_body=bool(raw))
                answer = self._page(request, route.handler(request))
        except Refused as refused:
            self._note(request, route, Answer(refused.body, refused.status, refused.headers))
            raise
        self._note(request, route, answer)
        return self._unless_known(request, answer)

    def _by_id(self, path: str) -> str:
        """`/repositories/{id}` is where renamed ones are found."""
        match = re.fullmatch(r"/repositories/(\d+)(/.*)?", path)
        repository = self.hub.repositories.get(int(match[1])) if match else None
        return path if match is None or repository is None else f"/repos/{repository.full_name}{match[2] or ''}"

    def _moved(self, method: str, path: str) -> Answer | None:
        """301 for reading. Other methods get 307, which tells to repeat the same: the documentation of redirects."""
        match = re.fullmatch(r"/repos/([^/]+/[^/]+)(/.*)?", path)
        number = self.hub.former_names.get(match[1].lower()) if match else None
        if match is None or number is None:
            return None
        with contextlib.suppress(Refused):
            self.hub.repository(match[1])  # The old name was taken by a new repository.
            return None
        place = f"{self.hub.url}/repositories/{number}{match[2] or ''}"
        status = 301 if method in ("GET", "HEAD") else 307
        return Answer({"message": "Moved Permanently", "url": place}, status, {"Location": place})

    def _check(self, request: Request, route: Route, *, has_body: bool) -> None:
        found = list(check_request(route, request.query, request.body, has_body=has_body))
        for text in found:
            self.violations.append(Violation(request.method, request.path, text))
        if found:
            raise Refused(422, f"Invalid request.\n\n{found[0]}")

    def _note(self, request: Request, route: Route, answer: Answer) -> None:
        for text in check_answer(route, answer):
            self.drift.append(Violation(request.method, request.path, text))

    def _page(self, request: Request, found: Answer | Listed) -> Answer:
        if isinstance(found, Answer):
            return found
        size = min(MOST_PER_PAGE, max(1, int(request.query.get("per_page", PER_PAGE))))
        page = max(1, int(request.query.get("page", 1)))
        shown = [found.show(each) for each in found.items[(page - 1) * size : page * size]]
        data = shown if found.key is None else {"total_count": len(found.items), found.key: shown}
        return Answer(data, headers=self._links(request, page, max(1, -(-len(found.items) // size))))

    def _links(self, request: Request, page: int, last: int) -> dict[str, str]:
        targets: dict[str, int] = {}
        if page > 1:
            targets |= {"prev": min(page - 1, last), "first": 1}
        if page < last:
            targets |= {"next": page + 1, "last": last}

        def url(number: int) -> str:
            return f"{self.hub.url}{request.path}?{urlencode({**request.query, 'page': number})}"

        links = ", ".join(f'<{url(number)}>; rel="{rel}"' for rel, number in targets.items())
        return {"Link": links} if links else {}

    def _unless_known(self, request: Request, answer: Answer) -> Answer:
        """304 when the client has it already; that is free with a token."""
        if request.method != "GET" or answer.status != 200:
            return answer
        etag = f'W/"{hashlib.sha256(answer.bytes).hexdigest()}"'
        if request.headers.get("if-none-match") != etag:
            return Answer(answer.data, 200, {**answer.headers, "ETag": etag}, answer.media)
        if request.token is not None and request.path != _FREE:
            with self.hub.lock:
                self.limits.give_back(request.token, "core", self.hub.now())
        return Answer(None, 304, {"ETag": etag})

    def _graphql(self, token: r.Token | None, method: str, body: Any) -> Answer:
        if token is None:
            raise Refused(401, "This endpoint requires you to be authenticated.")
        query = body.get("query") if isinstance(body, dict) else None
        if method != "POST" or not isinstance(query, str):
            self.violations.append(Violation(method, "/graphql", "a POST with a query is wanted"))
            raise Refused(400, "Problems parsing JSON")
        is_write = query.lstrip().startswith("mutation")
        with self.hub.lock:
            self.limits.take(token, "graphql", self.hub.now(), is_write=is_write, is_content=is_write)
            data, client, server = graphql.execute(
                self.hub, token, query, body.get("variables"), body.get("operationName")
            )
        self.violations += [Violation(method, "/graphql", text) for text in client]
        self.drift += [Violation(method, "/graphql", text) for text in server]
        return Answer(data)


def _json(raw: bytes) -> Any:
    if not raw:
        return None
    try:
        return json.loads(raw)
    except ValueError:
        raise Refused(400, "Problems parsing JSON") from None
