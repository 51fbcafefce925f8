"""The faults of the corpus that the state can meet: each row by its number (`attacks.md`)."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from nootropic_bot.errors import EnvironmentFault
from nootropic_bot.state.compact import compact_remote
from nootropic_bot.state.schema import Draft, canonical
from nootropic_bot.state.segments import MAX_SEGMENT_BYTES
from nootropic_bot.state.sync import Sync, Synced
from tests.faults import test_faults
from tests.faults.test_faults import BOT, KILLED, UNSAFE, call, on_a_full_disk
from tests.support.repo import PROJECT, Repo, Run, run_bot
from tests.support.state import (
    bare_remote,
    clone,
    digest,
    drafts,
    finding,
    git,
    note,
    record_ids,
    ref_ids,
    remote_ids,
    store_at,
)

# The fixture of the other faults: a git that kills the program at its call of number KILL_AT.
deadly_git = test_faults.deadly_git

HERE = "refs/nootropic"
SYNC = ("state", "sync", "--no-close")


def append(path: Path, records: Iterable[Draft], *, closing: bool = False) -> set[str]:
    """Write records into the clone at `path`; their ids."""
    with store_at(path) as store:
        return set(store.append(list(records), closing=closing).ids)


def sync(path: Path) -> Synced:
    """Sync the clone at `path` with its remote."""
    with store_at(path) as store:
        return Sync(store).run()


def ids_at(path: Path) -> set[str]:
    """What the program finds in the clone at `path`."""
    with store_at(path) as store:
        return record_ids(store)


def rebuilt_digest(path: Path) -> str:
    """The digest of the fold, read from the refs alone."""
    with store_at(path) as store:
        store.index.rebuild()
        return store.index.digest()


def own_log(path: Path) -> str:
    """The name of the one log of the clone at `path`."""
    (name,) = git(path, "for-each-ref", "--format=%(refname)", f"{HERE}/log").splitlines()
    return name


def logs_of(path: Path) -> list[str]:
    return git(path, "for-each-ref", "--format=%(refname)", f"{HERE}/log").splitlines()


def writers_of(path: Path) -> list[Path]:
    """The files of the ids under which the clone at `path` writes."""
    return sorted(
        each for each in (path / ".git/nootropic/writers").iterdir() if re.fullmatch("[0-9a-f]{16}", each.name)
    )


def assert_complete(*repositories: Path) -> None:
    """Every ref names an object that is there, with all that it needs."""
    for path in repositories:
        for last in (False, False, True):  # The remote's side of a push that was killed may still be at work.
            git(path, "fsck", "--connectivity-only", "--no-progress", "--no-dangling", check=last)
            time.sleep(0 if last else 0.2)


def stored_ids(repository: Path) -> set[str]:
    """What the refs lead to, like `ref_ids`, but with a fixed number of processes however many refs there are."""
    refs = git(repository, "for-each-ref", "--format=%(refname)", HERE).splitlines()
    logs = "".join(f"{name}\n" for name in refs if not name.endswith("/base")).encode()
    listed = git(repository, "rev-list", "--objects", "--stdin", feed=logs).splitlines() if logs else []
    blobs = {oid for oid, _space, path in (line.partition(" ") for line in listed) if path.endswith(".jsonl")}
    for name in refs:
        if name.endswith("/base"):
            for line in git(repository, "ls-tree", "-r", name).splitlines():
                meta, _tab, path = line.partition("\t")
                blobs |= {meta.split(" ")[2]} if path.endswith(".jsonl") else set()
    feed = "".join(f"{oid}\n" for oid in blobs).encode()
    content = git(repository, "cat-file", "--batch", feed=feed)
    return {line[7:71] for line in content.split("\n") if is_genuine(line.encode("utf-8", "surrogateescape"))}


def is_genuine(line: bytes) -> bool:
    return line[:7] == b'{"id":"' and hashlib.sha256(b"{" + line[73:]).hexdigest().encode() == line[7:71]


def make_line(
    kind: str,
    data: Mapping[str, Any],
    clock: int,
    writer: str = "ab" * 8,
    at: str = "2024-05-06T07:08:09Z",
    **other: Any,
) -> bytes:
    """A record as a line, whatever its kind, schema and further fields."""
    body = canonical({"schema": 1, "kind": kind, "data": data, "clock": clock, "writer": writer, "at": at, **other})
    return b'{"id":"%s",%s' % (hashlib.sha256(body).hexdigest().encode(), body[1:])


def plant(repository: Path, lines: Sequence[bytes], writer: str = "ab" * 8, prefix: str = HERE) -> str:
    """Put lines into a log of their own, as another program would, with plain git; the ref's name."""
    blob = git(repository, "hash-object", "-w", "--stdin", feed=b"".join(line + b"\n" for line in lines))
    tree = git(repository, "mktree", feed=f"100644 blob {blob}\t0.jsonl\n".encode())
    commit = git(repository, "commit-tree", "-m", "nootropic state: segment 1, clock 1", tree)
    name = f"{prefix}/log/{writer}"
    git(repository, "update-ref", name, commit)
    return name


def identity(line: bytes) -> str:
    return str(json.loads(line)["id"])


def python(script: str, *args: str | Path | int) -> subprocess.Popen[bytes]:
    """Start a Python program that has our modules."""
    env = {**os.environ, "PYTHONPATH": str(PROJECT)}
    command = [sys.executable, "-c", script, *map(str, args)]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finish(processes: Sequence[subprocess.Popen[bytes]], timeout: float = 120) -> list[str]:
    """Wait for programs; the words they printed."""
    printed: list[str] = []
    try:
        for each in processes:
            out, err = each.communicate(timeout=timeout)
            assert each.returncode == 0, err.decode()
            printed += out.decode().split()
    finally:
        for each in processes:
            if each.poll() is None:
                each.kill()
                each.communicate()
    return printed


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return bare_remote(tmp_path)


@pytest.fixture
def here(remote: Path, tmp_path: Path) -> Path:
    """A clone of `remote`."""
    return clone(remote, tmp_path / "here")


@pytest.fixture
def other(remote: Path, tmp_path: Path) -> Path:
    """Somebody else's clone of `remote`."""
    return clone(remote, tmp_path / "other")


# F1


def is_killed_at(number: int, path: Path, deadly: Mapping[str, str], *args: str) -> bool:
    """Run the program; whether there was a git call of this number, before which it was killed."""
    Path(deadly["COUNT"]).unlink(missing_ok=True)
    ran = run_bot(*args, cwd=path, env={**deadly, "KILL_AT": str(number)})
    assert ran.code in (0, KILLED), ran.err
    return ran.code == KILLED


