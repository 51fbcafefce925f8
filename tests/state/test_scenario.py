"""The scenario in small; `python -m tests.state.scenario` runs it in full."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.support.repo import PROJECT

WRITERS, RECORDS, KILLED = 4, 5, 1


def test_f3_writers_that_are_killed_and_compacted_meanwhile_lose_nothing(tmp_path: Path) -> None:
    options = ["--writers", str(WRITERS), "--records", str(RECORDS), "--kill", str(KILLED), "--seed", "7"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.state.scenario", *options],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(PROJECT), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert done.stderr == ""
    figures = dict(re.findall(r"^(\w+) +(.+)$", done.stdout, re.MULTILINE))
    assert figures["seed"] == "7"
    assert figures["writers"] == f"{WRITERS}, killed {KILLED}, failed 0"
    assert figures["lost"] == "0"
    assert figures["disagreeing"] == "0 clones"
    assert float(figures["seconds"]) > 0
    appended, acknowledged = int(figures["appended"]), int(figures["acknowledged"].split(",")[0])
    assert (WRITERS - KILLED) * RECORDS < acknowledged <= appended <= WRITERS * RECORDS
    assert figures["present"] == str(appended)
    assert int(figures["compaction"].split()[0]) > 0
