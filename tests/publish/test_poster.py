"""Carrying a plan out: refusals, degraded paths, kills, and running again."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import pytest

from nootropic_bot.forge import (
    Comment,
    Forbidden,
    ForgeError,
    Limits,
    Missing,
    Refused,
    Throttled,
    TooLarge,
    Unanswered,
)
from nootropic_bot.marker import parse_summary_marker
from nootropic_bot.publish.poster import publish_report
from nootropic_bot.publish.review import MAX_REVIEWS
from nootropic_bot.records import Finding
from tests.publish.conftest import Scene, lines
from tests.support.forge import Fault, MemoryForge
from tests.support.reports import make_finding


class Killed(BaseException):
    """The process ends here."""


def failing(error: Exception, *names: str) -> Fault:
    """Every call of these methods fails."""

    def fault(name: str, _number: int) -> None:
        if name in names:
            raise error

    return fault


def everywhere(scene: Scene, findings: list[Finding]) -> None:
    """Every finding's message is somewhere on the pull request."""
    texts = scene.texts()
    missing = [finding.id for finding in findings if finding.message not in texts]
    assert not missing


def told(findings: list[Finding]) -> list[Finding]:
    """The same findings with messages that tell them apart."""
    return [replace(finding, message=f"message {finding.id}") for finding in findings]


def test_a_clean_run_is_one_review_and_few_requests(scene: Scene) -> None:
    findings = told([*scene.many("b.py", 28), scene.finding("a.py", 10), scene.finding("a.py", 50)])
    published = scene.publish(findings, sarif="{}")
    assert published.status == "posted"
    assert scene.forge.calls == [
        "threads", "summary", "pull_request", "post_review", "upsert_summary", "threads", "withdraw_doubled_summary",
        "publish_check", "upload_sarif",
    ]  # fmt: skip
    assert len(published.commented) == 29
    assert [finding.path for finding in published.listed] == ["a.py"]
    assert not published.not_posted
    assert not published.notes
    everywhere(scene, findings)
    check = scene.forge.checks[scene.forge.head]
    assert (check.conclusion, check.title) == ("failure", "30 findings, 14 proved fixes")
    assert len(check.annotations) == 30
    assert scene.forge.sarif == {scene.forge.head: "{}"}


def test_a_clean_report_posts_a_check_that_passes_and_nothing_else(scene: Scene) -> None:
    assert scene.publish([], sarif="{}").status == "silent"
    assert scene.forge.writes() == ["publish_check"]
    (check,) = scene.forge.checks.values()
    assert (check.conclusion, check.title, check.annotations) == ("success", "no findings", ())


def test_running_again_says_nothing_new(scene: Scene) -> None:
    findings = scene.many("b.py", 40)
    scene.publish(findings)
    before, writes = (scene.forge.posted[:], scene.forge.summaries[:]), len(scene.forge.writes())
    again = scene.publish(findings)
    assert not again.commented
    assert scene.forge.writes()[writes:] == ["publish_check"]
    assert (scene.forge.posted, scene.forge.summaries) == before
    # A comment that somebody removed is not posted again for the same head.
    scene.forge.posted.pop()
    assert not scene.publish(findings).commented


def test_the_next_push_posts_what_is_new_and_settles_what_is_fixed(scene: Scene) -> None:
    findings = scene.many("b.py", 5)
    scene.publish(findings)
    scene.forge.push({"c.py": lines(20)})
    published = scene.publish([*findings[2:], scene.finding("c.py", 4)])
    assert [finding.path for finding in published.commented] == ["c.py"]
    assert [thread.line for thread in published.fixed] == [1, 2]
    assert {thread.line for thread in scene.forge.posted if thread.is_resolved} == {1, 2}
    assert len(scene.forge.posted) == 6
    assert "2 of the earlier comments fixed" in scene.forge.summaries[0]
    assert len(scene.forge.summaries) == 1


def test_all_fixed_leaves_a_clean_summary(scene: Scene) -> None:
    scene.publish(scene.many("b.py", 2))
    scene.forge.push({"c.py": lines(20)})
    scene.publish([])
    assert scene.forge.summaries[0].startswith("## nootropic-bot: no findings\n")
    assert scene.forge.checks[scene.forge.head].conclusion == "success"
    assert all(thread.is_resolved for thread in scene.forge.posted)


