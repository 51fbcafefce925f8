"""The GitHub workflows that `init --github` writes: templates beside this module, filled in for one repository.

A template is a workflow with three additions: `uses: nootropic/NAME` is one of our actions; a line that begins with
`#if`, `#else` or `#end` keeps or drops what lies between; `RUNNER`, `SHARDS` and `ANALYSED` stand for values. What is
filled in is checked here against a pattern: nothing from outside becomes part of a workflow unseen.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nootropic_bot.errors import UsageError

FOLDER = ".github/workflows"
MAX_SHARDS = 100  # GitHub starts at most 256 jobs of one matrix.
OWN_RUNNER = "[self-hosted, linux]"
HOSTED_RUNNER = "ubuntu-24.04"

_TEMPLATES = Path(__file__).resolve().parent / "workflows"
_REPOSITORY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
_SHA = re.compile(r"[0-9a-f]{40}")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]{0,63}")


@dataclass(frozen=True, slots=True)
class Actions:
    """Where our actions are taken from. `sha` pins them; `version` is said beside it."""

    repository: str
    sha: str
    version: str

    def __post_init__(self) -> None:
        check_repository(self.repository)
        if not _SHA.fullmatch(self.sha):
            raise UsageError(
                f"{self.sha!r} is not a full commit id",
                "a tag or a shortened id can be moved: give all 40 characters",
            )
        if not _VERSION.fullmatch(self.version):
            raise UsageError(f"{self.version!r} is not a version")

    def uses(self, name: str) -> str:
        """The value of a step's `uses`, with its version as a comment."""
        return f"{self.repository}/actions/{name}@{self.sha} # v{self.version}"


@dataclass(frozen=True, slots=True)
class Setup:
    """What kind of workflows. `actions` None: those of the checkout itself, for this project's own repository."""

    actions: Actions | None
    self_hosted: bool = False
    shards: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.shards <= MAX_SHARDS:
            raise UsageError(f"--shards {self.shards} does not lie in 1..{MAX_SHARDS}")


def check_repository(name: str) -> None:
    """Raises `UsageError` unless the name has the form that GitHub's names have."""
    if not _REPOSITORY.fullmatch(name) or name.endswith((".", ".git")):
        raise UsageError(f"{name!r} is not the name of a repository", "for example `octo-org/nootropic-bot`")


def workflows(setup: Setup) -> dict[str, str]:
    """Path in the repository → text."""
    names = ("review", "retarget", "commands") + (() if setup.self_hosted else ("publish", "wheel"))
    return {path_of(name): _fill((_TEMPLATES / f"{name}.yml").read_text(encoding="utf-8"), setup) for name in names}


def path_of(name: str) -> str:
    """Where a workflow lies in a repository."""
    return f"{FOLDER}/nootropic-{name}.yml"


def _fill(template: str, setup: Setup) -> str:
    conditions = {
        "self-hosted": setup.self_hosted,
        "sharded": setup.shards > 1,
        "local": setup.actions is None,
    }
    values = {
        "RUNNER": OWN_RUNNER if setup.self_hosted else HOSTED_RUNNER,
        "SHARDS": json.dumps([f"{number}/{setup.shards}" for number in range(1, setup.shards + 1)]),
        "ANALYSED": "join" if setup.shards > 1 else "analyse",
    }
    text = "".join(_kept(template.splitlines(keepends=True), conditions))
    text = re.sub(r"\b(RUNNER|SHARDS|ANALYSED)\b", lambda found: values[found[1]], text)
    return re.sub(r"(?<=uses: )nootropic/([a-z]+)$", lambda found: _uses(setup, found[1]), text, flags=re.MULTILINE)


def _uses(setup: Setup, name: str) -> str:
    return f"./actions/{name}" if setup.actions is None else setup.actions.uses(name)


def _kept(lines: list[str], conditions: dict[str, bool]) -> Iterator[str]:
    """The lines whose conditions, which may lie in one another, all hold."""
    holding: list[bool] = []
    for line in lines:
        if line.startswith("#if "):
            holding.append(conditions[line.split()[1]])
        elif line.startswith("#else"):
            holding[-1] = not holding[-1]
        elif line.startswith("#end"):
            holding.pop()
        elif all(holding):
            yield line
