"""What GitHub tells a webhook or a workflow: the content of `GITHUB_EVENT_PATH`.

Each event is held to GitHub's description of its webhook. That describes only objects: properties which the REST
interface has and the webhook's description does not are left out.
"""

from __future__ import annotations

from typing import Any

from tests.support.github import records as r
from tests.support.github.actions import run_shape, workflow_shape
from tests.support.github.contract import ContractBroken, component, problem
from tests.support.github.hub import Hub
from tests.support.github.pullshapes import PullShapes
from tests.support.github.shapes import JSON


class Events:
    """Makes events from what the server remembers."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.shapes = PullShapes(hub)

    def _event(self, name: str, repository: r.Repository, sender: r.User, **more: Any) -> JSON:
        event = {"repository": self.shapes.repository(repository), "sender": self.shapes.user(sender), **more}
        known = component(f"webhook-{name}")
        if (found := problem(known, event)) is not None:
            raise ContractBroken(f"event {name}: {found}")
        return event

    def issue_comment(self, comment: r.IssueComment) -> JSON:
        """`issue_comment`, created."""
        pull, shown = comment.pull, self.shapes.issue_comment(comment)
        url = f"{self.shapes.repository_url(pull.repository)}/issues/{pull.number}"
        issue = {
            **self.shapes.issue(pull), "active_lock_reason": None, "timeline_url": f"{url}/timeline",
            "reactions": self.shapes.rollup(r.Comment(0, pull.user, "", 0, 0), url), "state_reason": None,
            "performed_via_github_app": None,
        }  # fmt: skip
        return self._event(
            "issue-comment-created", pull.repository, comment.user, action="created", issue=issue, comment=shown
        )

    def pull_request(
        self, pull: r.PullRequest, action: str = "opened", *, before: str = "", changes: JSON | None = None
    ) -> JSON:
        """`pull_request`, opened, `synchronize` with the head before it, or `edited` with what was there before."""
        shown = {**self.shapes.pull(pull), "active_lock_reason": None}
        more: JSON = {"before": before, "after": pull.head} if action == "synchronize" else {}
        more |= {} if changes is None else {"changes": changes}
        return self._event(
            f"pull-request-{action}", pull.repository, pull.user, action=action, number=pull.number,
            pull_request=shown, **more,
        )  # fmt: skip

    def workflow_run(self, run: r.WorkflowRun) -> JSON:
        """`workflow_run`, completed."""
        shapes, workflow = self.shapes, run.workflow
        return self._event(
            "workflow-run-completed", workflow.repository, run.actor, action="completed",
            workflow_run=run_shape(shapes, run), workflow=workflow_shape(shapes, workflow),
        )  # fmt: skip
