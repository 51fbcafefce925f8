"""Start-up without a scan: `--version` above bare Python."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.bench.timing import BOT, Program, interleave


def measure(runs: int) -> dict[str, object]:
    """Medians of both, and the difference in milliseconds."""
    here = Path.cwd()
    programs = {
        "python -c pass": Program((sys.executable, "-c", "pass"), here),
        "nootropic-bot --version": Program((*BOT, "--version"), here),
    }
    series = interleave(programs, max(runs, 5) * 3)
    above = 1000 * (series["nootropic-bot --version"].median - series["python -c pass"].median)
    return {
        **{name: each.data() for name, each in series.items()},
        "milliseconds_above_python": round(above, 1),
        "target": "<= 150",
        "met": above <= 150,
    }
