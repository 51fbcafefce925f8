"""From a pull request to what stands on it: analysis, artifact and poster, each in its own job with its own permissions."""

from __future__ import annotations

import dataclasses

import pytest

from nootropic_bot.workflowfiles import workflows
from tests.actions.conftest import CLEAN, OWN, WRONG, Place
from tests.support.github import records as r
from tests.support.job_runner import Job


def comments(pull: r.PullRequest) -> list[str]:
    return [comment.body for review in pull.reviews for comment in review.comments]


def posted(jobs: dict[str, Job]) -> Job:
    assert jobs["publish"].result == "success", jobs["publish"].log
    return jobs["publish"]


@pytest.mark.parametrize("fork", ["", "eve"])
def test_what_was_found_is_posted_once_and_resolved_when_it_is_fixed(place: Place, fork: str) -> None:
    pull = place.open(fork=fork)
    place.analyse(pull)
    job = posted(place.publish(pull))
    (comment,) = comments(pull)
    assert "```suggestion" in comment
    assert "SafeLoader" in comment
    assert "1 commented" in job.log
    # The same again: nothing is repeated.
    place.analyse(pull)
    posted(place.publish(pull))
    assert len(comments(pull)) == 1
    assert pull.head_repository is not None
    place.server.commit(pull.head_repository, "feature", {"load.py": CLEAN}, user=pull.user.login)
    place.analyse(pull)
    job = posted(place.publish(pull))
    assert "1 resolved" in job.log, job.log
    assert len(comments(pull)) == 1
    # Recorded on behalf of the runs without a token, where everybody's clone finds it.
    assert "refs/nootropic/log/" in place.repository.git.run("for-each-ref").decode()
    assert not place.server.violations
    refused = [f"{each.method} {each.path}" for each in place.server.log if each.status in (401, 403)]
    assert not refused, "each job has the permissions that it needs"


def test_an_analysis_that_did_not_finish_is_posted_as_such(place: Place) -> None:
    pull = place.open(load__py=WRONG, bad__py="def f(:\n")
    assert place.analyse(pull)["analyse"].result == "failure"
    posted(place.publish(pull, conclusion="failure"))
    (check,) = place.server.hub.checks.values()
    assert check.fields["conclusion"] != "success"
    assert len(comments(pull)) == 1


def test_what_a_lost_shard_would_have_said_is_not_taken_for_fixed(place: Place) -> None:
    place.setup = dataclasses.replace(place.setup, shards=2)
    pull = place.open(one__py=WRONG, two__py=WRONG, three__py=WRONG, four__py=WRONG)
    place.analyse(pull)
    posted(place.publish(pull))
    assert len(comments(pull)) == 4
    for lost in ("1/2", "2/2"):
        place.machine.lost = frozenset({lost})
        place.analyse(pull)
        job = posted(place.publish(pull, conclusion="failure"))
        assert "resolved" not in job.log
        (summary,) = [comment.body for comment in pull.comments]
        assert f"no report came from shard {lost}" in summary
        assert max(place.server.hub.checks.items())[1].fields["conclusion"] == "failure"
    assert [thread.resolved_by for thread in pull.threads] == [None] * 4
    place.machine.lost = frozenset()
    for name in ("one.py", "two.py", "three.py", "four.py"):
        place.server.commit(place.repository, "feature", {name: CLEAN})
    place.analyse(pull)
    assert "4 resolved" in posted(place.publish(pull)).log, "so that the test above is about the shard"


def test_a_clean_check_never_comes_of_a_shard_that_is_missing(place: Place) -> None:
    place.setup = dataclasses.replace(place.setup, shards=2)
    pull = place.open(one__py=CLEAN, two__py=CLEAN, three__py=CLEAN)
    for lost, conclusion in (("1/2", "failure"), ("", "success")):
        place.machine.lost = frozenset({lost})
        place.analyse(pull)
        posted(place.publish(pull, conclusion="failure" if lost else "success"))
        check = max(place.server.hub.checks.items())[1]
        assert check.fields["conclusion"] == conclusion
    assert "no report came from shard 1/2" in str([comment.body for comment in pull.comments] + [
        check.fields["output"] for check in place.server.hub.checks.values()
    ])  # fmt: skip


def test_a_run_that_was_cancelled_starts_no_poster(place: Place) -> None:
    pull = place.open()
    place.analyse(pull)
    assert place.publish(pull, conclusion="cancelled")["publish"].result == "skipped"
    assert place.publish(pull, event="schedule")["publish"].result == "skipped"
    assert not comments(pull)


def test_a_run_that_was_started_after_a_commit_of_the_bot_is_posted(place: Place) -> None:
    """`workflow_dispatch` on the branch of the pull request: a push with a workflow's token starts no workflow."""
    pull = place.open()
    event = {"repository": {"private": False}, "inputs": {"pull-request": str(pull.number), "base": pull.base}}
    jobs = place.run("review", "workflow_dispatch", event, sha=pull.head, ref="feature")
    assert jobs["analyse"].result == "success", jobs["analyse"].log
    posted(place.publish(pull, event="workflow_dispatch"))
    assert len(comments(pull)) == 1


@pytest.mark.parametrize("shards", [1, 2])
def test_self_hosted_runners_analyse_and_post_in_one_workflow(place: Place, shards: int) -> None:
    setup = dataclasses.replace(OWN, shards=shards)
    place.machine.environment, place.setup, place.repository.is_private = "self-hosted", setup, True
    pull = place.open()
    jobs = place.analyse(pull)
    assert jobs["analyse"].result == "success", jobs["analyse"].log
    posted(jobs)
    assert len(comments(pull)) == 1
    assert not place.server.violations


def test_without_permission_to_write_contents_the_rest_is_done(place: Place) -> None:
    """Somebody takes `contents: write` out of the workflow."""
    pull = place.open()
    place.analyse(pull)
    flow = place.server.add_workflow(place.repository, ".github/workflows/nootropic-review.yml", "nootropic review")
    run = place.server.add_run(flow, pull, dict(place.machine.artifacts))
    text = workflows(place.setup)[".github/workflows/nootropic-publish.yml"].replace(
        "contents: write", "contents: read"
    )
    event = place.server.events.workflow_run(run)
    posted(place.machine.run(text, "workflow_run", event, sha=place.main))
    assert len(comments(pull)) == 1
