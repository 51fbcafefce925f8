"""Rows F1, F3, F21, A44 in any order: three clones and a remote, of which a machine that looks for trouble does anything.

The machine appends, syncs, compacts, kills, collects garbage, copies clones, deletes indexes, and rewrites the remote.
What a clone has once shown it must go on showing; at the end all must hold the same, and nothing acknowledged is lost.

`NOOTROPIC_STATEFUL_EXAMPLES` and `NOOTROPIC_STATEFUL_STEPS` make it look longer.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from nootropic_bot.state.compact import compact_local, compact_remote
from nootropic_bot.state.schema import MAX_CLOCK, MAX_CLOCK_JUMP, Draft, encode, now
from nootropic_bot.state.store import Store
from nootropic_bot.state.sync import Sync
from nootropic_bot.state.writers import new_id
from tests.support.repo import PROJECT
from tests.support.state import (
    bare_remote,
    clone,
    digest,
    drafts,
    git,
    note,
    outcome,
    record_ids,
    ref_records,
    store_at,
    triage,
)

CLONES = 3
# All writers have been silent for long by then, also those that go on writing.
FAR_FUTURE = 1e11
KILLED = -signal.SIGKILL
EXAMPLES = int(os.environ.get("NOOTROPIC_STATEFUL_EXAMPLES", "6"))
STEPS = int(os.environ.get("NOOTROPIC_STATEFUL_STEPS", "25"))

RUBBISH = {"text": b"no record", "object": b"{}", "id": b'{"id": 1}', "bytes": b"\xff\xfe", "deep": b"[" * 3000}

Records = dict[str, dict[str, Any]]


# A process that can be killed


def act(action: str, path: str, namespace: str, numbers: list[int]) -> None:
    """What a child does until it is killed."""
    with store_at(Path(path), namespace) as store:
        if action == "append":
            store.append([note(number) for number in numbers])
            return
        sync = Sync(store, sleep=lambda _seconds: None)
        sync.run()
        if action == "compact":
            compact_remote(store, sync, FAR_FUTURE)


def serve() -> None:
    """Run each order from standard input in a child of its own: a fork costs a hundredth of a start of Python."""
    note(0)  # makes the validators, once for all children
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.environ.update(order["env"])
                act(**order["act"])
                code = 0
            except BaseException:  # noqa: BLE001 (told to the parent)
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(code)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


_SHIM = """#!/bin/sh
number=$(($(cat "$COUNT" 2>/dev/null || echo 0) + 1))
echo "$number" > "$COUNT"
[ "$number" = "$KILL_AT" ] || exec {git} "$@"
[ "$KILL_WHEN" = after ] && {git} "$@"
kill -9 "$PPID"
"""


class Children:
    """Starts processes whose n-th git call kills them, before or after git has done its work."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        shim = folder / "git"
        shim.write_text(_SHIM.format(git=shlex.quote(str(shutil.which("git")))))
        shim.chmod(0o755)
        self._errors = (folder / "errors").open("w+b")
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from tests.state.test_stateful import serve; serve()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(PROJECT), "TMPDIR": str(folder)},
        )

    def run(self, kill_at: int, kill_when: str, **order: Any) -> int:
        """How the child ended: `KILLED`, or 0 when it made fewer git calls."""
        count = self._folder / "count"
        count.unlink(missing_ok=True)
        path = f"{self._folder}{os.pathsep}{os.environ['PATH']}"
        env = {"PATH": path, "COUNT": str(count), "KILL_AT": str(kill_at), "KILL_WHEN": kill_when}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"env": env, "act": order}).encode() + b"\n")
        self._process.stdin.flush()
        code = int(self._process.stdout.readline())
        assert code in (0, KILLED), (self._folder / "errors").read_text()
        return code

    def close(self) -> None:
        """End the server."""
        self._process.communicate()
        self._errors.close()


# What the state should be, worked out from the records alone


def admitted(records: Records) -> set[str]:
    """The ids of the fold: those that no gap of more than `MAX_CLOCK_JUMP` keeps from the beginning."""
    found: set[str] = set()
    top = 0
    for identity, record in sorted(records.items(), key=lambda item: int(item[1]["clock"])):
        if record["clock"] > top + MAX_CLOCK_JUMP:
            break
        top = record["clock"]
        found.add(identity)
    return found


