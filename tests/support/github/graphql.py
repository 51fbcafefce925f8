"""The part of GitHub's GraphQL interface that REST has no counterpart for: threads of reviews, and hiding comments."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from graphql import ExecutionResult, GraphQLError, GraphQLSchema, build_schema, graphql_sync

from tests.support.github import records as r
from tests.support.github.errors import FORBIDDEN, Refused
from tests.support.github.git import GitFailed
from tests.support.github.hub import Hub
from tests.support.github.places import GRAPHQL
from tests.support.github.pullshapes import PullShapes

MOST = 100
JSON = dict[str, Any]


class Refusal(Exception):
    """An error of GitHub's with its `type`."""

    def __init__(self, type_: str, message: str) -> None:
        super().__init__(message)
        self.type = type_


@cache
def schema() -> GraphQLSchema:
    """The trimmed schema."""
    return build_schema(gzip.decompress(GRAPHQL.read_bytes()).decode())


def execute(
    hub: Hub, token: r.Token, query: str, variables: Mapping[str, Any] | None, operation: str | None
) -> tuple[JSON, list[str], list[str]]:
    """The response; what was wrong with the request; and what the server got wrong."""
    root = Root(hub, token)
    result = graphql_sync(
        schema(), query, root, variable_values=dict(variables or {}), operation_name=operation, type_resolver=_type_of
    )  # fmt: skip
    errors = result.errors or []
    client = [error.message for error in errors if error.original_error is None and _is_of_request(result, error)]
    server = [
        f"{error.path}: {error.message}"
        for error in errors
        if not isinstance(error.original_error, (Refusal, type(None)))
        or (error.original_error is None and not _is_of_request(result, error))
    ]
    body: JSON = {} if result.data is None and client else {"data": result.data}
    if errors:
        body["errors"] = [_shown(error) for error in errors]
    return body, client, server


def _is_of_request(result: ExecutionResult, error: GraphQLError) -> bool:
    return result.data is None and error.path is None


def _shown(error: GraphQLError) -> JSON:
    shown: JSON = dict(error.formatted)
    if isinstance(error.original_error, Refusal):
        shown["type"] = error.original_error.type
    return shown


def _type_of(value: Any, *_: Any) -> str:
    name: str = value["__typename"]
    return name


