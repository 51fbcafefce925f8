"""From a comment to a commit with a real analysis in between, each step a program of its own as in a workflow."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nootropic_bot.marker import parse_reply_marker
from tests.support.github_server import GitHubServer
from tests.support.repo import Repo
from tests.support.respond import Desk

APP = "def load(value):\n    if value == None:\n        return None\n    return value\n"


def analyse(desk: Desk, outputs: dict[str, str]) -> Path:
    """The job without a token, on a machine of its own, between the two steps."""
    folder = desk.folder / "nootropic-report"
    clone = Repo(desk.folder / "analysis")
    if not clone.path.exists():
        desk.server.checkout(desk.repository, clone.path)
    clone.git("fetch", "--quiet", "origin", f"refs/pull/{outputs['pull-request']}/head", "refs/heads/main")
    folder.mkdir(exist_ok=True)
    args = ["review", "--base", outputs["base"], "--head", outputs["head"], "--pull-request", outputs["pull-request"]]
    args += ["--output", f"json={folder / 'report.json'}", "--output", f"records={folder / 'records.jsonl'}"]
    done = clone.bot(*args, "--fail-on", "never", "--no-model")
    assert done.code == 0, done.err
    return folder / "report.json"


def give(desk: Desk, body: str, login: str = "mona") -> str:
    """A command from the comment to the reply, which is answered."""
    comment = desk.say(body, login)
    first = desk.authorise(comment)
    outputs = dict(first.outputs)
    assert first.code == 0, first
    report = analyse(desk, outputs) if outputs["needs-analysis"] == "true" else None
    done = desk.act(comment, outputs["plan"], report)
    assert done.code == 0, done
    markers = {body: parse_reply_marker(body) for body in desk.replies()}
    return next(body for body, marker in markers.items() if marker is not None and marker.comment == comment.id)


@pytest.mark.parametrize("fork", [False, True])
def test_review_fix_and_what_follows(server: GitHubServer, tmp_path: Path, fork: bool) -> None:
    desk = Desk.open(server, tmp_path, fork=fork, app=APP)
    assert "1 finding, 1 new on the diff" in give(desk, "/nootropic review")
    (thread,) = desk.pull.threads
    assert "none-comparison" in thread.comments[0].body
    assert [each["pull_request"] for each in desk.records("run")] == [desk.pull.number]
    (finding,) = desk.records("finding")
    status = give(desk, "/nootropic status")
    assert "1 finding in the change, 1 proved fix" in status
    explanation = give(desk, f"/nootropic explain {finding['finding'][:8]}")
    assert "Proved fix by rule" in explanation
    reply = give(desk, "/nootropic fix")
    if fork:
        assert "git apply fix.patch" in reply
        return
    assert "Committed 1 proved fix" in reply
    assert desk.file() == APP.replace("value == None", "value is None")
    outcome = desk.records("outcome")[0]
    assert (outcome["result"], outcome["commit"]) == ("accepted", desk.head())
    # The checks that were started see that it is gone, and settle the comment.
    assert "no findings, 1 fixed since" in give(desk, "/nootropic review")
    assert thread.resolved_by is not None


def test_what_is_marked_as_a_false_positive_is_not_found_again(server: GitHubServer, tmp_path: Path) -> None:
    desk = Desk.open(server, tmp_path, fork=True, app=APP)
    give(desk, "/nootropic review")
    (finding,) = desk.records("finding")
    give(desk, f"/nootropic fp {finding['finding'][:8]} an ORM overloads it")
    assert "no findings" in give(desk, "/nootropic review")
    report = json.loads((desk.folder / "nootropic-report" / "report.json").read_text())
    assert len(report["findings"]) == 1
    assert "There is no proved fix to commit" in give(desk, "/nootropic fix")
    assert len(desk.pull.threads) == 1
