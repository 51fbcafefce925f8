"""Rows F10–F16: what goes wrong while the trusted job posts; every finding ends somewhere, once."""

# ruff: noqa: F811  (fixtures)

from __future__ import annotations

from pathlib import Path

import pytest

from nootropic_bot.forge import Thread
from nootropic_bot.git import Repository
from nootropic_bot.github.forge import GitHubForge
from nootropic_bot.github.pulls import get_pull
from nootropic_bot.github.waiting import Pace, Patience
from nootropic_bot.handover import read_report
from nootropic_bot.publish.poster import Published
from nootropic_bot.publishing import Delivery, deliver
from tests.publishing.conftest import clock, job, server  # noqa: F401
from tests.support.clock import Clock
from tests.support.github_server import GitHubServer
from tests.support.repo import run_bot
from tests.support.trusted import TrustedJob, numbered

REVIEWS, SUMMARY, CHECKS = "/pulls/1/reviews$", "/issues/1/comments$", "/check-runs$"


def three(job: TrustedJob) -> list:
    return [job.finding("a.py", 10, (10, 10, "safe(10)\n")), job.finding("a.py", 20), job.finding("a.py", 35)]


def test_f10_a_head_that_was_pushed_over_is_dropped(job: TrustedJob) -> None:
    run = job.run({"report.json": job.report(three(job))})
    job.push({"a.py": numbered(40, 11)})
    done = job.publish(run)
    assert (done.code, job.server.log.writes()) == (0, [])
    assert "dropped: the pull request has another head now" in done.out


class PushedOver(GitHubForge):
    """Somebody force-pushes between reading and writing."""

    job: TrustedJob
    seconds: float
    is_done = False

    def threads(self) -> list[Thread]:  # type: ignore[override]
        found = list(super().threads())
        if self.is_done:
            return found
        self.is_done = True
        head = self.job.source.git.import_commit(
            "patch", {"a.py": b"other\n"}, "rewritten", (self.job.server.hub.person(self.job.pull.user),) * 2,
            self.job.pull.base,
        )  # fmt: skip
        assert head != self.job.pull.head
        self.job.server.sync()
        self.job.clock.seconds += self.seconds
        return found


def pushed_over(job: TrustedJob, seconds: float) -> Published:
    """What becomes of a report when somebody force-pushes after the reading, and planning takes so long."""
    report = read_report(job.report(three(job)), "report.json")
    client = job.client()
    pull = get_pull(client, "octo/app", 1)
    forge = PushedOver(client, "octo/app", 1, clock=job.clock)
    forge.job, forge.seconds = job, seconds
    return deliver(client, Repository.open(job.clone().path), pull, Delivery(report), forge=forge).published


def test_f10_a_force_push_before_posting_drops_it(job: TrustedJob) -> None:
    published = pushed_over(job, 10)
    assert (published.status, job.texts()) == ("stale", "")


def test_f10_a_review_that_is_refused_because_of_the_head_is_not_divided(job: TrustedJob) -> None:
    job.server.fail_next("POST", REVIEWS, 422, times=9)
    published = pushed_over(job, 0)
    assert (job.bodies(), published.commented, job.server.log.count("POST", REVIEWS)) == ([], (), 1)
    assert any("its head is" in note for note in published.notes)


@pytest.mark.parametrize("how", ["merged", "closed", "branch gone"])
def test_f11_a_pull_request_that_is_over_is_left_alone(job: TrustedJob, how: str) -> None:
    run = job.run({"report.json": job.report(three(job))})
    if how == "merged":
        job.server.client("bot").get_repo("octo/app").get_pull(1).merge()
    elif how == "closed":
        job.server.client("bot").get_repo("octo/app").get_pull(1).edit(state="closed")
    else:
        job.source.git.run("update-ref", "-d", "refs/heads/patch")
    writes = len(job.server.log.writes())
    done = job.publish(run)
    assert (done.code, len(job.server.log.writes())) == (0, writes)
    assert f"the pull request is {'merged' if how == 'merged' else 'closed'}" in done.out
    assert "Not on the pull request: 3" in job.summary


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize("path", [REVIEWS, SUMMARY, CHECKS])
def test_f12_what_is_refused_in_one_place_is_said_in_another(job: TrustedJob, path: str, status: int) -> None:
    job.server.fail_next("POST", path, status, times=9)
    published = job.deliver(three(job)).published
    assert (published.status, published.not_posted) == ("posted", ())
    assert len(published.commented) == (0 if path == REVIEWS else 2)
    assert len(published.notes) == 1


def test_f12_without_any_permission_the_jobs_summary_has_every_text(job: TrustedJob) -> None:
    findings = [job.finding("a.py", n, message=f"Text number {n}.") for n in (10, 20, 35)]
    done = job.publish_report(job.report(findings), label="fork")
    assert done.code == 0
    assert job.texts() == ""
    assert all(f"Text number {n}" in job.summary for n in (10, 20, 35))
    assert "3 not on the pull request" in done.out
    assert done.out.count("note:") == 3


@pytest.mark.parametrize("label", ["revoked", "missing"])
def test_f12_a_pull_request_that_cant_be_read_ends_in_the_jobs_summary(job: TrustedJob, label: str) -> None:
    number = 1 if label == "revoked" else 99
    report = job.report([job.finding("a.py", 10, message="Text number 10.")])
    done = job.publish_report(report, label="bot" if label == "missing" else label, number=number)
    assert (done.code, job.server.log.writes()) == (5, [])
    assert "Text number 10" in job.summary
    assert job.server.token("revoked") not in done.out + done.err + job.summary
    assert ("the token is wrong" if label == "revoked" else "has no pull request 99") in done.err


