"""What the server remembers beside git. Times are seconds since 1970 by the server's clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.github.git import BareRepository

WRITE_ALL = dict.fromkeys(
    ("actions", "checks", "contents", "issues", "pull_requests", "security_events", "statuses"), "write"
) | {"metadata": "read"}
READ_ALL = dict.fromkeys(WRITE_ALL, "read")
ROLES = ("none", "read", "triage", "write", "maintain", "admin")


@dataclass(eq=False)
class User:
    """An account; an app's has the type `Bot`."""

    id: int
    login: str
    type: str = "User"
    name: str | None = None

    @property
    def email(self) -> str:
        return f"{self.id}+{self.login}@users.noreply.example"


@dataclass(frozen=True)
class Token:
    """What a request may show. `kind`: `user` (a person's, counted by their role), `actions` (a workflow's
    `GITHUB_TOKEN`), `installation` (an app's) or `app` (signed by the app itself). `repositories`: the ids it is for."""

    label: str
    value: str
    kind: str
    user: User
    permissions: Mapping[str, str] = field(default_factory=dict)
    repositories: frozenset[int] | None = None
    is_revoked: bool = False

    def may(self, permission: str, level: str) -> bool:
        """Whether it was given that permission."""
        order = ("none", "read", "write", "admin")
        return order.index(self.permissions.get(permission, "none")) >= order.index(level)


@dataclass(eq=False)
class Repository:
    """A repository and the people who may write to it."""

    id: int
    owner: User
    name: str
    git: BareRepository
    created: float
    default_branch: str = "main"
    is_private: bool = False
    parent: Repository | None = None
    is_deleted: bool = False
    roles: dict[str, str] = field(default_factory=dict)
    numbers: int = 0

    @property
    def full_name(self) -> str:
        return f"{self.owner.login}/{self.name}"

    def role(self, user: User) -> str:
        """What a person may do here."""
        if user is self.owner:
            return "admin"
        return self.roles.get(user.login, "none" if self.is_private else "read")


@dataclass(eq=False)
class Reaction:
    id: int
    user: User
    content: str
    created: float


@dataclass(eq=False)
class Comment:
    """A comment of an issue or pull request's conversation."""

    id: int
    user: User
    body: str
    created: float
    updated: float
    reactions: list[Reaction] = field(default_factory=list)
    minimized: str | None = None


@dataclass(eq=False)
class IssueComment(Comment):
    pull: PullRequest = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Anchor:
    """Where a comment was put: lines of a file's version in `commit`. `line` None: the comment is about the file."""

    path: str
    side: str
    line: int | None
    start_side: str | None
    start_line: int | None
    commit: str
    merge_base: str
    position: int | None
    hunk: str


@dataclass(frozen=True)
class Place:
    """Where a comment stands at the current head. All None: it is outdated."""

    line: int | None = None
    start_line: int | None = None
    position: int | None = None


@dataclass(eq=False)
class ReviewComment(Comment):
    review: Review = None  # type: ignore[assignment]
    thread: Thread = None  # type: ignore[assignment]

    @property
    def is_reply(self) -> bool:
        return self.thread.comments[0] is not self


@dataclass(eq=False)
class Thread:
    """A comment on lines and its replies."""

    id: int
    pull: PullRequest
    anchor: Anchor
    place: Place
    commit: str
    comments: list[ReviewComment] = field(default_factory=list)
    resolved_by: User | None = None
    is_outdated: bool = False


@dataclass(eq=False)
class Review:
    id: int
    pull: PullRequest
    user: User
    body: str
    state: str
    commit: str
    submitted: float | None
    comments: list[ReviewComment] = field(default_factory=list)


@dataclass(eq=False)
class PullRequest:
    """A pull request. `head_repository` is None once the fork is deleted."""

    id: int
    number: int
    repository: Repository
    title: str
    body: str | None
    user: User
    head_repository: Repository | None
    head_owner: User
    head_branch: str
    base_branch: str
    head: str
    base: str
    created: float
    updated: float
    is_draft: bool = False
    closed: float | None = None
    merged: float | None = None
    merged_by: User | None = None
    merge_commit: str | None = None
    is_mergeable: bool | None = None
    comments: list[IssueComment] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    threads: list[Thread] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)

    @property
    def state(self) -> str:
        return "open" if self.closed is None else "closed"

    @property
    def is_from_fork(self) -> bool:
        return self.head_repository is not self.repository

    def review_comments(self) -> list[ReviewComment]:
        """Those that everyone sees, the oldest first."""
        found = [each for thread in self.threads for each in thread.comments if each.review.state != "PENDING"]
        return sorted(found, key=lambda each: each.id)


@dataclass(eq=False)
class CheckRun:
    id: int
    repository: Repository
    user: User
    fields: dict[str, Any]
    annotations: list[dict[str, Any]] = field(default_factory=list)


@dataclass(eq=False)
class Sarif:
    id: str
    repository: Repository
    commit: str
    ref: str
    document: dict[str, Any]
    errors: list[str]


@dataclass(eq=False)
class Artifact:
    id: int
    run: WorkflowRun
    name: str
    data: bytes
    created: float
    is_expired: bool = False


@dataclass(eq=False)
class Workflow:
    id: int
    repository: Repository
    path: str
    name: str


@dataclass(eq=False)
class WorkflowRun:
    """One run. `head_repository` may be a fork: then its list of pull requests is empty, as GitHub's is."""

    id: int
    number: int
    workflow: Workflow
    event: str
    head_repository: Repository
    head_branch: str
    head: str
    actor: User
    created: float
    status: str = "completed"
    conclusion: str | None = "success"
    inputs: dict[str, Any] = field(default_factory=dict)
    artifacts: list[Artifact] = field(default_factory=list)
