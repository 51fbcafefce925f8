"""Many findings, many files, many pull requests: nothing is lost and no limit is exceeded."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from nootropic_bot.github.client import Client
from nootropic_bot.github.pulls import get_pull
from nootropic_bot.github.waiting import Pace, Patience
from nootropic_bot.handover import read_report
from nootropic_bot.publishing import Delivered, Delivery, deliver
from tests.support.clock import Clock
from tests.support.github_server import GitHubServer
from tests.support.trusted import TrustedJob, numbered


def test_five_hundred_findings_are_all_somewhere(job: TrustedJob) -> None:
    job.push({"b.py": numbered(500, *range(1, 501))})
    findings = [job.finding("b.py", n, message=f"Finding number {n}.") for n in range(1, 501)]
    published = job.deliver(findings, sarif=True).published
    assert (len(published.commented), len(published.listed), published.not_posted) == (30, 470, ())
    (check,) = job.server.hub.checks.values()
    assert len(check.annotations) == 500
    said = job.texts()
    assert all(f"Finding number {n}" in said for n in range(1, 501))
    assert job.server.limits.exceeded == []


def test_three_thousand_files(job: TrustedJob) -> None:
    files = {f"pkg/m{n:04}.py": f"x = {n}\ny = eval(x)\n" for n in range(3_000)}
    job.push(files)
    findings = [job.finding(f"pkg/m{n:04}.py", 2) for n in range(0, 3_000, 100)]
    published = job.deliver(findings).published
    assert (len(published.commented), published.not_posted, published.notes) == (30, (), ())
    assert len(job.server.log) <= 10


def test_thirty_pull_requests_at_once(server: GitHubServer, tmp_path: Path, clock: Clock) -> None:
    """One process posts on all of them, as a server would: its clients share one pace."""
    first = TrustedJob.open(server, tmp_path, {"a.py": numbered(40)}, {"a.py": numbered(40, 5)}, fork=False)
    pulls = [first.pull]
    for number in range(29):
        server.commit(first.repository, f"b{number}", {"a.py": numbered(40, 5, number + 6)}, parent=first.pull.base)
        pulls.append(server.open_pull(first.repository, f"b{number}"))
    pace = Pace(clock)

    def post(number: int) -> Delivered:
        patience = Patience(10_000, sleep=clock.sleep)
        client = Client.connect(server.url, server.token("bot"), patience=patience, pace=pace)
        pull = get_pull(client, "octo/app", number)
        raw = first.report([first.finding("a.py", 5, message=f"Of {number}.")], base=pull.base, head=pull.head)
        return deliver(client, None, pull, Delivery(read_report(raw, "report.json")))

    with ThreadPoolExecutor(30) as threads:
        delivered = list(threads.map(post, range(1, 31)))
    assert server.limits.exceeded == []
    assert [len(each.published.commented) for each in delivered] == [1] * 30
    assert all(each.published.notes == () for each in delivered)
    for number, pull in enumerate(pulls, 1):
        (comment,) = pull.review_comments()
        assert f"Of {number}." in comment.body
        assert len(pull.comments) == 1
    assert len(server.hub.checks) == 30
