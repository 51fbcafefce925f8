"""Sixteen writers, one push a record, to one bare remote: a ref for each writer, one shared ref, and `git notes append`.

Each writer is a process with a clone of its own, and retries until its push is taken. The two peers do what is usual:
fetch, build again on what is there, push. `python -m tests.bench.state_writers ours|shared|notes CLONE NUMBER RECORDS` is one writer.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from nootropic_bot.config import StateSettings
from nootropic_bot.git import Repository
from nootropic_bot.gitwrite import DURABLE, fetch, push, write_blob, write_commit, write_tree
from nootropic_bot.state.schema import encode, now
from nootropic_bot.state.store import Store
from nootropic_bot.state.sync import Sync
from tests.bench.corpus import git
from tests.bench.timing import PROJECT
from tests.support.state import cost

SHARED = "refs/shared/log"
NOTES = "refs/notes/records"


def measure(runs: int, *, full: bool) -> dict[str, object]:
    """Wall time of the three, and that nothing was lost; 80 records a writer when full, else 10."""
    writers, records = 16, 80 if full else 10
    seconds = {}
    present = {}
    for way, count in (("ours", _count_ours), ("shared", _count_shared), ("notes", _count_notes)):
        print(f"  {way}", file=sys.stderr)
        with tempfile.TemporaryDirectory(prefix="nootropic-bench-") as scratch:
            seconds[way] = _race(Path(scratch), way, writers, records)
            present[way] = count(Path(scratch) / "remote.git")
    return {
        "writers": writers,
        "records a writer": records,
        "seconds": {way: round(value, 2) for way, value in seconds.items()},
        "present": present,
        "lost": writers * records - present["ours"],
        "to one shared ref": _ratio(seconds, "shared", 0.3),
        "to git notes append": _ratio(seconds, "notes", 0.5),
    }


def _ratio(seconds: dict[str, float], peer: str, target: float) -> dict[str, object]:
    value = seconds["ours"] / seconds[peer]
    return {"ratio": round(value, 3), "of": "ours", "to": peer, "target": f"<= {target}", "met": value <= target}


def _race(folder: Path, way: str, writers: int, records: int) -> float:
    git(folder, "init", "--quiet", "--bare", "remote.git")
    git(folder, "clone", "--quiet", "remote.git", "seed")
    git(folder / "seed", "commit", "--quiet", "--allow-empty", "-m", "first")
    git(folder / "seed", "push", "--quiet", "origin", "HEAD:refs/heads/main")
    clones = [folder / f"clone-{number}" for number in range(writers)]
    for clone in clones:
        git(folder, "clone", "--quiet", "--branch", "main", "remote.git", clone.name)
    command = (sys.executable, "-m", "tests.bench.state_writers", way)
    start = time.perf_counter()
    running = [
        subprocess.Popen([*command, str(clone), str(number), str(records)], cwd=PROJECT)
        for number, clone in enumerate(clones)
    ]
    codes = {process.wait() for process in running}
    seconds = time.perf_counter() - start
    assert codes == {0}, codes
    return seconds


def _count_ours(remote: Path) -> int:
    return sum(
        git(remote, "cat-file", "blob", f"{commit}:0.jsonl").count('{"id"')
        for name in git(remote, "for-each-ref", "--format=%(refname)", "refs/nootropic/log").split()
        for commit in git(remote, "rev-list", name).split()
    )


def _count_shared(remote: Path) -> int:
    return len(git(remote, "rev-list", SHARED).split())


def _count_notes(remote: Path) -> int:
    return git(remote, "notes", f"--ref={NOTES}", "show", "main").count('{"id"')


def _ours(clone: Path, number: int, records: int) -> None:
    with Store(Repository.open(clone), StateSettings()) as store:
        sync = Sync(store)
        for seed in range(records):
            store.append([cost(number * records + seed)])
            sync.publish()


def _shared(clone: Path, number: int, records: int) -> None:
    repo = Repository.open(clone)
    for seed in range(records):
        _id, line = encode(cost(number * records + seed), f"{number:016x}", seed + 1, now())
        tree = write_tree(repo, [("0.jsonl", write_blob(repo, line + b"\n"))])
        _until_taken(lambda tree=tree: _push_shared(repo, tree))  # type: ignore[misc]


def _push_shared(repo: Repository, tree: str) -> bool:
    tip = repo.resolve(SHARED)
    commit = write_commit(repo, tree, [tip] if tip else [], "record")
    if push(repo, "origin", [f"{commit}:{SHARED}"]).returncode == 0:
        repo.run(*DURABLE, "update-ref", SHARED, commit)
        return True
    fetch(repo, "origin", [f"+{SHARED}:{SHARED}"])
    return False


def _notes(clone: Path, number: int, records: int) -> None:
    repo = Repository.open(clone)
    for seed in range(records):
        _id, line = encode(cost(number * records + seed), f"{number:016x}", seed + 1, now())
        repo.run(*DURABLE, *_NOTE_IDENTITY, "notes", f"--ref={NOTES}", "append", "-m", line.decode(), "main")
        _until_taken(lambda: _push_notes(repo))


_NOTE_IDENTITY = ("-c", "user.name=bench", "-c", "user.email=bench@example.invalid")


def _push_notes(repo: Repository) -> bool:
    if push(repo, "origin", [f"{NOTES}:{NOTES}"]).returncode == 0:
        return True
    fetch(repo, "origin", [f"+{NOTES}:refs/notes/theirs"])
    merge = ("notes", f"--ref={NOTES}", "merge", "--quiet", "--strategy=cat_sort_uniq", "refs/notes/theirs")
    repo.run(*DURABLE, *_NOTE_IDENTITY, *merge, check=False)
    return False


def _until_taken(attempt: Callable[[], bool]) -> None:
    while not attempt():
        time.sleep(0.05 * random.random())


if __name__ == "__main__":
    _way, _clone, _number, _records = sys.argv[1:]
    {"ours": _ours, "shared": _shared, "notes": _notes}[_way](Path(_clone), int(_number), int(_records))
