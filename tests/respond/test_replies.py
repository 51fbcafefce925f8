"""What is said in the conversation stays true: what was done stays said, and what was not is not claimed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.respond.test_commands import FIXED_NONE, post
from tests.support.respond import APP, FIX_NONE, NONE, Desk, both


def starts(desk: Desk) -> list[str]:
    """How the replies begin."""
    return [" ".join(reply.split()[:3]) for reply in desk.replies()]


def test_what_was_committed_stays_said(desk: Desk) -> None:
    """Each commit has a reply of its own; what comes of nothing is said beside them, in one place."""
    assert desk.command("/nootropic fix", desk.report(both()[0])).code == 0
    first = desk.head()
    for _time in range(2):
        assert desk.command("/nootropic fix", desk.report(replace(both()[1], suggestion=None))).code == 0
        assert starts(desk) == ["Committed 1 proved", "There is no"]
    desk.server.commit(desk.repository, "patch", {"app.py": APP}, user="mona")
    assert desk.command("/nootropic fix", desk.report(both()[1])).code == 0
    second = desk.head()
    assert starts(desk) == ["Committed 1 proved", "Committed 1 proved"]
    assert desk.command("/nootropic fix", None).code == 4
    assert starts(desk)[2:] == ["**That did not"]
    assert [f"`{each[:10]}`" in reply for each, reply in zip((first, second), desk.replies(), strict=False)] == [
        True,
        True,
    ]


@pytest.mark.parametrize("how", ["closed", "merged"])
def test_the_end_of_the_pull_request_does_not_undo_what_was_said(desk: Desk, how: str) -> None:
    assert desk.command("/nootropic fix", desk.report()).code == 0
    pull = desk.server.client().get_repo("octo/app").get_pull(desk.pull.number)
    if how == "merged":
        pull.merge()
    else:
        pull.edit(state="closed")
    for _time in range(2):
        assert desk.command("/nootropic fix").outputs["plan"] == ""
    committed, ended = desk.replies()
    assert committed.startswith("Committed 2 proved fixes")
    assert ended.startswith(f"This pull request is {how}, so nothing was done.")
    assert ("give the command again" in ended) is (how == "closed")
    # What only tells is answered all the same.
    assert desk.command("/nootropic status").code == 0
    assert f"The pull request is {how}" in desk.replies()[-1]


@pytest.mark.parametrize("moment", [("GET", "/pulls/1$", 1), ("POST", "/graphql#reviewThreads", 0)])
def test_a_review_of_a_pull_request_that_ends_meanwhile_says_how(desk: Desk, moment: tuple[str, str, int]) -> None:
    """It is merged after the command was looked at, before anything of it is read, or just before it is posted."""
    comment = desk.say("/nootropic review")
    plan = desk.authorise(comment).outputs["plan"]
    report = desk.report()
    merge = desk.server.client().get_repo("octo/app").get_pull(desk.pull.number).merge
    method, path, skip = moment
    desk.server.meanwhile(method, path, merge, skip=skip)
    assert desk.act(comment, plan, report).code == 0
    assert desk.replies()[0].startswith("This pull request is merged, so nothing was done.")


def test_the_same_words_are_not_said_twice(desk: Desk) -> None:
    post(desk, 5, NONE, "none-comparison")
    for _time in range(3):
        assert desk.command(f"/nootropic feedback {NONE[:9]} up").code == 0
    assert len(desk.replies()) == 1
    assert len(desk.records("note")) == 3, "each comment is one opinion"


def test_what_never_was_posted_can_not_be_voted_on_or_ignored(desk: Desk) -> None:
    assert desk.command(f"/nootropic feedback {NONE[:9]} up").code == 0
    assert desk.command("/nootropic ignore none-comparison").code == 0
    feedback, ignore = desk.replies()
    said = "was posted or recorded in this pull request, so nothing was"
    assert feedback.startswith(f"No finding `{NONE[:9]}` {said} recorded.")
    assert ignore.startswith(f"No finding of the rule `none-comparison` {said} ignored.")
    assert "`/nootropic review` looks at it again" in feedback
    assert "`/nootropic review` looks at it again" in ignore
    post(desk, 7, "bb" * 10, "yaml-unsafe-load")
    assert desk.command(f"/nootropic feedback {NONE[:9]} up").code == 0
    assert f"There is:\n\n- `{'bb' * 10}`: `yaml-unsafe-load`" in desk.replies()[0]
    assert desk.command("/nootropic ignore none-comparison").code == 0
    assert "There is: `yaml-unsafe-load`." in desk.replies()[1]
    assert (desk.records("note"), desk.records("triage")) == ([], [])


def test_a_decision_is_not_recorded_where_its_comment_can_not_be_found(desk: Desk) -> None:
    """What is said then, that nothing was changed, is so."""
    desk.server.fail_next("POST", "/graphql#reviewThreads", 403)
    assert desk.command(f"/nootropic fp {NONE[:8]} no", desk.report()).code == 5
    assert "Nothing was changed." in desk.replies()[0]
    assert desk.records("triage") == []


def test_a_commit_and_its_reply_are_found_again(desk: Desk) -> None:
    """The delivery comes again when its reply is there: neither a commit nor a word is added."""
    comment = desk.say(f"/nootropic apply {FIX_NONE}")
    plan = desk.authorise(comment).outputs["plan"]
    report = desk.report()
    for _time in range(2):
        assert desk.act(comment, plan, report).code == 0
    assert desk.file() == FIXED_NONE
    assert len(desk.replies()) == 1