def latest_outcomes(records: Records) -> dict[str, tuple[str, str]]:
    """Of each suggestion the outcome with the highest (clock, id): its result and id."""
    found: dict[str, tuple[int, str, str]] = {}
    for identity in admitted(records):
        record = records[identity]
        if record["kind"] == "outcome":
            mine = (record["clock"], identity, record["data"]["result"])
            about = record["data"]["suggestion"]
            found[about] = max(found.get(about, mine), mine)
    return {about: (result, identity) for about, (_clock, identity, result) in found.items()}


def costs(records: Records) -> dict[str, int]:
    """Money by backend."""
    sums: Counter[str] = Counter()
    for identity in admitted(records):
        if records[identity]["kind"] == "cost":
            sums[records[identity]["data"]["backend"]] += records[identity]["data"]["microdollars"]
    return dict(sums)


class Trouble(RuleBasedStateMachine):
    """Does anything to the clones of a remote, and holds them to what they said."""

    namespace = "nootropic"
    template: Path
    children: Children

    def __init__(self) -> None:
        super().__init__()
        self._scratch = tempfile.TemporaryDirectory(dir=self.template.parent, ignore_cleanup_errors=True)
        self.top = Path(self._scratch.name) / "world"
        shutil.copytree(self.template, self.top)
        self.remote = self.top / "remote.git"
        self.prefix = f"refs/{self.namespace}"
        self.stores: dict[int, Store] = {}
        self.acknowledged: list[set[str]] = [set() for _ in range(CLONES)]
        self.shown: list[set[str]] = [set() for _ in range(CLONES)]
        self.shared: set[str] = set()
        # Syncs that have looked at the remote and not yet pushed: (sync, what they saw).
        self.slow: dict[int, tuple[Sync, dict[str, str]]] = {}
        self.triaged: list[str] = []
        self.refs: list[str] = []
        self.touched: set[int] = set()
        self.number = 0

    # The world

    def path(self, which: int) -> Path:
        return self.top / f"clone{which}"

    @contextmanager
    def store(self, which: int, live: bool) -> Iterator[Store]:
        """The store of a process that runs on and on, or of one that begins and ends here."""
        self.touched.add(which)
        if live:
            if which not in self.stores:
                self.stores[which] = store_at(self.path(which), self.namespace)
            yield self.stores[which]
            return
        with store_at(self.path(which), self.namespace) as store:
            yield store

    def sync(self, store: Store) -> Sync:
        return Sync(store, sleep=lambda _seconds: None)

    def numbers(self, count: int) -> range:
        """Numbers that were not used before."""
        self.number += count
        return range(self.number - count, self.number)

    def records(self, which: int) -> Records:
        return {record["id"]: record for record in ref_records(self.path(which), "refs/nootropic")}

    def on_remote(self) -> Records:
        return {record["id"]: record for record in ref_records(self.remote, self.prefix)}

    def refs_there(self) -> list[str]:
        return git(self.remote, "for-each-ref", "--format=%(refname)", self.prefix).splitlines()

    def remote_ref(self, index: int) -> str | None:
        """One of the state's refs there, counted in the order in which they were first seen."""
        present = self.refs_there()
        self.refs += [name for name in present if name not in self.refs]
        there = [name for name in self.refs if name in present]
        return there[index % len(there)] if there else None

    def write_there(self, content: bytes) -> str:
        """A commit on the remote with one segment, that no ref names yet."""
        blob = git(self.remote, "hash-object", "-w", "--stdin", feed=content)
        tree = git(self.remote, "mktree", feed=f"100644 blob {blob}\t0.jsonl\n".encode())
        return git(self.remote, "commit-tree", tree, feed=b"nootropic state: segment 1, clock 7 [skip ci]")

    def push_there(self, content: bytes) -> None:
        """A new log on the remote."""
        self.refs.append(f"{self.prefix}/log/{new_id()}")
        git(self.remote, "update-ref", self.refs[-1], self.write_there(content))

    def forget_what_nobody_has(self) -> None:
        """A clone is gone: what only it had is lost, and nobody is to blame."""
        left = set(self.on_remote()).union(*(self.records(which) for which in range(CLONES)))
        self.shared &= left

    # Rules

    @initialize(also=st.booleans())
    def begin(self, also: bool) -> None:
        """An honest first record that all have seen, so that clocks begin at 1."""
        with self.store(0, live=False) as store:
            self.acknowledged[0].update(store.append([note(-1)]).ids)
            self.sync(store).run()
        self.remote_ref(0)
        for which in range(1, CLONES):
            with self.store(which, live=False) as store:
                self.sync(store).pull()
        if also:
            self.append(1, False, 2, True)

    @rule(which=st.integers(0, CLONES - 1), live=st.booleans(), count=st.integers(1, 5), attach=st.booleans())
    def append(self, which: int, live: bool, count: int, attach: bool) -> None:
        numbers = self.numbers(count)
        # Outcomes of few suggestions, so that clones contradict each other.
        made = [*drafts(numbers[0], count - 1), outcome(numbers[-1], of=numbers[-1] % 3)]
        self._append(which, live, made, [f'{{"number": {numbers[0]}}}'.encode()] if attach else [])

    @precondition(lambda self: self.triaged)
    @rule(which=st.integers(0, CLONES - 1), live=st.booleans(), index=st.integers(0, 9))
    def remove_triage(self, which: int, live: bool, index: int) -> None:
        self._append(which, live, [triage(self.numbers(1)[0], remove=self.triaged[index % len(self.triaged)])], [])

    @rule(which=st.integers(0, CLONES - 1), live=st.booleans())
    def add_triage(self, which: int, live: bool) -> None:
        self.triaged += self._append(which, live, [triage(self.numbers(1)[0])], [])

    def _append(self, which: int, live: bool, made: list[Draft], attachments: list[bytes]) -> tuple[str, ...]:
        with self.store(which, live) as store:
            ids = store.append(made, attachments).ids
        assert len(set(ids)) == len(made)
        self.acknowledged[which].update(ids)
        return ids

    @rule(which=st.integers(0, CLONES - 1), live=st.booleans())
    def close_log(self, which: int, live: bool) -> None:
        with self.store(which, live) as store:
            store.close_logs()

    @rule(which=st.integers(0, CLONES - 1))
    def end_process(self, which: int) -> None:
        self.slow.pop(which, None)
        if which in self.stores:
            self.stores.pop(which).close()

    @rule(which=st.integers(0, CLONES - 1), live=st.booleans())
    def synchronise(self, which: int, live: bool) -> None:
        self.end_slow_sync(which)
        with self.store(which, live) as store:
            self.sync(store).run()
        self._was_shared(which)

    @rule(which=st.integers(0, CLONES - 1))
    def begin_slow_sync(self, which: int) -> None:
        """The first half of a sync; until the second, anything may happen, but for another sync of this clone."""
        self.end_slow_sync(which)
        with self.store(which, live=True) as store:
            sync = self.sync(store)
            self.slow[which] = sync, sync.pull()

    @rule(which=st.integers(0, CLONES - 1))
    def end_slow_sync(self, which: int) -> None:
        if which in self.slow:
            self.touched.add(which)
            sync, seen = self.slow.pop(which)
            sync._hand_over_local_base(seen)
            sync.publish(seen)
            # What was deleted there after the first half looked, the next sync sees.
            self.shared |= self.acknowledged[which]

    def _was_shared(self, which: int) -> None:
        self.shared |= self.acknowledged[which]
        lacking = self.acknowledged[which] - set(self.on_remote())
        assert not lacking, f"a sync returned, and the remote lacks {lacking}"

    @rule(which=st.integers(0, CLONES - 1), live=st.booleans())
    def fetch_only(self, which: int, live: bool) -> None:
        self.end_slow_sync(which)
        with self.store(which, live) as store:
            self.sync(store).pull()

    @rule(which=st.integers(0, CLONES - 1), live=st.booleans(), stale=st.booleans())
    def compact(self, which: int, live: bool, stale: bool = False) -> None:
        """`stale`: others were quicker between its sync and its compaction."""
        self.end_slow_sync(which)
        with self.store(which, live) as store:
            sync = self.sync(store)
            if not stale:
                sync.run()
                self._was_shared(which)
            before = set(self.on_remote())
            compact_remote(store, sync, FAR_FUTURE)
        lost = before - set(self.on_remote())
        assert not lost, f"a compaction lost {lost}"

    @rule(which=st.integers(0, CLONES - 1), live=st.booleans())
    def compact_own(self, which: int, live: bool) -> None:
        with self.store(which, live) as store:
            compact_local(store, FAR_FUTURE)

    @rule(
        which=st.integers(0, CLONES - 1),
        action=st.sampled_from(["append", "sync", "compact"]),
        kill_at=st.integers(1, 25),
        kill_when=st.sampled_from(["before", "after"]),
        count=st.integers(1, 3),
    )
    def kill(self, which: int, action: str, kill_at: int, kill_when: str, count: int) -> None:
        self.touched.add(which)
        if action != "append":
            self.end_slow_sync(which)
        numbers = self.numbers(count)
        before = set(self.on_remote())
        order = {"action": action, "path": str(self.path(which)), "namespace": self.namespace}
        code = self.children.run(kill_at, kill_when, **order, numbers=list(numbers))
        assert before <= set(self.on_remote()), "a killed process took records from the remote"
        if action == "append":
            texts = {note(number).data["text"] for number in numbers}
            written = {i for i, record in self.records(which).items() if record["data"].get("text") in texts}
            assert len(written) in ((0, count) if code == KILLED else (count,)), "half an append is there"
            self.acknowledged[which] |= written
        elif code != KILLED:
            self.shared |= self.acknowledged[which]

    @rule(which=st.integers(0, CLONES))
    def collect_garbage(self, which: int) -> None:
        self.touched.add(which)
        where = self.remote if which == CLONES else self.path(which)
        git(where, "-c", "gc.reflogExpire=now", "-c", "gc.reflogExpireUnreachable=now", "gc", "--prune=now", "-q")

    @rule(which=st.integers(0, CLONES - 1), everything=st.booleans())
    def delete_index(self, which: int, everything: bool) -> None:
        self.touched.add(which)
        folder = self.path(which) / ".git/nootropic"
        if everything:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            for suffix in ("", "-wal", "-shm"):
                (folder / f"state.sqlite{suffix}").unlink(missing_ok=True)

    @rule(source=st.integers(0, CLONES - 1), step=st.integers(1, CLONES - 1), noticed=st.booleans())
    def copy_clone(self, source: int, step: int, noticed: bool) -> None:
        """A clone is replaced by a copy of another. `noticed` false: its file system kept the inodes, as a snapshot does."""
        target = (source + step) % CLONES
        self.end_process(target)
        shutil.rmtree(self.path(target))
        shutil.copytree(self.path(source), self.path(target), symlinks=True)
        if not noticed:
            for file in (self.path(target) / ".git/nootropic/writers").glob("[0-9a-f]*"):
                status = file.stat()
                file.write_text(f"{status.st_dev}:{status.st_ino}")
        self.acknowledged[target] = set(self.acknowledged[source])
        self.shown[target] = set(self.shown[source])
        self.touched.add(target)
        self.forget_what_nobody_has()

    @rule(index=st.integers(0, 9), how=st.sampled_from(["delete", "forge"]) | st.integers(1, 3))
    def rewrite_remote(self, index: int, how: str | int) -> None:
        """An adversary moves a ref of the state back, deletes it, or puts something else in its place."""
        name = self.remote_ref(index)
        if name is None:
            return
        if how == "forge":
            line = encode(note(self.numbers(1)[0]), new_id(), self._top_clock() + 1, now())[1]
            git(self.remote, "update-ref", name, self.write_there(line + b"\n"))
            return
        chain = git(self.remote, "rev-list", "--first-parent", name).splitlines()
        if how == "delete" or len(chain) == 1:
            git(self.remote, "update-ref", "-d", name)
        else:
            git(self.remote, "update-ref", name, chain[min(int(how), len(chain) - 1)])

    @rule(ahead=st.sampled_from([MAX_CLOCK_JUMP - 1, MAX_CLOCK_JUMP + 10, 10**12, 2**53 - 1]))
    def forge_clock(self, ahead: int) -> None:
        """A record from nowhere, with a clock far ahead."""
        clock = min(self._top_clock() + ahead, 2**53 - 1)
        line = encode(note(self.numbers(1)[0]), new_id(), clock, now())[1]
        self.push_there(line + b"\n")

    @rule(what=st.sampled_from(sorted(RUBBISH)))
    def forge_rubbish(self, what: str) -> None:
        """Lines that are no records, between two that are."""
        clock = self._top_clock()
        lines = [encode(note(number), new_id(), clock + 1, now())[1] for number in self.numbers(2)]
        content = b"\n".join([lines[0], RUBBISH[what] + b" %d" % self.number, lines[1], b""])
        self.push_there(content)

    def _top_clock(self) -> int:
        """The highest clock that is not held back."""
        records = dict(self.on_remote())
        for which in range(CLONES):
            records.update(self.records(which))
        return max((int(records[identity]["clock"]) for identity in admitted(records)), default=0)

    @rule(which=st.integers(0, CLONES - 1), live=st.booleans())
    def jump(self, which: int, live: bool) -> None:
        """A clone whose clock runs ahead as far as is allowed."""
        top = max((int(self.records(which)[i]["clock"]) for i in admitted(self.records(which))), default=0)
        identity, line = encode(note(self.numbers(1)[0]), new_id(), top + MAX_CLOCK_JUMP - 5, now())
        with self.store(which, live) as store:
            store.append_verbatim([line])
        self.acknowledged[which].add(identity)

    @rule(which=st.integers(0, CLONES - 1), live=st.booleans())
    def read(self, which: int, live: bool) -> None:
        """The index says what the refs say, whatever happened to either."""
        records = self.records(which)
        with self.store(which, live) as store:
            assert store.index.update().damaged == {}
            found = {identity for (identity,) in store.index.db.execute("SELECT lower(hex(id)) FROM record")}
            held = {identity for (identity,) in store.index.db.execute("SELECT lower(hex(id)) FROM held")}
            latest = "SELECT suggestion, result, lower(hex(id)) FROM outcome_latest"
            outcomes = {about: (result, identity) for about, result, identity in store.index.db.execute(latest)}
            sums = dict(store.index.db.execute("SELECT backend, sum(microdollars) FROM cost_by_day GROUP BY backend"))
            places = store.index.lines(list(found))
            assert {identity for identity, _line in places} == found, "a record of the index can't be read"
        expected = admitted(records)
        assert found == expected, f"index only: {found - expected}, refs only: {expected - found}"
        assert held == set(records) - expected
        assert outcomes == latest_outcomes(records)
        assert sums == costs(records)

    @invariant()
    def nothing_that_was_shown_is_gone(self) -> None:
        for which in sorted(self.touched - {CLONES}):
            present = set(self.records(which))
            lost = self.acknowledged[which] - present
            assert not lost, f"clone {which} lost {lost}, which it had acknowledged"
            lost = self.shown[which] - present
            assert not lost, f"clone {which} no longer has {lost}, which it had shown"
            self.shown[which] = present
        self.touched.clear()

    def teardown(self) -> None:
        try:
            if any(self.shown):
                self.come_together()
        finally:
            self.end()

    def end(self) -> None:
        for which in list(self.stores):
            self.end_process(which)
        self._scratch.cleanup()

    def come_together(self) -> None:
        for which in list(self.slow):
            self.end_slow_sync(which)
        self.nothing_that_was_shown_is_gone()
        self.forget_what_nobody_has()
        every = self.shared.union(*self.shown)
        attached = set().union(*(self.attachments(self.path(which)) for which in range(CLONES)))
        for _round in range(3):
            for which in range(CLONES):
                with self.store(which, live=_round == 1) as store:
                    self.sync(store).run()
        assert every <= set(self.on_remote()), f"the remote lacks {every - set(self.on_remote())}"
        digests = self.digests(every, attached)
        with self.store(0, live=False) as store:
            sync = self.sync(store)
            sync.run()
            compact_remote(store, sync, FAR_FUTURE)
        for which in range(CLONES):
            with self.store(which, live=False) as store:
                self.sync(store).run()
        assert self.digests(every, attached) == digests, "a compaction changed what the state says"
        assert every <= set(self.on_remote())

    def digests(self, every: Iterable[str], attached: set[str]) -> set[str]:
        found = set()
        for which in range(CLONES):
            lacking = set(every) - set(self.records(which))
            assert not lacking, f"clone {which} lacks {lacking}"
            missing = attached - self.attachments(self.path(which))
            assert not missing, f"clone {which} lacks {missing}"
            self.read(which, live=True)
            self.read(which, live=False)
            with self.store(which, live=False) as store:
                kept = store.index.digest()
                store.index.rebuild()
                assert store.index.digest() == kept, f"the index of clone {which} depends on how it came about"
                found.add(kept)
        assert len(found) == 1, "clones with the same records say different things"
        return found

    def attachments(self, repository: Path) -> set[str]:
        """The attachments that the refs of a clone lead to."""
        names = git(repository, "for-each-ref", "--format=%(refname)", "refs/nootropic").encode()
        objects = git(repository, "rev-list", "--objects", "--stdin", feed=names + b"\n") if names else ""
        return {
            path for _oid, _space, path in (o.partition(" ") for o in objects.splitlines()) if "attachments/" in path
        }


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Callable[[str], type[Trouble]]]:
    """Makes the machine's class for a namespace; every instance has a world of its own."""
    template = tmp_path / "template"
    remote = bare_remote(template)
    for which in range(CLONES):
        path = clone(remote, template / f"clone{which}")
        # Relative, so that a copy of all this is a world of its own.
        git(path, "remote", "set-url", "origin", "../remote.git")
        shutil.rmtree(path / ".git/hooks")
    children = Children(tmp_path / "children")

    def make(namespace: str) -> type[Trouble]:
        return type("Here", (Trouble,), {"namespace": namespace, "template": template, "children": children})

    yield make
    children.close()


