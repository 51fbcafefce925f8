"""The local index: the same records give the same answers, whatever the order, and deleting it loses nothing."""

from __future__ import annotations

import hashlib
import json
import os
import random
import sqlite3
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nootropic_bot.state import views
from nootropic_bot.state.schema import MAX_CLOCK, MAX_CLOCK_JUMP, Draft, Result, encode
from nootropic_bot.state.views import active_triage, cost_by_day, open_suggestions, outcomes_by_rule
from tests.support.repo import PROJECT, Repo
from tests.support.state import cost, digest, drafts, git, note, outcome, record_ids, store_at, suggestion, triage

AT = "2031-02-03T04:05:06Z"
_WRITERS = count(1)


def line(draft: Draft, clock: int, at: str = AT, writer: str = "0123456789abcdef") -> tuple[str, bytes]:
    """A record with a clock of the test's choice: its id and its line."""
    return encode(draft, writer, clock, at)


def add_log(repository: Path, segments: Sequence[Sequence[bytes]]) -> str:
    """Write a log of another writer with plain git, one commit a segment; the name of its ref."""
    name = f"refs/nootropic/log/{next(_WRITERS):016x}"
    stream = b""
    for number, lines in enumerate(segments):
        content = b"".join(each + b"\n" for each in lines)
        stream += b"commit %s\ncommitter T <t@e.invalid> 1700000000 +0000\ndata 1\nx\n" % name.encode()
        stream += b"" if number else b"deleteall\n"
        stream += b"M 100644 inline %d.jsonl\ndata %d\n%s\n" % (number, len(content), content)
    git(repository, "fast-import", "--quiet", feed=stream)
    return name


def numbered_drafts(count_: int) -> list[tuple[str, bytes]]:
    return [line(draft, 1 + number, writer=f"{number % 3:016x}") for number, draft in enumerate(drafts(0, count_))]


