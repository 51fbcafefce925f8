"""A pull request on GitHub, as the publisher asks for it: the protocol of `nootropic_bot/forge.py`.

What is there is read in one GraphQL request a hundred threads, the conversation in the same; what REST knows as well is
written by REST, since only `resolveReviewThread` is GraphQL's alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from nootropic_bot.constants import TOOL_NAME
from nootropic_bot.forge import (
    Annotation,
    Comment,
    Conclusion,
    Forbidden,
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
from nootropic_bot.github.reading import Reader, Summary, as_pull_request, in_order

# How long what was read is as good as asked for now; a plan is made in less.
_FRESH_SECONDS = 5.0

_RESOLVE = "mutation($id: ID!) { resolveReviewThread(input: {threadId: $id}) { thread { isResolved } } }"


class GitHubForge:
    """One pull request. `clock` counts seconds; `accounts`: apps that are trusted as the actions' own is."""

    def __init__(
        self, client: Client, repository: str, number: int, *, clock: Callable[[], float] = time.monotonic,
        accounts: Iterable[str] = (),
    ) -> None:  # fmt: skip
        self.client = client
        self.repository = repository_name(repository)
        self.number = number
        self._clock = clock
        self._read_at: float | None = None
        self._pull: PullRequest | None = None
        # None: not looked for. An empty list: there is none. Ours first, then others', the oldest first.
        self._summaries: list[Summary] | None = None
        self._reader = Reader(client, self.repository, number, accounts)
        self._has_unread_summary = False
        self._has_checked = False

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
        """All threads, the oldest first; the summary and the pull request itself are read on the way."""
        found: list[Thread] = []
        summaries: list[Summary] = []
        for pull in self._reader.pages("reviewThreads", "comments"):
            found += self._reader.threads(pull.get("reviewThreads"))
            summaries += self._reader.summaries(pull.get("comments"))
            self._pull, self._read_at = as_pull_request(self.number, pull), self._clock()
        self._summaries, self._has_unread_summary = in_order(summaries), True
        # In what order GitHub lists them, it does not say; numbers only grow.
        return sorted(found, key=lambda thread: int(thread.comment_id))

    def summary(self) -> str | None:
        """The oldest of our comments that say that they are the summary, which people saw first; or of others'."""
        if not self._has_unread_summary or self._summaries is None:
            self._summaries = self._reader.all_summaries()
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

    def withdraw_comment(self, comment_id: str) -> None:
        """Delete a comment on lines."""
        self.client.send("DELETE", f"{self._at}/pulls/comments/{int(comment_id)}", is_repeatable=True)

    def edit_review(self, review_id: str, body: str) -> None:
        """Another text for a review."""
        path = f"{self._at}/pulls/{self.number}/reviews/{int(review_id)}"
        self.client.send("PUT", path, {"body": body}, is_repeatable=True)

    def resolve_thread(self, thread_id: str) -> None:
        """GraphQL only; it takes permission to write contents, too."""
        self.client.graphql(_RESOLVE, {"id": thread_id}, is_write=True)

    def upsert_summary(self, body: str) -> None:
        """Edit the summary, or make it; whether one is there is looked up when that is not known for sure."""
        if self._summaries is None:
            self._summaries = self._reader.all_summaries()
        while self._summaries:
            try:
                self._summaries[0] = self._edited(self._summaries[0], body)
            except Missing:
                # Somebody deleted it in the meantime.
                del self._summaries[0]
            except Forbidden:
                if self._summaries[0].is_ours:
                    raise
                # It may not be changed by us, so ours stands beside it.
                del self._summaries[0]
            else:
                return
        path = f"{self._at}/issues/{self.number}/comments"
        try:
            made = self.client.send("POST", path, {"body": body})
        except Unanswered:
            self._summaries = None
            raise
        self._summaries = [Summary(str(made["id"]), body)]

    def _edited(self, old: Summary, body: str) -> Summary:
        if old.body != body:
            self.client.send("PATCH", self._place(old), {"body": body}, is_repeatable=True)
        return replace(old, body=body)

    def withdraw_doubled_summary(self) -> None:
        """Of several of ours the first stays, with the words of the last; none, where an older one says the same."""
        ours = [each for each in self._summaries or () if each.is_ours]
        if not ours:
            return
        stays, later = ours[0], ours[1:]
        if later:
            stays = self._edited(stays, later[-1].body)
        others = [each for each in self._summaries or () if not each.is_ours and int(each.number) < int(stays.number)]
        is_said = any(each.body.split() == stays.body.split() for each in others)
        for each in [*later, *([stays] if is_said else [])]:
            self.client.send("DELETE", self._place(each), is_repeatable=True)
        self._summaries = others if is_said else [stays, *others]

    def _place(self, summary: Summary) -> str:
        return f"{self._at}/issues/comments/{summary.number}"

    def publish_check(
        self, head: str, conclusion: Conclusion, title: str, summary: str, annotations: Sequence[Annotation], *,
        is_first: bool = False,
    ) -> None:  # fmt: skip
        """A check run of our name. One that got no answer may be there, so that a second try looks for it."""
        is_first, self._has_checked = is_first and not self._has_checked, True
        text = conclusion, title, summary, annotations
        checks.publish_check(self.client, self.repository, head, *text, is_first=is_first)

    def upload_sarif(self, head: str, sarif: str) -> None:
        """To code scanning, under the pull request's own ref."""
        checks.upload_sarif(self.client, self.repository, self.number, head, sarif)

    # Reading.

    @property
    def _at(self) -> str:
        return f"/repos/{self.repository}"


def _entry(comment: Comment) -> dict[str, object]:
    entry: dict[str, object] = {"path": comment.path, "line": comment.line, "side": "RIGHT", "body": comment.body}
    if comment.start_line is not None:
        entry |= {"start_line": comment.start_line, "start_side": "RIGHT"}
    return entry