@pytest.mark.slow
def test_f1_kill_at_every_git_call_of_a_triage_add(repo: Repo, deadly_git: dict[str, str]) -> None:
    before = append(repo.path, [note(1)])
    number, is_killed = 0, True
    while is_killed:
        number += 1
        args = ("triage", "add", "--rule", "yaml-unsafe-load", "--reason", f"number {number}")
        is_killed = is_killed_at(number, repo.path, deadly_git, *args)
        assert_complete(repo.path)
        after = stored_ids(repo.path)
        assert before <= after, "a record that was acknowledged is gone"
        assert len(after - before) <= 1
        assert ids_at(repo.path) == after
        assert repo.bot(*args).code == 0
        again = stored_ids(repo.path)
        assert after < again
        assert len(again - after) == 1
        assert ids_at(repo.path) == again
        before = again
    assert number > 8, "the shim was not called"
    with store_at(repo.path) as store:
        folded = digest(store)
    assert folded == rebuilt_digest(repo.path)


@pytest.mark.slow
def test_f1_kill_at_every_git_call_of_a_sync(here: Path, other: Path, remote: Path, deadly_git: dict[str, str]) -> None:
    everything: set[str] = set()
    number, is_killed = 0, True
    while is_killed:
        number += 1
        everything |= append(other, [note(2 * number)])
        sync(other)
        everything |= append(here, [note(2 * number + 1)])
        is_killed = is_killed_at(number, here, deadly_git, *SYNC)
        assert_complete(here, remote)
        assert stored_ids(here) | stored_ids(remote) == everything
        again = run_bot(*SYNC, cwd=here)
        assert again.code == 0, again.err
        assert "lost" not in again.err
        assert stored_ids(remote) == ids_at(here) == everything
    assert number > 8, "the shim was not called"


@pytest.mark.slow
def test_f1_kill_at_every_git_call_of_a_sync_that_mends_a_rewritten_ref(
    here: Path, other: Path, remote: Path, deadly_git: dict[str, str]
) -> None:
    everything: set[str] = set()
    number, is_killed = 0, True
    while is_killed:
        number += 1
        everything |= append(other, [note(3 * number)]) | append(other, [note(3 * number + 1)])
        sync(other)
        sync(here)
        everything |= append(here, [note(3 * number + 2)])
        lost = own_log(other)
        git(remote, "update-ref", lost, f"{lost}~1")
        is_killed = is_killed_at(number, here, deadly_git, *SYNC)
        assert_complete(here, remote)
        assert stored_ids(here) | stored_ids(remote) == everything
        assert run_bot(*SYNC, cwd=here).code == 0
        assert stored_ids(remote) == ids_at(here) == everything
    assert number > 15, "the shim was not called"


@pytest.mark.slow
def test_f1_kill_at_every_git_call_of_a_compaction(
    here: Path, other: Path, remote: Path, deadly_git: dict[str, str]
) -> None:
    everything = append(here, [note(1)])
    sync(here)
    number, is_killed = 0, True
    while is_killed:
        number += 1
        for part in range(2):
            everything |= append(other, drafts(100 * number + 10 * part, 3), closing=True)
        sync(other)
        is_killed = is_killed_at(number, here, deadly_git, "state", "compact")
        assert_complete(here, remote)
        assert stored_ids(remote) == everything, "the remote never has fewer records than before"
        again = run_bot("state", "compact", cwd=here)
        assert again.code == 0, again.err
        assert logs_of(remote) == [own_log(here)], "only the log of the writer that is not finished is left"
        assert stored_ids(remote) == ids_at(here) == everything
    assert number > 15, "the shim was not called"
    with store_at(here) as store:
        folded = digest(store)
    assert folded == rebuilt_digest(here)


# F2