def test_f13_a_refused_review_is_posted_in_parts(job: TrustedJob) -> None:
    job.server.fail_next("POST", REVIEWS, 422, times=2)
    published = job.deliver(three(job)).published
    assert len(job.bodies()) == 1
    assert (len(published.commented), len(published.listed), published.not_posted) == (1, 2, ())


def test_f14_more_files_than_a_diff_shows_are_placed_by_git(job: TrustedJob) -> None:
    files = {f"many/{n}.py": numbered(20, 1) for n in range(320)}
    job.push(files)
    published = job.deliver([job.finding("many/319.py", 1, (1, 1, "safe(1)\n"))]).published
    assert len(published.commented) == 1
    assert job.server.log.count(status=406) == 0
    assert job.server.log.count("GET", "/files") == 0


def test_f14_without_a_clone_the_list_of_files_places_them(job: TrustedJob) -> None:
    files = {f"many/{n}.py": numbered(20, 1) for n in range(120)}
    job.push(files)
    findings = [job.finding("many/119.py", 1, (1, 1, "safe(1)\n")), job.finding("a.py", 20), job.finding("a.py", 35)]
    published = job.deliver(findings, is_local=False).published
    assert (len(published.commented), len(published.listed)) == (2, 1)
    assert any("```suggestion\nsafe(1)\n```" in body for body in job.bodies())


@pytest.mark.parametrize("path", [REVIEWS, SUMMARY, CHECKS])
def test_f15_a_limit_is_waited_for(job: TrustedJob, clock: Clock, path: str) -> None:
    job.server.fail_next("POST", path, 429, headers={"retry-after": "30"})
    job.server.fail_next("POST", path, 403, body={"message": "You have exceeded a secondary rate limit."})
    published = job.deliver(three(job)).published
    assert clock.slept == [30.0, 120.0]
    assert (len(published.commented), published.notes) == (2, ())


def test_f15_a_limit_that_is_too_long_is_said(job: TrustedJob, clock: Clock) -> None:
    job.server.fail_next("POST", REVIEWS, 429, headers={"retry-after": "1800"})
    published = job.deliver(three(job)).published
    assert (clock.slept, published.retry_after, len(published.not_posted)) == ([], 1800.0, 3)


@pytest.mark.parametrize("is_drop", [True, False])
@pytest.mark.parametrize("path", [REVIEWS, SUMMARY, CHECKS])
def test_f15_an_answer_that_got_lost_doubles_nothing(job: TrustedJob, path: str, is_drop: bool) -> None:
    if is_drop:
        job.server.drop_next("POST", path, effect=True)
    else:
        job.server.fail_next("POST", path, 502, effect=True)
    published = job.deliver(three(job)).published
    assert (len(job.bodies()), len(job.pull.comments), len(job.server.hub.checks)) == (2, 1, 1)
    assert (len(published.commented), published.not_posted) == (2, ())


class Dying(Pace):
    """The process dies before its n-th write."""

    def __init__(self, clock: Clock, writes: int) -> None:
        super().__init__(clock)
        self.left = writes

    def take(self, patience: Patience) -> None:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        super().take(patience)


def state(job: TrustedJob) -> tuple[object, ...]:
    checks = [(check.fields["conclusion"], len(check.annotations)) for check in job.server.hub.checks.values()]
    return sorted(job.bodies()), [comment.body for comment in job.pull.comments], checks


def test_f16_a_death_before_any_write_is_made_good(job: TrustedJob) -> None:
    """120 findings: a review, a summary, and a check in three requests."""
    job.push({"b.py": numbered(120, *range(1, 121))})
    findings = [job.finding("b.py", n) for n in range(1, 121)]
    deaths = 0
    while deaths < 9:
        try:
            # Each run gets one write further than the one before it had left to do.
            job.deliver(findings, client=job.client(pace=Dying(job.clock, 1 if deaths else 0)))
            break
        except KeyboardInterrupt:
            deaths += 1
    assert deaths == 5, "before the review, the summary, and each of three requests for the check"
    bodies, summaries, checks = state(job)
    assert (len(bodies), len(summaries), checks) == (30, 1, [("failure", 120)])
    before = len(job.server.log.writes())
    job.deliver(findings)
    assert [each.path for each in job.server.log.writes()[before:]] == ["/graphql"], "nothing is left to do"
    assert state(job) == (bodies, summaries, checks)


def test_f12_a_broken_configuration_of_the_base_hides_no_finding(
    server: GitHubServer, tmp_path: Path, clock: Clock
) -> None:
    base = {"a.py": numbered(40), "nootropic.toml": "fail_on = [[["}
    job = TrustedJob.open(server, tmp_path, base, {"a.py": numbered(40, 10, 20)})
    job.clock = clock
    for is_local in (True, False):
        delivered = job.deliver(three(job), is_local=is_local)
        assert (delivered.published.status, delivered.published.not_posted) == ("posted", ())
        assert any("the configuration of the base is not used" in note for note in delivered.notes)
    assert len(job.bodies()) == 2


def test_f12_what_breaks_before_anything_is_posted_ends_in_the_jobs_summary(job: TrustedJob) -> None:
    job.server.fail_next("GET", "/contents/", 403, times=9)
    report = job.report([job.finding("a.py", 10, message="Text number 10.")])
    path = job.folder / "report.json"
    path.write_bytes(report)
    done = run_bot("publish", str(path), "--pull-request", "1", cwd=job.folder, env=job.environment())
    assert (done.code, job.texts()) == (5, "")
    assert "Text number 10" in job.summary
