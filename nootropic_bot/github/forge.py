"""A pull request on GitHub, as the publisher asks for it: the protocol of `nootropic_bot/forge.py`.

What is there is read in one GraphQL request a hundred threads, the conversation in the same; what REST knows as well is
written by REST, since only `resolveReviewThread` is GraphQL's alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nootropic_bot.constants import TOOL_NAME
from nootropic_bot.forge import (
    Annotation,
    Comment,
    Conclusion,
    Limits,
    Missing,
    PullRequest,
    Refused,
    Thread,
    Unanswered,
)
from nootropic_bot.github import checks
from nootropic_bot.github.client import Client
from nootropic_bot.github.names import repository_name
from nootropic_bot.github.pulls import get_pull
from nootropic_bot.marker import parse_summary_marker

# How long what was read is as good as asked for now; a plan is made in less.
_FRESH_SECONDS = 5.0
_MAX_PAGES = 100

_COMMENT_FIELDS = "fullDatabaseId body viewerDidAuthor"
_PAGE = "pageInfo { hasNextPage endCursor }"
_READ = f"""
query($owner: String!, $name: String!, $number: Int!, $threads: String, $comments: String,
      $withThreads: Boolean!, $withComments: Boolean!) {{
  repository(owner: $owner, name: $name) {{
    pullRequest(number: $number) {{
      headRefOid baseRefOid state isDraft isCrossRepository
      reviewThreads(first: 100, after: $threads) @include(if: $withThreads) {{
        {_PAGE}
        nodes {{
          id path line startLine isResolved
          comments(first: 1) {{ totalCount nodes {{ {_COMMENT_FIELDS} }} }}
        }}
      }}
      comments(first: 100, after: $comments) @include(if: $withComments) {{
        {_PAGE}
        nodes {{ {_COMMENT_FIELDS} }}
      }}
    }}
  }}
}}
"""
_RESOLVE = "mutation($id: ID!) { resolveReviewThread(input: {threadId: $id}) { thread { isResolved } } }"


@dataclass(frozen=True, slots=True)
class _Summary:
    """The summary comment: its number, and its text."""

    number: str
    body: str


class GitHubForge:
    """One pull request. `clock` counts seconds."""

    def __init__(
        self, client: Client, repository: str, number: int, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.client = client
        self.repository = repository_name(repository)
        self.number = number
        self._clock = clock
        self._read_at: float | None = None
        self._pull: PullRequest | None = None
        # None: not looked for. An empty list: there is none.
        self._summaries: list[_Summary] | None = None
        self._has_unread_summary = False

    @property
    def limits(self) -> Limits:
        """What GitHub documents."""
        return Limits()

    def pull_request(self) -> PullRequest:
        """The pull request as it is now; what `threads` read a moment ago is used once."""
        pull, self._pull = self._pull, None
        if pull is not None and self._read_at is not None and self._clock() - self._read_at <= _FRESH_SECONDS:
            return pull
        return get_pull(self.client, self.repository, self.number).as_known

    def threads(self) -> Sequence[Thread]:
        """All threads; the summary and the pull request itself are read on the way."""
        found: list[Thread] = []
        summaries: list[_Summary] = []
        for pull in self._pages("reviewThreads", "comments"):
            found += _threads(pull.get("reviewThreads"))
            summaries += _summaries(pull.get("comments"))
            self._pull, self._read_at = _as_pull_request(self.number, pull), self._clock()
        self._summaries, self._has_unread_summary = summaries, True
        return found

    def summary(self) -> str | None:
        """The oldest of our comments that say that they are the summary; people saw it first."""
        if not self._has_unread_summary or self._summaries is None:
            self._summaries = self._look_for_summaries()
        self._has_unread_summary = False
        return self._summaries[0].body if self._summaries else None

    def post_review(self, head: str, body: str, comments: Sequence[Comment]) -> None:
        """One review with all of the comments."""
        entries = [_entry(comment) for comment in comments]
        review = {"commit_id": head, "event": "COMMENT", "body": body.strip() or TOOL_NAME, "comments": entries}
        try:
            self.client.send("POST", f"{self._at}/pulls/{self.number}/reviews", review)
        except Refused:
            # A head that was pushed over is refused in the same words as a bad comment.
            self._check_head(head)
            raise

    def _check_head(self, head: str) -> None:
        now = get_pull(self.client, self.repository, self.number)
        if now.head != head or not now.is_open:
            what = "it is closed" if not now.is_open else f"its head is {now.head[:10]} now"
            raise Missing(f"the pull request moved on while it was posted to: {what}")

    def edit_comment(self, comment_id: str, body: str) -> None:
        """Another text for a comment on lines."""
        path = f"{self._at}/pulls/comments/{int(comment_id)}"
        self.client.send("PATCH", path, {"body": body}, is_repeatable=True)

    def resolve_thread(self, thread_id: str) -> None:
        """GraphQL only; it takes permission to write contents, too."""
        self.client.graphql(_RESOLVE, {"id": thread_id}, is_write=True)

    def upsert_summary(self, body: str) -> None:
        """Edit the summary, or make it; whether one is there is looked up when that is not known for sure."""
        if self._summaries is None:
            self._summaries = self._look_for_summaries()
        if self._summaries:
            try:
                self._edit_summary(self._summaries[0], body)
            except Missing:
                # Somebody deleted it in the meantime.
                self._summaries = []
            else:
                return
        path = f"{self._at}/issues/{self.number}/comments"
        try:
            made = self.client.send("POST", path, {"body": body})
        except Unanswered:
            self._summaries = None
            raise
        self._summaries = [_Summary(str(made["id"]), body)]

    def _edit_summary(self, old: _Summary, body: str) -> None:
        if old.body != body:
            path = f"{self._at}/issues/comments/{old.number}"
            self.client.send("PATCH", path, {"body": body}, is_repeatable=True)
        self._summaries = [_Summary(old.number, body)]

    def publish_check(
        self, head: str, conclusion: Conclusion, title: str, summary: str, annotations: Sequence[Annotation]
    ) -> None:
        """A check run of our name."""
        checks.publish_check(self.client, self.repository, head, conclusion, title, summary, annotations)

    def upload_sarif(self, head: str, sarif: str) -> None:
        """To code scanning, under the pull request's own ref."""
        checks.upload_sarif(self.client, self.repository, self.number, head, sarif)

    # Reading.

    @property
    def _at(self) -> str:
        return f"/repos/{self.repository}"

    def _pages(self, *connections: str) -> Iterator[dict[str, Any]]:
        """The pull request with a page of each of these connections at a time, until all of them end."""
        cursors: Mapping[str, str | None] = dict.fromkeys(connections)
        for _page in range(_MAX_PAGES):
            pull = self._read(cursors)
            yield pull
            cursors = _following(pull)
            if not cursors:
                return

    def _read(self, cursors: Mapping[str, str | None]) -> dict[str, Any]:
        """A page of what is asked for: the connections that have a cursor."""
        owner, _, name = self.repository.partition("/")
        variables = {
            "owner": owner,
            "name": name,
            "number": self.number,
            "threads": cursors.get("reviewThreads"),
            "comments": cursors.get("comments"),
            "withThreads": "reviewThreads" in cursors,
            "withComments": "comments" in cursors,
        }
        data = self.client.graphql(_READ, variables)
        pull = (data.get("repository") or {}).get("pullRequest")
        if not isinstance(pull, dict):
            raise Missing(f"there is no pull request {self.number}")
        return pull

    def _look_for_summaries(self) -> list[_Summary]:
        return [each for pull in self._pages("comments") for each in _summaries(pull.get("comments"))]


