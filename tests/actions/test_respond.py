"""Slash commands: authorise, analyse and act, each in its own job with its own permissions."""

from __future__ import annotations

import dataclasses

import pytest

from nootropic_bot.workflowfiles import path_of, workflows
from tests.actions.conftest import CLEAN, OWN, WRONG, Place
from tests.support.github import records as r
from tests.support.job_runner import Job


def results(jobs: dict[str, Job]) -> list[str]:
    return [job.result for job in jobs.values()]


def log(jobs: dict[str, Job]) -> str:
    return "\n".join(job.log for job in jobs.values())


def replies(pull: r.PullRequest) -> list[str]:
    return [comment.body for comment in pull.comments if comment.user.type == "Bot"]


def head_file(place: Place, pull: r.PullRequest) -> str:
    place.server.sync()
    assert pull.head_repository is not None
    return pull.head_repository.git.run("show", f"{pull.head}:load.py").decode()


@pytest.fixture
def flow(place: Place) -> Place:
    """The review workflow is on the branches, so that it can be started again."""
    place.main = place.server.commit(place.repository, "main", workflows(place.setup), "workflows")
    place.server.add_workflow(place.repository, path_of("review"), "nootropic review")
    return place


def test_a_proved_fix_is_committed_and_the_checks_start_again(flow: Place) -> None:
    pull = flow.open()
    jobs = flow.say(pull, "/nootropic fix")
    assert results(jobs) == ["success"] * 3, log(jobs)
    assert "SafeLoader" in head_file(flow, pull)
    (run,) = [run for run in flow.server.hub.runs.values() if run.event == "workflow_dispatch"]
    assert run.inputs == {"pull-request": str(pull.number), "base": pull.base}
    assert run.head_branch == "feature"
    assert not flow.server.violations
    refused = [f"{each.method} {each.path}" for each in flow.server.log if each.status in (401, 403)]
    assert not refused, "each job has the permissions that it needs"
    # The run that was started so: it can be analysed and posted.
    event = {"repository": {"private": False}, "inputs": run.inputs}
    again = flow.run("review", "workflow_dispatch", event, sha=pull.head, ref="feature")
    assert again["analyse"].result == "success", log(again)
    assert flow.publish(pull, event="workflow_dispatch")["publish"].result == "success"


@pytest.mark.parametrize(("said", "answered"), [("help", "/nootropic apply"), ("status", "head")])
def test_what_needs_no_analysis_starts_none(flow: Place, said: str, answered: str) -> None:
    pull = flow.open()
    jobs = flow.say(pull, f"/nootropic {said}")
    assert results(jobs) == ["success", "skipped", "success"], log(jobs)
    assert answered in replies(pull)[0].lower()


def test_a_review_on_command_is_posted(flow: Place) -> None:
    pull = flow.open()
    jobs = flow.say(pull, "/nootropic review")
    assert results(jobs) == ["success"] * 3, log(jobs)
    assert any("SafeLoader" in comment.body for review in pull.reviews for comment in review.comments)
    assert not flow.server.violations


@pytest.mark.parametrize("text", ["Nice!", "> /nootropic fix", "say /nootropic fix"])
def test_talk_starts_nothing(flow: Place, text: str) -> None:
    pull = flow.open()
    assert results(flow.say(pull, text)) == ["skipped"] * 3
    assert not flow.machine.played


def test_whoever_may_not_is_told_and_nothing_is_done(flow: Place) -> None:
    flow.server.add_person("passer-by-2", flow.repository, "read")
    pull = flow.open()
    jobs = flow.say(pull, "/nootropic fix", user="passer-by-2")
    assert results(jobs) == ["success", "skipped", "skipped"], log(jobs)
    assert head_file(flow, pull) == WRONG


def test_on_a_fork_the_patch_is_posted(flow: Place) -> None:
    pull = flow.open(fork="eve")
    jobs = flow.say(pull, "/nootropic fix")
    assert results(jobs) == ["success"] * 3, log(jobs)
    assert head_file(flow, pull) == WRONG
    assert any("git apply" in body for body in replies(pull))


def test_an_analysis_that_failed_is_answered(flow: Place) -> None:
    """The artifact never came."""
    flow.machine = dataclasses.replace(flow.machine, with_inputs={"install": "false", "fail-on": "nonsense"})
    pull = flow.open()
    jobs = flow.say(pull, "/nootropic fix")
    assert results(jobs)[:2] == ["success", "failure"]
    assert jobs["act"].result == "failure", "it did not do what was asked for"
    assert any("no report of the analysis" in body for body in replies(pull)), log(jobs)


def test_a_fork_is_not_analysed_on_a_self_hosted_runner(flow: Place) -> None:
    flow.machine.environment, flow.setup, flow.repository.is_private = "self-hosted", OWN, True
    flow.repository.roles["eve"] = "read"
    pull = flow.open(fork="eve", load__py=WRONG, other__py=CLEAN)
    jobs = flow.say(pull, "/nootropic fix")
    assert jobs["analyse"].result == "failure"
    assert "lies on no branch of this repository" in log(jobs)
    assert head_file(flow, pull) == WRONG


def test_a4_the_lines_of_a_comment_end_in_one_output(flow: Place) -> None:
    pull = flow.open()
    jobs = flow.say(pull, "/nootropic help\nplan={}\nneeds-analysis=true\n::set-output name=plan::x")
    assert results(jobs) == ["success", "skipped", "success"], log(jobs)