class Root:
    """Resolvers: objects are dicts, and what takes arguments or is costly is a function in them."""

    def __init__(self, hub: Hub, token: r.Token) -> None:
        self.hub = hub
        self.token = token
        self.shapes = PullShapes(hub)

    # Query.

    def node(self, _info: Any, id: str) -> JSON:
        return self._show(self._find(id))

    def nodes(self, info: Any, ids: list[str]) -> list[JSON]:
        return [self.node(info, each) for each in ids]

    def viewer(self, _info: Any) -> JSON:
        return self._actor(self.token.user)

    def repository(self, _info: Any, owner: str, name: str, followRenames: bool = True) -> JSON:  # noqa: N803
        try:
            found = self.hub.repository(f"{owner}/{name}")
        except Refused:
            former = self.hub.former_names.get(f"{owner}/{name}".lower()) if followRenames else None
            if former is None:
                text = f"Could not resolve to a Repository with the name '{owner}/{name}'."
                raise Refusal("NOT_FOUND", text) from None
            found = self.hub.repositories[former]
        self._check_seen(found, f"Could not resolve to a Repository with the name '{owner}/{name}'.")
        return self._repository(found)

    def rateLimit(self, _info: Any, dryRun: bool = False) -> JSON:  # noqa: N802, N803
        state = self.hub.limits.state(self.token, "graphql", self.hub.now())
        more = {"cost": 1, "nodeCount": 0, "resetAt": self.hub.iso(state["reset"])}
        return {name: state[name] for name in ("limit", "remaining", "used")} | more

    # Mutation.

    def resolveReviewThread(self, _info: Any, input: JSON) -> JSON:  # noqa: N802
        return self._set_resolved(input, self.token.user)

    def unresolveReviewThread(self, _info: Any, input: JSON) -> JSON:  # noqa: N802
        return self._set_resolved(input, None)

    def _set_resolved(self, given: JSON, user: r.User | None) -> JSON:
        thread = self._find(given["threadId"])
        if not isinstance(thread, r.Thread):
            raise Refusal(
                "NOT_FOUND",
                f"Could not resolve to PullRequestReviewThread node with the global id of '{given['threadId']}'.",
            )
        if not self._may_resolve(thread):
            raise Refusal("FORBIDDEN", FORBIDDEN)
        thread.resolved_by = user
        return {"clientMutationId": given.get("clientMutationId"), "thread": self._thread(thread)}

    def minimizeComment(self, _info: Any, input: JSON) -> JSON:  # noqa: N802
        comment = self._comment_to_hide(input)
        comment.minimized = input["classifier"].lower().replace("_", "-")
        return {"clientMutationId": input.get("clientMutationId"), "minimizedComment": self._show(comment)}

    def unminimizeComment(self, _info: Any, input: JSON) -> JSON:  # noqa: N802
        comment = self._comment_to_hide(input)
        comment.minimized = None
        return {"clientMutationId": input.get("clientMutationId"), "unminimizedComment": self._show(comment)}

    def _comment_to_hide(self, given: JSON) -> r.Comment:
        comment = self._find(given["subjectId"])
        if not isinstance(comment, r.Comment):
            raise Refusal("NOT_FOUND", f"Could not resolve to a node with the global id of '{given['subjectId']}'")
        if not self._may_write("pull_requests", _pull_of(comment).repository):
            raise Refusal("FORBIDDEN", FORBIDDEN)
        return comment

    def updateRefs(self, _info: Any, input: JSON) -> JSON:  # noqa: N802
        """All of them or none, each from the commit that it is said to be at."""
        found = [each for each in self.hub.repositories.values() if f"R_{each.id}" == input["repositoryId"]]
        text = f"Could not resolve to a node with the global id of '{input['repositoryId']}'"
        if not found:
            raise Refusal("NOT_FOUND", text)
        self._check_seen(found[0], text)
        if not self._may_write("contents", found[0]):
            raise Refusal("FORBIDDEN", FORBIDDEN)
        updates = [(each["name"], each["afterOid"], each.get("beforeOid")) for each in input["refUpdates"]]
        git = found[0].git
        for each, (name, after, _before) in zip(input["refUpdates"], updates, strict=True):
            old = git.refs(name).get(name)
            if not each["force"] and old is not None and not git.is_ancestor(old, after):
                raise Refusal("UNPROCESSABLE", f"Update is not a fast forward: {name}")
        try:
            git.update_refs(updates)
        except GitFailed as error:
            raise Refusal("UNPROCESSABLE", str(error)) from None
        return {"clientMutationId": input.get("clientMutationId")}

    # Who may.

    def _may_resolve(self, thread: r.Thread) -> bool:
        """An app's token needs to be able to write contents, too: so people found, the documentation is silent."""
        repository = thread.pull.repository
        if self.token.kind == "user":
            return self.token.user is thread.pull.user or self._may_write("contents", repository)
        return self._may_write("contents", repository) and self._may_write("pull_requests", repository)

    def _may_write(self, permission: str, repository: r.Repository) -> bool:
        token = self.token
        if token.kind == "user":
            return r.ROLES.index(repository.role(token.user)) >= r.ROLES.index("write")
        is_here = token.repositories is None or repository.id in token.repositories
        return is_here and token.may(permission, "write")

    def _check_seen(self, repository: r.Repository, text: str) -> None:
        token = self.token
        if token.kind == "user":
            is_seen = repository.role(token.user) != "none"
        else:
            is_seen = token.repositories is None or repository.id in token.repositories
        if repository.is_private and not is_seen:
            raise Refusal("NOT_FOUND", text)

    # Shapes.

    def _find(self, node: str) -> Any:
        found = self.hub.nodes.get(node)
        text = f"Could not resolve to a node with the global id of '{node}'"
        if found is None:
            raise Refusal("NOT_FOUND", text)
        pull = _pull_of(found)
        self._check_seen(pull.repository, text)
        self.hub.sync(pull)
        return found

    def _show(self, found: Any) -> JSON:
        shapes: dict[type, Callable[[Any], JSON]] = {
            r.PullRequest: self._pull, r.Thread: self._thread, r.ReviewComment: self._review_comment,
            r.IssueComment: self._issue_comment, r.Review: self._review,
        }  # fmt: skip
        return shapes[type(found)](found)

    def _actor(self, user: r.User) -> JSON:
        # A bot's login has no ending here, unlike in REST.
        login = user.login.removesuffix("[bot]")
        return {
            "__typename": user.type, "id": f"U_{user.id}", "databaseId": user.id, "login": login, "name": user.name,
            "url": f"{self.shapes.web}/{login}", "avatarUrl": f"{self.shapes.web}/{user.id}.png",
        }  # fmt: skip

    def _repository(self, repository: r.Repository) -> JSON:
        def pull(_info: Any, number: int) -> JSON:
            try:
                return self._pull(self.hub.pull(repository, number))
            except Refused:
                text = f"Could not resolve to a PullRequest with the number of {number}."
                raise Refusal("NOT_FOUND", text) from None

        return {
            "__typename": "Repository", "id": f"R_{repository.id}", "databaseId": repository.id,
            "name": repository.name, "nameWithOwner": repository.full_name, "isPrivate": repository.is_private,
            "url": self.shapes.html(repository), "pullRequest": pull,
        }  # fmt: skip

    def _pull(self, pull: r.PullRequest) -> JSON:
        source = pull.head_repository
        threads = [thread for thread in pull.threads if thread.comments[0].review.state != "PENDING"]
        return {
            "__typename": "PullRequest", "id": f"PR_{pull.id}", "databaseId": pull.id,
            "fullDatabaseId": str(pull.id), "number": pull.number, "title": pull.title, "body": pull.body or "",
            "state": "MERGED" if pull.merged else pull.state.upper(), "isDraft": pull.is_draft,
            "merged": pull.merged is not None, "closed": pull.closed is not None, "url": self.shapes.pull_html(pull),
            "headRefOid": pull.head, "headRefName": pull.head_branch, "baseRefOid": pull.base,
            "baseRefName": pull.base_branch, "isCrossRepository": pull.is_from_fork,
            "headRepository": None if source is None else self._repository(source), "author": self._actor(pull.user),
            "repository": lambda _info: self._repository(pull.repository),
            "reviewThreads": _connection(threads, self._thread, "reviewThreads"),
            "comments": _connection(pull.comments, self._issue_comment, "comments"),
        }  # fmt: skip

    def _thread(self, thread: r.Thread) -> JSON:
        anchor, place, may = thread.anchor, thread.place, self._may_resolve(thread)
        is_resolved = thread.resolved_by is not None
        return {
            "__typename": "PullRequestReviewThread", "id": f"PRRT_{thread.id}", "isResolved": is_resolved,
            "isOutdated": thread.is_outdated, "isCollapsed": is_resolved or thread.is_outdated, "path": anchor.path,
            "line": place.line, "startLine": place.start_line, "originalLine": anchor.line,
            "originalStartLine": anchor.start_line, "diffSide": anchor.side, "startDiffSide": anchor.start_side,
            "subjectType": "FILE" if anchor.line is None else "LINE",
            "resolvedBy": None if thread.resolved_by is None else self._as_user(thread.resolved_by),
            "viewerCanResolve": may and not is_resolved, "viewerCanUnresolve": may and is_resolved,
            "viewerCanReply": True, "comments": _connection(thread.comments, self._review_comment, "comments"),
            "pullRequest": lambda _info: self._pull(thread.pull),
        }  # fmt: skip

    def _as_user(self, user: r.User) -> JSON:
        """`resolvedBy` is a user even where it is an app."""
        return {**self._actor(user), "__typename": "User"}

    def _comment(self, comment: r.Comment, shown: JSON) -> JSON:
        pull = _pull_of(comment)
        return {
            "id": shown["node_id"], "databaseId": comment.id, "fullDatabaseId": str(comment.id), "body": comment.body,
            "author": self._actor(comment.user), "authorAssociation": shown["author_association"],
            "createdAt": shown["created_at"], "updatedAt": shown["updated_at"], "url": shown["html_url"],
            "isMinimized": comment.minimized is not None, "minimizedReason": comment.minimized,
            "viewerCanMinimize": self._may_write("pull_requests", pull.repository),
            "viewerDidAuthor": comment.user is self.token.user, "pullRequest": lambda _info: self._pull(pull),
        }  # fmt: skip

    def _issue_comment(self, comment: r.IssueComment) -> JSON:
        return {"__typename": "IssueComment", **self._comment(comment, self.shapes.issue_comment(comment))}

    def _review_comment(self, comment: r.ReviewComment) -> JSON:
        shown, thread = self.shapes.review_comment(comment), comment.thread
        first = thread.comments[0]
        return {
            "__typename": "PullRequestReviewComment", **self._comment(comment, shown), "path": shown["path"],
            "line": thread.place.line, "startLine": thread.place.start_line, "originalLine": thread.anchor.line,
            "originalStartLine": thread.anchor.start_line, "outdated": thread.is_outdated,
            "diffHunk": shown["diff_hunk"], "position": thread.place.position,
            "originalPosition": shown["original_position"],
            "replyTo": self._review_comment(first) if comment.is_reply else None,
            "subjectType": "FILE" if thread.anchor.line is None else "LINE", "commit": _commit(shown["commit_id"]),
            "originalCommit": _commit(shown["original_commit_id"]), "pullRequestReview": self._review(comment.review),
        }  # fmt: skip

    def _review(self, review: r.Review) -> JSON:
        shown = self.shapes.review(review)
        return {
            "__typename": "PullRequestReview", "id": shown["node_id"], "databaseId": review.id,
            "fullDatabaseId": str(review.id), "body": review.body, "state": review.state,
            "author": self._actor(review.user), "url": shown["html_url"],
        }  # fmt: skip


