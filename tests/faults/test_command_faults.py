"""Rows F10, F11, F15 and F17 for commands in comments, and every other way in which one can fail."""

from __future__ import annotations

import json

import pytest

from tests.respond.conftest import desk, server
from tests.respond.test_commands import post
from tests.support.respond import APP, FIX_NONE, NONE, Desk

__all__ = ["desk", "server"]


def test_f10_a_push_between_the_analysis_and_the_command_drops_it(desk: Desk) -> None:
    comment = desk.say(f"/nootropic apply {FIX_NONE}")
    plan = desk.authorise(comment).outputs["plan"]
    report = desk.report()
    pushed = desk.server.commit(desk.repository, "patch", {"more.py": "m = 1\n"})
    assert desk.act(comment, plan, report).code == 5
    assert desk.head() == pushed
    assert f"is at `{pushed[:10]}` now, so nothing was done" in desk.replies()[0]
    # Given again, it is carried out, and answered in the same place.
    assert desk.command(f"/nootropic apply {FIX_NONE}", desk.report()).code == 0
    assert desk.file() != APP
    assert len(desk.replies()) == 1


@pytest.mark.parametrize("how", ["closed", "merged"])
def test_f11_a_pull_request_that_ends_meanwhile_is_left_alone(desk: Desk, how: str) -> None:
    comment = desk.say("/nootropic fix")
    plan = desk.authorise(comment).outputs["plan"]
    report = desk.report()
    pull = desk.server.client().get_repo("octo/app").get_pull(desk.pull.number)
    if how == "merged":
        pull.merge()
    else:
        pull.edit(state="closed")
    before = desk.file()
    assert desk.act(comment, plan, report).code == 0
    assert desk.replies() == [desk.replies()[0]]
    assert desk.replies()[0].startswith(f"This pull request is {how}, so nothing was done.")
    assert desk.file(commit=desk.pull.head) == before
    assert desk.authorise(desk.say("/nootropic review")).outputs["plan"] == ""
    assert "plan" in desk.authorise(desk.say("/nootropic status")).outputs


def test_f11_a_branch_that_is_gone_is_left_alone(desk: Desk) -> None:
    comment = desk.say("/nootropic fix")
    plan = desk.authorise(comment).outputs["plan"]
    report = desk.report()
    desk.repository.git.run("update-ref", "-d", "refs/heads/patch")
    done = desk.act(comment, plan, report)
    assert done.code == 0
    assert [reply.partition(",")[0] for reply in desk.replies()] == ["This pull request is closed"]
    assert "refs/heads/patch" not in desk.repository.git.refs("refs/heads/")


def test_f11_a_deleted_comment_and_a_deleted_pull_request_are_no_failure(desk: Desk) -> None:
    comment = desk.say("/nootropic fix")
    event = desk.event(comment)
    desk.pull.comments.remove(comment)
    step = desk.authorise(comment, event=event)
    assert (step.code, step.outputs["plan"]) == (0, "")
    assert "gone" in step.out


@pytest.mark.parametrize("how", ["drop", "timeout"])
@pytest.mark.parametrize("path", ["#updateRefs", "/issues/[0-9]+/comments"])
def test_f15_an_answer_that_is_lost_after_the_effect_leads_to_no_second_one(desk: Desk, path: str, how: str) -> None:
    if how == "drop":
        desk.server.drop_next("*", path, effect=True)
    else:
        desk.server.fail_next("*", path, 504, effect=True)
    base = desk.head()
    assert desk.command("/nootropic fix", desk.report()).code == 0
    assert desk.repository.git.line("rev-list", "--count", f"{base}..{desk.head()}") == "1"
    assert len(desk.replies()) == 1


def test_f17_a_decision_that_was_recorded_but_not_said_is_only_said_though_the_head_has_moved(desk: Desk) -> None:
    comment = desk.say(f"/nootropic fp {NONE} known")
    plan = desk.authorise(comment).outputs["plan"]
    report = desk.report()
    desk.server.fail_next("POST", "/issues/[0-9]+/comments", 403)
    assert desk.act(comment, plan, report).code == 5
    desk.server.commit(desk.repository, "patch", {"more.py": "m = 1\n"})
    desk.head()
    assert desk.act(comment, plan, report).code == 0
    assert "It is recorded." in desk.replies()[0]
    assert len(desk.records("triage")) == 1


def test_f17_commands_out_of_order_have_one_effect(desk: Desk) -> None:
    post(desk, 5, NONE, "none-comparison")
    older, newer = desk.say(f"/nootropic fp {NONE} known"), desk.say(f"/nootropic fp {NONE} known")
    plans = [desk.authorise(each).outputs["plan"] for each in (newer, older)]
    assert desk.act(newer, plans[0], desk.report()).code == 0
    assert desk.act(older, plans[1], desk.report()).code == 0
    assert len(desk.records("triage")) == 1
    assert len(desk.replies()) == 1
    assert desk.authorise(older).outputs["plan"] == ""