@pytest.mark.slow
@pytest.mark.parametrize("namespace", ["nootropic", "heads/nootropic"])
def test_f1_f3_f21_a44_whatever_happens_clones_agree_and_lose_nothing(
    machine: Callable[[str], type[Trouble]], namespace: str
) -> None:
    limits = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine(namespace), settings=limits)


# What the machine found, or could find: each told as the steps that lead there


@pytest.fixture
def trouble(machine: Callable[[str], type[Trouble]]) -> Iterator[Trouble]:
    """A machine for a test to drive; every run of it ends with all that `come_together`."""
    made = machine("nootropic")()
    made.begin(also=False)
    yield made
    made.end()


def test_a44_rubbish_that_vanished_from_the_remote_leaves_no_trace_in_what_clones_agree_on(trouble: Trouble) -> None:
    trouble.forge_rubbish("text")
    trouble.fetch_only(2, live=False)
    trouble.rewrite_remote(index=1, how="delete")
    trouble.nothing_that_was_shown_is_gone()
    trouble.synchronise(2, live=False)
    with trouble.store(2, live=False) as store:
        kept = digest(store)
        store.index.rebuild()
        assert store.index.digest() == kept
    trouble.come_together()


def test_f1_records_of_a_rewritten_ref_outlive_a_sync_that_was_killed(trouble: Trouble) -> None:
    trouble.rewrite_remote(index=0, how="forge")
    (forged,) = trouble.on_remote()
    for kill_at in range(1, 60):
        trouble.kill(1, action="sync", kill_at=kill_at, kill_when="before", count=1)
        if forged in trouble.records(1):
            break
    trouble.nothing_that_was_shown_is_gone()
    trouble.rewrite_remote(index=0, how="delete")
    trouble.synchronise(1, live=False)
    trouble.nothing_that_was_shown_is_gone()
    trouble.come_together()


