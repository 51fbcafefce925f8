"""Pull requests and repositories of unusual shape: everything is said somewhere, and nothing breaks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nootropic_bot.forge import Missing, TooLarge
from nootropic_bot.github.checks import upload_sarif
from nootropic_bot.github.events import parse_event
from nootropic_bot.github.forge import GitHubForge
from nootropic_bot.github.pulls import find_pulls
from tests.support.clock import Clock
from tests.support.github_server import BOT, GitHubServer
from tests.support.repo import run_bot
from tests.support.trusted import TrustedJob, numbered

LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "a" * 64 + "\nsize 12345\n"


def test_changes_without_lines(server: GitHubServer, tmp_path: Path, clock: Clock) -> None:
    """A rename, a changed mode, a submodule's bump, a pointer of LFS, a big binary, an emptied and a deleted file."""
    base = {"old.py": numbered(30), "mode.py": numbered(30), "gone.py": "x = 1\n", "emptied.py": "x = 1\n"}
    job = TrustedJob.open(server, tmp_path, base, {"kept.txt": "x\n"}, fork=False)
    work = job.clone()
    work.git("switch", "--quiet", "patch")
    work.git("mv", "old.py", "new.py")
    (work.path / "mode.py").chmod(0o755)
    work.git("update-index", "--add", "--cacheinfo", f"160000,{job.pull.base},module")
    work.git("rm", "--quiet", "gone.py")
    files = {
        "emptied.py": b"",
        "big.bin": bytes(3_000_000),
        "model.py": LFS,
        "no_end.py": "x = 2",
        "crlf.py": "x = 3\r\n",
    }
    for path, content in files.items():
        work.write(path, content)
    work.git("add", "--", *files, "mode.py")
    work.git("commit", "--quiet", "-m", "odd")
    work.git("push", "--quiet", "origin", "HEAD:patch")
    work.git("switch", "--quiet", "main")
    server.sync()
    fixed = {"no_end.py": "x = 5", "crlf.py": "x = 4\r\n"}
    findings = [job.finding(path, 1, (1, 1, text)) for path, text in fixed.items()]
    findings += [
        job.finding(path, 1) for path in ("new.py", "mode.py", "module", "gone.py", "emptied.py", "big.bin", "model.py")
    ]
    for is_local in (True, False):
        published = job.deliver(findings, is_local=is_local).published
        assert (published.status, published.not_posted, published.notes) == ("posted", (), ())
        on_lines = {comment.thread.anchor.path for comment in job.pull.review_comments()}
        assert on_lines == {"no_end.py", "crlf.py", "model.py", "module"}
    assert not any("```suggestion" in body for body in job.bodies()), "neither of them can be exact"


def test_a_draft_is_reviewed_and_a_revert_has_nothing(server: GitHubServer, tmp_path: Path, clock: Clock) -> None:
    job = TrustedJob.open(server, tmp_path, {"a.py": numbered(30)}, {"a.py": numbered(30, 5)}, draft=True)
    assert job.deliver([job.finding("a.py", 5)]).published.status == "posted"
    job.push({"a.py": numbered(30)})
    published = job.deliver([]).published
    assert (published.status, len(published.fixed)) == ("posted", 1)


def test_a_renamed_repository_is_found(job: TrustedJob) -> None:
    run = job.run({"report.json": job.report([job.finding("a.py", 10)])})
    event = job.server.events.workflow_run(run)
    job.server.hub.rename_repository(job.repository, "renamed")
    environment = {**job.environment("workflow_run", event), "GITHUB_REPOSITORY": "octo/app"}
    done = run_bot("publish", cwd=job.clone().path, env=environment)
    assert (done.code, done.err, len(job.bodies())) == (0, "", 1)
    assert "octo/renamed#1" in done.out


def test_a_pull_request_of_a_deleted_fork_is_found_by_its_commit(job: TrustedJob) -> None:
    run = job.run({"report.json": job.report([job.finding("a.py", 10)])})
    event = job.server.events.workflow_run(run)
    job.clone()
    job.server.hub.delete_repository(job.source)
    environment = job.environment("workflow_run", event)
    done = run_bot("publish", cwd=job.clone().path, env=environment)
    assert (done.code, done.err, len(job.bodies())) == (0, "", 1)


def test_a_fork_may_have_the_same_branch_as_another(job: TrustedJob) -> None:
    """`eve:patch` and `mallory:patch` lead to the same commit: the event's repository tells them apart."""
    fork = job.server.fork(job.repository, "mallory")
    job.server.commit(
        fork,
        "patch",
        {"a.py": numbered(40, 10, 20), "b.py": numbered(40, *range(1, 41))},
        user="eve",
        parent=job.pull.base,
    )
    other = job.server.open_pull(job.repository, "mallory:patch", user="mallory")
    raw = json.dumps(job.server.events.workflow_run(job.run({}))).encode()
    event = parse_event("workflow_run", raw)
    found = find_pulls(job.client(), event)  # type: ignore[arg-type]
    assert [pull.number for pull in found] == [1]
    assert other.number == 2


