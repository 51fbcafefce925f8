"""Repositories and rule files for the benches, made from the standard library's own sources."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from pathlib import Path

from nootropic_bot import resources
from nootropic_bot.rulefiles import find_rule_files, load_rules


def git(folder: Path, *args: str) -> str:
    """Run git with an identity of its own; what it printed."""
    command = ["git", "-c", "user.name=bench", "-c", "user.email=bench@example.invalid", *args]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def standard_library_files(count: int, *, skip: int = 0) -> list[Path]:
    """Python files of ordinary size from the standard library, in a fixed order."""
    root = Path(sysconfig.get_path("stdlib"))
    found = [p for p in sorted(root.rglob("*.py")) if "site-packages" not in p.parts and "test" not in p.parts]
    found = [p for p in found if 500 < p.stat().st_size < 60_000]
    return found[skip : skip + count]


def merged_rules(folder: Path) -> Path:
    """The whole pack in one file, as it would be given to `semgrep scan`."""
    target = folder / "pack.json"
    target.write_bytes(load_rules(find_rule_files(resources.bundled_rules()), None).engine_file)
    return target


def forget(repository: Path) -> None:
    """Delete the caches, so that the next run is cold."""
    shutil.rmtree(repository / ".git" / "nootropic", ignore_errors=True)


def semgrep_wrapper(rules: Path, *targets: str) -> tuple[str, ...]:
    """`semgrep scan` with the same rules, metrics and version check off."""
    scripts = Path(sysconfig.get_path("scripts"))
    options = ("--metrics", "off", "--disable-version-check", "--json", "--quiet")
    return (str(scripts / "semgrep"), "scan", "--config", str(rules), *options, *targets)
