"""What is on a pull request on GitHub: threads, summary comments and the pull request itself, by GraphQL.

A comment is as good as ours where somebody wrote it who may write in the repository, since a run of this program with
their token may have posted it, or an app that the base's configuration names; anybody else's marker is worth nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from nootropic_bot.forge import Missing, PullRequest, Thread
from nootropic_bot.github.client import Client
from nootropic_bot.github.permissions import permission
from nootropic_bot.marker import parse_marker, parse_summary_marker

# Whoever runs a workflow in the repository writes as this one; its name has no `[bot]` in GraphQL.
_ACTIONS = "github-actions"
_MAX_PAGES = 100
# Of so many people it is asked whether they may write: anybody can copy a marker.
_MAX_LOOKED_UP = 10

_COMMENT_FIELDS = "fullDatabaseId body viewerDidAuthor author { __typename login }"
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
          id path line startLine isResolved resolvedBy {{ login }}
          comments(first: 1) {{ totalCount nodes {{ {_COMMENT_FIELDS} pullRequestReview {{ fullDatabaseId }} }} }}
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


@dataclass(frozen=True, slots=True)
class Summary:
    """A summary comment: its number, and its text. `is_ours`: or of somebody who is trusted."""

    number: str
    body: str
    is_ours: bool = True


class Reader:
    """Reads one pull request, a hundred items of each list at a time. `accounts`: trusted apps, as "name[bot]"."""

    def __init__(self, client: Client, repository: str, number: int, accounts: Iterable[str] = ()) -> None:
        self._client = client
        self._repository = repository
        self._number = number
        self._may_write: dict[str, bool] = {}
        self._apps = {_ACTIONS, *(name.removesuffix("[bot]").lower() for name in accounts)}

    def pages(self, *connections: str) -> Iterator[dict[str, Any]]:
        """The pull request with a page of each of these connections at a time, until all of them end.

        Raises:
            ForgeError: it can't be read.
        """
        cursors: Mapping[str, str | None] = dict.fromkeys(connections)
        for _page in range(_MAX_PAGES):
            pull = self._read(cursors)
            yield pull
            cursors = _following(pull)
            if not cursors:
                return

    def threads(self, connection: Any) -> list[Thread]:
        """The threads of a page."""
        nodes = (connection or {}).get("nodes") or ()
        return [self._thread(node) for node in nodes if node["comments"]["nodes"]]

    def summaries(self, connection: Any) -> list[Summary]:
        """Those comments of a page that say that they are the summary."""
        nodes = (connection or {}).get("nodes") or ()
        return [
            Summary(str(node["fullDatabaseId"]), node["body"], node["viewerDidAuthor"])
            for node in nodes
            if parse_summary_marker(node["body"]) is not None and (node["viewerDidAuthor"] or self._is_trusted(node))
        ]

    def all_summaries(self) -> list[Summary]:
        """All that there are, `in_order`.

        Raises:
            ForgeError: they can't be read.
        """
        pages = [self.summaries(pull.get("comments")) for pull in self.pages("comments")]
        return in_order(chain.from_iterable(pages))

    def _read(self, cursors: Mapping[str, str | None]) -> dict[str, Any]:
        """A page of what is asked for: the connections that have a cursor."""
        owner, _, name = self._repository.partition("/")
        variables = {
            "owner": owner,
            "name": name,
            "number": self._number,
            "threads": cursors.get("reviewThreads"),
            "comments": cursors.get("comments"),
            "withThreads": "reviewThreads" in cursors,
            "withComments": "comments" in cursors,
        }
        data = self._client.graphql(_READ, variables)
        pull = (data.get("repository") or {}).get("pullRequest")
        if not isinstance(pull, dict):
            raise Missing(f"there is no pull request {self._number}")
        return pull

    def _thread(self, node: Mapping[str, Any]) -> Thread:
        first = node["comments"]["nodes"][0]
        review, author, closer = first["pullRequestReview"], first["author"], node["resolvedBy"]
        # A person may have resolved what they posted themselves, by hand.
        is_settled = author is not None and closer is not None and author["__typename"] == "Bot"
        return Thread(
            id=node["id"],
            comment_id=str(first["fullDatabaseId"]),
            path=node["path"],
            line=node["line"],
            start_line=node["startLine"],
            body=first["body"],
            is_resolved=node["isResolved"],
            is_ours=first["viewerDidAuthor"],
            has_replies=node["comments"]["totalCount"] > 1,
            is_trusted=parse_marker(first["body"]) is not None and self._is_trusted(first),
            review_id=None if review is None else str(review["fullDatabaseId"]),
            is_settled=is_settled and node["isResolved"] and author["login"] == closer["login"],
        )

    def _is_trusted(self, comment: Mapping[str, Any]) -> bool:
        """Whether another account wrote it that may write here: a person's, the actions', or an app that is named."""
        author = comment["author"]
        if comment["viewerDidAuthor"] or author is None:
            return False
        if author["__typename"] != "User":
            return author["__typename"] == "Bot" and author["login"].lower() in self._apps
        login = author["login"]
        if login not in self._may_write:
            if len(self._may_write) >= _MAX_LOOKED_UP:
                return False
            self._may_write[login] = permission(self._client, self._repository, login).may_write
        return self._may_write[login]


def in_order(found: Iterable[Summary]) -> list[Summary]:
    """Ours first, then others', the oldest first: numbers only grow."""
    return sorted(found, key=lambda each: (not each.is_ours, int(each.number)))


def as_pull_request(number: int, pull: Mapping[str, Any]) -> PullRequest:
    """The pull request itself."""
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
