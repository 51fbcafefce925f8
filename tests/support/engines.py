"""Other engines in place of the installed Semgrep: the same package, but for the program that does the work."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(str(getattr(importlib.util.find_spec("semgrep"), "origin", ""))).parent
RUN_NATIVE = 'os.execv(REAL, ["osemgrep", *sys.argv[1:]])\n'
_WRITE_DOWN = """\
found = sorted(str(p.relative_to("."))for p in pathlib.Path(".").rglob("*") if p.is_file() and p.name != ".semgrepignore")
with open(LOG, "a", encoding="utf-8") as log:
    log.write(json.dumps(found) + "\\n")
"""


def make_engine(folder: Path, core: str, wrapper: str = "") -> Path:
    """A folder for the PYTHONPATH in which Semgrep's two entries are these Python texts; `REAL` is the engine's path."""
    link_but(PACKAGE, folder / "semgrep", leave_out={"bin", "console_scripts"})
    link_but(PACKAGE / "bin", folder / "semgrep/bin", leave_out={"semgrep-core", "__pycache__"})
    program = folder / "semgrep/bin/semgrep-core"
    head = f"#!{sys.executable}\nimport json, os, pathlib, signal, subprocess, sys, time\n"
    program.write_text(f"{head}REAL = {str(PACKAGE / 'bin/semgrep-core')!r}\n{core}")
    program.chmod(0o755)
    link_but(PACKAGE / "console_scripts", folder / "semgrep/console_scripts", leave_out={"__pycache__"})
    if wrapper:
        (folder / "semgrep/console_scripts/pysemgrep.py").unlink()
        (folder / "semgrep/console_scripts/pysemgrep.py").write_text(wrapper)
    return folder


def link_but(source: Path, target: Path, leave_out: set[str]) -> None:
    """A folder of links to what another holds, without some of it."""
    target.mkdir(parents=True)
    for entry in source.iterdir():
        if entry.name not in leave_out:
            (target / entry.name).symlink_to(entry)


@dataclass(frozen=True)
class CountingEngine:
    """The real engine, which writes down what it is given. `path`: for the PYTHONPATH."""

    path: Path
    log: Path

    @classmethod
    def make(cls, folder: Path) -> CountingEngine:
        """One that has its files below a folder."""
        log = folder / "starts.jsonl"
        return cls(make_engine(folder / "standin", f"LOG = {str(log)!r}\n{_WRITE_DOWN}{RUN_NATIVE}"), log)

    def starts(self) -> list[list[str]]:
        """The names of the files that each start was given, since the last time that this was asked."""
        found = list(self._read())
        self.log.unlink(missing_ok=True)
        return found

    def _read(self) -> Iterator[list[str]]:
        for line in self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else ():
            # Below what the export puts before a path.
            yield [name.rsplit("/", 1)[-1] for name in json.loads(line)]
