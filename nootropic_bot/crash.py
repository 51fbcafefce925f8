"""The crash log: what a person can paste into an issue. It names no home folder, token or environment variable."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import traceback
from pathlib import Path

from nootropic_bot import __version__
from nootropic_bot.constants import TOOL_NAME


def write_crash_log(error: BaseException) -> str:
    """Write the log and answer what to tell the user."""
    lines = [
        f"{TOOL_NAME} {__version__}, Python {platform.python_version()}, {platform.platform()}",
        f"command: {' '.join(sys.argv[1:2])}",
        "",
        *_anonymous(traceback.format_exception(error)),
    ]
    text = "\n".join(line.rstrip("\n") for line in lines) + "\n"
    summary = f"this is a bug in {TOOL_NAME}: {type(error).__name__}"
    try:
        handle, name = tempfile.mkstemp(prefix=f"{TOOL_NAME}-crash-", suffix=".log")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(text)
    except OSError:
        return f"{summary}\n{text}"
    return f"{summary}\n  → please report it with the log {name}"


def _anonymous(lines: list[str]) -> list[str]:
    """Tracebacks without the folders of this machine."""
    package = str(Path(__file__).resolve().parent.parent)
    replacements = {package: "…", str(Path(sys.prefix)): "<python>", str(Path.home()): "~"}
    text = "".join(lines)
    for folder, short in replacements.items():
        if folder not in ("", "/"):
            text = text.replace(folder, short)
    return text.splitlines()
