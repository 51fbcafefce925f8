"""What a forge (a site that hosts repositories and their pull requests) must offer, in the words that all of them know.

    ForgeError      a RemoteError: the request was not carried out
    ├── Forbidden   the credentials do not allow it
    ├── Missing     the pull request, the branch, the repository or the function is not there (any more)
    ├── TooLarge    the forge does not serve something of this size
    ├── Refused     the content is not acceptable; which part of it is not said
    ├── Throttled   too many requests; `retry_after` seconds are asked for
    └── Unanswered  no answer came, so it may have been carried out, or not

An implementation waits and tries again within the forge's own rules; what it raises is final for this run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from nootropic_bot.errors import RemoteError
from nootropic_bot.marker import Marker, parse_marker
from nootropic_bot.records import Severity

Conclusion = Literal["success", "neutral", "failure"]


class ForgeError(RemoteError):
    """The forge did not carry out a request."""


class Forbidden(ForgeError):
    """The credentials do not allow it: a fork's run, a revoked token, a function that is switched off."""


class Missing(ForgeError):
    """What the request is about is not there, or not for these credentials."""


class TooLarge(ForgeError):
    """The forge does not serve something of this size."""


class Refused(ForgeError):
    """The content is not acceptable. A review is refused as a whole, without naming the comment that is the reason."""


class Throttled(ForgeError):
    """Too many requests. `retry_after`: seconds until the next one is welcome, None when the forge does not say."""

    def __init__(self, message: str, remedy: str | None = None, *, retry_after: float | None = None) -> None:
        super().__init__(message, remedy)
        self.retry_after = retry_after


class Unanswered(ForgeError):
    """No answer came in time, or the forge failed: the request may have been carried out."""


@dataclass(frozen=True, slots=True)
class Limits:
    """A forge's limits.

    `comment`, `check_output`: characters of one text. `comments_in_review`: comments on lines in one review, and of
    ours that are open at one time. `annotations_in_request`: an implementation sends more in several requests.
    `suggestion`: the info string of a fenced block that can be applied in the page, where `{above}` is the number of
    lines of the range before its last one; "" where the forge knows no such block.
    """

    comment: int = 65_536
    comments_in_review: int = 30
    annotations_in_request: int = 50
    check_output: int = 65_535
    suggestion: str = "suggestion"


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A proposed change. `is_merged`: that is why it is not open. `is_fork`: its branch is in another repository.
    `can_write`: we may comment on it."""

    number: int
    head: str
    base: str
    is_open: bool = True
    is_draft: bool = False
    is_fork: bool = False
    can_write: bool = True
    is_merged: bool = False


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment to post on the lines `start_line`..`line` of the new side; `start_line` is None for one line.

    Lines are 1-based and inclusive, of the file at the head that the review is about.
    """

    path: str
    line: int
    start_line: int | None
    body: str


@dataclass(frozen=True, slots=True)
class Thread:
    """A comment on lines with its replies. `line` is None when the lines are no longer part of the diff.

    `id` names the thread, `comment_id` its first comment, `review_id` the review that it came with, if that is known;
    `body` is the first comment's text. `is_ours`: the first comment was written with the credentials that we post with.
    `is_trusted`: with those of somebody else who may write here, so that a run of this program may have posted it.
    `has_replies`: somebody answered. `is_settled`: this program resolved it, and no person did.
    """

    id: str
    comment_id: str
    path: str
    line: int | None
    start_line: int | None
    body: str
    is_resolved: bool = False
    is_ours: bool = True
    has_replies: bool = False
    is_trusted: bool = False
    review_id: str | None = None
    is_settled: bool = False

    @property
    def marker(self) -> Marker | None:
        """What a comment of this program's says of itself; None for anybody's who is not trusted, whatever it looks
        like."""
        return parse_marker(self.body) if self.is_ours or self.is_trusted else None


@dataclass(frozen=True, slots=True)
class Annotation:
    """A remark of a check on lines of a file, which need not be part of the diff. The texts are plain, not Markdown."""

    path: str
    first_line: int
    last_line: int
    severity: Severity
    title: str
    message: str


class Forge(Protocol):
    """One pull request on a forge. Every method raises a `ForgeError` when it is not carried out."""

    @property
    def limits(self) -> Limits:
        """What fits; known without a request."""
        ...

    def pull_request(self) -> PullRequest:
        """The pull request as it is now."""
        ...

    def threads(self) -> Sequence[Thread]:
        """All threads on lines, resolved and outdated ones too, the oldest first."""
        ...

    def summary(self) -> str | None:
        """The text of the summary comment (with a `SummaryMarker`; ours, or somebody's who is trusted), or None."""
        ...

    def post_review(self, head: str, body: str, comments: Sequence[Comment]) -> None:
        """Post comments on the commit `head`, all of them or, when it raises `Refused`, none."""
        ...

    def edit_comment(self, comment_id: str, body: str) -> None:
        """Replace the text of a comment of ours; its lines stay what they are."""
        ...

    def withdraw_comment(self, comment_id: str) -> None:
        """Remove a comment of ours on lines."""
        ...

    def edit_review(self, review_id: str, body: str) -> None:
        """Replace the text of a review of ours."""
        ...

    def resolve_thread(self, thread_id: str) -> None:
        """Mark a thread as resolved."""
        ...

    def upsert_summary(self, body: str) -> None:
        """Write the summary comment: the one that is there is edited, otherwise it is made."""
        ...

    def withdraw_doubled_summary(self) -> None:
        """Remove a summary comment of ours where an older one, as `threads` read it last, takes its place."""
        ...

    def publish_check(
        self, head: str, conclusion: Conclusion, title: str, summary: str, annotations: Sequence[Annotation], *,
        is_first: bool = False,
    ) -> None:  # fmt: skip
        """Publish a check of the commit `head`, in place of the one that was published for it before; `is_first`: there
        is none that says the same, so it need not be looked for."""
        ...

    def upload_sarif(self, head: str, sarif: str) -> None:
        """Hand over the results of the commit `head` in SARIF, in place of those that were handed over before."""
        ...
