"""The parts of GitHub's events that are read, for pydantic to check; `events.py` imports it when there is one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from nootropic_bot.github.names import is_commit_id, is_login, is_repository_name


def _checked(is_good: Callable[[str], bool], what: str) -> AfterValidator:
    def check(text: str) -> str:
        if not is_good(text):
            raise ValueError(f"this is not {what}")
        return text

    return AfterValidator(check)


_Name = Annotated[str, _checked(is_repository_name, "a repository")]
_Sha = Annotated[str, _checked(is_commit_id, "a commit id")]
_Login = Annotated[str, _checked(is_login, "an account")]
_Number = Annotated[int, Field(strict=True, gt=0, lt=1 << 53)]


class Source(BaseModel):
    """A repository that a head lies in."""

    full_name: _Name


class Repository(BaseModel):
    """The repository that the event is of."""

    full_name: _Name


class Base(BaseModel):
    """Where a pull request leads."""

    sha: _Sha
    ref: str


class Head(BaseModel):
    """Where it comes from; no repository when the fork is deleted."""

    sha: _Sha
    repo: Source | None


class Pull(BaseModel):
    """A pull request."""

    number: _Number
    base: Base
    head: Head


class Run(BaseModel):
    """A run of a workflow."""

    id: _Number
    event: str
    conclusion: str | None
    head_sha: _Sha
    head_branch: str | None
    head_repository: Source | None = None


class User(BaseModel):
    """An account."""

    login: _Login
    id: _Number
    type: str


class Comment(BaseModel):
    """A comment."""

    id: _Number
    body: str
    user: User


class Link(BaseModel):
    """What an issue has that is a pull request."""


class Issue(BaseModel):
    """An issue or a pull request."""

    number: _Number
    pull_request: Link | None = None


class Former(BaseModel):
    """What something was before it was edited."""


class Changes(BaseModel):
    """What was edited."""

    base: Former | None = None


class PullRequestEvent(BaseModel):
    """`pull_request`."""

    action: str
    repository: Repository
    pull_request: Pull
    changes: Changes | None = None


class WorkflowRunEvent(BaseModel):
    """`workflow_run`."""

    action: str
    repository: Repository
    workflow_run: Run


class IssueCommentEvent(BaseModel):
    """`issue_comment`."""

    action: str
    repository: Repository
    issue: Issue
    comment: Comment
