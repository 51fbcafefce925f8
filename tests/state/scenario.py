"""Many writers at once (rows F1, F3, F21): do the records that were acknowledged survive kills and a compaction?

    python -m tests.state.scenario [--writers 16] [--records 80] [--kill 5] [--seed N]

Every writer is a process with a clone of its own; it appends a record, syncs, and writes the record's id into a file, once
when the append returned and once when the sync did. Some writers are killed at random moments, and in the middle another
clone folds all logs into the base while their writers still write. In the end a fresh clone must have every record whose
sync returned, and once the killed writers' clones were synced again, every record whose append returned.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

from nootropic_bot.errors import RemoteError
from nootropic_bot.state.compact import compact_remote
from nootropic_bot.state.sync import Sync
from tests.support.state import bare_remote, clone, digest, drafts, git, record_ids, remote_ids, store_at

# Every writer has been silent for a week by then.
FAR_FUTURE = 1e11
# Syncs that a writer tries before it gives up: the last one must succeed while others push and compact.
TRIES = 10
POLL_SECONDS = 0.05
SEED_STEP = 100_000
# Wakes up with exit code 1 instead of waiting for ever when a writer hangs.
PATIENCE_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Result:
    """Records by how far they came, and what went wrong."""

    appended: int
    acknowledged: int
    present: int
    lost: int
    disagreeing: int
    repeated: int
    folded: int
    killed: int
    failed: int


def write(path: Path, log: Path, number: int, records: int) -> None:
    """A writer. Each line of `log` is flushed before the next step: what it says was acknowledged."""
    waiting: list[str] = []
    with log.open("a", buffering=1) as told, store_at(path) as store:
        for count in range(records):
            ids = store.append(drafts(number * SEED_STEP + count)).ids
            told.write("".join(f"appended {identity}\n" for identity in ids))
            waiting += ids
            for _ in range(TRIES if count == records - 1 else 1):
                try:
                    Sync(store).run()
                except RemoteError:
                    told.write("repeated -\n")
                    continue
                told.write("".join(f"acknowledged {identity}\n" for identity in waiting))
                waiting.clear()
                break
    sys.exit(1 if waiting else 0)


def told(log: Path, what: str) -> list[str]:
    """The ids that a writer told so far; a line that it could not finish says nothing."""
    text = log.read_text() if log.exists() else ""
    lines = (line.partition(" ") for line in text.split("\n")[:-1])
    return [identity for word, _space, identity in lines if word == what]


def compact(path: Path) -> int:
    """Fold all logs while their writers go on; how many."""
    with store_at(path) as store:
        for _ in range(TRIES):
            sync = Sync(store)
            sync.run()
            done = compact_remote(store, sync, FAR_FUTURE)
            if not done.was_overtaken:
                return done.writers
    return 0


def rehearse(folder: Path, writers: int, records: int, kill: int, seed: int) -> Result:
    """The whole scenario in a folder."""
    chance = random.Random(seed)
    remote = bare_remote(folder)
    paths = [clone(remote, folder / f"clone{number}") for number in range(writers)]
    logs = [folder / f"log{number}" for number in range(writers)]
    compactor = clone(remote, folder / "compactor")
    # After how many acknowledged records a victim dies, and how much later.
    doomed = {number: chance.randint(1, max(1, records - 2)) for number in chance.sample(range(writers), kill)}
    fork = multiprocessing.get_context("fork")
    running: dict[int, BaseProcess] = {}
    for number in range(writers):
        running[number] = fork.Process(target=write, args=(paths[number], logs[number], number, records))
        running[number].start()
    folded = killed = failed = 0
    deadline = time.monotonic() + PATIENCE_SECONDS
    while running:
        time.sleep(POLL_SECONDS)
        done = {number: len(told(logs[number], "acknowledged")) for number in range(writers)}
        for number in [number for number in doomed if number in running and done[number] >= doomed[number]]:
            del doomed[number]
            time.sleep(chance.random() * 0.1)
            os.kill(running[number].pid or 0, signal.SIGKILL)
        if not folded and sum(done.values()) >= writers * records // 2 - kill:
            folded = compact(compactor)
        for number, process in list(running.items()):
            if process.exitcode is not None or time.monotonic() > deadline:
                process.kill()
                process.join()
                del running[number]
                killed += process.exitcode == -signal.SIGKILL
                failed += process.exitcode not in (0, -signal.SIGKILL)
    return judge(folder, remote, paths, logs, folded=folded, killed=killed, failed=failed)


def judge(
    folder: Path, remote: Path, paths: list[Path], logs: list[Path], *, folded: int, killed: int, failed: int
) -> Result:
    """What a fresh clone finds, and then all clones."""
    appended = {identity for log in logs for identity in told(log, "appended")}
    acknowledged = {identity for log in logs for identity in told(log, "acknowledged")}
    fresh = clone(remote, folder / "fresh")
    with store_at(fresh) as store:
        Sync(store).run()
        lost = acknowledged - record_ids(store)
    lost |= acknowledged - remote_ids(remote)
    for path in paths:
        with store_at(path) as store:
            Sync(store).run()
    present, digests = set(appended), []
    for path in (*paths, fresh):
        with store_at(path) as store:
            Sync(store).run()
            present &= record_ids(store)
            digests.append(digest(store))
        git(path, "fsck", "--no-dangling", "--connectivity-only")
    lost |= appended - present
    repeated = sum(len(told(log, "repeated")) for log in logs)
    disagreeing = sum(found != digests[-1] for found in digests)
    return Result(
        appended=len(appended),
        acknowledged=len(acknowledged),
        present=len(present),
        lost=len(lost),
        disagreeing=disagreeing,
        repeated=repeated,
        folded=folded,
        killed=killed,
        failed=failed,
    )


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0: nothing was lost, and all clones agree."""
    parser = argparse.ArgumentParser(prog="python -m tests.state.scenario", description="Many writers, some killed.")
    parser.add_argument("--writers", type=int, default=16)
    parser.add_argument("--records", type=int, default=80, help="of each writer")
    parser.add_argument("--kill", type=int, default=5, help="writers that are killed")
    parser.add_argument("--seed", type=int, default=None, help="chooses whom to kill, and when")
    options = parser.parse_args(arguments)
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="scenario-", ignore_cleanup_errors=True) as scratch:
        found = rehearse(Path(scratch), options.writers, options.records, options.kill, seed)
    print(f"seed          {seed}")
    print(f"writers       {options.writers}, killed {found.killed}, failed {found.failed}")
    print(f"compaction    {found.folded} logs folded while their writers wrote")
    print(f"appended      {found.appended}")
    print(f"acknowledged  {found.acknowledged}, after {found.repeated} syncs that had to be repeated")
    print(f"present       {found.present}")
    print(f"lost          {found.lost}")
    print(f"disagreeing   {found.disagreeing} clones")
    print(f"seconds       {time.monotonic() - begun:.1f}")
    is_good = not (found.lost or found.disagreeing or found.failed) and found.killed == options.kill
    return 0 if is_good and found.folded else 1


if __name__ == "__main__":
    sys.exit(main())
