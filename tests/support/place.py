"""A repository with our workflows on the server, and a machine that runs them for what happens to its pull requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nootropic_bot.workflowfiles import Actions, Setup, path_of, workflows
from tests.support.action_runner import Machine
from tests.support.github import records as r
from tests.support.github_server import GitHubServer
from tests.support.job_runner import Job

ACTIONS = Actions("octo-org/nootropic-bot", "0123456789abcdef0123456789abcdef01234567", "1.0.0")
HOSTED = Setup(ACTIONS)
OWN = Setup(ACTIONS, self_hosted=True)

CLEAN = "import yaml\n\n\ndef read(path):\n    with open(path, encoding='utf-8') as stream:\n        return yaml.safe_load(stream)\n"
WRONG = CLEAN.replace("yaml.safe_load(stream)", "yaml.load(stream, Loader=yaml.Loader)")


@dataclass
class Place:
    """A repository and what happens to it. `setup` decides which workflows it has."""

    server: GitHubServer
    repository: r.Repository
    machine: Machine
    main: str
    setup: Setup = HOSTED

    def open(self, branch: str = "feature", *, fork: str = "", title: str = "A change", **files: str) -> r.PullRequest:
        """A pull request with these files (a dot is written `__`), of a branch or of somebody's fork."""
        changes = {name.replace("__", "."): text for name, text in files.items()} or {"load.py": WRONG}
        source = self.server.fork(self.repository, fork) if fork else self.repository
        user = fork or "mona"
        self.server.commit(source, branch, changes, user=user, parent=self.main)
        head = f"{fork}:{branch}" if fork else branch
        return self.server.open_pull(self.repository, head, user=user, title=title)

    def run(self, name: str, event_name: str, event: dict[str, Any], **more: Any) -> dict[str, Job]:
        """Run one of the workflows."""
        texts = workflows(self.setup)
        return self.machine.run(texts[path_of(name)], event_name, event, called=texts, **more)

    def analyse(self, pull: r.PullRequest, event: dict[str, Any] | None = None) -> dict[str, Job]:
        """`pull_request`: the analysis, with what a fork may do where it comes from one."""
        self.server.sync()
        return self._of_pull("review", pull, event or self.server.events.pull_request(pull))

    def edit(self, pull: r.PullRequest, *, title: str = "", base: str = "") -> dict[str, Job]:
        """`pull_request`, edited: somebody gives it another title, or another base."""
        before: dict[str, Any] = {"title": {"from": pull.title}} if title else {}
        if base:
            before["base"] = {"ref": {"from": pull.base_branch}, "sha": {"from": pull.base}}
        pull.title, pull.base_branch = title or pull.title, base or pull.base_branch
        self.server.sync()
        return self._of_pull("retarget", pull, self.server.events.pull_request(pull, "edited", changes=before))

    def _of_pull(self, name: str, pull: r.PullRequest, told: dict[str, Any]) -> dict[str, Job]:
        told["repository"]["private"] = self.repository.is_private
        from_fork = pull.head_repository is not pull.repository
        sha = pull.merge_commit or pull.head
        return self.run(name, "pull_request", told, sha=sha, ref=f"{pull.number}/merge", from_fork=from_fork)

    def publish(
        self, pull: r.PullRequest, conclusion: str = "success", event: str = "pull_request", name: str = "review"
    ) -> dict[str, Job]:
        """`workflow_run`: what was analysed last is posted. `name`: of the workflow that did so."""
        flow = self.server.add_workflow(self.repository, path_of(name), f"nootropic {name}")
        run = self.server.add_run(flow, pull, dict(self.machine.artifacts), event=event, conclusion=conclusion)
        return self.run("publish", "workflow_run", self.server.events.workflow_run(run), sha=self.main)

    def say(self, pull: r.PullRequest, text: str, user: str = "mona") -> dict[str, Job]:
        """`issue_comment`: somebody says something on a pull request."""
        told = self.server.events.issue_comment(self.server.comment(pull, user, text))
        told["repository"]["private"] = self.repository.is_private
        return self.run("commands", "issue_comment", told, sha=self.main)
