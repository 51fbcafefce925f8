"""ruff as a library call: syntax errors and undefined names of a folder of files, in one process start."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nootropic_bot import process
from nootropic_bot.errors import EnvironmentFault
from nootropic_bot.source import is_python_path

# F821: undefined name; F823: local variable used before it is assigned.
_SELECT = "F821,F823"
_NAME = re.compile(r"`([^`]+)`")


@dataclass(slots=True)
class Diagnostics:
    """What ruff says of one file. `syntax_errors` holds (line, message)."""

    syntax_errors: list[tuple[int, str]] = field(default_factory=list)
    undefined: list[str] = field(default_factory=list)


class RuffCrash(Exception):
    """ruff died, which a single monstrous file can bring about (it overflows its stack); the message says how."""


class RuffRun:
    """A started check; `finish` gives the diagnostics by path relative to the folder."""

    def __init__(self, folder: Path, running: process.Running) -> None:
        self._folder = folder
        self._running = running

    def finish(self) -> Mapping[str, Diagnostics]:
        """Wait for ruff.

        Raises:
            RuffCrash: it died or gave no usable answer.
        """
        done = self._running.finish()
        try:
            entries = json.loads(done.stdout or b"[]")
        except ValueError:
            entries = None
        if done.returncode not in (0, 1) or not isinstance(entries, list):
            raise RuffCrash(done.error_text[-300:])
        found: dict[str, Diagnostics] = {}
        for entry in entries:
            path = Path(entry["filename"]).relative_to(self._folder).as_posix()
            diagnostics = found.setdefault(path, Diagnostics())
            name = _NAME.search(entry["message"])
            if entry["code"] in _SELECT.split(",") and name:
                diagnostics.undefined.append(name.group(1))
            else:
                diagnostics.syntax_errors.append((entry["location"]["row"], entry["message"]))
        return found


def start_check(folder: Path, target: str = ".") -> RuffRun:
    """Start ruff over a folder of our own; no configuration, ignore file or `noqa` of the files decides anything.

    Args:
        folder: the export.
        target: what of it to check, relative to it.

    Raises:
        EnvironmentFault: ruff is not installed.
    """
    args = (
        *("ruff", "check", "--isolated", "--no-cache", "--quiet", "--ignore-noqa", "--output-format=json"),
        *("--select", _SELECT, "--target-version=py314", "--no-respect-gitignore"),
        *("--config", "exclude=[]", "--config", 'include=["*.py","*.pyi"]'),
        *("--", target),
    )
    resolved = folder.resolve()
    return RuffRun(resolved, process.start(args, executable=find_ruff(), cwd=resolved))


def check_one_by_one(folder: Path, names: Iterable[str]) -> dict[str, Diagnostics | None]:
    """Each Python file in a run of its own, after a crash; None for the files that make ruff crash.

    Raises:
        EnvironmentFault: ruff is not installed.
    """
    found: dict[str, Diagnostics | None] = {}
    for name in names:
        if is_python_path(name):
            try:
                found[name] = start_check(folder, name).finish().get(name, Diagnostics())
            except RuffCrash:
                found[name] = None
    return found


def find_ruff() -> Path:
    """The ruff program that was installed with this package.

    Raises:
        EnvironmentFault: there is none.
    """
    try:
        from ruff import find_ruff_bin

        return Path(find_ruff_bin())
    except (ImportError, FileNotFoundError) as error:
        raise EnvironmentFault("ruff is not installed", "pip install ruff") from error
