"""`publish` as the trusted job runs it: a process of its own, over HTTP, on a fork's pull request."""

from __future__ import annotations

import json

from tests.support.trusted import TrustedJob


def test_a_forks_pull_request_gets_its_review(job: TrustedJob) -> None:
    findings = [
        job.finding("a.py", 10, (10, 10, "safe 10\n")),
        job.finding("a.py", 20),
        job.finding("a.py", 30, message="Outside the diff."),
    ]
    report = job.report(findings)
    run = job.run({"report.json": report, "report.sarif": b"{}", "records.jsonl": b""})
    done = job.publish(run)
    assert (done.code, done.err) == (0, "")
    assert "eve" not in done.out
    assert f"octo/app#1 at {job.pull.head[:10]}: posted" in done.out
    assert "2 commented, 1 in the summary or the check only" in done.out
    assert [(c.thread.anchor.path, c.thread.anchor.line) for c in job.pull.review_comments()] == [
        ("a.py", 10),
        ("a.py", 20),
    ]
    assert "```suggestion\nsafe 10\n```" in job.bodies()[0]
    (summary,) = [comment.body for comment in job.pull.comments]
    assert "Outside the diff" in summary
    (sarif,) = job.server.hub.sarifs.values()
    assert (sarif.ref, len(sarif.document["runs"][0]["results"]), sarif.errors) == ("refs/pull/1/head", 3, [])
    (check,) = job.server.hub.checks.values()
    assert (check.fields["conclusion"], check.fields["head_sha"]) == ("failure", job.pull.head)
    assert "posted" in job.summary
    api = [each for each in job.server.log if not each.path.startswith("/storage")]
    assert len(api) <= 10, [(each.method, each.path) for each in api]

    again = job.publish(run)
    assert (again.code, again.err) == (0, "")
    assert "commented" not in again.out
    assert len(job.bodies()) == 2
    assert len(job.pull.comments) == len(job.server.hub.checks) == 1


def test_json_for_machines(job: TrustedJob) -> None:
    done = job.publish_report(job.report([job.finding("a.py", 10)]), "--format", "json")
    data = json.loads(done.out)
    assert done.code == 0
    assert (data["status"], len(data["commented"]), data["pull_request"]) == ("posted", 1, 1)
    assert data["requests"] <= 7


def test_nothing_to_say_says_nothing(job: TrustedJob) -> None:
    done = job.publish(job.run({"report.json": job.report()}))
    assert (done.code, job.server.log.writes()[1:]) == (0, [])
    assert "nothing to say" in done.out
    assert job.server.log.writes()[0].path == "/graphql"
