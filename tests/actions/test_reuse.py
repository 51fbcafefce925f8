"""From push to push: what a run of a pull request leaves for the next, who reads it, and what happens when it is not ours."""

from __future__ import annotations

import dataclasses
import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest

from nootropic_bot.records import FileAnalysis, Match, Position, Suggestion
from nootropic_bot.workflowfiles import Setup
from tests.actions.conftest import ACTIONS, WRONG, Place
from tests.support.engines import CountingEngine
from tests.support.played_caches import Entry

FILES = 20
OTHER = WRONG.replace("read", "read_again")


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CountingEngine:
    """The real one; what it is given is written down."""
    made = CountingEngine.make(tmp_path / "engine")
    monkeypatch.setenv("PYTHONPATH", f"{made.path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    return made


def findings(place: Place) -> list[tuple[str, bool]]:
    report = json.loads(place.machine.artifacts["nootropic-report"]["report.json"])
    assert report["complete"]
    return [(each["path"], each["suggestion"]["verified"]) for each in report["findings"]]


def keys(place: Place) -> list[tuple[str, str]]:
    return [(entry.scope, entry.key) for entry in place.machine.caches.entries]


@pytest.mark.parametrize("fork", ["", "eve"])
def test_a_push_that_changes_one_file_of_twenty_analyses_one_file(
    place: Place, engine: CountingEngine, fork: str
) -> None:
    names = [f"m{number}.py" for number in range(FILES)]
    pull = place.open(fork=fork, **{f"m{number}__py": f"# {number}\n{WRONG}" for number in range(FILES)})
    assert place.analyse(pull)["analyse"].result == "success"
    assert findings(place) == [(name, True) for name in sorted(names)]
    analysed, *proved = engine.starts()
    assert sorted(analysed) == sorted(names)
    assert proved, "and fixes were scanned again"
    assert pull.head_repository is not None
    place.server.commit(pull.head_repository, "feature", {"m7.py": OTHER}, user=pull.user.login)
    job = place.analyse(pull)["analyse"]
    assert job.result == "success", job.log
    assert findings(place) == [(name, True) for name in sorted(names)], "the report is whole"
    assert {name for start in engine.starts() for name in start} == {"m7.py"}
    # And nothing at all where nothing changed.
    place.analyse(pull)
    assert findings(place) == [(name, True) for name in sorted(names)]
    assert engine.starts() == []


def test_each_run_leaves_an_entry_of_its_own_for_its_pull_request(place: Place) -> None:
    """GitHub keeps it for the runs of this merge ref, and never replaces it."""
    one = place.open()
    two = place.open("other", other__py=WRONG)
    for pull in (one, one, two):
        assert place.analyse(pull)["analyse"].result == "success"
    assert keys(place) == [
        (f"refs/pull/{one.number}/merge", f"nootropic-review-{one.number}-all-1-1"),
        (f"refs/pull/{one.number}/merge", f"nootropic-review-{one.number}-all-2-1"),
        (f"refs/pull/{two.number}/merge", f"nootropic-review-{two.number}-all-3-1"),
    ]
    kept = {name.split("/")[2] for entry in place.machine.caches.entries for name in entry.files}
    assert {"analyses", "proofs"} <= kept <= {"analyses", "answers", "proofs"}


def test_pull_request_1_is_not_the_beginning_of_12(place: Place, engine: CountingEngine) -> None:
    """Its key is another even where GitHub would let it be read."""
    pull = place.open()
    place.analyse(pull)
    (entry,) = place.machine.caches.entries
    others = f"nootropic-review-{pull.number}2-all-9-1"
    place.machine.caches.entries[:] = [dataclasses.replace(entry, key=others)]
    engine.starts()
    place.analyse(pull)
    assert ["load.py"] in engine.starts()


def test_each_shard_goes_on_from_its_own_and_joining_keeps_nothing(place: Place, engine: CountingEngine) -> None:
    place.setup = Setup(ACTIONS, shards=2)
    pull = place.open(one__py=WRONG, two__py=WRONG, three__py=WRONG, four__py=WRONG)
    place.analyse(pull)
    first = findings(place)
    assert [key for _scope, key in keys(place)] == [f"nootropic-review-{pull.number}-{i}/2-1-1" for i in (1, 2)]
    assert engine.starts()
    place.analyse(pull)
    assert engine.starts() == []
    assert findings(place) == first
    assert len(keys(place)) == 4


@pytest.mark.parametrize("why", ["self-hosted", "switched off", "workflow_dispatch", "issue_comment"])
def test_nothing_is_saved_or_restored_elsewhere(place: Place, engine: CountingEngine, why: str) -> None:
    pull = place.open()
    place.analyse(pull)
    (entry,) = place.machine.caches.entries
    # Somebody managed to leave the same where it would be read.
    scopes = ("refs/heads/main", "refs/heads/feature", entry.scope)
    planted = [dataclasses.replace(entry, scope=scope) for scope in scopes]
    place.machine.caches.entries[:] = planted
    engine.starts()
    if why == "self-hosted":
        place.machine.environment, place.repository.is_private = "self-hosted", True
    if why == "switched off":
        place.machine = dataclasses.replace(place.machine, with_inputs={"install": "false", "reuse": "false"})
    if why == "issue_comment":
        jobs = place.say(pull, "/nootropic fix")
    elif why == "workflow_dispatch":
        event = {"repository": {"private": False}, "inputs": {"pull-request": str(pull.number), "base": pull.base}}
        jobs = place.run("review", "workflow_dispatch", event, sha=pull.head, ref="feature")
    else:
        jobs = place.analyse(pull)
    assert jobs["analyse"].result == "success", jobs["analyse"].log
    assert ["load.py"] in engine.starts(), "it was analysed anew"
    assert place.machine.caches.entries == planted


def test_a_job_with_a_token_takes_nothing_from_a_cache(place: Place) -> None:
    pull = place.open()
    place.analyse(pull)
    place.machine.played.clear()
    place.publish(pull)
    place.say(pull, "/nootropic status")
    assert "actions/checkout" in place.machine.played
    assert not [action for action in place.machine.played if "cache" in action]


def test_a_change_without_code_leaves_nothing(place: Place) -> None:
    """The action that saves would warn of folders that are not there, on every run."""
    job = place.analyse(place.open(README__md="y\n"))["analyse"]
    assert job.result == "success", job.log
    assert keys(place) == []
    (kept,) = [step for step in job.steps if step.name == "Keep what was found for the next run"]
    assert kept.result == "skipped"


NOBODYS = Match("nobodys-rule", Position(1, 1), Position(1, 2), 0, 1, "x", "x")
NOT_OURS = Suggestion("\udc80", (), "rule", True, (), "")
DAMAGE = [
    json.dumps(asdict(FileAnalysis((NOBODYS,)))).encode(), json.dumps({"suggestion": asdict(NOT_OURS)}).encode(),
    b"", b"\0\xff garbage", b"null", b"[" * 100_000, b'{"matches": [{}], "gaps": [], "undefined": []}',
    b'{"matches": [], "gaps": [{"reason": 7}], "undefined": []}', b'{"suggestion": {"id": []}}',
]  # fmt: skip


def test_an_entry_that_is_damaged_or_not_ours_is_as_none(place: Place) -> None:
    pull = place.open()
    place.analyse(pull)
    expected = findings(place)
    (entry,) = place.machine.caches.entries
    for number, damage in enumerate(DAMAGE):
        files = dict.fromkeys(entry.files, damage)
        place.machine.caches.entries[:] = [dataclasses.replace(entry, files=files)]
        job = place.analyse(pull)["analyse"]
        assert job.result == "success", (damage[:40], job.log)
        assert findings(place) == expected, number


def emptied(entry: Entry) -> Entry:
    """The same, but that nothing was found in any file."""
    nothing = json.dumps({"matches": [], "gaps": [], "undefined": []}).encode()
    files = {name: nothing if "/analyses/" in name else data for name, data in entry.files.items()}
    return dataclasses.replace(entry, files=files)


def test_a_forks_forged_entry_hides_findings_from_its_own_pull_request_alone(place: Place) -> None:
    """Its author writes the workflow of these runs, too, and could leave the analysis out."""
    forger, other = place.open(fork="eve"), place.open("same")
    place.analyse(forger)
    place.machine.caches.entries[:] = [emptied(entry) for entry in place.machine.caches.entries]
    place.analyse(forger)
    assert findings(place) == []
    place.analyse(other)
    assert findings(place) == [("load.py", True)]
    place.server.commit(place.repository, "main", {"README.md": "merged\n"})
    place.analyse(place.open("later"))
    assert findings(place) == [("load.py", True)]


def test_a_restore_that_fails_ends_no_job(place: Place) -> None:
    """The action fails where a key is none for GitHub."""
    pull = place.open()
    place.machine = dataclasses.replace(place.machine, with_inputs={"install": "false", "shard": "1,2"})
    job = place.analyse(pull)["analyse"]
    (restored,) = [step for step in job.steps if step.name == "actions/cache/restore"]
    assert restored.result == "failure"
    (review,) = [step for step in job.steps if step.name == "Review"]
    assert "not of the form I/N" in review.err, "it came to the analysis all the same"
