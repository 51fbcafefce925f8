"""Which pull request a commit belongs to, asked of the API: what an artifact or an event's list says decides nothing.

`workflow_run` names no pull request of a fork, and neither does `commits/{sha}/pulls`, so those of the base are gone
through: the head's commit and its repository must both be what the event names (row A8).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nootropic_bot.forge import Missing, PullRequest
from nootropic_bot.github.client import Client
from nootropic_bot.github.events import WorkflowRunEvent
from nootropic_bot.github.names import is_commit_id, repository_name

# The newest are looked at first, and one that was just analysed is among them.
_MAX_LOOKED_AT = 3_000


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull request as the API tells it. `head_repository`: None once the fork is deleted. `is_merged`: or closed.

    `author`: whose it is; `address`: where the repository that it is proposed to is cloned from; `base_branch`: the
    name of the branch that it is proposed to.
    """

    repository: str
    number: int
    head: str
    base: str
    head_repository: str | None
    head_branch: str
    is_open: bool
    is_merged: bool
    is_draft: bool
    author: str = ""
    address: str = ""
    base_branch: str = ""

    @property
    def is_fork(self) -> bool:
        """Whether its branch is in another repository."""
        return self.head_repository != self.repository

    @property
    def as_known(self) -> PullRequest:
        """The same in the words that all forges share."""
        return PullRequest(
            self.number, self.head, self.base, self.is_open, self.is_draft, self.is_fork, is_merged=self.is_merged
        )


def get_pull(client: Client, repository: str, number: int) -> Pull:
    """A pull request by its number.

    Raises:
        ForgeError: it can't be read.
    """
    try:
        return _pull(client.get(f"/repos/{repository_name(repository)}/pulls/{number:d}"))
    except Missing as error:
        problem = f"{repository} has no pull request {number}, or the token may not see it: {error.message}"
        raise Missing(problem, "check the name of the repository, the number, and what the token may read") from error


def find_pulls(client: Client, event: WorkflowRunEvent) -> list[Pull]:
    """The pull requests whose branch a run was for: those at its commit first, and of these the open ones first.

    One of another commit, or a closed one, is told as well, so that a caller can say why nothing is posted.

    Raises:
        ForgeError: they can't be listed.
    """
    found = [pull for pull in _candidates(client, event) if _is_of(pull, event)]
    return sorted(found, key=lambda pull: (pull.head != event.head, not pull.is_open, -pull.number))


def _candidates(client: Client, event: WorkflowRunEvent) -> Iterator[Pull]:
    query: dict[str, str | int] = {"state": "all", "sort": "updated", "direction": "desc"}
    if event.head_repository is not None and event.head_branch:
        query["head"] = f"{event.head_repository.partition('/')[0]}:{event.head_branch}"
    else:
        # Of a deleted fork only the commit is known.
        query["state"] = "open"
    for number, item in enumerate(client.pages(f"/repos/{event.repository}/pulls", query)):
        if number >= _MAX_LOOKED_AT:
            return
        yield _pull(item)


def _is_of(pull: Pull, event: WorkflowRunEvent) -> bool:
    if event.head_repository is None:
        # The fork was gone when the run ended, so the pull request has none either: one that has is somebody else's.
        return pull.head == event.head and pull.head_repository is None
    if pull.head_repository is None:
        # It went since then: the commit alone says whose it is.
        return pull.head == event.head
    return pull.head_repository == event.head_repository and pull.head_branch == event.head_branch


def _pull(data: Any) -> Pull:
    """The parts that are used, checked: they decide where is posted.

    Raises:
        Missing: the answer is no pull request.
    """
    try:
        head, base = data["head"], data["base"]
        source = head["repo"]
        found = Pull(
            repository=repository_name(base["repo"]["full_name"]),
            number=int(data["number"]),
            head=head["sha"],
            base=base["sha"],
            head_repository=None if source is None else repository_name(source["full_name"]),
            head_branch=head["ref"],
            is_open=data["state"] == "open",
            is_merged=bool(data.get("merged_at")),
            is_draft=bool(data.get("draft")),
            # An account that was deleted leaves its pull requests to this one.
            author=str((data["user"] or {"login": "ghost"})["login"]),
            address=str(base["repo"].get("clone_url") or ""),
            base_branch=str(base["ref"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Missing("GitHub's answer is no pull request") from error
    if not (is_commit_id(found.head) and is_commit_id(found.base)):
        raise Missing("GitHub's answer is no pull request")
    return found