def test_f3_two_clones_under_one_id_while_their_processes_go_on(trouble: Trouble) -> None:
    trouble.copy_clone(source=0, step=1, noticed=False)
    for which in (0, 1):
        trouble.append(which, live=True, count=1, attach=True)
    for which, live in ((0, True), (1, False)):
        trouble.synchronise(which, live=live)
    for which in (0, 1):
        trouble.append(which, live=True, count=2, attach=False)
    trouble.nothing_that_was_shown_is_gone()
    trouble.come_together()


def test_f21_a_log_is_folded_while_its_writer_goes_on_and_another_process_syncs(trouble: Trouble) -> None:
    trouble.append(0, live=True, count=3, attach=True)
    trouble.synchronise(0, live=True)
    trouble.compact(1, live=False)
    trouble.delete_index(0, everything=True)
    trouble.synchronise(0, live=False)
    trouble.append(0, live=True, count=1, attach=False)
    trouble.nothing_that_was_shown_is_gone()
    trouble.come_together()


def test_f21_a_log_that_grew_since_it_was_seen_is_not_removed_by_a_compaction(trouble: Trouble) -> None:
    trouble.append(0, live=True, count=1, attach=False)
    trouble.synchronise(0, live=True)
    trouble.fetch_only(1, live=False)
    trouble.append(0, live=True, count=1, attach=True)
    trouble.synchronise(0, live=True)
    before = set(trouble.refs_there())
    trouble.compact(1, live=False, stale=True)
    assert set(trouble.refs_there()) == before | {f"{trouble.prefix}/base"}
    assert trouble.shared <= set(trouble.on_remote())
    trouble.come_together()


