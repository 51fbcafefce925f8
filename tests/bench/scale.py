"""200 changed files against the wrapper, and the same diff in a repository ten times larger."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.bench.corpus import forget, git, merged_rules, semgrep_wrapper, standard_library_files
from tests.bench.timing import BOT, PROJECT, Program, interleave, ratio


def measure_diff(runs: int) -> dict[str, object]:
    """A commit that adds 200 files of the standard library."""
    with tempfile.TemporaryDirectory(prefix="nootropic-bench-") as scratch:
        root = Path(scratch)
        rules = merged_rules(root)
        folder = _repository(root / "repository", filler=0)
        programs = {
            "semgrep scan": Program(semgrep_wrapper(rules, "changed"), folder),
            "review, cold": Program(
                (*BOT, "review", "--base", "HEAD~1", "--format", "json"), folder, prepare=lambda: forget(folder)
            ),
        }
        series = interleave(programs, max(runs // 2, 2))
        stages = _stages(programs["review, cold"])
        return {
            **{name: each.data() for name, each in series.items()},
            "cold": ratio(series, "review, cold", "semgrep scan", 0.6),
            "seconds of one more cold review, by stage": stages,
            "finding alone": {
                "ratio": round(stages["critique"] / series["semgrep scan"].median, 3),
                "target": "<= 0.6",
                "met": stages["critique"] / series["semgrep scan"].median <= 0.6,
            },
        }


def _stages(program: Program) -> dict[str, float]:
    """What a review spends on finding, proposing and proving; the wrapper only finds."""
    program.prepare()
    env = {**os.environ, "PYTHONPATH": str(PROJECT)}
    out = subprocess.run(program.args, cwd=program.cwd, env=env, capture_output=True, check=False).stdout
    seconds: dict[str, float] = json.loads(out)["summary"]["seconds"]
    return seconds


def measure_repository_size(runs: int) -> dict[str, object]:
    """The same 20-file diff beside 300 and beside 3,000 other files."""
    with tempfile.TemporaryDirectory(prefix="nootropic-bench-") as scratch:
        root = Path(scratch)
        programs = {}
        for name, filler in (("300 files", 300), ("3,000 files", 3_000)):
            folder = _repository(root / str(filler), filler=filler, changed=20)
            args = (*BOT, "review", "--base", "HEAD~1", "--format", "json")
            programs[name] = Program(args, folder, prepare=lambda folder=folder: forget(folder))  # type: ignore[misc]
        series = interleave(programs, runs)
        return {
            **{name: each.data() for name, each in series.items()},
            "larger": ratio(series, "3,000 files", "300 files", 1.15),
        }


def _repository(folder: Path, *, filler: int, changed: int = 200) -> Path:
    (folder / "changed").mkdir(parents=True)
    git(folder, "init", "--quiet")
    (folder / "other").mkdir()
    sources = standard_library_files(400)
    for number in range(filler):
        text = sources[number % len(sources)].read_bytes()
        (folder / "other" / f"module_{number}.py").write_bytes(b"# %d\n" % number + text)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", "before")
    for number, source in enumerate(standard_library_files(changed)):
        shutil.copy(source, folder / "changed" / f"module_{number}.py")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", "change")
    return folder
