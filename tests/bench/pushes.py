"""A push that changes one file of a pull request: its review from what the run before found, against one made anew.

Both are the step *Review* of the action, in the job of the workflow that `init --github` writes, without a model.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tests.bench.modules import module
from tests.bench.timing import Series, ratio
from tests.support.action_runner import Machine
from tests.support.engines import CountingEngine
from tests.support.github import records as r
from tests.support.github_server import GitHubServer
from tests.support.job_runner import Step
from tests.support.place import CLEAN, WRONG, Place

_FILES = 20


def measure(runs: int) -> dict[str, object]:
    """Twenty new files of some 200 lines, ten of them with a finding whose fix is proved; then one line more in one."""
    series = {"anew": Series(), "carried": Series()}
    given: dict[str, list[int]] = {"anew": [], "carried": []}
    with tempfile.TemporaryDirectory() as name, GitHubServer(Path(name) / "github") as server:
        folder = Path(name)
        with _counting(folder / "engine") as engine:
            for number in range(runs):
                place = _place(server, folder / str(number), number)
                pull = place.open(**{f"m{n}__py": _text(n) for n in range(_FILES)})
                _review(place, pull)
                place.server.commit(place.repository, "feature", {"m3.py": f"{_text(3)}\n\nEDITED = {number}\n"})
                for kind, each in series.items():
                    inputs = {"install": "false", "model": "false", "reuse": "true" if kind == "carried" else "false"}
                    place.machine = replace(place.machine, folder=folder / f"{number}-{kind}", with_inputs=inputs)
                    engine.starts()
                    each.seconds.append(_review(place, pull).seconds)
                    given[kind].append(len({name for start in engine.starts() for name in start}))
    return {
        "files": _FILES,
        "different files given to the engine": {kind: sorted(set(numbers)) for kind, numbers in given.items()},
        **{kind: {"median_s": round(each.median, 3)} for kind, each in series.items()},
        "carried to anew": ratio(series, "carried", "anew", 0.5),
    }


def _text(number: int) -> str:
    return module(number, WRONG if number % 2 else CLEAN)


def _place(server: GitHubServer, folder: Path, number: int) -> Place:
    repository = server.create_repository(f"octo/app{number}")
    main = server.commit(repository, "main", {"README.md": "x\n"}, "first")
    server.add_person("mona", repository, "write")
    inputs = {"install": "false", "model": "false"}
    return Place(server, repository, Machine(server, repository, folder, with_inputs=inputs), main)


def _review(place: Place, pull: r.PullRequest) -> Step:
    job = place.analyse(pull)["analyse"]
    if job.result != "success":
        raise RuntimeError(job.log)
    return next(step for step in job.steps if step.name == "Review")


@contextmanager
def _counting(folder: Path) -> Iterator[CountingEngine]:
    """The real engine for everything that is started meanwhile; what it is given is written down."""
    before = os.environ.get("PYTHONPATH", "")
    engine = CountingEngine.make(folder)
    os.environ["PYTHONPATH"] = f"{engine.path}{os.pathsep}{before}"
    try:
        yield engine
    finally:
        os.environ["PYTHONPATH"] = before