def test_f21_of_two_compactions_at_once_one_wins_and_nothing_is_lost(trouble: Trouble) -> None:
    trouble.append(0, live=True, count=5, attach=True)
    trouble.synchronise(0, live=True)
    trouble.fetch_only(1, live=False)
    trouble.compact(2, live=False)
    won = git(trouble.remote, "rev-parse", f"{trouble.prefix}/base")
    trouble.compact(1, live=False, stale=True)
    assert git(trouble.remote, "rev-parse", f"{trouble.prefix}/base") == won
    assert trouble.shared <= set(trouble.on_remote())
    trouble.come_together()


@pytest.mark.parametrize("clock", [10**12, MAX_CLOCK])
def test_a44_a_forged_clock_that_was_there_first_does_not_lead_honest_writers_astray(
    machine: Callable[[str], type[Trouble]], clock: int
) -> None:
    trouble = machine("nootropic")()
    line = encode(note(0), new_id(), clock, now())[1]
    trouble.push_there(line + b"\n")
    try:
        # The first has seen the forged record when it writes, the second has not.
        trouble.fetch_only(0, live=False)
        for which in (0, 1):
            trouble.append(which, live=False, count=1, attach=False)
            trouble.synchronise(which, live=False)
        trouble.fetch_only(0, live=False)
        with trouble.store(0, live=False) as store:
            store.index.rebuild()
            assert trouble.shared <= record_ids(store)
        trouble.nothing_that_was_shown_is_gone()
        trouble.come_together()
    finally:
        trouble.end()


