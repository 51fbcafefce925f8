"""Makes docs/demo.svg from what `nootropic-bot demo` prints: its beginning and its end.

python docs/make_picture.py
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

WIDTH, FIRST, LAST = 104, 42, 22


def main() -> None:
    """Run the demo in colour and draw it."""
    env = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(WIDTH), "TERM": "xterm-256color"}
    env.pop("NO_COLOR", None)
    done = subprocess.run(
        [sys.executable, "-m", "nootropic_bot", "demo"], env=env, capture_output=True, text=True, check=True
    )
    lines = done.stdout.rstrip().split("\n")
    shown = [*lines[:FIRST], "", f"   … {len(lines) - FIRST - LAST} more lines …", "", *lines[-LAST:]]
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi("\n".join(["$ nootropic-bot demo", *shown])))
    svg = console.export_svg(title="nootropic-bot demo")
    # rich names its classes by a hash and asks a font server for a font; the reader's own monospace font will do.
    Path(__file__).with_name("demo.svg").write_text(_without_web_font(svg), encoding="utf-8")


def _without_web_font(svg: str) -> str:
    start = svg.find("@font-face")
    while start >= 0:
        end = svg.find("}", start) + 1
        svg = svg[:start] + svg[end:]
        start = svg.find("@font-face")
    return svg


if __name__ == "__main__":
    main()
