"""`python -m tests.bench [--runs N] [--full] [--only NAME…]`: JSON on standard output, and in `bench-results/` of the working folder.

Runs of the compared programs alternate, so that a noisy machine disturbs all of them alike; a figure is the ratio of the
medians. Nothing is asserted: a target that is missed is reported as missed.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from tests.bench import hook, models, proving, pull_request, pushes, scale, startup, state_fold, state_writers


class SizedBench(Protocol):
    """A bench with a full size and a smaller one."""

    def __call__(self, runs: int, *, full: bool) -> dict[str, object]: ...


BENCHES: dict[str, Callable[[int], dict[str, object]]] = {
    "hook": hook.measure,
    "startup": startup.measure,
    "diff-200": scale.measure_diff,
    "repository-size": scale.measure_repository_size,
    "model-fixes": models.measure_fixes,
    "pull-request": pull_request.measure,
    "push-of-one-file": pushes.measure,
    "state-append": state_fold.measure_append,
    "state-recording": state_fold.measure_recording,
}
# These have a size that takes many minutes, and a smaller one.
SIZED: dict[str, SizedBench] = {
    "proving": proving.measure,
    "model-runtime": models.measure_runtime,
    "state-fold": state_fold.measure_fold,
    "state-many-writers": state_fold.measure_many_writers,
    "state-writers": state_writers.measure,
}


def main() -> None:
    """Run the benches and print their figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="interleaved runs a program")
    parser.add_argument("--full", action="store_true", help="the sizes of the README, some of which take many minutes")
    names = sorted((*BENCHES, *SIZED))
    parser.add_argument("--only", nargs="*", choices=names, default=names)
    options = parser.parse_args()
    results: dict[str, object] = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "runs": options.runs,
    }
    for name in options.only:
        print(f"{name} …", file=sys.stderr)
        if name in SIZED:
            results[name] = SIZED[name](options.runs, full=options.full)
        else:
            results[name] = BENCHES[name](options.runs)
    text = json.dumps(results, indent=2)
    folder = Path("bench-results")
    folder.mkdir(exist_ok=True)
    (folder / "bench.json").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