@pytest.mark.parametrize("ref", ["base", "log/0123456789abcdef"])
@pytest.mark.parametrize("what", ["tree", "tag", "folder named like a segment", "submodule named like a segment"])
def test_a44_odd_objects_on_the_remote_do_not_stop_a_compaction(trouble: Trouble, ref: str, what: str) -> None:
    blob = git(trouble.remote, "hash-object", "-w", "--stdin", feed=b"text\n")
    folder = git(trouble.remote, "mktree", feed=f"100644 blob {blob}\ttext\n".encode())
    commit = git(trouble.remote, "commit-tree", folder, feed=b"text")
    tag = f"object {commit}\ntype commit\ntag odd\ntagger Test <test@example.invalid> 1 +0000\n\ntext\n"
    entries = {
        "folder named like a segment": f"040000 tree {folder}\t0.jsonl\n",
        "submodule named like a segment": f"160000 commit {commit}\t0.jsonl\n",
    }
    if what in entries:
        tree = git(trouble.remote, "mktree", feed=entries[what].encode())
        odd = git(trouble.remote, "commit-tree", tree, feed=b"odd")
    else:
        odd = folder if what == "tree" else git(trouble.remote, "mktag", feed=tag.encode())
    git(trouble.remote, "update-ref", f"{trouble.prefix}/{ref}", odd)
    trouble.append(1, live=False, count=3, attach=True)
    trouble.compact(1, live=False)
    folded = {record["id"] for record in ref_records(trouble.remote, f"{trouble.prefix}/base")}
    assert trouble.acknowledged[0] | trouble.acknowledged[1] <= folded
    trouble.synchronise(0, live=False)
    trouble.nothing_that_was_shown_is_gone()
