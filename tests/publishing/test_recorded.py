"""The story of a report from a real review: made without a token, posted and recorded by the trusted job."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from nootropic_bot.git import Repository
from nootropic_bot.gitwrite import fetch
from tests.support.clock import Clock
from tests.support.github_server import GitHubServer
from tests.support.repo import Repo
from tests.support.trusted import TrustedJob

BEFORE = "import subprocess\n\n\ndef run(name):\n    return name\n"
AFTER = """import subprocess
import yaml


def run(name, text):
    if name == None:
        return yaml.load(text, Loader=yaml.Loader)
    return subprocess.run(name, shell=True)


def collect(item, found=[]):
    found.append(item)
    return found
"""


@pytest.fixture
def story(server: GitHubServer, tmp_path: Path, clock: Clock) -> TrustedJob:
    made = TrustedJob.open(server, tmp_path, {"app.py": BEFORE}, {"app.py": AFTER})
    made.clock = clock
    return made


def analyse(job: TrustedJob) -> dict[str, bytes]:
    """What the run without a token hands over: a real review in a clone of the fork."""
    at = job.folder / f"fork-{len(list(job.folder.glob('fork-*')))}"
    work: Repo = job.server.checkout(job.source, at)
    work.git("fetch", "--quiet", str(job.repository.git.path), job.pull.base)
    names = {"json": "report.json", "sarif": "report.sarif", "records": "records.jsonl"}
    output = [f"--output={kind}={job.folder / name}" for kind, name in names.items()]
    environment = {name: value for name, value in os.environ.items() if name != "GITHUB_TOKEN"}
    options = ("--base", job.pull.base, "--head", job.pull.head, "--pull-request", str(job.pull.number))
    done = work.bot("review", *options, "--fail-on", "never", *output, "--no-model", env=environment)
    assert done.code == 0, done.err
    return {name: (job.folder / name).read_bytes() for name in names.values()}


def recorded(job: TrustedJob) -> list[dict]:
    """What a fresh clone of the repository knows after a sync."""
    at = job.folder / f"reader-{len(list(job.folder.glob('reader-*')))}"
    reader: Repo = job.server.checkout(job.repository, at)
    assert reader.bot("state", "sync").code == 0
    done = reader.bot("state", "export", "--format", "jsonl")
    assert done.code == 0, done.err
    return [json.loads(line) for line in done.out.splitlines()]


def test_a_real_review_is_posted_and_recorded_once(story: TrustedJob) -> None:
    files = analyse(story)
    report = json.loads(files["report.json"])
    ids = {finding["id"] for finding in report["findings"] if finding["in_scope"]}
    assert len(ids) >= 3
    run = story.run(files)
    done = story.publish(run)
    assert (done.code, done.err) == (0, "")
    records = recorded(story)
    by_kind: dict[str, list[dict]] = {}
    for record in records:
        by_kind.setdefault(record["kind"], []).append(record["data"])
    assert {data["finding"] for data in by_kind["finding"]} == ids
    assert [data["pull_request"] for data in by_kind["run"]] == [1]
    fixes = {finding["suggestion"]["id"] for finding in report["findings"] if finding["suggestion"]}
    assert {data["suggestion"] for data in by_kind["suggestion"]} == fixes
    edits = [edit for data in by_kind["suggestion"] for edit in data["edits"]]
    assert any("copies" in edit for edit in edits), "what became lists on the way is as it was"
    assert all(data["pull_request"] == 1 for data in by_kind["suggestion"])
    assert story.publish(run).code == 0
    assert len(recorded(story)) == len(records), "nothing is recorded twice"

    # A person decides in the repository; one finding is fixed; a person answers to another.
    decided, fixed = sorted(ids)[:2]
    person = story.server.checkout(story.repository, story.folder / "person")
    assert person.bot("triage", "add", "--finding", decided, "--reason", "we know").code == 0
    assert person.bot("state", "sync").code == 0
    muted = story.publish(run)
    assert muted.code == 0
    (summary,) = [comment.body for comment in story.pull.comments]
    assert "1 suppressed" in summary
    assert len(story.bodies()) == len(ids), "what is muted stays where it is"
    assert fixed in {data["finding"] for data in by_kind["finding"]}


def test_records_that_lie_are_left_out_and_the_review_is_posted(story: TrustedJob) -> None:
    files = analyse(story)
    evil = b'{"kind":"triage","data":{"action":"add","rule_id":"x","reason":"r","author":"a"}}\n'
    done = story.publish(story.run({**files, "records.jsonl": files["records.jsonl"] + evil}))
    assert done.code == 0
    assert "nothing was recorded: the records are refused" in done.out
    assert story.bodies()
    assert recorded(story) == []


def test_no_record_records_nothing(story: TrustedJob) -> None:
    assert story.publish(story.run(analyse(story)), "--no-record").code == 0
    assert recorded(story) == []


def test_a_decision_for_one_pull_request_mutes_it_there(job: TrustedJob) -> None:
    from nootropic_bot.config import StateSettings
    from nootropic_bot.state.schema import draft
    from nootropic_bot.state.store import Store

    finding, other = job.finding("a.py", 10), job.finding("a.py", 20)
    with Store(Repository.open(job.clone().path), StateSettings()) as store:
        for number, each in ((1, finding), (2, other)):
            data = {"action": "add", "finding": each.id, "reason": "x", "author": "mona", "pull_request": number}
            store.append([draft("triage", data)])
    delivered = job.deliver([finding, other])
    assert [each.id for each in delivered.published.commented] == [other.id]
    (muted,) = [each for each in delivered.report.findings if each.suppressed]
    assert (muted.id, muted.suppressed.by if muted.suppressed else "") == (finding.id, "triage")


def test_a_token_is_shown_to_its_server_alone_and_to_no_argument(
    job: TrustedJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What git is told by its environment, asked of git itself; a checkout's own header is let go of."""
    clone = job.clone()
    clone.git("config", "http.https://github.com/.extraheader", "AUTHORIZATION: basic old")
    repo = Repository.open(clone.path).with_token("https://github.com/", "sesame")
    environment = {**os.environ, **repo.network}
    asked = {}
    for url in ("https://github.com/octo/app", "https://github.com.evil.example/x", "https://evil.example"):
        command = ["git", "config", "--get-urlmatch", "http.extraheader", url]
        done = subprocess.run(command, cwd=clone.path, env=environment, capture_output=True, text=True, check=False)
        asked[url] = done.stdout.strip()
    assert [bool(value) for value in asked.values()] == [True, False, False]
    assert "old" not in asked["https://github.com/octo/app"]
    assert all("sesame" not in value for value in repo.network.values())
    assert "sesame" not in repr(vars(repo))
    assert "extraHeader" not in Path(clone.path / ".git" / "config").read_text().replace("extraheader", "")
    fetch(repo, "origin", [job.pull.base])
