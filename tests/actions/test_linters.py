"""What CI looks for in actions and workflows: the real tools, on ours and on samples that they must refuse."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.repo import PROJECT

PINNED = "actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2"
JOB = "    runs-on: ubuntu-24.04\n    permissions: {}\n    steps:\n"
HEAD = (
    "name: x\non: # zizmor: ignore[dangerous-triggers] a sample\n  %s:\npermissions: {}\njobs:\n  x:\n    name: x\n"
    + JOB
)


def lint(*folders: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PROJECT / ".ci" / "workflows.py"), *map(str, folders)]
    env = {**os.environ, "PYTHONPATH": str(PROJECT)}
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=PROJECT, env=env)


def sample(folder: Path, text: str) -> Path:
    path = folder / ".github" / "workflows" / "sample.yml"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return folder


def test_all_that_we_ship_and_write_passes() -> None:
    done = lint()
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            HEAD.replace(" # zizmor: ignore[dangerous-triggers] a sample", "") % "pull_request_target"
            + f"      - uses: {PINNED}\n        with:\n          persist-credentials: false\n"
            + "          ref: ${{ github.event.pull_request.head.sha }}\n",
            r"dangerous-triggers",
            id="a1-zizmor",
        ),
        pytest.param(
            HEAD % "workflow_run: {workflows: [a], types: [completed]}\n  pull_request_target"
            + f"      - uses: {PINNED}\n        with:\n          persist-credentials: false\n"
            + "          ref: ${{ github.event.workflow_run.head_sha }}\n",
            r"A1: a job with a token checks out the pull request",
            id="a1-hidden-from-zizmor",
        ),
        pytest.param(
            HEAD % "issue_comment" + "      - run: gh pr checkout 1\n",
            r"A1: a job with a token fetches the pull request",
            id="a1-by-command",
        ),
        pytest.param(
            HEAD % "pull_request" + '      - run: echo "${{ github.event.pull_request.title }}"\n',
            r"A2: a value from outside(?s:.*)template-injection",
            id="a2",
        ),
        pytest.param(
            HEAD % "pull_request"
            + "      - uses: actions/checkout@v6\n        with:\n          persist-credentials: false\n",
            r"A5: not pinned(?s:.*)unpinned-uses",
            id="a5",
        ),
        pytest.param(
            HEAD % "issue_comment"
            + "      - uses: actions/cache@9255dc7a253b0ccc959486e2bca901246202afeb # v5.0.1\n"
            + "        with:\n          path: x\n          key: x\n",
            r"A6: a cache is written",
            id="a6-cache",
        ),
        pytest.param(
            HEAD % "issue_comment"
            + "      - uses: actions/setup-python@a309ff8b426b58ec0e2a45f0f869d46889d02405 # v6.2.0\n"
            + "        with:\n          cache: pip\n",
            r"A6: a cache is written",
            id="a6-by-set-up",
        ),
        pytest.param(HEAD % "pull_request" + "      - runs: true\n", r"sample\.yml", id="schema"),
        pytest.param(
            HEAD % "pull_request" + "      - run: 'true'\n        if: needs.y.result == 'success'\n",
            r"property \"y\" is not defined",
            id="actionlint",
        ),
    ],
)  # fmt: skip
def test_a_sample_is_refused(tmp_path: Path, text: str, said: str) -> None:
    done = lint(sample(tmp_path, text))
    assert done.returncode == 1
    assert re.search(said, re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)), done.stdout + done.stderr


def test_a_good_sample_passes(tmp_path: Path) -> None:
    """So that the samples fail for what is wrong with them."""
    done = lint(sample(tmp_path, HEAD % "pull_request" + "      - run: echo good\n"))
    assert done.returncode == 0, done.stdout + done.stderr
