"""The commit hook on one staged file, cold and warm, against `semgrep scan` with the same rules in one file."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from tests.bench.corpus import forget, git, merged_rules, semgrep_wrapper, standard_library_files
from tests.bench.timing import BOT, Program, interleave, ratio

_WITH_FINDINGS = """\
import yaml


def read(path, seen=None):
    if seen == None:
        seen = set()
    with open(path) as stream:
        return yaml.load(stream, Loader=yaml.Loader)
"""


def measure(runs: int) -> dict[str, object]:
    """A clean file, and one whose findings are fixed and proved."""
    with tempfile.TemporaryDirectory(prefix="nootropic-bench-") as scratch:
        root = Path(scratch)
        rules = merged_rules(root)
        clean = standard_library_files(1, skip=40)[0].read_text(encoding="utf-8")
        return {
            "clean file": _one_file(root / "clean", rules, clean, runs),
            "file with findings": _one_file(root / "findings", rules, _WITH_FINDINGS, runs),
        }


def _one_file(folder: Path, rules: Path, content: str, runs: int) -> dict[str, object]:
    folder.mkdir()
    git(folder, "init", "--quiet")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", "empty")
    (folder / "module.py").write_text(content, encoding="utf-8")
    git(folder, "add", "module.py")
    export = folder.with_name(folder.name + "-plain")
    export.mkdir()
    shutil.copy(folder / "module.py", export)
    programs = {
        "semgrep scan": Program(semgrep_wrapper(rules, "module.py"), export),
        "hook, cold": Program((*BOT, "hook"), folder, prepare=lambda: forget(folder)),
        "hook, warm": Program((*BOT, "hook"), folder),
    }
    series = interleave(programs, runs)
    return {
        **{name: each.data() for name, each in series.items()},
        "cold": ratio(series, "hook, cold", "semgrep scan", 0.25),
        "warm": ratio(series, "hook, warm", "semgrep scan", 0.10),
    }
