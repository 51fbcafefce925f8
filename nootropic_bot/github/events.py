"""What started a workflow: the file that GITHUB_EVENT_PATH names, as frozen records.

GitHub writes the file, but people fill many of its texts: they are data, and only what is used is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nootropic_bot.errors import UsageError
from nootropic_bot.github.runner import Runner

# A webhook has 25 MB at most.
_MAX_BYTES = 25 << 20


@dataclass(frozen=True, slots=True)
class PullRequestEvent:
    """`pull_request`. `base_branch`: its name. `head_repository`: None once the fork is deleted. `is_retargeted`: it
    just got another base."""

    repository: str
    action: str
    number: int
    base: str
    head: str
    head_repository: str | None
    base_branch: str = ""
    is_retargeted: bool = False


@dataclass(frozen=True, slots=True)
class WorkflowRunEvent:
    """`workflow_run`: another workflow ended. `event`: what had started that. `head`: the commit that it ran for."""

    repository: str
    action: str
    run_id: int
    event: str
    conclusion: str | None
    head: str
    head_branch: str | None
    head_repository: str | None


@dataclass(frozen=True, slots=True)
class IssueCommentEvent:
    """`issue_comment`. `author_id`: the account's number; `author_type`: "User", "Bot" …; `is_pull_request`: or it
    is on an issue."""

    repository: str
    action: str
    number: int
    is_pull_request: bool
    comment_id: int
    body: str
    author: str
    author_id: int
    author_type: str


Event = PullRequestEvent | WorkflowRunEvent | IssueCommentEvent


def read_event(runner: Runner) -> Event:
    """The event that a step runs for.

    Raises:
        UsageError: there is none, it is of another kind, or its file is not what GitHub writes.
    """
    name = runner.event_name
    if runner.event_path is None or not name:
        raise UsageError(
            "there is no event",
            "run this in a workflow; elsewhere, `nootropic-bot publish REPORT --pull-request N` posts a report",
        )
    if name not in _READERS:
        kinds = ", ".join(_READERS)
        raise UsageError(
            f"the event {name[:60]!r} is none that is known here", f"start the workflow by one of: {kinds}"
        )
    try:
        with runner.event_path.open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"the event's file can't be read: {error.strerror}", "see GITHUB_EVENT_PATH") from error
    return parse_event(name, raw)


def parse_event(name: str, raw: bytes) -> Event:
    """An event of that name from its JSON.

    Raises:
        UsageError: it is not what GitHub says of such an event.
    """
    from pydantic import ValidationError

    if len(raw) > _MAX_BYTES:
        raise UsageError("the event is larger than GitHub makes them")
    try:
        return _READERS[name](_shape(name).model_validate_json(raw))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "it"
        problem = f"the event is no {name}: `{place}`: {first['msg'].lower()}"
        raise UsageError(problem, "GITHUB_EVENT_PATH should name the file that the runner wrote") from error


def _shape(name: str) -> Any:
    """What is read of an event; pydantic is imported only where there is one to read."""
    from nootropic_bot.github import eventshapes

    shapes: Mapping[str, Any] = {
        "pull_request": eventshapes.PullRequestEvent,
        "workflow_run": eventshapes.WorkflowRunEvent,
        "issue_comment": eventshapes.IssueCommentEvent,
    }
    return shapes[name]


def _pull_request(data: Any) -> PullRequestEvent:
    pull = data.pull_request
    return PullRequestEvent(
        repository=data.repository.full_name,
        action=data.action,
        number=pull.number,
        base=pull.base.sha,
        head=pull.head.sha,
        head_repository=None if pull.head.repo is None else pull.head.repo.full_name,
        base_branch=pull.base.ref,
        is_retargeted=data.changes is not None and data.changes.base is not None,
    )


def _workflow_run(data: Any) -> WorkflowRunEvent:
    run = data.workflow_run
    return WorkflowRunEvent(
        repository=data.repository.full_name,
        action=data.action,
        run_id=run.id,
        event=run.event,
        conclusion=run.conclusion,
        head=run.head_sha,
        head_branch=run.head_branch,
        head_repository=None if run.head_repository is None else run.head_repository.full_name,
    )


def _issue_comment(data: Any) -> IssueCommentEvent:
    comment = data.comment
    return IssueCommentEvent(
        repository=data.repository.full_name,
        action=data.action,
        number=data.issue.number,
        is_pull_request=data.issue.pull_request is not None,
        comment_id=comment.id,
        body=comment.body,
        author=comment.user.login,
        author_id=comment.user.id,
        author_type=comment.user.type,
    )


_READERS: Mapping[str, Callable[[Any], Event]] = {
    "pull_request": _pull_request,
    "workflow_run": _workflow_run,
    "issue_comment": _issue_comment,
}