@pytest.mark.parametrize(
    ("event", "message"),
    [("push", "started by 'push'"), ("pull_request_target", "started by 'pull_request_target'")],
)
def test_another_workflow_than_the_review_is_refused(job: TrustedJob, event: str, message: str) -> None:
    done = job.publish(job.run({"report.json": job.report()}, event=event))
    assert (done.code, job.server.log.writes()) == (2, [])
    assert message in done.err


def test_a_run_without_an_artifact_is_told(job: TrustedJob) -> None:
    workflow = job.server.add_workflow(job.repository, ".github/workflows/review.yml", "review")
    done = job.publish(job.server.add_run(workflow, job.pull, {}))
    assert done.code == 5
    assert "no artifact 'nootropic-report'" in done.err


def test_an_expired_artifact_is_told(job: TrustedJob) -> None:
    run = job.run({"report.json": job.report()})
    run.artifacts[0].is_expired = True
    done = job.publish(run)
    assert done.code == 5
    assert "has expired" in done.err


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"GITHUB_TOKEN": ""}, "there is no token"),
        ({"GITHUB_API_URL": "http://api.github.com"}, "not encrypted"),
        ({"GITHUB_REPOSITORY": "a b"}, "is no repository"),
        ({"GITHUB_EVENT_NAME": "merge_group"}, "'merge_group'"),
        ({"GITHUB_EVENT_PATH": "/nonexistent"}, "can't be read"),
        ({"GITHUB_REPOSITORY": "octo/other"}, "another repository"),
    ],
)
def test_a_wrong_environment_is_told_in_a_line(job: TrustedJob, environment: dict[str, str], message: str) -> None:
    event = job.server.events.workflow_run(job.run({"report.json": job.report()}))
    done = run_bot("publish", cwd=job.folder, env={**job.environment("workflow_run", event), **environment})
    assert (done.code, job.server.log.writes()) == (2, [])
    assert message in done.err


def test_sarif_over_a_limit_is_not_sent(job: TrustedJob) -> None:
    results = [{"ruleId": "x"}] * 25_001
    text = json.dumps({"runs": [{"results": results}]})
    client = job.client()
    with pytest.raises(TooLarge):
        upload_sarif(client, "octo/app", 1, job.pull.head, text)
    assert len(job.server.log) == 0


def test_a_pull_request_that_never_was_is_missing(job: TrustedJob) -> None:
    forge = GitHubForge(job.client(), "octo/app", 99)
    with pytest.raises(Missing):
        forge.threads()


def test_more_threads_and_comments_than_a_page(job: TrustedJob) -> None:
    """210 comments of people and 120 threads: ours are found among them, once."""
    job.push({"b.py": numbered(130, *range(1, 131))})
    for number in range(105):
        job.server.comment(job.pull, "mona", f"talk {number}")
    job.deliver([job.finding("b.py", 1)])
    for number in range(105):
        job.server.comment(job.pull, "mona", f"more talk {number}")
    client = job.server.client("bot").get_repo("octo/app").get_pull(1)
    comments = [{"path": "b.py", "line": number, "body": "x"} for number in range(2, 122)]
    client.create_review(body="people talk", event="COMMENT", comments=comments)
    before = len(job.server.log.writes())
    published = job.deliver([job.finding("b.py", 1)]).published
    assert (published.commented, published.fixed, published.notes) == ((), (), ())
    assert [each.path for each in job.server.log.writes()[before:]] == ["/graphql"] * 3


def test_without_a_clone_a_token_that_reads_no_contents_is_told_what_it_lacks(
    server: GitHubServer, tmp_path: Path, clock: Clock
) -> None:
    """What the base configures decides what the check says, so nothing is posted without it; every text is told."""
    job = TrustedJob.open(server, tmp_path, {"a.py": numbered(40)}, {"a.py": numbered(40, 10)}, fork=False)
    job.repository.is_private = True  # What is public anybody may read.
    given = {"metadata": "read", "pull_requests": "write", "checks": "write"}
    server.add_token("narrow", BOT, permissions=given)
    (outside := tmp_path / "outside").mkdir()
    report = tmp_path / "report.json"
    report.write_bytes(job.report([job.finding("a.py", 10)]))
    environment = job.environment(label="narrow")
    done = run_bot("publish", str(report), "--pull-request", "1", cwd=outside, env=environment)
    assert (done.code, job.bodies()) == (5, [])
    assert "nootropic.toml at" in done.out
    assert "→ give the token `contents: read`, or start this in a clone of the repository" in done.out
    assert "Not on the pull request: 1" in job.summary
    # In a clone it can do without.
    done = run_bot("publish", str(report), "--pull-request", "1", cwd=job.clone().path, env=environment)
    assert (done.code, len(job.bodies())) == (0, 1)