def test_where_resolving_is_refused_the_comment_says_it_is_fixed(scene: Scene) -> None:
    findings = scene.many("b.py", 3)
    scene.publish(findings)
    scene.forge.before = failing(Forbidden("no"), "resolve_thread")
    published = scene.publish([])
    assert len(published.fixed) == 3
    assert scene.forge.calls.count("resolve_thread") == 1, "what is not allowed once is not allowed again"
    assert all(thread.body.startswith("**Fixed in `") for thread in scene.forge.posted)
    writes = len(scene.forge.writes())
    assert not scene.publish([]).fixed
    assert scene.forge.writes()[writes:] == ["publish_check"]


@pytest.mark.parametrize("bad", [{4}, {1, 30}, {1, 2, 3}, {10, 20}, {7, 15, 23}])
def test_f13_a_bad_comment_is_isolated_and_the_rest_are_posted(scene: Scene, bad: set[int]) -> None:
    findings = told(scene.many("b.py", 30))
    scene.forge.refuse = lambda comment: comment.line in bad
    published = scene.publish(findings)
    assert len(published.commented) == 30 - len(bad)
    assert {finding.start.line for finding in published.listed} == bad
    assert sorted(thread.line or 0 for thread in scene.forge.posted) == sorted(set(range(1, 31)) - bad)
    assert scene.forge.calls.count("post_review") <= MAX_REVIEWS
    assert f"{len(bad)} refused as a comment" in scene.forge.summaries[0]
    assert len(published.notes) == len(bad)
    everywhere(scene, findings)
    # What was refused is not tried again for the same head.
    calls = scene.forge.calls.count("post_review")
    scene.publish(findings)
    assert scene.forge.calls.count("post_review") == calls


def test_a_forge_that_refuses_everything_is_not_asked_for_ever(scene: Scene) -> None:
    findings = told(scene.many("b.py", 30))
    scene.forge.refuse = lambda _comment: True
    published = scene.publish(findings)
    assert scene.forge.calls.count("post_review") == MAX_REVIEWS
    assert len(published.listed) == 30
    everywhere(scene, findings)