def lock(repository: Path, name: str, age: float = 3600) -> Path:
    """What a git that was killed leaves behind."""
    path = Path(git(repository, "rev-parse", "--path-format=absolute", "--git-path", f"{name}.lock"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    os.utime(path, (time.time() - age, time.time() - age))
    return path


def test_f2_a_stale_lock_on_the_own_log_is_removed(repo: Repo) -> None:
    first = append(repo.path, [note(1)])
    stale = lock(repo.path, own_log(repo.path))
    ran = repo.bot("triage", "add", "--finding", "0123456789abcdef", "--reason", "fine")
    assert ran.code == 0, ran.err
    assert not stale.exists()
    assert len(logs_of(repo.path)) == 1, "it went on in the same log"
    assert len(ids_at(repo.path) - first) == 1


def test_f2_a_fresh_lock_on_the_own_log_is_left_to_its_holder(repo: Repo) -> None:
    """`git gc` locks every ref for a moment; what can't wait is written under another id."""
    first = append(repo.path, [note(1)])
    fresh = lock(repo.path, own_log(repo.path), age=0)
    ran = repo.bot("triage", "add", "--finding", "0123456789abcdef", "--reason", "fine")
    assert ran.code == 0, ran.err
    assert fresh.exists()
    assert len(ids_at(repo.path) - first) == 1
    fresh.unlink()
    append(repo.path, [note(2)])
    assert len(logs_of(repo.path)) == 2


def test_f2_a_lock_on_the_packed_refs_is_reported_with_its_age_and_stays(repo: Repo) -> None:
    everything = append(repo.path, [note(1)], closing=True) | append(repo.path, [note(2)], closing=True)
    held = lock(repo.path, "packed-refs")
    ran = repo.bot("state", "compact")
    assert ran.code == 3
    assert re.search(r"lock packed-refs\.lock for 36\d\d s", ran.err), ran.err
    assert held.exists()
    assert ref_ids(repo.path, HERE) == everything
    held.unlink()
    assert repo.bot("state", "compact").code == 0
    assert logs_of(repo.path) == []
    assert ref_ids(repo.path, HERE) == everything


def test_f2_a_lock_on_the_ref_that_follows_a_push_is_reported_with_its_age_and_stays(here: Path, remote: Path) -> None:
    append(here, [note(1)])
    sync(here)
    everything = append(here, [note(2)]) | ids_at(here)
    tracked = own_log(here).replace(HERE, f"{HERE}/remote")
    held = lock(here, tracked)
    ran = run_bot(*SYNC, cwd=here)
    assert ran.code == 3, ran.err
    assert re.search(rf"{re.escape(tracked)}\.lock for 36\d\d s", ran.err), ran.err
    assert held.exists()
    held.unlink()
    assert run_bot(*SYNC, cwd=here).code == 0
    assert remote_ids(remote) == everything


def test_f2_a_lock_on_a_ref_to_be_fetched_is_reported_with_its_age_and_stays(here: Path, other: Path) -> None:
    append(other, [note(1)])
    sync(other)
    sync(here)
    everything = append(other, [note(2)]) | ids_at(other)
    sync(other)
    mine = append(here, [note(3)])
    tracked = own_log(other).replace(HERE, f"{HERE}/remote")
    held = lock(here, tracked)
    ran = run_bot(*SYNC, cwd=here)
    assert held.exists()
    assert mine <= ids_at(here)
    assert f"{tracked}.lock" in ran.err, "whether the records came or not, it stands in the way of every sync"
    assert re.search(r"36\d\d s", ran.err), ran.err
    held.unlink()
    assert run_bot(*SYNC, cwd=here).code == 0
    assert ids_at(here) == everything | mine
    assert git(here, "rev-parse", tracked) == git(other, "rev-parse", own_log(other))
    assert git(here, "for-each-ref", f"{HERE}/incoming") == "", "what was fetched aside has been dealt with"


# F3

_APPEND = """
import sys
from pathlib import Path
from tests.support.state import note, store_at
path, first = Path(sys.argv[1]), int(sys.argv[2])
with store_at(path) as store:
    for number in range(first, first + 10):
        print(*store.append([note(number)]).ids)
"""
_APPEND_AND_SYNC = """
import sys
from pathlib import Path
from nootropic_bot.state.sync import Sync
from tests.support.state import note, store_at
path, first, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
for number in range(first, first + count):
    with store_at(path) as store:
        appended = store.append([note(number)], closing="close" in sys.argv)
        Sync(store).run()
        print(*appended.ids, flush=True)
"""


def test_f3_sixteen_processes_in_one_clone_lose_nothing(repo: Repo) -> None:
    ids = finish([python(_APPEND, repo.path, 1000 * number) for number in range(16)])
    assert len(ids) == len(set(ids)) == 160
    assert ref_ids(repo.path, HERE) == ids_at(repo.path) == set(ids)
    assert 1 <= len(logs_of(repo.path)) <= 16
    assert_complete(repo.path)
    with store_at(repo.path) as store:
        folded = digest(store)
    assert folded == rebuilt_digest(repo.path)


def test_f3_eight_clones_to_one_remote_lose_nothing(remote: Path, tmp_path: Path) -> None:
    clones = [clone(remote, tmp_path / f"clone-{number}") for number in range(8)]
    ids = finish([python(_APPEND_AND_SYNC, path, 1000 * number, 5) for number, path in enumerate(clones)])
    assert len(ids) == len(set(ids)) == 40
    assert remote_ids(remote) == set(ids)
    assert len(logs_of(remote)) == 8, "no clone needed a second log"
    for path in clones:
        sync(path)
    assert {digest_at(path) for path in clones} == {rebuilt_digest(clones[0])}
    assert_complete(remote, *clones)


def digest_at(path: Path) -> str:
    with store_at(path) as store:
        return digest(store)


# F4


def test_f4_refs_of_another_depth_or_name_disturb_nothing(here: Path, other: Path, remote: Path) -> None:
    theirs = append(other, [note(1)])
    sync(other)
    commit = git(remote, "rev-parse", own_log(other))
    odd = [f"{HERE}/log/{'cd' * 8}/x", f"{HERE}/log/not-hex", f"{HERE}/base/x", f"{HERE}/log/{'AB' * 8}", f"{HERE}/x"]
    for name in odd:
        git(remote, "update-ref", name, commit)
    mine = append(here, [note(2)])
    for _ in range(2):
        ran = run_bot(*SYNC, cwd=here)
        assert (ran.code, ran.err) == (0, "")
    assert ids_at(here) == theirs | mine
    assert run_bot("state", "verify", cwd=here).code == 0
    assert set(odd) <= set(git(remote, "for-each-ref", "--format=%(refname)").splitlines()), (
        "they are not ours to touch"
    )


def test_f4_refs_of_another_depth_here_disturb_nothing(here: Path, remote: Path) -> None:
    mine = append(here, [note(1)])
    for name in (f"{HERE}/log/{'cd' * 8}/x", f"{HERE}/log/not-hex", f"{HERE}/remote/log/not-hex"):
        git(here, "update-ref", name, own_log_of_hex(here))
    mine |= append(here, [note(2)])
    sync(here)
    assert remote_ids(remote) == ids_at(here) == mine
    assert len(logs_of(remote)) == 1


def own_log_of_hex(path: Path) -> str:
    return next(name for name in logs_of(path) if re.fullmatch(rf"{HERE}/log/[0-9a-f]{{16}}", name))


def test_f4_a_deep_ref_among_very_many_does_not_shut_a_writer_out(here: Path, remote: Path) -> None:
    """Many changed logs are fetched by a pattern, which a name of another depth fits as well."""
    honest = make_line("note", {"text": "of the writer to come"}, 2, "cd" * 8)
    first = plant(remote, [make_line("note", {"text": "first"}, 1)])
    commit = git(remote, "rev-parse", first)
    many = [f"create {HERE}/log/{number:016x} {commit}\n" for number in range(510)]
    git(remote, "update-ref", "--stdin", feed="".join([*many, f"create {HERE}/log/{'cd' * 8}/x {commit}\n"]).encode())
    sync(here)
    git(remote, "update-ref", "-d", f"{HERE}/log/{'cd' * 8}/x")
    plant(remote, [honest], "cd" * 8)
    ran = run_bot(*SYNC, cwd=here)
    assert ran.code == 0, ran.err
    assert identity(honest) in ids_at(here)


# F5


def slim(path: Path) -> Repo:
    """A repository that fits on a small disk."""
    repo = Repo.init(path)
    shutil.rmtree(repo.path / ".git/hooks")
    return repo


@pytest.mark.parametrize("has_index", [False, True])
@pytest.mark.parametrize("free", [0, 4096, 8192, 16384, 32768, 65536])
def test_f5_no_space_for_a_record(tmp_path: Path, free: int, has_index: bool) -> None:
    repo = slim(tmp_path / "disk")
    before = append(repo.path, [note(1)])
    if not has_index:
        forget_index(repo.path)
    head = git(repo.path, "rev-parse", own_log(repo.path))
    args = ("triage", "add", "--finding", "0123456789abcdef", "--reason", "x" * 5000)
    ran = on_a_full_disk(repo.path, tmp_path / "after", *args, cwd=repo.path, free=free)
    after = Repo(tmp_path / "after")
    assert_complete(after.path)
    assert before <= ref_ids(after.path, HERE)
    if ran.code == 0:
        assert len(ref_ids(after.path, HERE) - before) == 1, "what is acknowledged is there"
    else:
        assert ran.code == 3, ran.err
        assert ran.err
        assert "remove" not in ran.err
        assert git(after.path, "rev-parse", own_log(repo.path)) == head
    if free == 0 and not has_index:
        # An index that can't be used is removed, which makes room.
        assert ran.code == 3, "this disk was not full"
    listed = after.bot("state", "log", "--format", "json")
    assert listed.code == 0, listed.err
    assert before <= {record["id"] for record in json.loads(listed.out)}
    assert after.bot("triage", "add", "--finding", "0123456789abcdef", "--reason", "again").code == 0


def test_f5_no_space_for_the_record_of_a_review(tmp_path: Path) -> None:
    repo = slim(tmp_path / "repo")
    before = append(repo.path, [note(1)])
    repo.stage({"app.py": UNSAFE})
    refs = git(repo.path, "for-each-ref")
    args = ("review", "--staged", "--format", "json")
    ran = on_a_full_disk(repo.path / ".git/objects", tmp_path / "after", *args, cwd=repo.path)
    assert ran.code == 1, ran.err
    assert len(ran.rules_in_scope()) == 1, "the review itself needs no space among the objects"
    assert ran.err.count("was not recorded") == 1
    assert git(repo.path, "for-each-ref") == refs
    assert ids_at(repo.path) == before


@pytest.fixture
def silent_git(tmp_path: Path) -> str:
    """A PATH whose git stores objects, but names none: seen on a full disk."""
    folder = tmp_path / "silent"
    folder.mkdir()
    shim = folder / "git"
    shim.write_text(
        "#!/bin/sh\n"
        'for arg in "$@"; do [ "$arg" = hash-object ] && cat > /dev/null && exit 0; done\n'
        f'exec {shlex.quote(str(shutil.which("git")))} "$@"\n'
    )
    shim.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


@pytest.mark.parametrize("attachments", [[], [b'{"rules":[]}']], ids=["one blob", "several blobs"])
def test_f5_an_object_without_a_name_moves_no_ref(
    repo: Repo, silent_git: str, monkeypatch: pytest.MonkeyPatch, attachments: list[bytes]
) -> None:
    before = append(repo.path, [note(1)])
    refs = git(repo.path, "for-each-ref")
    with monkeypatch.context() as silenced:
        silenced.setenv("PATH", silent_git)
        with store_at(repo.path) as store, pytest.raises(EnvironmentFault):
            store.append([note(2)], attachments)
    assert git(repo.path, "for-each-ref") == refs
    assert ids_at(repo.path) == before
    assert_complete(repo.path)
    assert append(repo.path, [note(2)])


def test_f5_an_object_without_a_name_ends_the_command_with_three(repo: Repo, silent_git: str) -> None:
    before = append(repo.path, [note(1)])
    args = ("triage", "add", "--finding", "0123456789abcdef", "--reason", "fine")
    ran = repo.bot(*args, env={"PATH": silent_git})
    assert ran.code == 3
    assert "free space on the disk" in ran.err
    assert ref_ids(repo.path, HERE) == before


# F6


def empty_object(repository: Path, name: str) -> tuple[str, Path]:
    """What a power cut does to an object that was written last; its id and its file."""
    oid = git(repository, "rev-parse", name)
    path = repository / ".git/objects" / oid[:2] / oid[2:]
    assert path.exists(), "it is not a loose object"
    path.chmod(0o644)
    path.write_bytes(b"")
    return oid, path


def forget_index(repository: Path) -> None:
    for path in (repository / ".git/nootropic").glob("state.sqlite*"):
        path.unlink()


OBJECTS = ["{log}~1:0.jsonl", "{log}~1^{{tree}}", "{log}~1", "{log}", "{log}:0.jsonl"]


@pytest.mark.parametrize("which", OBJECTS)
@pytest.mark.parametrize("is_index_new", [True, False])
def test_f6_an_emptied_object_of_a_fetched_log_is_fetched_again(
    here: Path, other: Path, which: str, is_index_new: bool
) -> None:
    theirs = append(other, [note(1)]) | append(other, [note(2)]) | append(other, [note(3)])
    sync(other)
    mine = append(here, [note(4)])
    sync(here)
    expected = digest_at(here)
    oid, path = empty_object(here, which.format(log=own_log(other).replace(HERE, f"{HERE}/remote")))
    if is_index_new:
        forget_index(here)

    listed = run_bot("state", "log", "--format", "json", cwd=here)
    assert listed.code == 0, listed.err
    assert mine <= {record["id"] for record in json.loads(listed.out)}
    if is_index_new:
        assert "can't be read" in listed.err
        assert "state verify" in listed.err

    verified = run_bot("state", "verify", "--format", "json", cwd=here)
    assert verified.code == 0, (verified.out, verified.err)
    assert (here / ".git/nootropic/damaged" / oid).read_bytes() == b""
    assert not path.exists() or path.stat().st_size > 0
    assert ids_at(here) == mine | theirs
    assert digest_at(here) == expected == rebuilt_digest(here)
    assert_complete(here)
    assert run_bot(*SYNC, cwd=here).code == 0


@pytest.mark.parametrize("which", OBJECTS)
def test_f6_what_can_not_be_fetched_again_is_reported_and_the_rest_stays_readable(
    here: Path, other: Path, which: str
) -> None:
    theirs = append(other, [note(1)])
    sync(other)
    sync(here)
    for seed in (2, 3, 4):
        append(here, [note(seed)])
    log = own_log(here)
    oid, _path = empty_object(here, which.format(log=log))
    forget_index(here)

    verified = run_bot("state", "verify", "--format", "json", cwd=here)
    assert verified.code == 1, (verified.out, verified.err)
    report = json.loads(verified.out)
    assert report["damaged"]
    assert report["quarantined"] == []
    assert (here / ".git/nootropic/damaged" / oid).exists()
    assert theirs <= ids_at(here)
    # It stays damaged, and is said again.
    assert run_bot("state", "verify", cwd=here).code == 1


@pytest.mark.parametrize("which", OBJECTS)
def test_f6_what_comes_after_a_damaged_record_is_shared_all_the_same(
    here: Path, other: Path, remote: Path, which: str
) -> None:
    theirs = append(other, [note(1)])
    sync(other)
    sync(here)
    for seed in (2, 3, 4):
        append(here, [note(seed)])
    empty_object(here, which.format(log=own_log(here)))
    run_bot("state", "verify", cwd=here)
    later = append(here, [note(5)])
    run_bot(*SYNC, cwd=here)
    assert theirs | later <= remote_ids(remote)


def test_f6_a_damaged_part_is_said_every_time(repo: Repo) -> None:
    append(repo.path, [note(1)])
    empty_object(repo.path, f"{own_log(repo.path)}:0.jsonl")
    forget_index(repo.path)
    for _ in range(2):
        assert "can't be read" in repo.bot("state", "log").err


def test_f6_a_damaged_part_is_read_when_it_is_there_again(repo: Repo) -> None:
    ids = append(repo.path, [note(1)])
    shutil.copytree(repo.path / ".git/objects", repo.path / "saved")
    oid, path = empty_object(repo.path, f"{own_log(repo.path)}:0.jsonl")
    forget_index(repo.path)
    assert ids_at(repo.path) == set()
    shutil.copyfile(repo.path / "saved" / oid[:2] / oid[2:], path)
    assert ids_at(repo.path) == ids


def test_f6_damage_to_one_log_makes_no_other_writer_finished(here: Path, other: Path, remote: Path) -> None:
    """With one damaged ref git no longer tells times and subjects of any."""
    everything = append(other, [note(1)])
    sync(other)
    everything |= append(here, [note(2)])
    sync(here)
    third = plant(remote, [make_line("note", {"text": "third"}, 3)])
    sync(here)
    empty_object(here, third.replace(HERE, f"{HERE}/remote"))
    ran = run_bot("state", "compact", cwd=here)
    assert "did not take the new base" not in ran.out, "there is none"
    assert own_log(other) in logs_of(remote)
    assert own_log(here) in logs_of(remote)
    assert everything <= remote_ids(remote)


def test_f6_a_damaged_log_of_the_remote_hides_no_other(here: Path, other: Path, remote: Path) -> None:
    """For example after `git gc --prune=now` beside a push there."""
    theirs = append(other, [note(1)])
    sync(other)
    broken = plant(remote, [make_line("note", {"text": "broken"}, 3)])
    oid = git(remote, "rev-parse", broken)
    (remote / "objects" / oid[:2] / oid[2:]).unlink()
    mine = append(here, [note(2)])
    ran = run_bot(*SYNC, cwd=here)
    # git refuses every push to a repository with such a ref; that is for its owner to mend.
    assert ran.code == 5
    assert "bad object" in ran.err
    assert theirs | mine <= ids_at(here)
    git(remote, "update-ref", "-d", broken)
    assert run_bot(*SYNC, cwd=here).code == 0
    assert theirs | mine <= remote_ids(remote)


def test_f6_verify_gives_up_nothing_that_only_this_clone_has(here: Path, other: Path, remote: Path) -> None:
    """`fetch.prune` is a common setting; a fetch that prunes would drop what the remote lost."""
    git(here, "config", "fetch.prune", "true")
    theirs = append(other, [note(1)])
    sync(other)
    third = plant(remote, [make_line("note", {"text": "third"}, 3)])
    sync(here)
    everything = theirs | ids_at(here)
    git(remote, "update-ref", "-d", own_log(other))
    empty_object(here, f"{third.replace(HERE, f'{HERE}/remote')}:0.jsonl")
    assert run_bot("state", "verify", cwd=here).code == 0
    assert ids_at(here) == everything
    assert run_bot(*SYNC, cwd=here).code == 0
    assert remote_ids(remote) == everything


# F7


def test_f7_a_default_clone_says_that_the_rest_is_unknown_until_it_syncs(
    other: Path, remote: Path, tmp_path: Path
) -> None:
    git(other, "commit", "--quiet", "--allow-empty", "-m", "first")
    git(other, "push", "--quiet", "origin", "HEAD")
    added = run_bot("triage", "add", "--finding", "0123456789abcdef", "--reason", "known", cwd=other)
    assert added.code == 0
    theirs = ids_at(other) | append(other, [note(1)])
    sync(other)

    fresh = clone(remote, tmp_path / "fresh")
    assert "nootropic" not in git(fresh, "for-each-ref")
    for args in (("state", "log"), ("triage", "list")):
        ran = run_bot(*args, cwd=fresh)
        assert ran.code == 0
        assert ran.err.count("what others recorded is unknown") == 1
    assert run_bot(*SYNC, cwd=fresh).code == 0
    for args in (("state", "log"), ("triage", "list")):
        ran = run_bot(*args, cwd=fresh)
        assert ran.err == ""
        assert "0123456789abcdef" in ran.out
    assert ids_at(fresh) == theirs


def test_f7_a_shallow_clone_syncs_as_well(other: Path, remote: Path, tmp_path: Path) -> None:
    for number in range(3):
        git(other, "commit", "--quiet", "--allow-empty", "-m", str(number))
    git(other, "push", "--quiet", "origin", "HEAD")
    theirs = append(other, [note(1)]) | append(other, [note(2)]) | append(other, [note(3)])
    sync(other)
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{remote}", "shallow")
    shallow = tmp_path / "shallow"
    assert git(shallow, "rev-list", "--count", "HEAD") == "1"
    mine = append(shallow, [note(4)])
    assert run_bot(*SYNC, cwd=shallow).code == 0
    assert ids_at(shallow) == remote_ids(remote) == theirs | mine
    mine |= append(shallow, [note(5)])
    assert run_bot(*SYNC, cwd=shallow).code == 0
    assert remote_ids(remote) == theirs | mine
    assert git(shallow, "rev-list", "--count", "HEAD") == "1", "it is still shallow"
    assert_complete(remote)


# F8


def test_f8_worktrees_detached_heads_and_hook_variables_share_one_store(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "repo")
    head = repo.commit({"sub/README": "x\n"})
    linked = tmp_path / "linked"
    repo.git("worktree", "add", "--quiet", str(linked), "-b", "side")
    nowhere = str(tmp_path / "nowhere")
    in_hook = {"GIT_DIR": ".git", "GIT_INDEX_FILE": ".git/index", "GIT_PREFIX": "", "GIT_EDITOR": ":"}
    in_linked_hook = {
        "GIT_DIR": f"{repo.path}/.git/worktrees/linked",
        "GIT_INDEX_FILE": f"{repo.path}/.git/worktrees/linked/index",
    }
    misleading = {
        "GIT_DIR": nowhere,
        "GIT_WORK_TREE": "/",
        "GIT_OBJECT_DIRECTORY": nowhere,
        "GIT_NAMESPACE": "elsewhere",
    }
    where: list[tuple[Path, dict[str, str]]] = [
        (repo.path, {}),
        (repo.path / "sub", {}),
        (linked, {}),
        (repo.path, in_hook),
        (linked, in_linked_hook),
        (repo.path, misleading),
        (repo.path / "sub", {"GIT_DIR": str(repo.path / ".git"), "GIT_WORK_TREE": str(repo.path)}),
    ]
    repo.git("checkout", "--quiet", "--detach", head)
    for number, (path, env) in enumerate(where, 1):
        args = ("triage", "add", "--finding", f"{number:016x}", "--reason", "known")
        ran = run_bot(*args, cwd=path, env=env)
        assert ran.code == 0, (path, env, ran.err)
        assert len(ref_ids(repo.path, HERE)) == number, (path, env)
    assert len(logs_of(repo.path)) == 1
    assert ids_at(linked) == ids_at(repo.path) == ref_ids(repo.path, HERE)
    assert not Path(nowhere).exists()


def test_f8_the_hook_of_a_commit_records_in_the_same_store(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "repo")
    repo.commit({"README": "x\n"})
    linked = tmp_path / "linked"
    repo.git("worktree", "add", "--quiet", str(linked), "-b", "side")
    hook = repo.write(".git/hooks/pre-commit", f"#!/bin/sh\nexec {shlex.join(BOT)} hook\n")
    hook.chmod(0o755)
    for path in (repo.path, linked):
        before = ref_ids(repo.path, HERE)
        (path / f"{path.name}.py").write_text(UNSAFE)
        Repo(path).git("add", "--all")
        Repo(path).git("commit", "--quiet", "-m", "refused", check=False, env={"PYTHONPATH": str(PROJECT)})
        assert len(ref_ids(repo.path, HERE) - before) >= 2, "a run and a finding"
    assert len(logs_of(repo.path)) == 1


def test_f8_a_submodule_has_a_store_of_its_own(tmp_path: Path) -> None:
    library = Repo.init(tmp_path / "library")
    library.commit({"README": "x\n"})
    parent = Repo.init(tmp_path / "parent")
    parent.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library.path), "vendor/library")
    inside = parent.path / "vendor/library"
    ran = run_bot("triage", "add", "--finding", "0123456789abcdef", "--reason", "known", cwd=inside)
    assert ran.code == 0, ran.err
    assert len(ref_ids(inside, HERE)) == 1
    assert ref_ids(parent.path, HERE) == set()
    assert "no decisions" in parent.bot("triage", "list").out


