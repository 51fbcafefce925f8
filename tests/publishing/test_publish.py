"""`publish` as the trusted job runs it: a process of its own, over HTTP, on a fork's pull request."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.repo import run_bot
from tests.support.trusted import TrustedJob


def test_a_forks_pull_request_gets_its_review(job: TrustedJob) -> None:
    findings = [
        job.finding("a.py", 10, (10, 10, "safe(10)\n")),
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
    assert "```suggestion\nsafe(10)\n```" in job.bodies()[0]
    (summary,) = [comment.body for comment in job.pull.comments]
    assert "Outside the diff" in summary
    (sarif,) = job.server.hub.sarifs.values()
    assert (sarif.ref, len(sarif.document["runs"][0]["results"]), sarif.errors) == ("refs/pull/1/head", 3, [])
    (check,) = job.server.hub.checks.values()
    assert (check.fields["conclusion"], check.fields["head_sha"]) == ("failure", job.pull.head)
    assert "posted" in job.summary
    assert len(job.server.log) <= 10, [(each.method, each.path) for each in job.server.log]

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
    assert data["requests"] <= 6


def test_nothing_to_say_is_a_check_that_passes(job: TrustedJob) -> None:
    done = job.publish(job.run({"report.json": job.report()}))
    assert (done.code, [each.path for each in job.server.log.writes()]) == (
        0,
        ["/graphql", "/repos/octo/app/check-runs"],
    )
    assert "nothing to say" in done.out
    (check,) = job.server.hub.checks.values()
    assert (check.fields["conclusion"], check.fields["head_sha"]) == ("success", job.pull.head)


def test_without_permission_for_checks_nothing_to_say_is_no_failure(job: TrustedJob) -> None:
    done = job.publish_report(job.report(), label="fork")
    assert (done.code, done.err, "note:" in done.out, job.texts()) == (0, "", False, "")


def test_the_event_of_a_pull_request_names_the_target(job: TrustedJob) -> None:
    """The variant for a repository's own branches: analysis and posting in one job."""
    path = job.folder / "report.json"
    path.write_bytes(job.report([job.finding("a.py", 10)]))
    environment = job.environment("pull_request", job.server.events.pull_request(job.pull))
    done = run_bot("publish", str(path), cwd=job.clone().path, env=environment)
    assert (done.code, done.err, len(job.bodies())) == (0, "", 1)


def test_outside_a_clone_the_api_is_asked(job: TrustedJob, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(job.report([job.finding("a.py", 10, (10, 10, "safe(10)\n"))]))
    options = ("--pull-request", "1", "--repository", "octo/app")
    done = run_bot("publish", str(path), *options, cwd=tmp_path, env={**job.environment(), "GITHUB_REPOSITORY": ""})
    assert (done.code, done.err) == (0, "")
    assert "```suggestion\nsafe(10)\n```" in job.bodies()[0]


def test_without_pygithub_the_remedy_is_told(job: TrustedJob, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(job.report())
    code = "import sys; sys.modules['github'] = None; from nootropic_bot.cli import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", code, "publish", str(path), "--pull-request", "1"]
    done = subprocess.run(
        command, env={**os.environ, **job.environment()}, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 3
    assert "pip install 'nootropic-bot[github]'" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sarif", "x"], "need a REPORT"),
        (["missing.json", "--pull-request", "1"], "can't be read"),
        (["report.json"], "which pull request"),
        (["report.json", "--pull-request", "0"], "0 is not in the range"),
        (["report.json", "--pull-request", "1", "--repository", "../x"], "is no repository"),
        (["report.json", "--pull-request", "1", "--sarif", "missing"], "can't be read"),
        ([], "there is no event"),
    ],
)
def test_a_wrong_call_is_told_in_a_line(job: TrustedJob, tmp_path: Path, arguments: list[str], message: str) -> None:
    (tmp_path / "report.json").write_bytes(job.report())
    done = run_bot("publish", *arguments, cwd=tmp_path, env=job.environment())
    assert (done.code, job.server.log.writes()) == (2, [])
    assert message in done.err