ERRORS = [
    Forbidden("403"),
    Missing("404"),
    TooLarge("406"),
    Refused("422"),
    Throttled("429", retry_after=60.0),
    Unanswered("504"),
]
METHODS = [
    "threads",
    "summary",
    "pull_request",
    "post_review",
    "upsert_summary",
    "publish_check",
    "edit_comment",
    "resolve_thread",
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("method", METHODS)
def test_f12_f14_f15_every_finding_is_somewhere(scene: Scene, error: ForgeError, method: str) -> None:
    old = [scene.finding("b.py", 200, (200, 200, "x\n"), fix_id="1" * 16), scene.finding("b.py", 201)]
    scene.publish(old)
    scene.forge.checks.clear()
    scene.forge.before = failing(error, method)
    changed = scene.finding("b.py", 200, (200, 200, "y\n"), fix_id="2" * 16)
    findings = told([changed, *scene.many("b.py", 35), scene.finding("a.py", 50)])
    published = scene.publish(findings)
    lost = {finding.id for finding in published.not_posted}
    known = {changed.id}
    everywhere(scene, [finding for finding in findings if finding.id not in lost | known])
    if published.status == "posted":
        parts = (published.commented, published.listed, published.not_posted)
        # With the threads unread, the comment that is there counts as any other.
        on_lines = set() if method in ("threads", "summary") else known
        assert Counter(f.id for part in parts for f in part) == Counter(f.id for f in findings if f.id not in on_lines)
    else:
        assert (published.status, len(lost)) == ("unreachable", len(findings))
    is_worst = method == "pull_request" or isinstance(error, Throttled)
    assert bool(lost) <= is_worst
    assert published.notes
    if isinstance(error, Throttled) and method not in ("threads", "summary"):
        assert published.retry_after == 60.0
    # Once it works again, the next run makes up for it, and nothing is there twice.
    scene.forge.before = lambda _name, _number: None
    assert not scene.publish(findings).not_posted
    everywhere(scene, [finding for finding in findings if finding.id not in known])
    assert_once(scene.forge)


def assert_once(forge: MemoryForge) -> None:
    """No finding has two comments, and there is one summary at most."""
    numbers = Counter(thread.marker.finding for thread in forge.posted if thread.marker is not None)
    assert len(numbers) == len(forge.posted)
    assert set(numbers.values()) <= {1}
    assert len(forge.summaries) <= 1


def test_f12_without_any_permission_everything_is_for_the_job_summary(scene: Scene) -> None:
    findings = scene.many("b.py", 3)
    scene.forge.before = failing(
        Forbidden("read only"), "post_review", "upsert_summary", "publish_check", "upload_sarif"
    )
    published = scene.publish(findings, sarif="{}")
    assert set(published.not_posted) == set(findings)
    assert len(published.notes) == 4
    assert not published.listed


def test_credentials_that_can_not_comment_are_not_tried(scene: Scene) -> None:
    findings = scene.many("b.py", 3)
    scene.forge.can_write = False
    published = scene.publish(findings)
    assert scene.forge.writes() == ["publish_check"]
    assert set(published.listed) == set(findings)


def test_f15_an_answer_that_was_lost_is_looked_up(scene: Scene) -> None:
    findings = scene.many("b.py", 3)
    scene.forge.after = failing(Unanswered("time-out"), "post_review")
    published = scene.publish(findings)
    assert len(published.commented) == 3
    assert scene.forge.calls.count("post_review") == 1
    assert_once(scene.forge)


def test_f15_what_was_not_accepted_is_tried_once_more(scene: Scene) -> None:
    findings = scene.many("b.py", 3)
    scene.forge.before = lambda name, number: (
        failing(Unanswered("503"), "post_review")(name, number) if number < 5 else None
    )
    assert len(scene.publish(findings).commented) == 3
    assert_once(scene.forge)


@pytest.mark.parametrize("error", [Forbidden("403"), Throttled("429")], ids=lambda error: type(error).__name__)
def test_what_ends_a_review_in_the_middle_loses_no_comment(scene: Scene, error: ForgeError) -> None:
    findings = told(scene.many("b.py", 30))
    scene.forge.refuse = lambda comment: comment.line == 29
    reviews = 0

    def fourth(name: str, _number: int) -> None:
        nonlocal reviews
        reviews += name == "post_review"
        if reviews == 4 and name == "post_review":
            raise error

    scene.forge.before = fourth
    published = scene.publish(findings)
    assert 0 < len(published.commented) < 29
    assert len(published.commented) + len(published.listed) + len(published.not_posted) == 30
    everywhere(scene, [finding for finding in findings if finding not in published.not_posted])
    assert bool(published.not_posted) == isinstance(error, Throttled)
    if not published.not_posted:
        left = [finding for finding in findings if finding not in published.commented]
        assert all(finding.message in scene.forge.summaries[0] for finding in left)
    scene.forge.before = lambda _name, _number: None
    scene.publish(findings)
    assert len(scene.forge.posted) == 29
    assert_once(scene.forge)


def test_f15_a_pause_that_is_asked_for_is_kept(scene: Scene) -> None:
    findings = scene.many("b.py", 3)
    scene.forge.before = failing(Throttled("429", retry_after=42.0), "post_review")
    published = scene.publish(findings, sarif="{}")
    assert scene.forge.calls[-1] == "post_review"
    assert published.retry_after == 42.0
    assert set(published.not_posted) == set(findings)


def test_what_may_go_better_is_tried_again_for_the_same_head(scene: Scene) -> None:
    findings = scene.many("b.py", 3)
    scene.forge.before = failing(Forbidden("no"), "post_review")
    assert len(scene.publish(findings).listed) == 3
    marker = parse_summary_marker(scene.forge.summaries[0])
    assert marker is not None
    assert marker.settled is None
    scene.forge.before = lambda _name, _number: None
    assert len(scene.publish(findings).commented) == 3


def test_an_annotation_that_is_refused_does_not_cost_the_check(scene: Scene) -> None:
    findings = [scene.finding("b.py", 3), make_finding("a.py", 50)]

    def publish_check(head: str, conclusion: str, title: str, summary: str, annotations: object, **more: bool) -> None:
        if annotations:
            raise Refused("an annotation")
        original(head, conclusion, title, summary, ())

    original = scene.forge.publish_check
    scene.forge.publish_check = publish_check  # type: ignore[method-assign, assignment]
    scene.publish(findings)
    assert scene.forge.checks[scene.forge.head].conclusion == "failure"


@pytest.mark.parametrize("phase", ["before", "after"])
def test_f1_f16_killed_at_any_request_and_run_again_leaves_what_one_run_leaves(scene: Scene, phase: str) -> None:
    old = [scene.finding("b.py", n, (n, n, "x\n"), fix_id=f"{n:016x}") for n in (300, 301, 302)]
    scene.publish(old)
    start = scene.forge.posted[:], scene.forge.summaries[:]
    changed = scene.finding("b.py", 300, (300, 300, "y\n"), fix_id="f" * 16)
    findings = told([changed, *scene.many("b.py", 35), scene.finding("a.py", 50)])
    # Two comments are refused, so that there are many reviews to be killed between.
    scene.forge.refuse = lambda comment: comment.line in (3, 20)

    def reset(fault: Fault) -> None:
        scene.forge.posted[:], scene.forge.summaries[:] = start[0][:], start[1][:]
        scene.forge.checks.clear()
        scene.forge.calls.clear()
        setattr(scene.forge, phase, fault)

    def state() -> tuple[object, ...]:
        threads = {(thread.path, thread.line, thread.body, thread.is_resolved) for thread in scene.forge.posted}
        checks = {(check.conclusion, check.title, check.annotations) for check in scene.forge.checks.values()}
        return threads, checks, len(scene.forge.summaries)

    def kill_at(number: int) -> Fault:
        def fault(_name: str, count: int) -> None:
            if count == number:
                raise Killed

        return fault

    def never(_name: str, _number: int) -> None:
        return

    reset(never)
    scene.publish(findings)
    undisturbed, requests = state(), len(scene.forge.calls)
    assert requests > 15
    kills = 0
    for number in range(1, requests + 1):
        reset(kill_at(number))
        try:
            scene.publish(findings)
        except Killed:
            kills += 1
        setattr(scene.forge, phase, never)
        published = scene.publish(findings)
        assert not published.not_posted
        assert_once(scene.forge)
        everywhere(scene, findings)
        assert state() == undisturbed, number
        writes = len(scene.forge.writes())
        assert not scene.publish(findings).commented
        assert scene.forge.writes()[writes:] == ["publish_check"]
    # Reading, and what was refused, has no moment after it was carried out.
    assert kills == requests if phase == "before" else kills > 5


def test_f10_a_push_in_between_drops_everything(scene: Scene) -> None:
    findings = scene.many("b.py", 3)
    report, diff = scene.report(findings), scene.diff(findings)
    scene.forge.push({"c.py": "x\n"})
    published = publish_report(report, diff, scene.forge)
    assert published.status == "stale"
    assert scene.forge.writes() == []
    assert set(published.not_posted) == set(findings)


def test_f11_a_closed_pull_request_is_left_alone(scene: Scene) -> None:
    scene.forge.is_open = False
    published = scene.publish(scene.many("b.py", 3))
    assert published.status == "closed"
    assert scene.forge.writes() == []


def test_a47_four_hundred_findings_are_one_review_and_all_are_somewhere(scene: Scene) -> None:
    findings = told(scene.many("b.py", 400))
    published = scene.publish(findings)
    assert scene.forge.calls.count("post_review") == 1
    assert (len(published.commented), len(published.listed), len(published.not_posted)) == (30, 370, 0)
    assert "370 over the limit of open comments" in scene.forge.summaries[0]
    assert "370 over the limit of open comments" in scene.forge.reviews[0][0]
    assert len(scene.forge.checks[scene.forge.head].annotations) == 400
    everywhere(scene, findings)


def test_a47_what_is_only_counted_is_for_the_job_summary(scene: Scene) -> None:
    scene.forge.limits = Limits(comment=4_000, check_output=4_000)
    findings = told(scene.many("b.py", 400))
    scene.forge.before = failing(Forbidden("no"), "publish_check")
    published = scene.publish(findings)
    assert published.not_posted
    assert len(published.commented) + len(published.listed) + len(published.not_posted) == 400
    stated = re.search(r"… and (\d+) more\n", scene.forge.summaries[0])
    assert stated
    assert int(stated[1]) == len(published.not_posted)


def test_a_path_that_no_forge_can_be_told_is_in_the_summary(scene: Scene) -> None:
    scene.forge.push({"caf\udce9.py": "x = 1\n"})
    finding = scene.finding("b.py", 1)
    odd = make_finding("caf\udce9.py", 1, id="c" * 20)
    published = scene.publish([finding, odd])
    assert [found.id for found in published.listed] == [odd.id]
    assert "caf\\xe9.py" in scene.forge.summaries[0]


def test_a_refusal_says_nothing_that_drives_a_terminal(scene: Scene) -> None:
    scene.forge.before = failing(Forbidden("\x1b[2Jgone\n::error::x"), "publish_check")
    (note,) = scene.publish(scene.many("b.py", 1)).notes
    assert note == "the check: forbidden: \\x1b[2Jgone\\n::error::x"


def test_comments_are_within_what_a_review_takes(scene: Scene) -> None:
    scene.forge.limits = Limits(comments_in_review=5)
    published = scene.publish(scene.many("b.py", 9))
    assert len(published.commented) == 5
    assert all(isinstance(comment, Comment) for _body, comments in scene.forge.reviews for comment in comments)
