"""What is posted, left alone, edited, settled and listed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nootropic_bot.errors import UsageError
from nootropic_bot.marker import Marker
from nootropic_bot.publish.check import conclusion
from nootropic_bot.publish.plan import Policy, offered, plan
from nootropic_bot.records import Check, NotScanned, Suppression
from tests.publish.conftest import Scene, lines
from tests.support.forge import suggestion_blocks
from tests.support.reports import make_report


def places(scene_plan: object) -> list[tuple[str, int]]:
    return [(post.comment.path, post.comment.line) for post in scene_plan.new]  # type: ignore[attr-defined]


def test_the_order_is_severity_then_confidence_then_place(scene: Scene) -> None:
    fix = (7, 7, "x\n")
    findings = [
        scene.finding("b.py", 1, severity="info"),
        scene.finding("b.py", 2, severity="warning"),
        scene.finding("b.py", 9),
        scene.finding("a.py", 10),
        scene.finding("b.py", 7, fix),
        replace(scene.finding("b.py", 8, (8, 8, "x\n")), severity="error"),
    ]
    sure = findings[-1].suggestion
    assert sure is not None
    findings[-1] = replace(findings[-1], suggestion=replace(sure, source="model", confidence=0.9))
    made = scene.plan(findings)
    assert places(made) == [("b.py", 7), ("b.py", 8), ("a.py", 10), ("b.py", 9), ("b.py", 2), ("b.py", 1)]
    assert list(made.findings) == [post.finding for post in made.new]


def test_what_is_muted_is_not_posted(scene: Scene) -> None:
    findings = [
        scene.finding("b.py", 1, in_scope=False),
        scene.finding("b.py", 2, suppressed=Suppression("nosemgrep", "")),
    ]
    made = scene.plan(findings)
    assert made.is_silent
    assert not made.new
    assert not made.listed


def test_what_no_line_shows_is_listed(scene: Scene) -> None:
    made = scene.plan([scene.finding("a.py", 50), scene.finding("README", 1), scene.finding("a.py", 10)])
    assert places(made) == [("a.py", 10)]
    assert [(item.finding.path, item.reason) for item in made.listed] == [("README", "outside"), ("a.py", "outside")]


def test_a47_of_four_hundred_thirty_are_posted_and_the_rest_is_counted(scene: Scene) -> None:
    made = scene.plan(scene.many("b.py", 400))
    assert len(made.new) == 30
    assert [item.reason for item in made.listed] == ["cap"] * 370
    assert all(post.fix is not None for post in made.new)


@pytest.mark.parametrize(
    "change",
    [
        {"verified": False},
        {"checks": ()},
        {"checks": (Check("parse", "passed"), Check("gone", "not_run"))},
        {"checks": (Check("parse", "passed"), Check("gone", "failed"))},
        {"source": "model", "confidence": 0.79},
    ],
)
def test_what_is_not_proved_or_not_sure_is_never_a_suggestion(scene: Scene, change: dict[str, object]) -> None:
    finding = scene.finding("b.py", 1, (1, 1, "fixed\n"))
    assert finding.suggestion is not None
    assert offered(finding, Policy()) is not None
    doubtful = replace(finding, suggestion=replace(finding.suggestion, **change))
    assert offered(doubtful, Policy()) is None
    (post,) = scene.plan([doubtful]).new
    assert "fixed" not in post.comment.body
    assert "apply" not in post.comment.body
    assert "Proved" not in post.comment.body


def test_a_range_says_where_it_starts_and_one_line_does_not(scene: Scene) -> None:
    made = scene.plan([scene.finding("b.py", 3, (3, 5, "x\n")), scene.finding("b.py", 9, (9, 9, "x\n"))])
    assert [(post.comment.start_line, post.comment.line) for post in made.new] == [(3, 5), (None, 9)]


def test_what_is_posted_is_never_repeated(scene: Scene) -> None:
    findings = scene.many("b.py", 5)
    scene.publish(findings)
    assert not scene.plan(findings).new
    # Not when a person resolved it, nor when its line moved.
    scene.forge.resolve(scene.forge.posted[0])
    scene.forge.push({"b.py": "first\n" + lines(400, *range(1, 401))})
    moved = [scene.finding("b.py", n + 1, id=finding.id) for n, finding in enumerate(findings, 1)]
    made = scene.plan(moved)
    assert not made.new
    assert not made.listed
    assert not made.fixed
    assert len(made.kept) + len(made.rewrites) == 5


def test_a_thread_of_somebody_else_does_not_count(scene: Scene) -> None:
    findings = scene.many("b.py", 2)
    scene.publish(findings)
    scene.forge.posted[:] = [replace(thread, is_ours=False) for thread in scene.forge.posted]
    scene.forge.summaries.clear()
    assert len(scene.plan(findings).new) == 2


def test_a_suggestion_that_changed_is_edited_in_place(scene: Scene) -> None:
    scene.publish([scene.finding("b.py", 3, (3, 3, "one\n"), fix_id="1" * 16)])
    changed = scene.finding("b.py", 3, (3, 3, "two\n"), fix_id="2" * 16)
    (rewrite,) = scene.plan([changed]).rewrites
    assert suggestion_blocks(rewrite.body) == ["two\n"]
    # Without a fix, the comment offers none any more.
    (rewrite,) = scene.plan([replace(changed, suggestion=None)]).rewrites
    assert suggestion_blocks(rewrite.body) == []
    assert "Proved" not in rewrite.body


def test_an_edit_can_not_move_the_lines_so_a_fix_of_others_becomes_a_patch(scene: Scene) -> None:
    scene.publish([scene.finding("b.py", 3, (3, 3, "one\n"), fix_id="1" * 16)])
    wider = scene.finding("b.py", 3, (3, 5, "two\n"), fix_id="2" * 16)
    (rewrite,) = scene.plan([wider]).rewrites
    assert suggestion_blocks(rewrite.body) == []
    assert "/nootropic apply 2222222222222222" in rewrite.body
    # On an outdated thread, which has no line, too.
    scene.forge.posted[:] = [replace(thread, line=None, start_line=None) for thread in scene.forge.posted]
    (rewrite,) = scene.plan([scene.finding("b.py", 3, (3, 3, "one\n"), fix_id="1" * 16)]).rewrites
    assert suggestion_blocks(rewrite.body) == []


def test_a_block_follows_the_lines_that_moved(scene: Scene) -> None:
    scene.publish([scene.finding("b.py", 3, (3, 3, "one\n"), fix_id="1" * 16, id="a" * 20)])
    scene.forge.push({"b.py": "first\n" + lines(400, *range(1, 401))})
    (rewrite,) = scene.plan([scene.finding("b.py", 4, (4, 4, "one\n"), fix_id="2" * 16, id="a" * 20)]).rewrites
    assert rewrite.thread.line == 4
    assert suggestion_blocks(rewrite.body) == ["one\n"]


def test_what_a_person_resolved_is_not_edited(scene: Scene) -> None:
    scene.publish([scene.finding("b.py", 3, (3, 3, "one\n"), fix_id="1" * 16)])
    scene.forge.resolve(scene.forge.posted[0])
    made = scene.plan([scene.finding("b.py", 3, (3, 3, "two\n"), fix_id="2" * 16)])
    assert not made.rewrites
    assert len(made.kept) == 1


def test_a_finding_that_is_gone_is_fixed(scene: Scene) -> None:
    findings = scene.many("b.py", 3)
    scene.publish(findings)
    made = scene.plan(findings[1:])
    assert [item.thread.line for item in made.fixed] == [1]
    assert f"**Fixed in `{scene.forge.head[:10]}`.**" in made.fixed[0].body
    assert made.fixed_before == 0


@pytest.mark.parametrize(
    "more",
    [
        {"not_scanned": (NotScanned("b.py", "time-out"),), "incomplete_reasons": ("b.py: time-out",)},
        {"not_scanned": (NotScanned("b.py", "excluded by configuration"),)},
        {"shard": "1/2"},
    ],
)
def test_nothing_is_fixed_in_a_file_that_was_not_looked_at(scene: Scene, more: dict[str, object]) -> None:
    findings = scene.many("b.py", 3)
    scene.publish(findings)
    assert not scene.plan(findings[1:], **more).fixed
    assert scene.plan(findings[1:], not_scanned=(NotScanned("other.py", "time-out"),)).fixed


def test_what_is_muted_now_is_not_fixed(scene: Scene) -> None:
    findings = scene.many("b.py", 2)
    scene.publish(findings)
    muted = [
        replace(findings[0], in_scope=False),
        replace(findings[1], suppressed=Suppression("triage", "false positive")),
    ]
    assert not scene.plan(muted).fixed


def test_a_finding_whose_file_left_the_change_is_settled_in_other_words(scene: Scene) -> None:
    findings = scene.many("b.py", 1)
    scene.publish(findings)
    scene.forge.push({"b.py": lines(400)})
    (item,) = scene.plan([]).fixed
    assert "No longer part of this change" in item.body


def test_a_fixed_comment_is_settled_once_and_a_regression_brings_it_back(scene: Scene) -> None:
    findings = scene.many("b.py", 1)
    scene.publish(findings)
    (item,) = scene.plan([]).fixed
    scene.forge.posted[:] = [replace(thread, body=item.body) for thread in scene.forge.posted]
    made = scene.plan([])
    assert not made.fixed
    assert made.fixed_before == 1
    (rewrite,) = scene.plan(findings).rewrites
    assert suggestion_blocks(rewrite.body) == ["fixed 1\n"]


def test_of_two_threads_the_open_one_counts(scene: Scene) -> None:
    findings = scene.many("b.py", 1)
    scene.publish(findings)
    (thread,) = scene.forge.posted
    scene.forge.posted[:] = [
        replace(thread, is_resolved=True),
        replace(thread, id="T2", comment_id="C2"),
        replace(thread, id="T3", comment_id="C3", has_replies=True),
    ]
    changed = scene.finding("b.py", 1, (1, 1, "other\n"), id=findings[0].id)
    assert [rewrite.thread.id for rewrite in scene.plan([changed]).rewrites] == ["T3"]
    assert [item.thread.id for item in scene.plan([]).fixed] == ["T3"]
    assert [item.id for item in scene.plan([]).doubled.threads] == ["T2"], "nobody misses it"


def test_the_cap_is_for_what_is_open_at_one_time(scene: Scene) -> None:
    findings = scene.many("b.py", 40)
    scene.publish(findings)
    scene.forge.summaries.clear()
    assert not scene.plan(findings).new
    for thread in scene.forge.posted[:4]:
        scene.forge.resolve(thread)
    assert len(scene.plan(findings).new) == 4


def test_a_clean_report_is_silent_unless_something_was_posted(scene: Scene) -> None:
    assert scene.plan([]).is_silent
    assert not scene.plan([], incomplete_reasons=("b.py: time-out",)).is_silent
    scene.publish(scene.many("b.py", 1))
    assert not scene.plan([]).is_silent
    scene.forge.posted.clear()
    assert not scene.plan([]).is_silent
    scene.forge.summaries.clear()
    assert scene.plan([]).is_silent


def test_what_is_there_is_not_known_so_nothing_is_posted_on_lines(scene: Scene) -> None:
    findings = scene.many("b.py", 3)
    made = plan(scene.report(findings), scene.diff(findings), None, scene.forge.limits)
    assert not made.new
    assert [item.reason for item in made.listed] == ["unposted"] * 3
    assert plan(scene.report([]), scene.diff([]), None, scene.forge.limits).is_silent


def test_f10_a_report_of_another_head_is_refused(scene: Scene) -> None:
    with pytest.raises(UsageError, match="the report is of"):
        plan(make_report([], head="c" * 40), scene.diff([]), (), scene.forge.limits)


def test_ids_from_outside_are_never_written_as_they_are(scene: Scene) -> None:
    finding = scene.finding("b.py", 1, id="--> @team <img src=x>")
    (post,) = scene.plan([finding]).new
    assert "--> @team" not in post.comment.body
    scene.publish([finding])
    assert not scene.plan([finding]).new
    assert isinstance(scene.forge.posted[0].marker, Marker)


@pytest.mark.parametrize(
    ("severity", "fail_on", "is_complete", "expected"),
    [
        ("error", "error", True, "failure"),
        ("warning", "error", True, "neutral"),
        ("warning", "warning", True, "failure"),
        ("info", "info", True, "failure"),
        ("error", "never", True, "neutral"),
        (None, "error", True, "success"),
        (None, "never", False, "failure"),
        ("info", "error", False, "failure"),
    ],
)
def test_the_conclusion(scene: Scene, severity: str | None, fail_on: str, is_complete: bool, expected: str) -> None:
    findings = [scene.finding("b.py", 1, severity=severity)] if severity else []
    report = scene.report(findings, incomplete_reasons=() if is_complete else ("b.py: time-out",))
    assert conclusion(report, findings, Policy(fail_on=fail_on)) == expected  # type: ignore[arg-type]
