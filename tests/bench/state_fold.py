"""The cost of the state by itself: appending, folding a large state, asking it, compacting many writers, recording.

`python -m tests.bench.state_fold fold REPOSITORY` folds in a process of its own, so that the peak of memory is that of the fold.
The mix of records is a month of a busy organisation: of 100 records 55 findings, 22 suggestions, 11 outcomes, 6 costs
and 6 runs.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from nootropic_bot.config import StateSettings
from nootropic_bot.git import Repository
from nootropic_bot.gitwrite import DURABLE
from nootropic_bot.state import views
from nootropic_bot.state.compact import compact_remote
from nootropic_bot.state.refs import Tip
from nootropic_bot.state.schema import Draft, encode, now
from nootropic_bot.state.store import Store
from nootropic_bot.state.sync import Sync
from tests.bench.corpus import forget, git, standard_library_files
from tests.bench.timing import BOT, PROJECT, Program, interleave, ratio
from tests.support.state import cost, finding, outcome, run, suggestion

_BATCH = 10_000


def mix(seed: int) -> Draft:
    """A record of the mix."""
    place = seed % 100
    for end, make in ((55, finding), (77, suggestion), (88, outcome), (94, cost), (100, run)):
        if place < end:
            draft = make(seed)
            # Three hundred records a pull request.
            has_number = draft.data.get("pull_request") is not None
            return draft._replace(data={**draft.data, "pull_request": seed // 300 + 1}) if has_number else draft
    raise AssertionError


def measure_append(runs: int) -> dict[str, object]:
    """One record in process against `git hash-object -w` with the same fsync setting, and a batch of 10,000."""
    with tempfile.TemporaryDirectory(prefix="nootropic-bench-") as scratch:
        folder = Path(scratch)
        git(folder, "init", "--quiet")
        repo = Repository.open(folder)
        with Store(repo, StateSettings()) as store:
            store.append([mix(0)])
            ours, peer, batches = [], [], []
            for seed in range(1, 40 * runs):
                draft = mix(seed)
                ours.append(_seconds(lambda draft=draft: store.append([draft])))  # type: ignore[misc]
                _id, line = encode(draft, "0" * 16, seed, now())
                arguments = (*DURABLE, "hash-object", "-w", "--stdin")
                peer.append(_seconds(lambda a=arguments, feed=line: repo.run(*a, feed=feed)))  # type: ignore[misc]
            for number in range(runs):
                drafts = [mix(seed) for seed in range(number * _BATCH, (number + 1) * _BATCH)]
                batches.append(_seconds(lambda drafts=drafts: store.append(drafts)))  # type: ignore[misc]
    value = statistics.median(ours) / statistics.median(peer)
    rate = _BATCH / statistics.median(batches)
    return {
        "append_ms": round(statistics.median(ours) * 1000, 2),
        "hash_object_ms": round(statistics.median(peer) * 1000, 2),
        "one record": {
            "ratio": round(value, 2),
            "of": "append",
            "to": "hash-object",
            "target": "<= 6",
            "met": value <= 6,
        },
        "batch of 10,000": {"records_a_second": round(rate), "target": ">= 20000", "met": rate >= 20_000},
    }


def measure_fold(runs: int, *, full: bool) -> dict[str, object]:
    """A fold from scratch, an update, and the queries: of a million records when full, else of 100,000."""
    size = 1_000_000 if full else 100_000
    with tempfile.TemporaryDirectory(prefix="nootropic-bench-") as scratch:
        folder = Path(scratch)
        git(folder, "init", "--quiet")
        with Store(Repository.open(folder), StateSettings()) as store:
            for start in range(0, size, _BATCH):
                store.append([mix(seed) for seed in range(start, start + _BATCH)])
        git(folder, "gc", "--quiet")
        packed = sum(path.stat().st_size for path in (folder / ".git/objects/pack").iterdir())
        shutil.rmtree(folder / ".git/nootropic")
        folded = json.loads(_child("fold", folder))
        result: dict[str, object] = {
            "records": size,
            "mix of 100": "55 findings, 22 suggestions, 11 outcomes, 6 costs, 6 runs",
            "packed_bytes_a_record": round(packed / size, 1),
            "index_mib": round((folder / ".git/nootropic/state.sqlite").stat().st_size / 2**20, 1),
            **folded,
        }
        # As a fetch brings them: 200 jobs of five records each.
        stream = b"".join(_closed_logs(200, size))
        subprocess.run(["git", "fast-import", "--quiet"], cwd=folder, input=stream, check=True)
        with Store(Repository.open(folder), StateSettings()) as store:
            result["update_of_1000_s"] = round(_seconds(store.index.update), 3)
            result["queries_ms"] = {
                name: round(statistics.median(_seconds(query) for _ in range(5)) * 1000, 2)
                for name, query in {
                    "open suggestions of a pull request": lambda: views.open_suggestions(store.index, 42),
                    "outcomes by rule": lambda: views.outcomes_by_rule(store.index),
                    "cost by day": lambda: views.cost_by_day(store.index),
                    "triage": lambda: views.active_triage(store.index),
                }.items()
            }
    return result


def measure_many_writers(runs: int, *, full: bool) -> dict[str, object]:
    """Writers that each wrote once and closed, as CI jobs do, 10,000 when full: fetched, folded, compacted."""
    count = 10_000 if full else 1_000
    with tempfile.TemporaryDirectory(prefix="nootropic-bench-") as scratch:
        folder = Path(scratch)
        git(folder, "init", "--quiet", "--bare", "remote.git")
        stream = b"".join(_closed_logs(count))
        subprocess.run(["git", "fast-import", "--quiet"], cwd=folder / "remote.git", input=stream, check=True)
        git(folder, "clone", "--quiet", "remote.git", "clone")
        with Store(Repository.open(folder / "clone"), StateSettings()) as store:
            sync = Sync(store)
            pulled = _seconds(sync.run)
            before = store.index.digest()
            compacted = _seconds(lambda: compact_remote(store, sync))
            left = git(folder / "remote.git", "for-each-ref", "--format=%(refname)").split()
            same = store.index.digest() == before
    return {
        "writers": count,
        "records": count * 5,
        "first_sync_s": round(pulled, 2),
        "compaction_s": round(compacted, 2),
        "refs_left_on_the_remote": left,
        "same_fold": same,
    }


def _closed_logs(count: int, first: int = 0) -> Iterator[bytes]:
    for number in range(count):
        writer = f"{number:016x}"
        lines = [encode(mix(first + number * 5 + n), writer, n + 1, now())[1] for n in range(5)]
        blob = b"\n".join(lines) + b"\n"
        subject = Tip(1, 5, closed=True).subject().encode()
        yield b"commit refs/nootropic/log/%s\ncommitter b <b@example.invalid> 1700000000 +0000\n" % writer.encode()
        yield b"data %d\n%s\nM 100644 inline 0.jsonl\ndata %d\n%s\n" % (len(subject), subject, len(blob), blob)


def measure_recording(runs: int) -> dict[str, object]:
    """A review of 20 changed files, and of one, with recording on and off."""
    with tempfile.TemporaryDirectory(prefix="nootropic-bench-") as scratch:
        result: dict[str, object] = {}
        for count in (20, 1):
            folder = Path(scratch) / str(count)
            folder.mkdir()
            git(folder, "init", "--quiet")
            git(folder, "commit", "--quiet", "--allow-empty", "-m", "empty")
            for number, source in enumerate(standard_library_files(count, skip=40)):
                shutil.copy(source, folder / f"module_{number}.py")
            git(folder, "add", "--all")
            args = (*BOT, "review", "--staged", "--format", "json")
            programs = {
                "off": Program(args, folder, prepare=lambda f=folder: _forget_all(f), env={"NOOTROPIC_RECORD": "0"}),  # type: ignore[misc]
                "on": Program(args, folder, prepare=lambda f=folder: _forget_all(f)),  # type: ignore[misc]
            }
            series = interleave(programs, runs)
            name = f"{count} files" if count > 1 else "1 file"
            result[name] = {
                **{key: each.data() for key, each in series.items()},
                "recording": ratio(series, "on", "off", 1.10),
            }
        return result


def _forget_all(folder: Path) -> None:
    """No cache, and nothing recorded: everything found is new."""
    forget(folder)
    for name in git(folder, "for-each-ref", "--format=%(refname)", "refs/nootropic").split():
        git(folder, "update-ref", "-d", name)


def _seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def _child(*args: object) -> str:
    command = [sys.executable, "-m", "tests.bench.state_fold", *map(str, args)]
    env = {**os.environ, "PYTHONPATH": str(PROJECT)}
    return subprocess.run(command, cwd=PROJECT, env=env, capture_output=True, check=True, text=True).stdout


def _fold(folder: Path) -> dict[str, float]:
    with Store(Repository.open(folder), StateSettings()) as store:
        seconds = _seconds(store.index.update)
    peaks = [resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {"fold_s": round(seconds, 2), "peak_mib": round(peaks[0], 1), "peak_of_git_mib": round(peaks[1], 1)}


if __name__ == "__main__":
    print(json.dumps(_fold(Path(sys.argv[2]))))