# F18


def test_f18_a_wall_clock_ten_years_off_changes_no_order(here: Path, remote: Path) -> None:
    first = append(here, [note(1)])
    sync(here)
    ahead = make_line("note", {"text": "from the future"}, 2, "aa" * 8, at="2099-01-01T00:00:00Z")
    behind = make_line("note", {"text": "from the past"}, 3, "bb" * 8, at="1999-01-01T00:00:00Z")
    plant(remote, [ahead], "aa" * 8)
    plant(remote, [behind], "bb" * 8)
    sync(here)
    last = append(here, [note(2)])
    listed = json.loads(run_bot("state", "log", "--format", "json", cwd=here).out)
    assert [record["id"] for record in listed] == [*last, identity(behind), identity(ahead), *first]
    assert [record["clock"] for record in listed] == [4, 3, 2, 1]
    exported = run_bot("state", "export", cwd=here).out.split("\n")[:-1]
    assert [json.loads(line)["clock"] for line in exported] == [1, 2, 3, 4]


def test_f18_the_latest_outcome_is_the_one_with_the_highest_clock(here: Path, remote: Path) -> None:
    about = {"suggestion": "0123456789abcdef", "rule_id": "r"}
    early = make_line("outcome", {**about, "result": "rejected"}, 5, "aa" * 8, at="2099-01-01T00:00:00Z")
    late = make_line("outcome", {**about, "result": "accepted"}, 6, "bb" * 8, at="1999-01-01T00:00:00Z")
    plant(remote, [late], "bb" * 8)
    plant(remote, [early], "aa" * 8)
    sync(here)
    with store_at(here) as store:
        store.index.update()
        rows = list(store.index.db.execute("SELECT result FROM outcome_latest"))
    assert rows == [("accepted",)]