def _commit(sha: str) -> JSON:
    return {"__typename": "Commit", "id": f"C_{sha}", "oid": sha}


def _pull_of(found: Any) -> r.PullRequest:
    if isinstance(found, r.PullRequest):
        return found
    pull: r.PullRequest = found.thread.pull if isinstance(found, r.ReviewComment) else found.pull
    return pull


def _connection(items: Sequence[Any], show: Callable[[Any], JSON], name: str) -> Callable[..., JSON]:
    """A list in pages. The cursor is the number of the item."""

    def resolve(
        _info: Any, first: int | None = None, after: str | None = None, last: int | None = None,
        before: str | None = None, **_more: Any,
    ) -> JSON:  # fmt: skip
        if first is None and last is None:
            text = f"You must provide a `first` or `last` value to properly paginate the `{name}` connection."
            raise Refusal("MISSING_PAGINATION_BOUNDARIES", text)
        if max(first or 0, last or 0) > MOST:
            text = f"Requesting {max(first or 0, last or 0)} records on the `{name}` connection exceeds the `first` limit of {MOST} records."
            raise Refusal("EXCESSIVE_PAGINATION", text)
        start, end = int(after or 0), int(before) - 1 if before else len(items)
        if first is not None:
            end = min(end, start + first)
        if last is not None:
            start = max(start, end - last)
        page = [(str(at + 1), show(items[at])) for at in range(start, end)]
        return {
            "totalCount": len(items), "nodes": [node for _, node in page],
            "edges": [{"cursor": cursor, "node": node} for cursor, node in page],
            "pageInfo": {
                "hasNextPage": end < len(items), "hasPreviousPage": start > 0,
                "startCursor": page[0][0] if page else None, "endCursor": page[-1][0] if page else None,
            },
        }  # fmt: skip

    return resolve
