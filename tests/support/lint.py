"""`.ci/workflows.py` as CI runs it, and workflows for it to refuse."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.repo import PROJECT

CHECKOUT = "actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2"
CACHE = "actions/cache@9255dc7a253b0ccc959486e2bca901246202afeb # v5.0.1"
SET_UP = "actions/setup-python@a309ff8b426b58ec0e2a45f0f869d46889d02405 # v6.2.0"

_WORKFLOW = """\
name: sample
on:{excuse}
  {trigger}:
permissions: {{}}
jobs:
  sample:
    name: sample
    runs-on: ubuntu-24.04
    permissions: {{}}
    steps:
{steps}"""
_EXCUSE = " # zizmor: ignore[dangerous-triggers] a sample"


@dataclass(frozen=True)
class Linted:
    """What CI would say."""

    is_good: bool
    text: str

    def says(self, pattern: str) -> bool:
        """Whether a regular expression is found in what was printed."""
        return re.search(pattern, self.text, flags=re.DOTALL) is not None


def lint(*folders: Path) -> Linted:
    """Run the linters on repositories; on this project and all that `init` writes, if none is named."""
    command = [sys.executable, str(PROJECT / ".ci" / "workflows.py"), *map(str, folders)]
    env = {**os.environ, "PYTHONPATH": str(PROJECT)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=PROJECT, env=env)
    return Linted(done.returncode == 0, re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr))


def lint_sample(folder: Path, trigger: str, *steps: str, is_excused: bool = True) -> Linted:
    """Run them on one workflow. A step: its lines. `is_excused`: zizmor is told to overlook the trigger."""
    lines = "".join(f"      - {step}\n".replace("\n  ", "\n        ") for step in steps)
    path = folder / ".github" / "workflows" / "sample.yml"
    path.parent.mkdir(parents=True)
    path.write_text(_WORKFLOW.format(excuse=_EXCUSE if is_excused else "", trigger=trigger, steps=lines))
    return lint(folder)
