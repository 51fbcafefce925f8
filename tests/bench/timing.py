"""Timing of whole programs: wall time and peak memory of a process and its children, in interleaved runs."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
BOT = (sys.executable, "-m", "nootropic_bot")
# A process of its own, so that the peak of children is that of this run alone.
_WRAPPER = (
    "import json,resource,subprocess,sys,time\n"
    "t=time.perf_counter()\n"
    "p=subprocess.run(sys.argv[1:],stdout=subprocess.DEVNULL,stderr=subprocess.DEVNULL)\n"
    "s=time.perf_counter()-t\n"
    "print(json.dumps([p.returncode,s,resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]))\n"
)


@dataclass(slots=True)
class Series:
    """The runs of one program."""

    seconds: list[float] = field(default_factory=list)
    peak_mib: float = 0.0
    codes: set[int] = field(default_factory=set)

    @property
    def median(self) -> float:
        """Median wall time in seconds."""
        return statistics.median(self.seconds)

    def data(self) -> dict[str, object]:
        """For the report."""
        return {
            "median_s": round(self.median, 4),
            "min_s": round(min(self.seconds), 4),
            "max_s": round(max(self.seconds), 4),
            "peak_mib": round(self.peak_mib, 1),
            "exit_codes": sorted(self.codes),
        }


@dataclass(frozen=True, slots=True)
class Program:
    """A command to time; `prepare` runs, untimed, before each run."""

    args: Sequence[str]
    cwd: Path
    prepare: Callable[[], None] = lambda: None
    env: Mapping[str, str] = field(default_factory=dict)


def interleave(programs: Mapping[str, Program], runs: int) -> dict[str, Series]:
    """Time the programs in turn, `runs` times each."""
    series = {name: Series() for name in programs}
    for _ in range(runs):
        for name, program in programs.items():
            program.prepare()
            env = {**os.environ, "PYTHONPATH": str(PROJECT), "NO_COLOR": "1", **program.env}
            command = [sys.executable, "-c", _WRAPPER, *program.args]
            out = subprocess.run(command, cwd=program.cwd, env=env, capture_output=True, check=True).stdout
            code, seconds, peak_kib = json.loads(out)
            series[name].seconds.append(seconds)
            series[name].codes.add(code)
            series[name].peak_mib = max(series[name].peak_mib, peak_kib / 1024)
    return series


def ratio(series: Mapping[str, Series], name: str, peer: str, target: float) -> dict[str, object]:
    """The ratio of two medians, beside its target."""
    value = series[name].median / series[peer].median
    return {"ratio": round(value, 3), "of": name, "to": peer, "target": f"<= {target}", "met": value <= target}
