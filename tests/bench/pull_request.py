"""From the event of a pull request to its posted review: both jobs of the workflows that `init --github` writes, the bundled
model included, against the server that stands for GitHub. What a runner takes to start and to install is not in it.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from tests.bench.modules import module
from tests.support.action_runner import Machine
from tests.support.github import records as r
from tests.support.github_server import GitHubServer
from tests.support.job_runner import Job
from tests.support.place import CLEAN, WRONG, Place

_FILES, _FINDINGS = 20, 10
_MOST_REQUESTS = 10
# No rule fixes this one.
_FOR_THE_MODEL = "import subprocess\n\n\ndef list_folder(name):\n    return subprocess.run('ls ' + name, shell=True)\n"


def measure(runs: int) -> dict[str, object]:
    """Twenty new files of some 200 lines with ten findings: a rule fixes five of them, the model is asked for the others."""
    whole, analysed, requests, posted, by_model = [], [], [], [], []
    with tempfile.TemporaryDirectory() as name, GitHubServer(Path(name) / "github") as server:
        for number in range(runs):
            place = _place(server, Path(name) / str(number), number)
            pull = place.open(fork="eve", **{f"m{n}__py": _text(n) for n in range(_FILES)})
            started = time.perf_counter()
            _good(place.analyse(pull)["analyse"])
            analysed.append(time.perf_counter() - started)
            before = server.log.count()
            _good(place.publish(pull)["publish"])
            whole.append(time.perf_counter() - started)
            requests.append(server.log.count() - before)
            posted.append(len(pull.threads))
            by_model.append(_by_model(pull))
    return {
        "files": _FILES,
        "comments posted": sorted(set(posted)),
        "of them with a fix of the model": sorted(set(by_model)),
        "event to posted review, s": {"median": round(statistics.median(whole), 2), "worst": round(max(whole), 2)},
        "of that the analysis, s": round(statistics.median(analysed), 2),
        "requests": {"most": max(requests), "target": _MOST_REQUESTS, "met": max(requests) <= _MOST_REQUESTS},
    }


def _text(number: int) -> str:
    start = CLEAN if number >= _FINDINGS else _FOR_THE_MODEL if number % 2 else WRONG
    return module(number, start)


def _place(server: GitHubServer, folder: Path, number: int) -> Place:
    repository = server.create_repository(f"octo/app{number}")
    main = server.commit(repository, "main", {"README.md": "x\n"}, "first")
    return Place(server, repository, Machine(server, repository, folder), main)


def _good(job: Job) -> Job:
    if job.result != "success":
        raise RuntimeError(job.log)
    return job


def _by_model(pull: r.PullRequest) -> int:
    return sum("fix by model" in thread.comments[0].body for thread in pull.threads)
