"""Two posters on one pull request at the same time: whatever the order of their requests, nothing is shown twice."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from nootropic_bot.marker import parse_marker, parse_summary_marker
from nootropic_bot.publishing import Delivered
from nootropic_bot.records import Finding
from tests.support.clock import Clock
from tests.support.github import records as r
from tests.support.github_server import BOT, GitHubServer
from tests.support.trusted import TrustedJob, numbered

# The requests before the first comment is posted: pull request, configuration, files, a blob, threads.
_READING = 6


def two_posters(server: GitHubServer, folder: Path, other: str) -> tuple[TrustedJob, TrustedJob, list[Finding]]:
    """The job, and another one with a clone of its own: a second run of the job, or a person's."""
    clock = Clock()
    for name in ("one", "two"):
        (folder / name).mkdir()
    head = {"a.py": numbered(40, 10, 20), "b.py": numbered(40, *range(1, 41))}
    job = TrustedJob.open(server, folder / "one", {"a.py": numbered(40), "b.py": numbered(40)}, head)
    job.clock = clock
    if other == "mona":
        server.add_person("mona", job.repository, "write")
    else:
        server.add_token(other, BOT, permissions=r.WRITE_ALL)
    findings = [job.finding("a.py", 10, (10, 10, "safe(10)\n")), *(job.finding("b.py", n) for n in (3, 5, 8))]
    return job, replace(job, folder=folder / "two", clock=clock), [*findings, job.finding("a.py", 30)]


def assert_shown_once(job: TrustedJob, findings: list[Finding]) -> None:
    """Each finding has one comment, or is in the one summary; and every review says how many comments it has."""
    markers = [parse_marker(body) for body in job.bodies()]
    assert Counter(marker.finding for marker in markers if marker is not None) == Counter(
        each.id for each in findings[:4]
    )
    assert len([each for each in job.pull.comments if parse_summary_marker(each.body) is not None]) == 1
    assert len(job.pull.comments) == 1
    assert "a.py:30" in job.pull.comments[0].body
    for review in job.pull.reviews:
        said = re.search(r"comments on (\d+) finding", review.body)
        assert (int(said[1]) if said else 0) == len(review.comments), review.body
        assert said or review.body.startswith("**nootropic-bot**: the comments of this review were taken back")


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("other", ["again", "mona"])
def test_whatever_the_order_nothing_is_shown_twice(tmp_path: Path, other: str, seed: int) -> None:
    """Both read what is there before either posts, or one of them a little later; what follows is in any order."""
    is_later = seed % 3 == 2
    order = [*["bot", other] * (_READING - is_later), *Random(f"{other} {seed}").choices(["bot", other], k=30)]
    with GitHubServer(tmp_path / "github") as server:
        job, second, findings = two_posters(server, tmp_path, other)

        def post(poster: TrustedJob, label: str) -> Delivered:
            return poster.deliver(findings, label=label, is_local=False)

        done = server.play(order, **{"bot": lambda: post(job, "bot"), other: lambda: post(second, other)})
        assert_shown_once(job, findings)
        assert all(not delivered.published.not_posted for delivered in done.values())
        assert len(job.pull.reviews) == 2 or is_later
        # A later run of either adds nothing, and takes nothing away.
        shown, writes = (job.bodies(), job.pull.comments[0].body), len(server.log.writes())
        for label in ("bot", other):
            assert post(job, label).published.commented == ()
        assert (job.bodies(), job.pull.comments[0].body) == shown
        assert {each.path for each in server.log.writes()[writes:]} <= {"/graphql", "/repos/octo/app/check-runs"}
        assert not server.violations


def test_the_job_and_a_persons_command_at_the_same_time(tmp_path: Path) -> None:
    """Two processes, each as it is started: what a run hands over by the job, its report by a person in a clone."""
    with GitHubServer(tmp_path / "github") as server:
        job, second, findings = two_posters(server, tmp_path, "mona")
        report = job.report(findings)
        run = job.run({"report.json": report, "report.sarif": b"{}"})
        # The job's artifact, its bytes, the pull request and its threads; the person's pull request and its threads.
        order = ["bot", "bot", "bot", "mona", "bot", "mona", *["bot", "mona"] * 10]
        done = server.play(
            order, bot=lambda: job.publish(run), mona=lambda: second.publish_report(report, label="mona")
        )
        assert {label: (each.code, each.err) for label, each in done.items()} == {"bot": (0, ""), "mona": (0, "")}
        assert len(job.pull.reviews) == 2
        assert_shown_once(job, findings)
        taken_back = [
            label for label, each in done.items() if "another run had posted the same: 4 comments" in each.out
        ]
        assert taken_back == ["mona"], "the job's review was the first"
        # Ten as ever, and what the person may do, whose comments are beside the job's.
        extra = server.log.count(token="bot", path="/collaborators/mona/permission")
        assert server.log.count(token="bot") + server.log.count(path="^/storage") == 10 + extra == 11
        assert not server.violations
