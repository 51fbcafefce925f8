"""One job of a workflow on a fresh machine: its steps and those of our composite actions, in order, as a runner starts them.

What is real and what is played is said in `action_runner.py`.
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
from typing import TYPE_CHECKING, Any

import yaml

from tests.support.expressions import Scope, Unsupported
from tests.support.github import records as r
from tests.support.played_actions import Played
from tests.support.played_caches import Reached
from tests.support.runner_files import make_programs, read_outputs

if TYPE_CHECKING:
    from tests.support.action_runner import Machine

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


class JobRun:
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
        folder = self.machine.project / "actions" / name
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
