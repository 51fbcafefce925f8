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

import json
import os
import re
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.support.expressions import Scope, Unsupported
from tests.support.github import records as r
from tests.support.github_server import BOT, GitHubServer
from tests.support.played_actions import Played
from tests.support.played_caches import Caches, Reached
from tests.support.repo import PROJECT
from tests.support.runner_files import make_programs, read_outputs

_OURS = re.compile(r"(?:\./|[\w.-]+/[\w.-]+/)actions/(?P<name>[a-z]+)(?:@[0-9a-f]{40})?")
# How this machine reaches git and the registries, and what the tests' own sealed environment says.
_KEPT = ("GIT_CONFIG_", "NOOTROPIC_MODEL", "PIP_", "SSL_CERT_", "REQUESTS_CA_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_INPUT_KEYS = frozenset({"description", "required", "default"})


@dataclass
class Step:
    """How a step went. `env`: what the workflow gave it, without the runner's own variables. `seconds`: of a script."""

    name: str
    result: str
    code: int = 0
    out: str = ""
    err: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass
class Job:
    """How a job went; `token` is the one that was made for it, `summary` what it wrote for people."""

    result: str
    steps: list[Step] = field(default_factory=list)
    outputs: Mapping[str, str] = field(default_factory=dict)
    token: str = ""
    summary: str = ""

    @property
    def log(self) -> str:
        """All that was printed."""
        return "\n".join(f"--- {step.name}: {step.result}\n{step.out}{step.err}" for step in self.steps)


@dataclass
class Machine:
    """`with_inputs`: further inputs of our actions, whatever the workflow says. `environment`: as `runner.environment`.
    `lost`: parts of a matrix whose runner is lost."""

    server: GitHubServer
    repository: r.Repository
    folder: Path
    environment: str = "github-hosted"
    with_inputs: Mapping[str, str] = field(default_factory=lambda: {"install": "false"})
    artifacts: dict[str, dict[str, bytes]] = field(default_factory=dict)
    caches: Caches = field(default_factory=Caches)
    played: list[str] = field(default_factory=list)
    lost: frozenset[str] = frozenset()
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
            parts.append(_JobRun(self, token, {**contexts, **more, "steps": {}}).run(job))
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


class _JobRun:
    """One job on a fresh machine."""

    def __init__(self, machine: Machine, token: r.Token, contexts: dict[str, Any]) -> None:
        self.machine = machine
        self.token = token
        root = machine.folder / f"job-{machine.count}"
        self.workspace, self.temp, self.home = root / "workspace", root / "temp", root / "home"
        for folder in (self.workspace, self.temp, self.home, root / "tools"):
            folder.mkdir(parents=True)
        self.paths = [str(make_programs(root / "tools")), os.environ["PATH"]]
        runner = {"temp": str(self.temp), "os": "Linux", "arch": "X64", "environment": machine.environment}
        github = {**contexts["github"], "token": token.value, "workspace": str(self.workspace)}
        self.contexts = {**contexts, "github": github, "runner": runner}
        self.event = self.temp / "event.json"
        self.event.write_text(json.dumps(github["event"]), encoding="utf-8")
        self.summary = self.temp / "summary.md"
        self.summary.touch()
        self.files = 0

    def run(self, job: Mapping[str, Any]) -> Job:
        done = Job("success", token=self.token.label)
        done.steps, status, steps = self._steps(job["steps"], self.contexts, {})
        outputs = Scope({**self.contexts, "steps": steps}, status)
        done.outputs = {name: outputs.fill(value) for name, value in job.get("outputs", {}).items()}
        done.result, done.summary = status, self.summary.read_text(encoding="utf-8")
        return done

    def _steps(
        self, steps: list[dict[str, Any]], contexts: Mapping[str, Any], env: Mapping[str, str]
    ) -> tuple[list[Step], str, dict[str, Any]]:
        done: list[Step] = []
        known: dict[str, Any] = {}
        status = "success"
        for step in steps:
            scope = Scope({**contexts, "steps": known, "env": env}, status)
            name = str(step.get("name") or step.get("uses") or "run")
            if not scope.holds(step.get("if", "true")):
                done.append(Step(name, "skipped"))
                continue
            part = self._one(step, scope, env)
            done += part
            last = part[-1]
            if last.result == "failure" and not step.get("continue-on-error"):
                status = "failure"
            if "id" in step:
                known[step["id"]] = {"outputs": dict(last.outputs), "outcome": last.result}
        return done, status, known

    def _one(self, step: Mapping[str, Any], scope: Scope, env: Mapping[str, str]) -> list[Step]:
        known = {
            "name", "id", "if", "run", "uses", "with", "env", "shell", "continue-on-error", "working-directory",
            "timeout-minutes",
        }  # fmt: skip
        if unknown := step.keys() - known:
            raise Unsupported(f"a step with {sorted(unknown)}")
        given = {key: scope.fill(value) for key, value in (step.get("with") or {}).items()}
        env = {**env, **{key: scope.fill(value) for key, value in (step.get("env") or {}).items()}}
        if "run" in step:
            return [self._script(step, scope, env)]
        uses = str(step["uses"])
        if ours := _OURS.fullmatch(uses):
            return self._composite(ours["name"], given, env)
        return [self._play(uses, given)]

    def _composite(self, name: str, given: Mapping[str, str], env: Mapping[str, str]) -> list[Step]:
        folder = PROJECT / "actions" / name
        action = yaml.safe_load((folder / "action.yml").read_text(encoding="utf-8"))
        if action["runs"]["using"] != "composite":
            raise Unsupported(f"{name} is not composite")
        given = {**given, **{key: value for key, value in self.machine.with_inputs.items() if key in action["inputs"]}}
        if unknown := given.keys() - action["inputs"].keys():
            raise Unsupported(f"the action {name} has no inputs {sorted(unknown)}")
        outside = Scope({"github": self.contexts["github"], "runner": self.contexts["runner"]})
        inputs = {}
        for key, told in action["inputs"].items():
            if unknown := told.keys() - _INPUT_KEYS:
                raise Unsupported(f"an input with {sorted(unknown)}")
            if told.get("required") and key not in given:
                raise Unsupported(f"the action {name} needs {key}")
            inputs[key] = given.get(key, outside.fill(told.get("default", "")))
        contexts = {**outside.contexts, "inputs": inputs}
        steps, status, known = self._steps(
            action["runs"]["steps"], contexts, {**env, "GITHUB_ACTION_PATH": str(folder)}
        )
        outputs = Scope({**contexts, "steps": known}, status)
        told = {key: outputs.fill(value["value"]) for key, value in action.get("outputs", {}).items()}
        return [*steps, Step(f"actions/{name}", status, outputs=told)]

    def _script(self, step: Mapping[str, Any], scope: Scope, env: Mapping[str, str]) -> Step:
        if step.get("shell", "bash") != "bash":
            raise Unsupported(f"the shell {step['shell']}")
        self.files += 1
        script = self.temp / f"step-{self.files}.sh"
        script.write_text(scope.fill(step["run"]), encoding="utf-8")
        files = {
            key: self.temp / f"{key.lower()}-{self.files}" for key in ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH")
        }
        for path in files.values():
            path.touch()
        full = {**self._environment(), **env, **{key: str(path) for key, path in files.items()}}
        where = self.workspace / scope.fill(step.get("working-directory", "."))
        command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)]
        started = time.perf_counter()
        done = subprocess.run(command, cwd=where, env=full, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        seconds = time.perf_counter() - started
        out, err = (each.decode("utf-8", "replace") for each in (done.stdout, done.stderr))
        assert "Traceback" not in err, err
        if files["GITHUB_ENV"].read_bytes() or files["GITHUB_PATH"].read_bytes():
            raise Unsupported("a step that changes the environment of those behind it")
        outputs = dict(read_outputs(files["GITHUB_OUTPUT"].read_text(encoding="utf-8")))
        result = "failure" if done.returncode else "success"
        return Step(str(step.get("name", "run")), result, done.returncode, out, err, env, outputs, seconds)

    def _environment(self) -> dict[str, str]:
        github, runner = self.contexts["github"], self.contexts["runner"]
        names = (
            "repository", "event_name", "sha", "ref", "ref_name", "actor", "server_url", "api_url", "workspace", "run_id",
        )  # fmt: skip
        kept = {key: value for key, value in os.environ.items() if key.startswith(_KEPT)}
        return {
            **kept, **{f"GITHUB_{name.upper()}": str(github[name]) for name in names}, "CI": "true",
            "GITHUB_ACTIONS": "true", "GITHUB_EVENT_PATH": str(self.event), "GITHUB_STEP_SUMMARY": str(self.summary),
            "RUNNER_TEMP": runner["temp"], "RUNNER_OS": runner["os"],
            "RUNNER_ARCH": runner["arch"], "HOME": str(self.home), "PATH": os.pathsep.join(self.paths), "LANG": "C.UTF-8",
        }  # fmt: skip

    def _play(self, uses: str, given: Mapping[str, str]) -> Step:
        action = uses.partition("@")[0]
        self.machine.played.append(action)
        place = Path(self.machine.repository.git.path)
        github = self.contexts["github"]
        folders = {"workspace": self.workspace, "home": self.home, "temp": self.temp}
        reached = Reached.by(github, folders)
        played = Played(place, self.workspace, github["sha"], self.machine.artifacts, self.machine.caches, reached)
        ended = played.play(action, given)
        return Step(action, "success" if ended.is_good else "failure", out=ended.text, outputs=dict(ended.outputs))