def test_a_missing_report_is_said(desk: Desk) -> None:
    assert desk.command("/nootropic fix").code == 4
    assert "there is no report of the analysis of this head" in desk.replies()[0]
    assert desk.command("/nootropic fix", desk.folder / "nowhere.json").code == 4
    assert "the analysis left no report" in desk.replies()[0]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"schema_version": 2}', b"\xff\xfe", b"[" * 100_000])
def test_a_report_that_is_none_is_said(desk: Desk, content: bytes) -> None:
    path = desk.folder / "bad.json"
    path.write_bytes(content)
    assert desk.command("/nootropic fix", path).code == 2
    assert "The report of the analysis can" in desk.replies()[0] or "That did not work" in desk.replies()[0]
    assert desk.file() == APP


def test_an_incomplete_analysis_is_said_where_it_matters(desk: Desk) -> None:
    partial = desk.report(incomplete_reasons=("app.py timed out",))
    assert desk.command("/nootropic explain 99999999", partial).code == 4
    assert "the analysis is incomplete" in desk.replies()[0]
    assert desk.command(f"/nootropic apply {FIX_NONE}", partial).code == 0
    assert desk.file() != APP, "what is proved is proved"


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("FORBIDDEN", "Resource not accessible by integration"),
        ("UNPROCESSABLE", "Protected branch update failed"),
        (None, "Repository rule violations found"),
    ],
)
def test_a_branch_that_refuses_the_commit_is_said(desk: Desk, kind: str | None, message: str) -> None:
    body = {"data": {"updateRefs": None}, "errors": [{"message": message} | ({"type": kind} if kind else {})]}
    desk.server.fail_next("POST", "#updateRefs", 200, body=body)
    done = desk.command("/nootropic fix", desk.report())
    assert done.code == 5
    assert message in desk.replies()[0]
    assert "Nothing was changed" in desk.replies()[0]
    assert desk.file() == APP
    assert desk.records("outcome") == []
    assert desk.server.hub.runs == {}


def test_a_token_that_may_not_commit_is_said(desk: Desk) -> None:
    desk.token = "poster"
    assert desk.command("/nootropic fix", desk.report()).code == 5
    assert "give the job the permission" in desk.replies()[0]
    assert desk.file() == APP


@pytest.mark.parametrize(("token", "remedy"), [("fork", "give the job the permission"), ("revoked", "GITHUB_TOKEN")])
def test_a_token_that_may_do_nothing_ends_with_a_remedy(desk: Desk, token: str, remedy: str) -> None:
    desk.token = token
    step = desk.authorise(desk.say("/nootropic fix"))
    assert (step.code, step.outputs) == (5, {})
    assert remedy in step.err
    assert desk.replies() == []


def test_checks_that_can_not_be_started_are_said(desk: Desk) -> None:
    desk.server.fail_next("POST", "/dispatches", 422, body={"message": "Workflow does not have 'workflow_dispatch'"})
    assert desk.command("/nootropic fix", desk.report()).code == 0
    assert desk.file() != APP
    assert "The review could not be started again: GitHub answered 422" in desk.replies()[0]


def refuse_pushes(desk: Desk) -> None:
    hook = desk.repository.git.path / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho no >&2\nexit 1\n")
    hook.chmod(0o755)


def test_a_decision_that_can_not_be_shared_is_not_claimed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nootropic_bot.state.sync.ATTEMPTS", 1)
    number = post(desk, 5, NONE, "none-comparison")
    refuse_pushes(desk)
    done = desk.command(f"/nootropic fp {NONE} known", desk.report())
    assert done.code == 5
    assert "does not take the records" in desk.replies()[0]
    assert "false positive" not in desk.server.find_comment(number).body
    assert desk.records("triage") == []


def test_a_commit_that_can_not_be_recorded_stands_and_that_is_said(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nootropic_bot.state.sync.ATTEMPTS", 1)
    refuse_pushes(desk)
    assert desk.command(f"/nootropic apply {FIX_NONE}", desk.report()).code == 5
    assert desk.file() != APP
    assert "The commit stands, but it could not be recorded" in desk.replies()[0]


def test_without_an_event_or_with_another_one_nothing_is_done(desk: Desk) -> None:
    comment = desk.say("/nootropic fix")
    event = desk.event(comment)
    for content in ("", "{", "[]", json.dumps({"action": "created"})):
        event.write_text(content)
        assert desk.authorise(comment, event=event).code == 2
    assert desk.authorise(comment, event=desk.folder / "none.json").code == 2
    assert not desk.server.log


def test_a_comment_on_an_issue_is_no_command(desk: Desk) -> None:
    comment = desk.say("/nootropic fix")
    issue = desk.server.events.issue_comment(comment)["issue"]
    issue.pop("pull_request")
    step = desk.authorise(comment, event=desk.event(comment, issue=issue))
    assert (step.code, step.outputs["plan"]) == (0, "")
    assert not desk.server.log