def shuffled(lines: Sequence[bytes], seed: int, parts: int = 5) -> Iterator[list[bytes]]:
    """All lines in a random order, in segments, some of them in several."""
    order = random.Random(seed)
    many = [*lines, *order.sample(list(lines), len(lines) // 2)]
    order.shuffle(many)
    for number in range(parts):
        yield many[number::parts]


def fresh(tmp_path: Path, name: str) -> Path:
    return Repo.init(tmp_path / name).path


def index_file(path: Path) -> Path:
    return path / ".git/nootropic/state.sqlite"


def forget_index(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        Path(f"{index_file(path)}{suffix}").unlink(missing_ok=True)


# The same records, the same answers


def test_f20_order_segments_and_duplicates_do_not_matter(tmp_path: Path) -> None:
    made = numbered_drafts(70)
    ids, lines = {identity for identity, _line in made}, [each for _id, each in made]
    lines.append(b'{"id":"no record"}')
    digests = set()
    for seed in range(4):
        path = fresh(tmp_path, f"repo-{seed}")
        for part in shuffled(lines, seed, parts=3 + seed):
            add_log(path, [part[: len(part) // 2], part[len(part) // 2 :]])
        with store_at(path) as store:
            assert record_ids(store) == ids
            digests.add(store.index.digest())
            assert len(store.index.quarantined()) == 1
    assert len(digests) == 1


def test_f20_another_record_gives_another_digest(tmp_path: Path) -> None:
    """The digest says something: one record more or less, or one other value, and it differs."""
    made = [each for _id, each in numbered_drafts(20)]
    digests = []
    for number, lines in enumerate([made, made[1:], [*made, line(note(99), 50)[1]]]):
        path = fresh(tmp_path, f"repo-{number}")
        add_log(path, [lines])
        with store_at(path) as store:
            digests.append(digest(store))
    assert len(set(digests)) == 3


def test_f20_what_was_read_in_steps_equals_what_is_read_at_once(repo: Repo) -> None:
    lines = [each for _id, each in numbered_drafts(60)]
    with store_at(repo.path) as store:
        for part in shuffled(lines, 7, parts=8):
            add_log(repo.path, [part])
            store.index.update()
        store.append(drafts(500, 9))
        store.append(drafts(505, 9))
        step_by_step = digest(store)
        assert store.index.rebuild().damaged == {}
        assert store.index.digest() == step_by_step
    forget_index(repo.path)
    with store_at(repo.path) as store:
        assert digest(store) == step_by_step


def test_an_update_says_how_many_records_are_new(repo: Repo) -> None:
    lines = [each for _id, each in numbered_drafts(10)]
    with store_at(repo.path) as store:
        assert store.index.update().records == 0
        add_log(repo.path, [lines[:6]])
        assert store.index.update().records == 6
        add_log(repo.path, [lines[4:]])
        assert store.index.update().records == 4
        assert store.index.update().records == 0


def test_the_places_of_records_stay_right_when_a_ref_goes(repo: Repo) -> None:
    """A record that two segments hold is found in the other one when the first is gone for good."""
    made = numbered_drafts(10)
    lines = [each for _id, each in made]
    first = add_log(repo.path, [lines])
    with store_at(repo.path) as store:
        store.index.update()
        add_log(repo.path, [[lines[0], b"x"], lines[::-1]])
        store.index.update()
        git(repo.path, "update-ref", "-d", first)
        store.index.update()
        git(repo.path, "reflog", "expire", "--expire=now", "--all")
        git(repo.path, "gc", "--quiet", "--prune=now")
        assert dict(store.index.lines([identity for identity, _line in made])) == dict(made)


# Clocks


def admitted(clocks: Sequence[int]) -> set[int]:
    """The definition: whatever is no further than the limit above one that counts, or above 0."""
    found: set[int] = set()
    last = 0
    for clock in sorted(clocks):
        if clock - last > MAX_CLOCK_JUMP:
            break
        found.add(clock)
        last = clock
    return found


def test_a44_a_jump_is_held_back_until_the_gap_is_filled(repo: Repo) -> None:
    jump, high = MAX_CLOCK_JUMP, 1 + 2 * MAX_CLOCK_JUMP
    low, middle, far = (line(note(clock), clock) for clock in (1, 1 + jump, high))
    with store_at(repo.path) as store:
        add_log(repo.path, [[far[1], low[1]]])
        assert record_ids(store) == {low[0]}
        held = store.index.quarantined()
        assert [(entry.hash, "ahead of all others" in entry.reason) for entry in held] == [(far[0], True)]
        add_log(repo.path, [[middle[1]]])
        assert record_ids(store) == {low[0], middle[0], far[0]}
        assert store.index.quarantined() == []
        assert store.index.max_clock == high


def test_a44_a_forged_clock_does_not_carry_ours_away(repo: Repo) -> None:
    forged = line(note(0), MAX_CLOCK)
    with store_at(repo.path) as store:
        first = store.append([note(1)]).ids
        add_log(repo.path, [[forged[1]]])
        store.index.update()
        second = store.append([note(2)]).ids
        assert record_ids(store) == {*first, *second}
        assert store.index.max_clock == 2


def test_a44_a_forged_record_that_was_here_first_gives_way(repo: Repo) -> None:
    forged = line(outcome(1, result="rejected"), 5 * MAX_CLOCK_JUMP)
    real = line(outcome(1, result="accepted"), 1)
    with store_at(repo.path) as store:
        add_log(repo.path, [[forged[1]]])
        assert record_ids(store) == set()
        add_log(repo.path, [[real[1]]])
        assert record_ids(store) == {real[0]}
        assert [each.result for each in outcomes_by_rule(store.index)] == ["accepted"]
        before = store.index.digest()
        store.index.rebuild()
        assert store.index.digest() == before


def test_a44_an_append_that_fills_the_gap_lets_held_records_in(repo: Repo) -> None:
    """The store brings the index up to date by itself then; it must say what a rebuilt one says."""
    low, far = line(note(1), 1), line(note(2), 2 + MAX_CLOCK_JUMP)
    with store_at(repo.path) as store:
        add_log(repo.path, [[low[1], far[1]]])
        assert record_ids(store) == {low[0]}
        ids = store.append([note(3)]).ids
        assert record_ids(store) == {low[0], far[0], *ids}
        before = store.index.digest()
        store.index.rebuild()
        assert store.index.digest() == before


_J = MAX_CLOCK_JUMP
_CLOCKS = st.sampled_from([1, 2, _J - 1, _J, _J + 1, _J + 2, 2 * _J, 2 * _J + 1, 2 * _J + 2, 3 * _J + 3, 9 * _J])


@given(st.lists(st.lists(_CLOCKS, min_size=1, max_size=4), min_size=1, max_size=5))
@settings(max_examples=25, deadline=None)
@example([[9 * _J], [1], [_J + 1], [2 * _J + 1, 3 * _J + 3]])
@example([[3 * _J + 3, 2 * _J + 2], [1], [_J + 2], [2]])
@example([[2 * _J + 2], [_J + 1], [1]])
def test_a44_clocks_are_admitted_as_defined_in_any_order_of_arrival(arrivals: list[list[int]]) -> None:
    with TemporaryDirectory() as folder:
        path = Repo.init(Path(folder) / "repo").path
        ids: dict[str, int] = {}
        with store_at(path) as store:
            for number, clocks in enumerate(arrivals):
                made = [
                    line(outcome(n, of=clock % 3), clock, writer=f"{number:016x}") for n, clock in enumerate(clocks)
                ]
                ids.update({identity: clock for (identity, _line), clock in zip(made, clocks, strict=True)})
                add_log(path, [[each for _id, each in made]])
                expected = admitted(list(ids.values()))
                counted = {identity for identity, clock in ids.items() if clock in expected}
                assert record_ids(store) == counted
                assert {entry.hash for entry in store.index.quarantined()} == set(ids) - counted
                assert store.index.max_clock == max(expected, default=0)
            before = store.index.digest()
            store.index.rebuild()
            assert store.index.digest() == before


# Folds


def test_of_several_outcomes_the_highest_counts_in_any_order(tmp_path: Path) -> None:
    results: list[Result] = ["accepted", "rejected", "edited"] * 9
    made = [line(outcome(n, of=n % 4, result=result), n // 3 + 1) for n, result in enumerate(results)]
    latest: dict[str, tuple[int, str, str, str]] = {}
    for identity, each in made:
        record = json.loads(each)
        data = record["data"]
        entry = (record["clock"], identity, data["rule_id"], data["result"])
        latest[data["suggestion"]] = max(latest.get(data["suggestion"], entry), entry)
    expected = Counter((rule_id, result) for _clock, _id, rule_id, result in latest.values())
    for seed in range(3):
        path = fresh(tmp_path, f"repo-{seed}")
        with store_at(path) as store:
            for part in shuffled([each for _id, each in made], seed):
                add_log(path, [part])
                store.index.update()
            assert {(each.rule_id, each.result): each.times for each in outcomes_by_rule(store.index)} == expected


def test_the_clock_decides_between_outcomes_and_the_time_does_not(repo: Repo) -> None:
    """Row F18: a wall clock that is ten years off changes nothing."""
    early = line(outcome(1, result="rejected"), 1, at="2041-01-01T00:00:00Z")
    late = line(outcome(1, result="accepted"), 2, at="2011-01-01T00:00:00Z")
    with store_at(repo.path) as store:
        add_log(repo.path, [[late[1], early[1]]])
        store.index.update()
        assert [each.result for each in outcomes_by_rule(store.index)] == ["accepted"]
        assert views.oldest_first(store.index) == [early[0], late[0]]
        assert views.newest(store.index, None, 1) == [late[0]]


def test_costs_are_summed_by_day_and_backend_in_any_order(tmp_path: Path) -> None:
    days = ("2031-02-03", "2031-02-04", "1999-12-31")
    made = [line(cost(n * 997), n + 1, at=f"{days[n % 3]}T23:59:59Z") for n in range(40)]
    expected: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * 5)
    for _id, each in made:
        record = json.loads(each)
        data = record["data"]
        figures = [1, *(data[k] for k in ("input_tokens", "output_tokens", "milliseconds", "microdollars"))]
        key = (record["at"][:10], data["backend"])
        expected[key] = [one + other for one, other in zip(expected[key], figures, strict=True)]
    for seed in range(3):
        path = fresh(tmp_path, f"repo-{seed}")
        with store_at(path) as store:
            for part in shuffled([each for _id, each in made], seed):
                add_log(path, [part])
                store.index.update()
            assert {(day, backend): figures for day, backend, *figures in cost_by_day(store.index)} == expected


@pytest.mark.parametrize("steps", [1, 3])
def test_a44_figures_that_overflow_a_sum_do_not_break_the_index(repo: Repo, steps: int) -> None:
    """1,100 records at the highest figure that the schema lets through: their sum is above 2^63."""
    most = 2**53 - 1
    data = {**cost(1).data, "input_tokens": most, "microdollars": most}
    lines = [line(Draft("cost", {**data, "run": f"{n:016x}"}), n + 1)[1] for n in range(1100)]
    good = line(note(1), 1)
    with store_at(repo.path) as store:
        for number in range(steps):
            add_log(repo.path, [lines[number::steps]])
            store.index.update()
        add_log(repo.path, [[good[1]]])
        assert good[0] in record_ids(store)
        assert sum(day.runs for day in cost_by_day(store.index)) in (0, 1100)


def test_a_removed_triage_entry_stays_removed_in_any_order(tmp_path: Path) -> None:
    kept, gone = line(triage(1), 1), line(triage(2), 2)
    # Once before the entry's clock, as a wrong clock would have it, and twice.
    removals = [
        line(triage(3, remove=gone[0]), 1),
        line(triage(4, remove=gone[0]), 9),
        line(triage(5, remove="ab" * 32), 4),
    ]
    parts = [[kept[1]], [gone[1]], *([each] for _id, each in removals)]
    for seed in range(6):
        path = fresh(tmp_path, f"repo-{seed}")
        random.Random(seed).shuffle(parts)
        with store_at(path) as store:
            for part in parts:
                add_log(path, [part])
                store.index.update()
            assert [entry.id for entry in active_triage(store.index)] == [kept[0]]
            assert views.suppression(active_triage(store.index), "ab" * 8, "test.rule-1", "src/part_1/x.py") is not None
            assert views.suppression(active_triage(store.index), "ab" * 8, "test.rule-2", "src/part_2/x.py") is None


def test_open_suggestions_of_a_pull_request_are_those_without_an_outcome(repo: Repo) -> None:
    made = {seed: suggestion(seed) for seed in (3, 53, 103, 4)}
    assert {draft.data["pull_request"] for seed, draft in made.items() if seed != 4} == {4}
    with store_at(repo.path) as store:
        store.append([made[103], made[3], made[4], made[53]])
        store.append([made[103]])
        assert [each.suggestion for each in open_suggestions(store.index, 4)] == [
            made[seed].data["suggestion"] for seed in (103, 3, 53)
        ]
        store.append([outcome(1, of=3, result="ignored")])
        assert [each.suggestion for each in open_suggestions(store.index, 4)] == [
            made[seed].data["suggestion"] for seed in (103, 53)
        ]
        first = open_suggestions(store.index, 4)[0]
        expected = made[103].data
        assert first == tuple(expected[k] for k in ("suggestion", "finding", "rule_id", "path", "source", "verified"))
        assert open_suggestions(store.index, 999) == []


def test_what_is_known_is_known_for_a_pull_request(repo: Repo) -> None:
    base = suggestion(1).data
    with store_at(repo.path) as store:
        store.append([Draft("suggestion", {**base, "pull_request": number}) for number in (None, 7)])
        ids = [base["suggestion"], "ff" * 16]
        assert views.known_suggestions(store.index, ids) == {(base["suggestion"], None), (base["suggestion"], 7)}
        assert views.known_findings(store.index, ids) == set()


# The file


def state_of(path: Path) -> tuple[set[str], str]:
    with store_at(path) as store:
        return record_ids(store), store.index.digest()


@pytest.fixture
def recorded(repo: Repo) -> tuple[Path, tuple[set[str], str]]:
    """A repository with records and an index, and what the index says."""
    with store_at(repo.path) as store:
        store.append(drafts(0, 30))
    return repo.path, state_of(repo.path)


def test_a_deleted_index_is_built_again(recorded: tuple[Path, tuple[set[str], str]]) -> None:
    path, expected = recorded
    forget_index(path)
    assert state_of(path) == expected
    assert index_file(path).exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"no database", b"SQLite format 3\0" + b"\xff" * 4000, os.urandom(3000)],
    ids=["empty", "text", "header", "noise"],
)
def test_f6_an_overwritten_index_is_built_again(recorded: tuple[Path, tuple[set[str], str]], content: bytes) -> None:
    path, expected = recorded
    forget_index(path)
    index_file(path).write_bytes(content)
    assert state_of(path) == expected
    with sqlite3.connect(index_file(path)) as database:
        assert database.execute("SELECT count(*) FROM record").fetchone() == (30,), "it is on the disk again"
    database.close()


@pytest.mark.parametrize("first", [1, 2, 5, 13])
def test_f6_an_index_with_damaged_pages_is_built_again(recorded: tuple[Path, tuple[set[str], str]], first: int) -> None:
    """The first page is whole, so opening it shows nothing; the damage shows when a question needs a page."""
    path, expected = recorded
    with sqlite3.connect(index_file(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page_size,) = database.execute("PRAGMA page_size").fetchone()
    database.close()
    content = bytearray(index_file(path).read_bytes())
    assert len(content) > (first + 1) * page_size
    content[first * page_size :] = b"\xa5" * (len(content) - first * page_size)
    forget_index(path)
    index_file(path).write_bytes(content)
    assert state_of(path) == expected


def test_f6_a_truncated_index_is_built_again(recorded: tuple[Path, tuple[set[str], str]]) -> None:
    path, expected = recorded
    with sqlite3.connect(index_file(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    content = index_file(path).read_bytes()
    forget_index(path)
    index_file(path).write_bytes(content[: len(content) // 2])
    assert state_of(path) == expected


@pytest.mark.parametrize("version", [1, 999_001, 2**31 - 1])
def test_an_index_of_another_version_is_built_again(recorded: tuple[Path, tuple[set[str], str]], version: int) -> None:
    path, expected = recorded
    with sqlite3.connect(index_file(path)) as database:
        database.execute("UPDATE record SET clock = 5")
        database.execute(f"PRAGMA user_version = {version}")
    database.close()
    assert state_of(path) == expected


def test_an_index_that_is_a_folder_is_done_without(recorded: tuple[Path, tuple[set[str], str]]) -> None:
    path, expected = recorded
    forget_index(path)
    index_file(path).mkdir()
    (index_file(path) / "file").write_text("x")
    assert state_of(path) == expected


_READ_ONLY = """
mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" || exit 99
exec "$2" -c "$3" "$4"
"""
_STATE = """
import sys
from pathlib import Path
from tests.support.state import record_ids, store_at
with store_at(Path(sys.argv[1])) as store:
    ids = record_ids(store)
    print(len(ids), store.index.digest())
"""


def on_read_only(folder: Path, path: Path) -> str:
    """What the state says in a process that sees `folder` read-only; also for root."""
    command = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"]), "sh", "-c", _READ_ONLY]
    env = {**os.environ, "PYTHONPATH": str(PROJECT)}
    try:
        done = subprocess.run(
            [*command, "sh", str(folder), sys.executable, _STATE, str(path)], env=env, capture_output=True, text=True
        )
    except FileNotFoundError:
        pytest.skip("no unshare on this system")
    if done.returncode == 99 or done.stderr.startswith("unshare:"):
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("what", ["up to date", "behind", "missing", "of another version", "rubbish"])
def test_a_read_only_git_directory_can_be_read(recorded: tuple[Path, tuple[set[str], str]], what: str) -> None:
    path, expected = recorded
    if what == "behind":
        made = line(note(77), 2)
        add_log(path, [[made[1]]])
    elif what == "missing":
        forget_index(path)
    elif what == "of another version":
        with sqlite3.connect(index_file(path)) as database:
            database.execute("PRAGMA user_version = 999001")
        database.close()
    elif what == "rubbish":
        forget_index(path)
        index_file(path).write_bytes(b"rubbish" * 100)
    before = {each.name: each.read_bytes() for each in index_file(path).parent.iterdir() if each.is_file()}
    said = on_read_only(path / ".git", path)
    assert {each.name: each.read_bytes() for each in index_file(path).parent.iterdir() if each.is_file()} == before
    ids, fold = state_of(path) if what == "behind" else expected
    assert said == f"{len(ids)} {fold}"


_UPDATE = """
import sys
from pathlib import Path
from tests.support.state import note, record_ids, store_at
for seed in range(int(sys.argv[2]), int(sys.argv[2]) + 12):
    with store_at(Path(sys.argv[1])) as store:
        ids = store.append([note(seed)]).ids
        known = record_ids(store)
        assert set(ids) <= known
        store.index.update()
with store_at(Path(sys.argv[1])) as store:
    print(len(record_ids(store)))
"""


def test_f3_two_processes_use_one_index_at_once(repo: Repo) -> None:
    env = {**os.environ, "PYTHONPATH": str(PROJECT)}
    command = [sys.executable, "-c", _UPDATE, str(repo.path)]
    pipe = subprocess.PIPE
    running = [
        subprocess.Popen([*command, start], env=env, stdout=pipe, stderr=pipe) for start in ("100", "200", "300")
    ]
    for process in running:
        _out, error = process.communicate(timeout=60)
        assert process.returncode == 0, error.decode()
    ids, fold = state_of(repo.path)
    assert len(ids) == 36
    forget_index(repo.path)
    assert state_of(repo.path) == (ids, fold)


def test_a_reader_sees_all_or_nothing_of_what_another_process_reads_in(repo: Repo) -> None:
    """While one process is in the middle of an update, another one reads what was there before."""
    with store_at(repo.path) as one, store_at(repo.path) as other:
        first = one.append([note(1)]).ids
        assert record_ids(other) == set(first)
        one.index.db.execute("BEGIN IMMEDIATE")
        one.index.db.execute("DELETE FROM record")
        assert [n for (n,) in other.index.db.execute("SELECT count(*) FROM record")] == [1]
        one.index.db.execute("ROLLBACK")


# Lines that are no records


def test_a44_malformed_lines_are_quarantined_and_counted_once(repo: Repo) -> None:
    good = [line(note(n), n + 1) for n in range(4)]
    changed = good[0][1].replace(b"note 0", b"note X")
    bad = [
        b"rubbish",
        b"{}",
        changed,
        b"\xff\xfe\x00",
        b'{"id":"' + b"0" * 64 + b'"}',
        b" " + good[1][1],
        b"x" * 2**20 + b"y",
    ]
    name = add_log(repo.path, [[good[0][1], *bad], [*bad, good[1][1]], [b"", b"", good[2][1]]])
    add_log(repo.path, [[bad[0], good[3][1]]])
    with store_at(repo.path) as store:
        assert record_ids(store) == {identity for identity, _line in good}
        found = store.index.quarantined()
        assert {entry.hash: entry.size for entry in found} == {
            hashlib.sha256(each).hexdigest(): len(each) for each in bad
        }
        assert len(found) == len(bad)
        for entry in found:
            content = subprocess.run(
                ["git", "cat-file", "blob", entry.segment], cwd=repo.path, capture_output=True
            ).stdout
            assert entry.hash in {hashlib.sha256(each).hexdigest() for each in content.split(b"\n")}
            assert entry.reason
        before = store.index.digest()
        store.index.rebuild()
        assert (store.index.digest(), store.index.quarantined()) == (before, found)
    assert git(repo.path, "rev-parse", name), "nothing was removed"


@pytest.mark.parametrize("ending", [b"\r\n", b"\x0b", b"\x85", "\u2028".encode()])
def test_lines_end_at_line_feeds_only(repo: Repo, ending: bytes) -> None:
    """What other readers take for a line end does not cut a record, and is none."""
    first, second = line(note(1), 1), line(note(2), 2)
    add_log(repo.path, [[first[1] + ending + second[1]], [second[1]]])
    with store_at(repo.path) as store:
        assert record_ids(store) == {second[0]}
        assert len(store.index.quarantined()) in (1, 2)


def test_a_last_line_without_a_line_feed_is_a_record(repo: Repo) -> None:
    made = line(note(1), 1)
    blob = git(repo.path, "hash-object", "-w", "--stdin", feed=made[1])
    tree = git(repo.path, "mktree", feed=f"100644 blob {blob}\t0.jsonl\n".encode())
    commit = git(repo.path, "commit-tree", tree, feed=b"x")
    git(repo.path, "update-ref", f"refs/nootropic/log/{7:016x}", commit)
    with store_at(repo.path) as store:
        assert record_ids(store) == {made[0]}
        assert dict(store.index.lines([made[0]])) == dict([made])


def test_f6_a_missing_segment_is_reported_and_read_when_it_is_back(repo: Repo) -> None:
    made = [line(note(n), n + 1) for n in range(2)]
    add_log(repo.path, [[made[0][1]]])
    blob_content = made[1][1] + b"\n"
    name = add_log(repo.path, [[made[1][1]]])
    git(repo.path, "repack", "-adq")
    # Unpacked, so that one object can be taken away.
    pack = next((repo.path / ".git/objects/pack").glob("*.pack"))
    content = pack.read_bytes()
    for each in (repo.path / ".git/objects/pack").iterdir():
        each.unlink()
    git(repo.path, "unpack-objects", "-q", feed=content)
    blob = git(repo.path, "rev-parse", f"{name}:0.jsonl")
    (repo.path / ".git/objects" / blob[:2] / blob[2:]).unlink()
    with store_at(repo.path) as store:
        updated = store.index.update()
        assert updated.damaged
        assert record_ids(store) == {made[0][0]}
        assert git(repo.path, "hash-object", "-w", "--stdin", feed=blob_content) == blob
        assert record_ids(store) == {identity for identity, _line in made}
        assert store.index.update().damaged == {}


def test_refs_that_are_not_ours_are_not_read(repo: Repo) -> None:
    made = line(note(1), 1)
    name = add_log(repo.path, [[made[1]]])
    for other in ("log/short", "log/ABCDEF0123456789", "notes", "remote/other", "log/0123456789abcdef0"):
        git(repo.path, "update-ref", f"refs/nootropic/{other}", name)
    git(repo.path, "update-ref", "-d", name)
    with store_at(repo.path) as store:
        assert record_ids(store) == set()