def _entry(comment: Comment) -> dict[str, object]:
    entry: dict[str, object] = {"path": comment.path, "line": comment.line, "side": "RIGHT", "body": comment.body}
    if comment.start_line is not None:
        entry |= {"start_line": comment.start_line, "start_side": "RIGHT"}
    return entry


def _as_pull_request(number: int, pull: Mapping[str, Any]) -> PullRequest:
    return PullRequest(
        number,
        pull["headRefOid"],
        pull["baseRefOid"],
        is_open=pull["state"] == "OPEN",
        is_draft=bool(pull["isDraft"]),
        is_fork=bool(pull["isCrossRepository"]),
        is_merged=pull["state"] == "MERGED",
    )


def _following(pull: Mapping[str, Any]) -> dict[str, str | None]:
    """The cursors of the connections that go on."""
    pages = {name: (pull.get(name) or {}).get("pageInfo") or {} for name in ("reviewThreads", "comments")}
    return {name: page["endCursor"] for name, page in pages.items() if page.get("hasNextPage")}


def _threads(connection: Any) -> list[Thread]:
    found = []
    for node in (connection or {}).get("nodes") or ():
        comments = node["comments"]
        if not comments["nodes"]:
            continue
        first = comments["nodes"][0]
        found.append(
            Thread(
                id=node["id"],
                comment_id=str(first["fullDatabaseId"]),
                path=node["path"],
                line=node["line"],
                start_line=node["startLine"],
                body=first["body"],
                is_resolved=node["isResolved"],
                is_ours=first["viewerDidAuthor"],
                has_replies=comments["totalCount"] > 1,
            )
        )
    return found


def _summaries(connection: Any) -> list[_Summary]:
    """Those comments of a page that are ours and say that they are the summary."""
    nodes = (connection or {}).get("nodes") or ()
    return [
        _Summary(str(node["fullDatabaseId"]), node["body"])
        for node in nodes
        if node["viewerDidAuthor"] and parse_summary_marker(node["body"]) is not None
    ]
