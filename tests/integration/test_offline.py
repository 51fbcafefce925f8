"""The main job with the network off: in a network namespace without any interface that is up."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.repo import PROJECT

_UNSHARE = ("unshare", "--net", "--map-root-user")


def can_unshare() -> bool:
    """Whether this machine lets us make a network namespace."""
    return (
        shutil.which("unshare") is not None and subprocess.run([*_UNSHARE, "true"], capture_output=True).returncode == 0
    )


@pytest.mark.skipif(not can_unshare(), reason="this machine gives no network namespace")
def test_the_main_job_needs_no_network(tmp_path: Path) -> None:
    probe = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)"
    assert subprocess.run([*_UNSHARE, sys.executable, "-c", probe], capture_output=True).returncode != 0
    command = [*_UNSHARE, sys.executable, "-m", "nootropic_bot", "demo", "--format", "json"]
    done = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(PROJECT), "PATH": "/usr/bin:/bin"}, capture_output=True
    )
    assert done.returncode == 0, done.stderr.decode()
    report = json.loads(done.stdout)
    assert report["complete"]
    assert report["summary"]["verified_suggestions"] >= 5
