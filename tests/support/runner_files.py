"""What a runner gives its steps and reads of them as files: the programs that it finds, and the outputs that it writes."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.support.repo import PROJECT

_DELIMITED = re.compile(r"(?P<name>[^=]+?)<<(?P<mark>.+)")


def read_outputs(text: str) -> Iterator[tuple[str, str]]:
    """What a step wrote to `GITHUB_OUTPUT`; a line that is neither `name=value` nor a delimited value is refused."""
    lines = iter(text.splitlines())
    for line in lines:
        delimited = _DELIMITED.fullmatch(line)
        if delimited and "=" not in line.partition("<<")[0]:
            value: list[str] = []
            for each in lines:
                if each == delimited["mark"]:
                    break
                value.append(each)
            else:
                raise AssertionError(f"the delimiter {delimited['mark']!r} was not found")
            yield delimited["name"], "\n".join(value)
        elif "=" in line:
            name, _equals, rest = line.partition("=")
            yield name, rest
        elif line:
            raise AssertionError(f"invalid format {line!r}")


def make_programs(folder: Path) -> Path:
    """A folder with `nootropic-bot`, as where it is installed, and the `python` that its set-up gives."""
    paths = [str(PROJECT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    program = folder / "nootropic-bot"
    # A script's first path is its own folder, as with an installed command; `-m` would put the current folder there.
    program.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path[1:1] = {paths!r}\nfrom nootropic_bot.cli import main\n\nmain()\n"
    )
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    for each in (program, python):
        each.chmod(0o755)
    return folder
