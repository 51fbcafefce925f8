"""The analysis: what the workflow `nootropic review` does on a runner."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from nootropic_bot.workflowfiles import Setup
from tests.actions.conftest import ACTIONS, CLEAN, WRONG, Place
from tests.support.repo import PROJECT, Repo


def rules(files: dict[str, bytes]) -> list[str]:
    return [finding["rule_id"] for finding in json.loads(files["report.json"])["findings"]]


def test_a_pull_request_is_analysed_without_a_token(place: Place) -> None:
    pull = place.open()
    jobs = place.analyse(pull)
    assert jobs["analyse"].result == "success", jobs["analyse"].log
    files = place.machine.artifacts["nootropic-report"]
    assert sorted(files) == ["records.jsonl", "report.json", "report.sarif"]
    assert rules(files) == ["yaml-unsafe-loader"]
    report = json.loads(files["report.json"])
    assert (report["base"], report["head"], report["complete"]) == (pull.base, pull.head, True)
    assert "yaml-unsafe-loader" in jobs["analyse"].summary
    (review,) = [step for step in jobs["analyse"].steps if step.name == "Review"]
    token = place.server.token(jobs["analyse"].token)
    assert not [key for key, value in review.env.items() if token in value], "the analysis sees no token"
    assert not place.server.log, "and asks the API nothing"


def test_a_forks_pull_request_is_analysed_the_same_way(place: Place) -> None:
    jobs = place.analyse(place.open(fork="eve"))
    assert jobs["analyse"].result == "success", jobs["analyse"].log
    assert rules(place.machine.artifacts["nootropic-report"]) == ["yaml-unsafe-loader"]


def test_shards_are_joined_into_the_report_of_one_run(place: Place) -> None:
    files = {"one__py": WRONG, "two__py": WRONG, "three__py": WRONG, "four__py": CLEAN}
    pull = place.open(**files)
    place.analyse(pull)
    whole = rules(place.machine.artifacts["nootropic-report"])
    place.setup = Setup(ACTIONS, shards=2)
    jobs = place.analyse(pull)
    assert [job.result for job in jobs.values()] == ["success", "success"], jobs["join"].log
    parts = [files for name, files in place.machine.artifacts.items() if name.startswith("nootropic-part-")]
    assert len(parts) == 2
    assert all(len(rules(part)) < 3 for part in parts)
    joined = place.machine.artifacts["nootropic-report"]
    assert rules(joined) == whole == ["yaml-unsafe-loader"] * 3
    lines = joined["records.jsonl"].splitlines()
    assert len(lines) == sum(len(part["records.jsonl"].splitlines()) for part in parts)


def test_a_shard_that_is_lost_is_named_and_not_green(place: Place) -> None:
    place.setup = Setup(ACTIONS, shards=2)
    files = {"one__py": WRONG, "two__py": WRONG, "three__py": WRONG, "four__py": CLEAN}
    place.machine.lost = frozenset({"2/2"})
    jobs = place.analyse(place.open(**files))
    assert [job.result for job in jobs.values()] == ["failure", "failure"]
    assert [step.code for step in jobs["join"].steps if step.name == "Say how it ended"] == [4]
    report = json.loads(place.machine.artifacts["nootropic-report"]["report.json"])
    assert (report["complete"], report["missing_shards"]) == (False, ["2/2"])
    assert 0 < len(report["findings"]) < 3, "what the other one found is there"
    assert "no report came from shard 2/2" in jobs["join"].summary


def test_where_every_shard_is_lost_there_is_no_report(place: Place) -> None:
    place.setup = Setup(ACTIONS, shards=2)
    place.machine.lost = frozenset({"1/2", "2/2"})
    job = place.analyse(place.open())["join"]
    assert job.result == "failure"
    assert "::error::No shard left a report" in job.log
    assert not place.machine.artifacts


def test_an_analysis_that_did_not_finish_is_uploaded_and_not_green(place: Place) -> None:
    jobs = place.analyse(place.open(load__py=b"x = '\xff'\n".decode("latin-1"), bad__py="def f(:\n"))
    report = json.loads(place.machine.artifacts["nootropic-report"]["report.json"])
    assert report["complete"] is False
    assert jobs["analyse"].result == "failure"
    assert jobs["analyse"].steps[-2].name == "Say how it ended"
    assert jobs["analyse"].steps[-2].code == 4


def test_what_was_decided_before_is_known_to_the_analysis(place: Place) -> None:
    """The state is in refs that no clone brings along."""
    home = place.server.checkout(place.repository, place.machine.folder / "home")
    home.write("load.py", WRONG)
    found = home.review("--worktree").report["findings"][0]["id"]
    assert home.bot("triage", "add", "--finding", found, "--reason", "input is our own").code == 0
    assert home.bot("state", "sync").code == 0
    place.analyse(place.open())
    (finding,) = json.loads(place.machine.artifacts["nootropic-report"]["report.json"])["findings"]
    assert finding["suppressed"]["reason"] == "input is our own"


def test_commits_that_are_no_ids_are_refused(place: Place) -> None:
    event = place.server.events.pull_request(pull := place.open())
    event["pull_request"]["head"]["sha"] = "--upload-pack=touch P"
    jobs = place.analyse(pull, event)
    assert jobs["analyse"].result == "failure"
    assert "must be full commit ids" in jobs["analyse"].log
    assert not list(Repo(place.machine.folder).path.rglob("P"))


@pytest.mark.parametrize("is_github", [True, False])
def test_the_token_goes_to_the_server_that_gave_it_and_nowhere_else(
    repo: Repo, tmp_path: Path, is_github: bool
) -> None:
    heard: list[str | None] = []

    class Listening(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.headers["Authorization"])
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Listening) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        here = f"http://127.0.0.1:{server.server_address[1]}"
        repo.git("remote", "add", "origin", f"{here}/octo/app.git")
        env = {
            "BASE": repo.commit({"a": "1\n"}), "HEAD": "0" * 40, "TOKEN": "ghs_secret",
            "GITHUB_SERVER_URL": here if is_github else "https://github.example",
        }  # fmt: skip
        command = ["bash", str(PROJECT / "actions" / "fetch.sh")]
        full = {**os.environ, **env}
        done = subprocess.run(command, cwd=repo.path, env=full, capture_output=True, text=True, check=False)
        server.shutdown()
        thread.join()
    assert done.returncode != 0, "the commit is nowhere"
    expected = f"basic {base64.b64encode(b'x-access-token:ghs_secret').decode()}" if is_github else None
    assert heard[0] == expected
    assert "ghs_secret" not in done.stdout + done.stderr + (repo.path / ".git" / "config").read_text()
