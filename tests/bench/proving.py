"""Proving the fixes of one long file: together, as `prove` does, against one scan a fix, in turn in one process."""

from __future__ import annotations

import sysconfig
import time
from pathlib import Path

from nootropic_bot.resources import bundled_rules
from nootropic_bot.verify.proof import prove
from tests.bench.timing import Series, ratio
from tests.support.proving import rule_fix_cases, scanner

_FINDINGS = 60
_FUNCTION = """\


def read_{number}(path, seen=None):
    if seen == None:
        seen = {number}
    return path, seen
"""


def measure(runs: int, *, full: bool) -> dict[str, object]:
    """A module of the standard library with 60 functions more, each with a finding that its rule's own fix cures."""
    scan = scanner(Path(bundled_rules()))
    text = (Path(sysconfig.get_path("stdlib")) / "optparse.py").read_text(encoding="utf-8")
    source, analysis = scan.read(text + "".join(_FUNCTION.format(number=number) for number in range(_FINDINGS)))
    series = {"together": Series(), "one by one": Series()}
    verified: dict[str, int] = {}
    starts: dict[str, list[int]] = {}
    for _ in range(runs if full else 1):
        for name, each in series.items():
            cases = rule_fix_cases(scan, source, analysis)
            scan.starts.clear()
            started = time.perf_counter()
            verdicts = prove(cases, scan) if name == "together" else prove(cases, scan, worth_batching=None)
            each.seconds.append(time.perf_counter() - started)
            verified[name] = sum(verdict.is_verified for verdict in verdicts)
            starts[name] = list(scan.starts)
    return {
        "lines": len(source.lines),
        "fixes": len(cases),
        "verified": verified,
        "files of each start": starts,
        **{name: {"median_s": round(each.median, 3)} for name, each in series.items()},
        "together to one by one": ratio(series, "together", "one by one", 0.1),
    }
