"""A runner for tests: jobs of a workflow and the `run:` steps of our composite actions, in order, against the test server.

    machine = Machine(server, repository, folder)
    run = machine.run(workflow_text, "pull_request", event)
    assert run["analyse"].result == "success"

What is real: bash as GitHub calls it, the files of `GITHUB_OUTPUT` and the like, expressions, conditions, outputs, git, the
program. A job's token is made for it with exactly the permissions that the job asks for (a fork's pull request: reading
only), so a permission that is missing shows. What is played: GitHub's own actions (`played_actions.py`). What this
does not know raises `Unsupported`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.support.expressions import Scope, Unsupported
from tests.support.github import records as r
from tests.support.github_server import BOT, GitHubServer
from tests.support.job_runner import Job, JobRun
from tests.support.played_caches import Caches
from tests.support.repo import PROJECT


@dataclass
class Machine:
    """`with_inputs`: further inputs of our actions, whatever the workflow says. `environment`: as `runner.environment`.
    `lost`: parts of a matrix whose runner is lost. `project`: where our actions lie."""

    server: GitHubServer
    repository: r.Repository
    folder: Path
    environment: str = "github-hosted"
    with_inputs: Mapping[str, str] = field(default_factory=lambda: {"install": "false"})
    artifacts: dict[str, dict[str, bytes]] = field(default_factory=dict)
    caches: Caches = field(default_factory=Caches)
    played: list[str] = field(default_factory=list)
    lost: frozenset[str] = frozenset()
    project: Path = PROJECT
    runs: int = 0
    count: int = 0

    def run(
        self,
        text: str,
        name: str,
        event: Mapping[str, Any],
        *,
        sha: str = "",
        ref: str = "main",
        from_fork: bool = False,
        called: Mapping[str, str] | None = None,
    ) -> dict[str, Job]:
        """Run a workflow for an event. Its artifacts are in `artifacts` afterwards.

        `ref`: a branch, or `N/merge`. `called`: the workflows of the repository, by path, that this one may call; a job of
        one that is called is named `caller / job`.
        """
        self.artifacts = {}
        self.runs += 1
        github = {
            "event": event, "event_name": name, "repository": self.repository.full_name, "sha": sha, "ref_name": ref,
            "ref": f"refs/{'pull' if name == 'pull_request' else 'heads'}/{ref}", "run_id": str(self.runs),
            "run_attempt": "1", "actor": event.get("sender", {}).get("login", "mona"), "server_url": "https://github.com", "api_url": self.server.url,
        }  # fmt: skip
        return self._jobs(yaml.safe_load(text), github, from_fork, called or {})

    def _jobs(
        self, workflow: Mapping[str, Any], github: Mapping[str, Any], from_fork: bool, called: Mapping[str, str]
    ) -> dict[str, Job]:
        jobs: dict[str, Job] = {}
        event = github["event"]
        for job_id, job in workflow["jobs"].items():
            needs = [job["needs"]] if isinstance(job.get("needs"), str) else job.get("needs", [])
            seen = {each: {"result": jobs[each].result, "outputs": jobs[each].outputs} for each in needs}
            results = {entry["result"] for entry in seen.values()}
            # A job behind one that failed or was skipped starts only when its condition asks for the status.
            status = next((each for each in ("failure", "cancelled") if each in results), "success")
            contexts = {"github": github, "needs": seen, "inputs": event.get("inputs") or {}}
            scope = Scope(contexts, "skipped" if status == "success" and "skipped" in results else status)
            is_started = scope.holds(job.get("if", "success()" if results else "true"))
            if is_started and "uses" in job:
                parts = self._jobs(_callable(job, called), github, from_fork, {})
                jobs.update({f"{job_id} / {name}": part for name, part in parts.items()})
                jobs[job_id] = Job("failure" if any(part.result == "failure" for part in parts.values()) else "success")
            else:
                jobs[job_id] = self._job(job, workflow, contexts, from_fork) if is_started else Job("skipped")
        return jobs

    def _job(
        self, job: Mapping[str, Any], workflow: Mapping[str, Any], contexts: dict[str, Any], from_fork: bool
    ) -> Job:
        strategy = job.get("strategy", {"fail-fast": False})
        if strategy.get("fail-fast") is not False:
            raise Unsupported("a matrix in which one part that fails ends the others")
        shards = strategy.get("matrix", {}).get("shard", [None])
        permissions = job.get("permissions", workflow.get("permissions"))
        if not isinstance(permissions, Mapping):
            raise Unsupported("a job says which permissions it needs")
        parts = []
        for index, shard in enumerate(shards):
            if shard in self.lost:
                parts.append(Job("failure"))
                continue
            token = self._token({} if permissions is None else permissions, from_fork)
            more = {"matrix": {"shard": shard}, "strategy": {"job-index": index}} if shard else {}
            parts.append(JobRun(self, token, {**contexts, **more, "steps": {}}).run(job))
        worst = "failure" if any(part.result == "failure" for part in parts) else "success"
        steps = [step for part in parts for step in part.steps]
        return Job(worst, steps, parts[-1].outputs, parts[-1].token, "".join(part.summary for part in parts))

    def _token(self, permissions: Mapping[str, str], from_fork: bool) -> r.Token:
        given = {key.replace("-", "_"): "read" if from_fork else value for key, value in permissions.items()}
        self.count += 1
        return self.server.add_token(f"job-{self.count}", BOT, permissions={**given, "metadata": "read"})


def _callable(job: Mapping[str, Any], called: Mapping[str, str]) -> Mapping[str, Any]:
    """The workflow that a job calls; GitHub starts none whose jobs ask for more than the caller's job has."""
    if unknown := job.keys() - {"name", "if", "uses", "permissions"}:
        raise Unsupported(f"a job that calls a workflow, with {sorted(unknown)}")
    found: dict[Any, Any] = yaml.safe_load(called[str(job["uses"]).removeprefix("./")])
    # YAML 1.1 reads the key `on` as true.
    if "workflow_call" not in found[True]:
        raise Unsupported(f"{job['uses']} can't be called")
    levels = ("none", "read", "write")
    for part in found["jobs"].values():
        for name, level in part["permissions"].items():
            given = job["permissions"].get(name, "none")
            assert levels.index(level) <= levels.index(given), f"{name}: {level} is asked for, {given} is allowed"
    return found
