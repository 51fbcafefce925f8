"""What a delivery asks for. Only what is used of it is kept, so that no text of an event stays anywhere."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Literal

from nootropic_bot.github.events import IssueCommentEvent, PullRequestEvent, parse_event
from nootropic_bot.respond.grammar import NotUnderstood, parse

Kind = Literal["review", "command"]
EVENTS = ("pull_request", "issue_comment")
_REVIEWED = frozenset({"opened", "synchronize", "reopened", "ready_for_review"})
_EDITED = "edited"


@dataclass(frozen=True, slots=True)
class Asked:
    """Work to be done. `key`: the same for everything that asks for the same (row A17); `subject`: what is at most
    done once, as `content`: a pull request at a head and a base, a comment. `payload`: of a command, the event's
    JSON."""

    kind: Kind
    repository: str
    number: int
    subject: str
    content: str
    payload: str = field(default="", repr=False)

    @property
    def key(self) -> str:
        """What two deliveries that ask for the same have in common."""
        return f"{self.subject} {self.content}"


def subject_of_review(repository: str, number: int) -> str:
    """The subject of reviews of a pull request."""
    return f"review {repository.lower()}#{number}"


def content_of_review(head: str, base_branch: str) -> str:
    """What a review is of: of another base it says something else of the same head."""
    return f"{head} {base_branch}"


def read_delivery(event: str, raw: bytes) -> Asked | None:
    """What a delivery, whose signature was checked, asks for; None where that is nothing.

    Raises:
        UsageError: it is not what GitHub sends.
    """
    if event not in EVENTS:
        return None
    found = parse_event(event, raw)
    if isinstance(found, PullRequestEvent):
        return _review(found)
    assert isinstance(found, IssueCommentEvent)
    return _command(found)


def _review(event: PullRequestEvent) -> Asked | None:
    if event.action not in _REVIEWED and not (event.action == _EDITED and event.is_retargeted):
        return None
    subject = subject_of_review(event.repository, event.number)
    content = content_of_review(event.head, event.base_branch)
    return Asked("review", event.repository, event.number, subject, content)


def _command(event: IssueCommentEvent) -> Asked | None:
    """A command; who may give it is asked later, where what is not understood is answered, too."""
    if event.action != "created" or not event.is_pull_request or event.author_type != "User":
        return None
    try:
        if parse(event.body) is None:
            return None
    except NotUnderstood:
        pass
    subject = f"command {event.repository.lower()} {event.comment_id}"
    payload = json.dumps(_payload(event))
    return Asked("command", event.repository, event.number, subject, "", payload)


def _payload(event: IssueCommentEvent) -> dict[str, Any]:
    """The event with the fields that are read, and no others; of the body the first line is all that counts."""
    author = {"login": event.author, "id": event.author_id, "type": event.author_type}
    return {
        "action": event.action,
        "repository": {"full_name": event.repository, "private": True},
        "issue": {"number": event.number, "pull_request": {}},
        "comment": {"id": event.comment_id, "body": (event.body.splitlines() or [""])[0], "user": author},
    }
