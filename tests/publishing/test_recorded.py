"""The story of a report from a real review: made without a token, posted and recorded by the trusted job."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from nootropic_bot.git import Repository
from nootropic_bot.gitwrite import fetch
from nootropic_bot.marker import parse_marker
from nootropic_bot.relayed import write_records
from nootropic_bot.state.schema import draft
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
OWN_RULE = """rules:
  - id: own-rule
    languages: [python]
    severity: WARNING
    message: No help.
    pattern: help($X)
    fix: print($X)
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


def test_a_job_that_posts_the_same_meanwhile_records_nothing_twice(server: GitHubServer, tmp_path: Path) -> None:
    """Another one, in a clone of its own, posts and records the same run while this one posts: its costs count once."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    job = TrustedJob.open(server, tmp_path / "one", {"app.py": BEFORE}, {"app.py": AFTER}, fork=False)
    finding = job.finding("app.py", 6)
    figures = dict.fromkeys(("input_tokens", "output_tokens", "milliseconds", "microdollars"), 7)
    zeros = dict.fromkeys(("critique_ms", "propose_ms", "verify_ms", "total_ms", "suppressed", "verified"), 0)
    run = {"run": "a" * 16, "mode": "range", "base": job.pull.base, "head": job.pull.head, "pull_request": 1}
    run |= {"rules": "c" * 64, "tool": "1", "engine": "1", "complete": True, "findings": 1, "in_scope": 1, **zeros}
    drafts = [draft("run", run), draft("cost", {"run": "a" * 16, "backend": "one", "model": None, **figures})]
    raw = write_records(drafts).encode()
    told = []

    def another() -> None:
        second = TrustedJob(server, tmp_path / "two", job.repository, job.pull, job.clock)
        told.append(second.deliver([finding], records=raw))

    server.meanwhile("POST", "/pulls/1/reviews", another)
    mine = job.deliver([finding], records=raw)
    assert [each.recorded for each in (*told, mine)] == [2, 0]
    assert [each["kind"] for each in recorded(job)] == ["run", "cost"]
    assert mine.notes == ()


def test_decisions_fixes_and_replies_are_minded_on_the_next_push(story: TrustedJob) -> None:
    """A person decides about one finding in the repository, answers to another, and the author fixes a third."""
    files = analyse(story)
    by_rule = {each["rule_id"]: each["id"] for each in json.loads(files["report.json"])["findings"] if each["in_scope"]}
    assert story.publish(story.run(files)).code == 0
    threads = {parse_marker(thread.comments[0].body).finding: thread for thread in story.pull.threads}  # type: ignore[union-attr]
    assert threads.keys() == set(by_rule.values())
    decided, answered, fixed = (
        by_rule[rule] for rule in ("yaml-unsafe-loader", "mutable-default-argument", "none-comparison")
    )
    person = story.server.checkout(story.repository, story.folder / "person")
    assert person.bot("triage", "add", "--finding", decided, "--reason", "we know").code == 0
    assert person.bot("state", "sync").code == 0
    talk = story.server.client("bot").get_repo("octo/app").get_pull(1)
    talk.create_review_comment_reply(threads[answered].comments[0].id, "Is that so?")

    story.push({"app.py": AFTER.replace("name == None", "name is None")})
    assert story.publish(story.run(analyse(story))).code == 0
    (summary,) = [comment.body for comment in story.pull.comments]
    assert "1 suppressed" in summary
    assert "1 of the earlier comments fixed" in summary
    assert {each for each, thread in threads.items() if thread.resolved_by is not None} == {fixed}
    assert len(story.pull.threads) == len(by_rule), "nothing is there twice, and what is muted stays where it is"
    assert [each.body for each in threads[answered].comments[1:]] == ["Is that so?"]
    runs = [each["data"] for each in recorded(story) if each["kind"] == "run"]
    assert [each["head"] for each in runs] == [story.pull.heads[-2], story.pull.head]


def replayed(job: TrustedJob) -> dict[str, tuple[str, str]]:
    """What a proof comes to that is run again in a fresh clone with the pull request's commits, by rule."""
    reader: Repo = job.server.checkout(job.repository, job.folder / "prover")
    reader.git("fetch", "--quiet", "origin", "refs/pull/1/head")
    assert reader.bot("state", "sync").code == 0
    found = {}
    for each in recorded(job):
        if each["kind"] == "suggestion":
            done = reader.bot("state", "verify", "--replay", each["data"]["suggestion"], "--format", "json")
            found[each["data"]["rule_id"]] = (done.report["answer"], done.report["reason"])
    return found


def test_the_proof_of_a_forks_fix_can_be_run_again(server: GitHubServer, tmp_path: Path, clock: Clock) -> None:
    """With the rules of the base, its own among them, which the trusted job reads for itself."""
    base = {"app.py": BEFORE, "nootropic.toml": 'rules = ["own"]\n', "own/rule.yaml": OWN_RULE}
    job = TrustedJob.open(server, tmp_path, base, {"app.py": AFTER + "\nhelp(1)\n"})
    job.clock = clock
    done = job.publish(job.run(analyse(job)))
    assert (done.code, "note:" in done.out) == (0, False)
    answers = replayed(job)
    assert {"own-rule", "none-comparison", "yaml-unsafe-loader"} <= answers.keys()
    assert set(answers.values()) == {("holds", "every check passed again")}
    texts, fixes = attachments(job), len(answers)
    job.push({"app.py": AFTER + "\nhelp(1)\nhelp(2)\n"})
    assert "recorded: 3" in job.publish(job.run(analyse(job))).out, "the run, the finding, its fix"
    assert len([each for each in recorded(job) if each["kind"] == "suggestion"]) == fixes + 1
    assert attachments(job) == texts, "what the state has is not written again"


def attachments(job: TrustedJob) -> list[str]:
    """The rules' texts that the remote's state holds, once for each commit that names one."""
    git = job.repository.git
    commits = git.run("rev-list", "--glob=refs/nootropic/*").decode().split()
    listed = (git.run("ls-tree", "-r", "--name-only", commit).decode().split() for commit in commits)
    return sorted(name for names in listed for name in names if name.startswith("attachments/"))


def test_the_rules_of_a_fork_are_not_kept(story: TrustedJob) -> None:
    """It says that its fixes were proved under rules of which only it knows the text."""
    files = analyse(story)
    lines = [json.loads(line) for line in files["records.jsonl"].splitlines()]
    for each in lines:
        if each["kind"] == "suggestion":
            each["data"]["proof"]["rules"] = "ab" * 32
    raw = "".join(json.dumps(each) + "\n" for each in lines).encode()
    done = story.publish(story.run({**files, "records.jsonl": raw}))
    assert done.code == 0
    assert "note: the rules of the analysis are not those of the base: its proofs can't be run again" in done.out
    assert attachments(story) == []
    answers = replayed(story)
    assert set(answers.values()) == {("unavailable", "the rules' text was not recorded, or is not in this clone")}


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
