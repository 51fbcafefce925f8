"""The trusted job in tests: a pull request on the server, what an analysis hands over, and `publish` as a job runs it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from nootropic_bot.git import Repository
from nootropic_bot.github.client import Client
from nootropic_bot.github.pulls import get_pull
from nootropic_bot.github.waiting import Pace, Patience
from nootropic_bot.handover import read_report
from nootropic_bot.marker import digest
from nootropic_bot.publishing import Delivered, Delivery, deliver
from nootropic_bot.records import Finding, Position
from nootropic_bot.reports import to_data
from nootropic_bot.soundness import suggestion_id
from nootropic_bot.source import decode
from tests.support.clock import Clock
from tests.support.github import records as r
from tests.support.github_server import GitHubServer
from tests.support.repo import PROJECT, Repo, Run, run_bot
from tests.support.reports import make_finding, make_report, make_suggestion

# Where this test process finds what is installed beside the project.
_PATHS = os.pathsep.join([str(PROJECT), os.environ.get("PYTHONPATH", "")]).strip(os.pathsep)


@dataclass
class TrustedJob:
    """A pull request and the job that posts on it. `clone`: the checkout of the base branch that the job has."""

    server: GitHubServer
    folder: Path
    repository: r.Repository
    pull: r.PullRequest
    clock: Clock = field(default_factory=Clock)

    @classmethod
    def open(
        cls, server: GitHubServer, folder: Path, base: Mapping[str, str | bytes], head: Mapping[str, Any], *,
        fork: bool = True, name: str = "octo/app", **more: Any,
    ) -> TrustedJob:  # fmt: skip
        """A pull request that changes `base` to `head`, from a fork of `eve` unless told otherwise."""
        repository = server.create_repository(name)
        main = server.commit(repository, "main", base, "first")
        source = server.fork(repository, "eve") if fork else repository
        server.commit(source, "patch", head, user="eve", parent=main)
        pull = server.open_pull(repository, "eve:patch" if fork else "patch", user="eve", **more)
        return cls(server, folder, repository, pull)

    @property
    def source(self) -> r.Repository:
        """Where the head lies."""
        assert self.pull.head_repository is not None
        return self.pull.head_repository

    def clone(self) -> Repo:
        """The job's checkout."""
        path = self.folder / "clone"
        return Repo(path) if path.exists() else self.server.checkout(self.repository, path)

    def push(self, files: Mapping[str, Any]) -> str:
        """The author pushes to the branch."""
        sha = self.server.commit(self.source, "patch", files, user="eve")
        self.server.sync()
        return sha

    # What an analysis says.

    def finding(self, path: str, line: int, fix: tuple[int, int, str] | None = None, **more: Any) -> Finding:
        """A finding at head, with a fix that looks proved."""
        more.setdefault("id", digest([path, str(line)])[:16])
        if fix is not None:
            raw = self.source.git.run("cat-file", "blob", f"{self.pull.head}:{path}")
            of = decode(path, raw)
            made = make_suggestion(of, fix)
            more["suggestion"] = replace(made, id=suggestion_id(more["id"], made.edits))
            more.setdefault("start", Position(line, 1))
            more.setdefault("end", Position(line, len(of.lines[line - 1].rstrip("\r\n")) + 1))
        return make_finding(path, line, **more)

    def report(self, findings: Iterable[Finding] = (), **more: Any) -> bytes:
        """The JSON that a review of the head writes."""
        fields = {"base": self.pull.base, "head": self.pull.head, **more}
        return json.dumps(to_data(make_report(findings, **fields))).encode()

    def run(self, files: Mapping[str, bytes] | bytes, **more: Any) -> r.WorkflowRun:
        """A run of the tokenless workflow with its artifact."""
        workflow = self.server.add_workflow(self.repository, ".github/workflows/review.yml", "review")
        return self.server.add_run(workflow, self.pull, {"nootropic-report": files}, **more)

    # What the job does.

    def environment(self, event: str | None = None, data: Any = None, *, label: str = "bot") -> dict[str, str]:
        """What the runner sets."""
        found = {
            "GITHUB_TOKEN": self.server.token(label),
            "GITHUB_API_URL": self.server.url,
            "GITHUB_REPOSITORY": self.repository.full_name,
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary.md"),
            "PYTHONPATH": _PATHS,
        }
        if event is not None:
            path = self.folder / "event.json"
            path.write_text(json.dumps(data))
            found |= {"GITHUB_EVENT_NAME": event, "GITHUB_EVENT_PATH": str(path)}
        return found

    def publish(self, run: r.WorkflowRun, *args: str, label: str = "bot") -> Run:
        """The command, as the job runs it."""
        event = self.server.events.workflow_run(run)
        environment = self.environment("workflow_run", event, label=label)
        return run_bot("publish", *args, cwd=self.clone().path, env=environment)

    def publish_report(self, report: bytes, *args: str, label: str = "bot", number: int | None = None) -> Run:
        """The command with a report of its own."""
        path = self.folder / "report.json"
        path.write_bytes(report)
        options = ("--pull-request", str(number or self.pull.number), *args)
        return run_bot("publish", str(path), *options, cwd=self.clone().path, env=self.environment(label=label))

    def client(self, label: str = "bot", *, budget: float = 300.0, pace: Pace | None = None) -> Client:
        """A client whose waits move the clock and take no time."""
        patience = Patience(budget, sleep=self.clock.sleep, jitter=lambda: 0.5)
        return Client.connect(
            self.server.url, self.server.token(label), patience=patience, pace=pace or Pace(self.clock)
        )

    def deliver(
        self, findings: Iterable[Finding] = (), *, label: str = "bot", is_local: bool = True, client: Client | None = None,
        records: bytes | None = None, sarif: bool = False, **more: Any,
    ) -> Delivered:  # fmt: skip
        """The job's own work on a report of the present head, in this process."""
        report = read_report(self.report(findings, **more), "report.json")
        client = client or self.client(label)
        repo = Repository.open(self.clone().path) if is_local else None
        pull = get_pull(client, self.repository.full_name, self.pull.number)
        return deliver(client, repo, pull, Delivery(report, wants_sarif=sarif, records=records))

    # What is there then.

    @property
    def summary(self) -> str:
        """The job's summary."""
        path = self.folder / "summary.md"
        return path.read_text() if path.exists() else ""

    def bodies(self) -> list[str]:
        """The comments on lines, the oldest first."""
        return [comment.body for comment in self.pull.review_comments()]

    def texts(self) -> str:
        """Everything that was said on the pull request and in its checks."""
        parts = [*self.bodies(), *(comment.body for comment in self.pull.comments)]
        parts += [review.body for review in self.pull.reviews]
        checks = [check for check in self.server.hub.checks.values() if check.repository is self.repository]
        parts += [json.dumps([check.fields, check.annotations], ensure_ascii=False) for check in checks]
        return "\n".join(parts)


def numbered(count: int, *changed: int, text: str = "new") -> str:
    """A Python file of so many lines, some of them as they are after the change."""
    return "".join(f"{text}({n})\n" if n in changed else f"line({n})\n" for n in range(1, count + 1))