# F20

_MEASURE = """
import sys
from pathlib import Path
from tests.support.state import store_at
with store_at(Path(sys.argv[1])) as store:
    store.index.rebuild()
    print(store.index.digest())
# Unlike `ru_maxrss`, this begins anew with the program, not with the process that started it.
print(*(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""
_MAX_KIB = 400 << 10


def measured(path: Path) -> tuple[str, int]:
    """The digest of a fold read from the refs alone, and the peak memory (KiB) of the process that read them."""
    folded, peak = finish([python(_MEASURE, path)])
    return folded, int(peak)


@pytest.mark.slow
def test_f20_fifty_thousand_records_cost_bounded_memory_and_fold_the_same_compacted(
    here: Path, other: Path, remote: Path
) -> None:
    for number in range(50):
        with store_at(other) as store:
            store.append(drafts(1000 * number, 1000), closing=number % 10 == 9)
    sync(other)
    sync(here)
    full, peak = measured(here)
    assert peak < _MAX_KIB
    began = time.monotonic()
    with store_at(here) as store:
        working = Sync(store)
        working.run()
        done = compact_remote(store, working)
    assert done.records == 50_000
    assert logs_of(remote) == []
    compacted, peak = measured(here)
    assert peak < _MAX_KIB
    assert compacted == full
    sync(other)
    assert measured(other)[0] == full
    assert time.monotonic() - began < 60
    assert_complete(remote)


# F21


@contextlib.contextmanager
def beside(*processes: subprocess.Popen[bytes]) -> Iterator[Callable[[], bool]]:
    """Whether one of some processes still runs, for work beside them; none survives a failure."""
    try:
        yield lambda: any(each.poll() is None for each in processes)
    except BaseException:
        for each in processes:
            each.kill()
            each.communicate()
        raise


@pytest.mark.slow
def test_f21_garbage_collection_and_compaction_beside_pushes_lose_nothing(
    here: Path, other: Path, remote: Path, tmp_path: Path
) -> None:
    third = clone(remote, tmp_path / "third")
    closing, open_ = python(_APPEND_AND_SYNC, here, 0, 20, "close"), python(_APPEND_AND_SYNC, other, 1000, 20)
    rounds = 0
    with beside(closing, open_) as is_any_running:
        while is_any_running():
            git(remote, "gc", "-q")
            git(here, "gc", "-q")
            ran = run_bot("state", "compact", cwd=third)
            assert ran.code == 0, ran.err
            rounds += 1
    ids = set(finish([closing, open_]))
    assert rounds > 1
    assert len(ids) == 40
    assert run_bot("state", "compact", cwd=third).code == 0
    assert_complete(remote)
    assert stored_ids(remote) == ids
    assert logs_of(remote) == logs_of(other), "closed logs were folded, the open one was not"
    for path in (here, other, third):
        assert run_bot(*SYNC, cwd=path).code == 0
        assert ids_at(path) == ids


def test_f21_what_compaction_leaves_behind_may_be_pruned_at_once(here: Path, other: Path, remote: Path) -> None:
    """git itself warns of `--prune=now` beside a writer, so it runs between the steps."""

    def prune() -> None:
        for path in (here, other, remote):
            git(path, "gc", "-q", "--prune=now")

    ids: set[str] = set()
    for number in range(3):
        ids |= append(here, [note(10 * number)], closing=True) | append(here, [note(10 * number + 1)])
        ids |= append(other, [note(10 * number + 2)])
        prune()
        sync(here)
        assert run_bot("state", "compact", cwd=other).code == 0
        prune()
    for path in (here, other):
        assert run_bot(*SYNC, cwd=path).code == 0
        assert ids_at(path) == ids
        assert_complete(path)
    prune()
    assert stored_ids(remote) == ids
    assert rebuilt_digest(here) == rebuilt_digest(other)


def test_f21_garbage_collection_beside_appends_loses_nothing(repo: Repo) -> None:
    writing = [python(_APPEND, repo.path, 1000 * number) for number in range(3)]
    with beside(*writing) as is_any_running:
        while is_any_running():
            git(repo.path, "gc", "-q")
    ids = set(finish(writing))
    assert len(ids) == 30
    assert_complete(repo.path)
    assert ids_at(repo.path) == ids


@pytest.mark.parametrize("verb", ["hash-object", "mktree", "commit-tree"])
def test_f21_an_object_that_could_not_be_written_once_is_written_again(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    """`git gc` removes an empty folder of objects just when git is about to write into it: seen once in twenty runs."""
    folder = tmp_path / "unlucky"
    folder.mkdir()
    shim = folder / "git"
    shim.write_text(
        "#!/bin/sh\n"
        f'for arg in "$@"; do [ "$arg" = {verb} ] && mkdir {shlex.quote(str(folder / "once"))} 2>/dev/null && '
        "echo 'error: unable to create temporary file: No such file or directory' >&2 && exit 128; done\n"
        f'exec {shlex.quote(str(shutil.which("git")))} "$@"\n'
    )
    shim.chmod(0o755)
    with monkeypatch.context() as unlucky:
        unlucky.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        ids = append(repo.path, [note(1)])
    assert (folder / "once").exists(), "the shim was not called"
    assert ids_at(repo.path) == ids


# F23


def test_f23_what_this_program_does_not_know_is_kept_verbatim(here: Path, other: Path, remote: Path) -> None:
    known = {"text": "seen by all"}
    lines = [
        make_line("weather", {"rain": [1, {"x": None}], "ü": "\u2028"}, 1),
        make_line("note", {"text": 17, "new": {"form": True}}, 2, schema=99),
        make_line("note", {**known, "of_a_later_version": {"a": [1.5, "b"]}}, 3),
        make_line("note", known, 4, envelope_of_a_later_version="z"),
    ]
    plant(remote, lines)
    git(remote, "update-ref", f"{HERE}/log/{'ef' * 8}", f"{HERE}/log/{'ab' * 8}")
    sync(here)

    def exported(path: Path) -> list[bytes]:
        done = run_bot("state", "export", cwd=path)
        assert (done.code, done.err) == (0, "")
        return done.out.encode().split(b"\n")[:-1]

    assert exported(here) == lines
    listed = run_bot("state", "log", cwd=here)
    assert "weather" in listed.out
    # Its writer has been silent for long; ours is finished.
    mine = append(here, [note(9)], closing=True)
    sync(here)
    with store_at(here) as store:
        working = Sync(store)
        working.run()
        compact_remote(store, working, now=time.time() + 30 * 24 * 3600)
    assert logs_of(remote) == []
    sync(other)
    for path in (here, other):
        assert [line for line in exported(path) if identity(line) not in mine] == lines
        assert run_bot("state", "verify", cwd=path).code == 0
        assert run_bot("state", "export", "--format", "csv", cwd=path).code == 0
    stored = git(remote, "cat-file", "--batch-all-objects", "--batch", "--unordered").encode("utf-8", "surrogateescape")
    assert all(line in stored for line in lines)


def test_f23_a_later_schema_of_a_known_kind_is_in_no_view(here: Path, remote: Path) -> None:
    later = {"action": "add", "rule_id": "yaml-unsafe-load", "reason": "x", "author": "y"}
    plant(remote, [make_line("triage", later, 1, schema=2), make_line("triage", {**later, "reason": "z"}, 2)])
    sync(here)
    entries = json.loads(run_bot("triage", "list", "--format", "json", cwd=here).out)
    assert [entry["reason"] for entry in entries] == ["z"]
    assert len(ids_at(here)) == 2


# What is read-only, gone, copied or rewritten


_READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" || exit 99; cd "$2"; shift 2; exec "$@"'


def on_a_read_only(folder: Path, *args: str, cwd: Path) -> Run:
    """Run the program while nothing below `folder` can be written, not even by root."""
    enter = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    try:
        ran = call([*enter, "sh", "-c", _READ_ONLY, "sh", str(folder), str(cwd), *BOT, *args], cwd=cwd)
    except FileNotFoundError:
        pytest.skip("no unshare on this system")
    if ran.code == 99 or ran.err.startswith("unshare:"):
        pytest.skip(f"nothing can be mounted here: {ran.err.strip()}")
    return ran


def assert_works_without_recording(reviewed: Run) -> None:
    assert reviewed.code == 1, reviewed.err
    assert len(reviewed.rules_in_scope()) == 1
    assert reviewed.err.count("was not recorded") == 1, reviewed.err


@pytest.mark.parametrize("has_index", [True, False])
@pytest.mark.parametrize("has_state", [True, False])
def test_a_read_only_clone_is_reviewed_and_says_once_that_nothing_was_recorded(
    repo: Repo, has_index: bool, has_state: bool
) -> None:
    repo.stage({"app.py": UNSAFE})
    before = append(repo.path, [note(1)]) if has_state else set()
    if has_index:
        ids_at(repo.path)
        # Stale, so that reading wants to write.
        before |= {identity(line) for line in planted_here(repo.path)}
    refs = git(repo.path, "for-each-ref")
    folder = repo.path / ".git"
    assert_works_without_recording(on_a_read_only(folder, "review", "--staged", "--format", "json", cwd=repo.path))
    listed = on_a_read_only(folder, "state", "log", "--format", "json", cwd=repo.path)
    assert (listed.code, listed.err) == (0, "")
    assert {record["id"] for record in json.loads(listed.out)} == before
    added = on_a_read_only(folder, "triage", "add", "--finding", "0123456789abcdef", "--reason", "x", cwd=repo.path)
    assert added.code == 3
    assert "state] record = false" in added.err
    assert git(repo.path, "for-each-ref") == refs


def planted_here(path: Path) -> list[bytes]:
    lines = [make_line("note", {"text": "later than the index"}, 1)]
    plant(path, lines)
    return lines


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere; the read-only mount covers it there")
def test_a_clone_whose_folders_may_not_be_written_is_reviewed(repo: Repo) -> None:
    repo.stage({"app.py": UNSAFE})
    before = append(repo.path, [note(1)])
    folders = [path for path in (repo.path / ".git").rglob("*") if path.is_dir()] + [repo.path / ".git"]
    for folder in folders:
        folder.chmod(folder.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
    try:
        assert_works_without_recording(repo.review("--staged"))
        assert repo.bot("state", "log").code == 0
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert ids_at(repo.path) == before


def test_a_clone_without_room_for_the_writers_is_reviewed(repo: Repo) -> None:
    """Works for root as well: where our folder should be, there is a file."""
    repo.stage({"app.py": UNSAFE})
    repo.write(".git/nootropic", "")
    assert_works_without_recording(repo.review("--staged"))
    assert repo.bot("state", "log").code == 0
    assert repo.bot("triage", "add", "--finding", "0123456789abcdef", "--reason", "x").code == 3
    assert ref_ids(repo.path, HERE) == set()


def one_message(ran: Run) -> None:
    """Exit code 5 and one message, that what was recorded stays."""
    assert ran.code == 5, ran.err
    assert ran.out == ""
    assert ran.err.count("error:") <= 1, ran.err
    assert "stay" in ran.err
    assert "sync" in ran.err


def test_a_remote_that_refuses_is_tried_again_by_the_next_sync(here: Path, remote: Path) -> None:
    ids = append(here, [note(1)])
    hook = remote / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\necho this server takes nothing >&2\nexit 1\n")
    hook.chmod(0o755)
    ran = run_bot(*SYNC, cwd=here)
    assert ran.code == 5, ran.err
    assert ran.err.count("does not take the records of this clone") == 1
    assert "stay here" in ran.err
    assert remote_ids(remote) == set()
    assert ids_at(here) == ids
    hook.unlink()
    assert run_bot(*SYNC, cwd=here).code == 0
    assert remote_ids(remote) == ids


def test_a_remote_that_is_gone_is_synced_when_it_is_back(here: Path, remote: Path) -> None:
    ids = append(here, [note(1)])
    sync(here)
    ids |= append(here, [note(2)])
    remote.rename(remote.with_name("elsewhere"))
    ran = run_bot(*SYNC, cwd=here)
    assert ran.code == 5, ran.err
    assert ran.err.count("can't be read") == 1
    assert "stays" in ran.err
    assert ids_at(here) == ids
    remote.with_name("elsewhere").rename(remote)
    assert run_bot(*SYNC, cwd=here).code == 0
    assert remote_ids(remote) == ids


@pytest.mark.parametrize("is_noticed", [True, False])
def test_a_copied_clone_and_its_original_both_keep_their_records(
    here: Path, remote: Path, tmp_path: Path, is_noticed: bool
) -> None:
    ids = append(here, [note(1)])
    sync(here)
    copy = tmp_path / "copy"
    shutil.copytree(here, copy, symlinks=True)
    if not is_noticed:
        # As on a file system whose copies keep the numbers of files.
        (writer,) = writers_of(copy)
        status = writer.stat()
        writer.write_text(f"{status.st_dev}:{status.st_ino}")
    ids |= append(here, [note(2)])
    ids |= append(copy, [note(3)])
    sync(here)
    ran = run_bot(*SYNC, cwd=copy)
    assert ran.code == 0, ran.err
    assert ("same id" in ran.err) is not is_noticed
    ids |= append(copy, [note(4)]) | append(here, [note(5)])
    for path in (copy, here, copy):
        assert run_bot(*SYNC, cwd=path).code == 0
    assert remote_ids(remote) == ids_at(here) == ids_at(copy) == ids
    assert digest_at(here) == digest_at(copy)
    assert_complete(here, copy, remote)


@pytest.mark.parametrize("is_writer", [True, False], ids=["seen by its writer", "seen by a reader"])
@pytest.mark.parametrize("how", ["older", "unrelated", "deleted", "deleted with all others", "a blob"])
def test_a_state_ref_that_was_rewritten_is_noticed_and_published_again(
    here: Path, other: Path, remote: Path, how: str, is_writer: bool
) -> None:
    ids = append(other, [note(1)]) | append(other, [note(2)])
    sync(other)
    ids |= append(here, [note(3)])
    sync(here)
    sync(other)
    log = own_log(other)
    if how == "older":
        git(remote, "update-ref", log, f"{log}~1")
    elif how == "unrelated":
        tree = git(remote, "mktree", feed=b"")
        git(remote, "update-ref", log, git(remote, "commit-tree", "-m", "mine now", tree))
    elif how == "a blob":
        git(remote, "update-ref", log, git(remote, "hash-object", "-w", "--stdin", feed=b"nothing"))
    else:
        git(remote, "update-ref", "-d", log)
        if how == "deleted with all others":
            git(remote, "update-ref", "-d", own_log(here))
    assert not ids <= remote_ids_or_none(remote)
    path = other if is_writer else here
    ran = run_bot(*SYNC, cwd=path)
    assert ran.code == 0, ran.err
    assert "the remote lost" in ran.err
    assert remote_ids_or_none(remote) == ids
    for each in (other, here, other):
        assert run_bot(*SYNC, cwd=each).code == 0
        assert ids_at(each) == ids
    assert "lost" not in run_bot(*SYNC, cwd=path).err, "it is said once"


def remote_ids_or_none(remote: Path) -> set[str]:
    """What the remote has; a ref that is no commit holds nothing."""
    found: set[str] = set()
    for name in git(remote, "for-each-ref", "--format=%(refname) %(objecttype)", HERE).splitlines():
        ref, kind = name.split(" ")
        if kind == "commit":
            found |= ref_ids(remote, ref)
    return found


@pytest.mark.parametrize("how", ["older", "unrelated", "deleted"])
def test_a_base_that_was_rewritten_is_noticed_and_published_again(
    here: Path, other: Path, remote: Path, how: str
) -> None:
    ids: set[str] = set()
    for seed in (1, 2):
        ids |= append(other, drafts(10 * seed, 3), closing=True)
        sync(other)
        assert run_bot("state", "compact", cwd=here).code == 0
    base = f"{HERE}/base"
    assert git(remote, "rev-list", "--count", base) == "2"
    assert logs_of(remote) == []
    if how == "older":
        git(remote, "update-ref", base, f"{base}~1")
    elif how == "unrelated":
        tree = git(remote, "mktree", feed=b"")
        git(remote, "update-ref", base, git(remote, "commit-tree", "-m", "mine now", tree))
    else:
        git(remote, "update-ref", "-d", base)
    ran = run_bot(*SYNC, cwd=here)
    assert ran.code == 0, ran.err
    assert "the remote lost" in ran.err
    assert remote_ids(remote) == ids_at(here) == ids
    assert run_bot(*SYNC, cwd=other).code == 0
    assert ids_at(other) == ids


def test_a_writer_that_is_killed_lets_go_of_its_id(repo: Repo) -> None:
    """The lock of an id dies with its process, so that a crash costs no new log."""
    script = _APPEND.replace("    for number", "    import time\n    for number").replace("print(", "print('', ")
    holding = python(f"{script}\n    print('done', flush=True)\n    time.sleep(60)\n", repo.path, 0)
    assert holding.stdout is not None
    while holding.stdout.readline().strip() != b"done":
        assert holding.poll() is None
    (writer,) = writers_of(repo.path)
    with writer.open("rb") as handle, pytest.raises(BlockingIOError):
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    held = set(logs_of(repo.path))
    append(repo.path, [note(50)])
    assert len(logs_of(repo.path)) == 2, "an id in use is not used by two"
    holding.kill()
    holding.communicate()
    append(repo.path, [finding(51)])
    append(repo.path, [finding(52)])
    assert len(logs_of(repo.path)) == 2
    assert held < set(logs_of(repo.path))
    assert len(ids_at(repo.path)) == 13


def test_segments_of_one_large_append_arrive_whole(here: Path, remote: Path) -> None:
    """An append larger than a segment is several blobs, yet all of it or nothing."""
    count = 2 * MAX_SEGMENT_BYTES // 500_000
    ids = append(here, [Draft("note", {"text": f"{number} " + "word " * 100_000}) for number in range(count)])
    assert len(git(here, "ls-tree", "--name-only", own_log(here)).splitlines()) > 1
    sync(here)
    assert remote_ids(remote) == ids
