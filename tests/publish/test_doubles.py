"""Comments that two runs posted: the later ones are taken back, what people said in them is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nootropic_bot.forge import Comment, Forbidden, Missing, Thread, Unanswered
from nootropic_bot.publish.doubles import find_doubles
from nootropic_bot.records import Finding
from tests.publish.conftest import Scene


def doubled(scene: Scene, number: int = 3) -> list[Finding]:
    """Findings whose comments are there twice: another run died before it looked."""
    findings = scene.many("b.py", number)
    scene.publish(findings)
    again = [Comment(each.path, each.line or 0, each.start_line, each.body) for each in scene.forge.posted]
    scene.forge.post_review(scene.forge.head, "again", again)
    assert len(scene.forge.posted) == 2 * number
    return findings


def ids(threads: list[Thread] | tuple[Thread, ...]) -> list[str]:
    return [each.id for each in threads]


def test_what_another_run_left_doubled_is_taken_back_by_the_next(scene: Scene) -> None:
    findings = doubled(scene)
    published = scene.publish(findings)
    assert ids(scene.forge.posted) == ["T1", "T2", "T3"]
    assert scene.forge.reviews[1][0] == (
        "**nootropic-bot**: the comments of this review were taken back, because another run had posted the same.\n"
    )
    assert (published.commented, published.not_posted) == ((), ())
    assert published.notes == ("another run had posted the same: 3 comments taken back",)
    writes = len(scene.forge.writes())
    assert scene.publish(findings).notes == ()
    assert scene.forge.writes()[writes:] == ["publish_check"]


def test_where_people_talk_or_have_decided_nothing_is_taken_back(scene: Scene) -> None:
    findings = doubled(scene)
    scene.forge.posted[3] = replace(scene.forge.posted[3], has_replies=True)
    scene.forge.posted[4] = replace(scene.forge.posted[4], is_resolved=True)
    scene.publish(findings)
    assert ids(scene.forge.posted) == ["T1", "T2", "T3", "T4", "T5"]
    assert "comments on 2 findings; 1 more were taken back" in scene.forge.reviews[1][0]


def test_only_ours_is_taken_back_and_only_what_is_trusted_counts(scene: Scene) -> None:
    doubled(scene)
    first, *_rest = scene.forge.posted
    others = [replace(first, id=name, comment_id=name, is_ours=False) for name in ("X", "Y")]
    assert find_doubles([first, replace(others[0], is_trusted=True)]).threads == ()
    assert find_doubles([others[0], first]).threads == (), "a copy by somebody who may not write is nothing"
    assert ids(find_doubles([replace(others[0], is_trusted=True), first]).threads) == [first.id]


def test_a_comment_of_somebody_who_is_trusted_is_not_posted_again_nor_changed(scene: Scene) -> None:
    findings = scene.many("b.py", 3)
    scene.publish(findings)
    scene.forge.posted[:] = [replace(each, is_ours=False, is_trusted=True) for each in scene.forge.posted]
    scene.forge.summaries.clear()
    changed = [replace(each, suggestion=None) for each in findings[1:]]
    before = len(scene.forge.writes())
    published = scene.publish(changed)
    assert (published.commented, published.rewritten, published.not_posted) == ((), (), ())
    assert [each.id for each in published.fixed] == ["T1"], "a thread can be resolved by whoever may"
    assert "edit_comment" not in scene.forge.writes()[before:]
    # Where it can't be resolved, nobody's comment says what somebody else found.
    scene.forge.before = failing_resolve
    assert scene.publish(changed[1:]).fixed == ()
    assert "edit_comment" not in scene.forge.writes()


def failing_resolve(name: str, _number: int) -> None:
    if name == "resolve_thread":
        raise Forbidden("no")


@pytest.mark.parametrize(
    ("error", "left", "notes"),
    [
        (Missing("404"), 6, 1),
        (Forbidden("403"), 6, 3),
        (Unanswered("504"), 6, 3),
    ],
    ids=lambda each: type(each).__name__,
)
def test_what_can_not_be_taken_back_is_tried_again(scene: Scene, error: Exception, left: int, notes: int) -> None:
    """One that is gone already was taken back by the other run."""
    findings = doubled(scene)

    def fault(name: str, _number: int) -> None:
        if name == "withdraw_comment":
            raise error

    scene.forge.before = fault
    published = scene.publish(findings)
    assert (len(scene.forge.posted), len(published.notes), published.status) == (left, notes, "posted")
    scene.forge.before = lambda _name, _number: None
    scene.publish(findings)
    assert ids(scene.forge.posted) == ["T1", "T2", "T3"]


def test_where_the_second_reading_fails_the_review_stands(scene: Scene) -> None:
    findings = scene.many("b.py", 3)

    def fault(name: str, number: int) -> None:
        if name == "threads" and number > 1:
            raise Unanswered("504")

    scene.forge.before = fault
    published = scene.publish(findings)
    assert len(published.commented) == 3
    assert published.notes == ("looking for doubled comments: unanswered: 504",)
    assert scene.forge.checks
