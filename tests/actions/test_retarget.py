"""A pull request gets another base: it is analysed again; a new title is not."""

from __future__ import annotations

import dataclasses
import json

import pytest
import yaml

from nootropic_bot.workflowfiles import Setup, path_of, workflows
from tests.actions.conftest import CLEAN, HOSTED, OWN, WRONG, Place
from tests.support.github import records as r

KINDS = [HOSTED, dataclasses.replace(HOSTED, shards=2), OWN, dataclasses.replace(OWN, shards=2)]


@pytest.fixture
def two_bases(place: Place) -> Place:
    """`release` has what is wrong already; `main` has not."""
    place.server.commit(place.repository, "release", {"load.py": WRONG}, parent=place.main)
    return place


def found(place: Place) -> tuple[str, list[str]]:
    """The base, and where something is in the change."""
    report = json.loads(place.machine.artifacts["nootropic-report"]["report.json"])
    return report["base"], [each["path"] for each in report["findings"] if each["in_scope"]]


def stacked(place: Place, fork: str = "") -> r.PullRequest:
    """A pull request into `release` that brings one problem more."""
    source = place.server.fork(place.repository, fork) if fork else place.repository
    start = place.repository.git.run("rev-parse", "refs/heads/release").decode().strip()
    place.server.commit(source, "feature", {"other.py": WRONG}, user=fork or "mona", parent=start)
    return place.server.open_pull(
        place.repository, f"{fork}:feature" if fork else "feature", "release", user=fork or "mona"
    )


@pytest.mark.parametrize("setup", KINDS, ids=["hosted", "hosted, shards", "own", "own, shards"])
def test_a_new_base_is_analysed_and_posted(two_bases: Place, setup: Setup) -> None:
    place = two_bases
    place.setup = setup
    is_own = place.setup.self_hosted
    if is_own:
        place.machine.environment, place.repository.is_private = "self-hosted", True
    pull = stacked(place)
    place.analyse(pull)
    assert found(place) == (pull.base, ["other.py"])
    if not is_own:
        place.publish(pull)
    assert [comment.thread.anchor.path for comment in pull.review_comments()] == ["other.py"]
    jobs = place.edit(pull, base="main")
    assert jobs["again"].result == "success", {name: job.log for name, job in jobs.items()}
    assert found(place) == (place.main, ["load.py", "other.py"])
    last = jobs["again / publish"] if is_own else place.publish(pull, name="retarget")["publish"]
    assert last.result == "success", last.log
    assert sorted(comment.thread.anchor.path for comment in pull.review_comments()) == ["load.py", "other.py"]
    assert not place.server.violations


def test_a_forks_new_base_is_analysed_with_what_a_fork_may_do(two_bases: Place) -> None:
    place = two_bases
    pull = stacked(place, fork="eve")
    jobs = place.edit(pull, base="main")
    job = jobs["again / analyse"]
    assert job.result == "success", job.log
    assert found(place)[1] == ["load.py", "other.py"]


def test_a_new_title_starts_nothing(place: Place) -> None:
    jobs = place.edit(place.open(), title="Another title")
    assert {name: job.result for name, job in jobs.items()} == {"again": "skipped"}
    assert not place.machine.played
    assert not place.machine.artifacts


def test_nothing_is_posted_after_a_new_title(place: Place) -> None:
    pull = place.open()
    assert place.publish(pull, conclusion="skipped", name="retarget")["publish"].result == "skipped"


@pytest.mark.parametrize("setup", KINDS, ids=["hosted", "hosted, shards", "own", "own, shards"])
def test_an_edit_neither_ends_an_analysis_nor_hides_its_result(setup: Setup) -> None:
    """What is skipped counts as passed where a check is required, so it must have another name than what is not."""
    flows = {path: yaml.safe_load(text) for path, text in workflows(setup).items()}
    review, retarget = flows[path_of("review")], flows[path_of("retarget")]
    assert "edited" not in review[True]["pull_request"]["types"]
    assert retarget[True] == {"pull_request": {"types": ["edited"]}}
    (again,) = retarget["jobs"].values()
    assert "concurrency" not in retarget, "a run that is skipped would end one that is not"
    assert "concurrency" not in again
    assert review["concurrency"]["cancel-in-progress"] is True
    assert again["name"] not in {job["name"] for job in review["jobs"].values()}
    listening = flows.get(path_of("publish"))
    if listening is not None:
        assert listening[True]["workflow_run"]["workflows"] == [review["name"], retarget["name"]]
        group = listening["concurrency"]["group"]
        assert "workflow_run.id }}" in group, "of several that wait in one all but the newest are dropped"
        assert listening["concurrency"]["cancel-in-progress"] is False


def test_the_base_decides_what_is_new(two_bases: Place) -> None:
    """So that the tests above are about the base."""
    place = two_bases
    pull = stacked(place)
    place.server.commit(place.repository, "feature", {"load.py": CLEAN})
    place.analyse(pull)
    assert found(place)[1] == ["other.py"]
