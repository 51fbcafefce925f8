"""What the actions install is what they run: from the pinned packages, whatever lies in the folder under review."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys

import pytest

from tests.actions.conftest import WRONG, Place
from tests.support.repo import PROJECT

SHADOW = "raise SystemExit('this came from the pull request')\n"


@pytest.mark.slow
def test_the_actions_install_themselves_and_work(place: Place) -> None:
    """Needs the Python package registry."""
    place.machine = dataclasses.replace(place.machine, with_inputs={})
    shadows = {f"{name}__py": SHADOW for name in ("venv", "pip", "click", "hatchling", "sitecustomize", "yaml")}
    pull = place.open(load__py=WRONG, **shadows)
    job = place.analyse(pull)["analyse"]
    assert job.result == "success", f"the packages could not be installed, or the review failed:\n{job.log}"
    assert "There is no built wheel of llama-cpp-python yet" in job.log
    report = json.loads(place.machine.artifacts["nootropic-report"]["report.json"])
    (finding,) = [finding for finding in report["findings"] if finding["path"] == "load.py"]
    assert finding["suggestion"]["verified"]
    # What posts has fewer packages; they are enough.
    posted = place.publish(pull)["publish"]
    assert posted.result == "success", posted.log
    assert "1 commented" in posted.log


def test_whoever_builds_the_runtime_and_whoever_uses_it_agree_on_its_place() -> None:
    env = {"HOME": "/home/x", "RUNNER_OS": "Linux", "RUNNER_ARCH": "X64", "ImageOS": "ubuntu24"}
    env["PATH"] = f"{PROJECT}:/usr/bin:/bin"
    script = f'python() {{ "{sys.executable}" "$@"; }}; export -f python; bash actions/wheel-place.sh'
    done = subprocess.run(["bash", "-c", script], cwd=PROJECT, env=env, capture_output=True, text=True, check=True)
    outputs = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert outputs["path"] == "/home/x/.cache/nootropic-wheels"
    python = "cp{}{}".format(*sys.version_info)
    assert outputs["key"].startswith(f"nootropic-wheel-ubuntu24-X64-{python}-")
    texts = {name: (PROJECT / "actions" / name / "action.yml").read_text() for name in ("review", "wheel")}
    for text in texts.values():
        assert 'bash "$GITHUB_ACTION_PATH/../wheel-place.sh" >> "$GITHUB_OUTPUT"' in text
        assert "key: ${{ steps.wheel.outputs.key }}" in text
