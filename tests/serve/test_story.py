"""From a delivery to what people see: the real server, a real analysis, git's own answers."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.serve.conftest import APP
from tests.support.respond import Desk
from tests.support.site import SECRET, Site

_BOT = "nootropic[bot]"
# Tells what each Python of the server's was started with.
_SPY = """
import json, os, sys
with open({path!r}, "a") as file:
    file.write(json.dumps([sys.orig_argv if hasattr(sys, "orig_argv") else sys.argv, dict(os.environ)]) + "\\n")
"""


def replies(desk: Desk) -> list[str]:
    return [each.body for each in desk.pull.comments if each.user.login == _BOT]


def test_a_pull_request_is_reviewed_and_a_command_carried_out(
    desk: Desk, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spy, seen = tmp_path / "spy", tmp_path / "seen.jsonl"
    spy.mkdir()
    (spy / "sitecustomize.py").write_text(_SPY.format(path=str(seen)))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(spy), os.environ.get("PYTHONPATH", "")]))
    for name in ("GITHUB_TOKEN", "NOOTROPIC_APP_KEY", "AWS_SECRET_ACCESS_KEY", "UNKNOWN"):
        monkeypatch.setenv(name, "canary")

    with site.running():
        reply = site.push(desk.pull)
        assert (reply.status, json.loads(reply.text)) == (202, {"status": "queued"})
        line = site.wait("review octo/app#1: ")
        assert "done: posted" in line
        assert "1 commented" in line
        (thread,) = desk.pull.threads
        assert (thread.comments[0].user.login, "none-comparison" in thread.comments[0].body) == (_BOT, True)
        assert [each["pull_request"] for each in desk.records("run")] == [1]
        assert len(desk.records("finding")) == 1

        comment = desk.say("/nootropic fix\n\nand this is a secret between us")
        assert site.say(comment).status == 202
        assert "done: fix: committed" in site.wait("command octo/app#1: ")
        assert desk.file() == APP.replace("value == None", "value is None")
        assert "Committed 1 proved fix" in replies(desk)[-1]
        assert "started" not in replies(desk)[-1], "an app's commit starts its checks itself"

        # GitHub tells of the push that an app makes, and that settles the comment.
        assert site.push(desk.pull, "synchronize").status == 202
        assert "1 resolved" in site.wait("review octo/app#1: ")
        assert thread.resolved_by is not None

    calls = [json.loads(text) for text in seen.read_text().splitlines()]
    analyses = [environment for argv, environment in calls if "review" in argv]
    assert len(analyses) == 3
    tokens = {each.value for each in desk.server.hub.tokens.values()}
    for environment in analyses:
        said = json.dumps(environment)
        assert "canary" not in said
        assert SECRET not in said
        assert not any(token in said for token in tokens)
    assert not any(token in json.dumps(argv) for token in tokens for argv, _environment in calls)
    log = "\n".join(site.lines)
    assert "secret between us" not in log
    assert SECRET not in log
    assert not any(token in log for token in tokens)
    # What was asked with: a token for this repository alone.
    used = [each for each in desk.server.hub.tokens.values() if each.kind == "installation" and each.repositories]
    assert [each.repositories for each in used] == [frozenset({desk.repository.id})]
    for path in (tmp_path / "serve").rglob("*"):
        text = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        assert not any(token.encode() in text for token in tokens), path


def test_a_stopped_server_goes_on_where_it_was(desk: Desk, site: Site) -> None:
    """What was taken in is done, once, by whichever process comes to it."""
    with site.running(workers=0):
        assert site.push(desk.pull).status == 202
    assert "left for the next start: 1" in site.lines[-1]
    with site.running(grace=0.0):
        pass
    assert "left for the next start: 1" in site.lines[-1]
    assert desk.pull.threads == []
    with site.running():
        assert "posted" in site.wait("review octo/app#1")
    assert len(desk.pull.threads) == len(desk.pull.reviews) == 1
    with site.running():
        assert site.push(desk.pull).status == 200
    assert "left for the next start: 0" in site.lines[-1]
    assert len(desk.pull.reviews) == 1


def test_a_fork_is_reviewed_and_not_written_to(site: Site, desk: Desk, tmp_path: Path) -> None:
    server = desk.server
    fork = server.fork(desk.repository, "eve")
    server.commit(fork, "patch", {"b.py": APP}, user="eve", parent=desk.pull.base)
    pull = server.open_pull(desk.repository, "eve:patch", user="eve")
    with site.running():
        assert site.push(pull).status == 202
        assert "posted" in site.wait(f"review octo/app#{pull.number}")
        assert len(pull.threads) == 1
        comment = server.comment(pull, "mona", "/nootropic fix")
        before = pull.head
        assert site.say(comment).status == 202
        assert "patch posted" in site.wait(f"command octo/app#{pull.number}")
    server.sync()
    assert pull.head == before
    assert any("git apply" in each.body for each in pull.comments)


def test_a_new_base_is_another_review_and_a_new_title_is_none(site: Site, desk: Desk) -> None:
    """`release` has what is wrong already; for `main` it is new."""
    server, pull = desk.server, desk.pull
    server.commit(desk.repository, "release", {"more.txt": "x\n"}, parent=desk.head())
    server.commit(desk.repository, "patch", {"other.py": "X = 1\n"}, user="mona")

    def edited(before: dict[str, object], base: str) -> int:
        pull.base_branch = base
        server.sync()
        return site.send("pull_request", server.events.pull_request(pull, "edited", changes=before)).status

    def retargeted(base: str) -> int:
        before = {"ref": {"from": pull.base_branch}, "sha": {"from": pull.base}}
        return edited({"base": before}, base)

    with site.running():
        assert retargeted("release") == 202
        assert site.wait("review octo/app#1").endswith(": silent at " + desk.head()[:10])
        assert (edited({"title": {"from": "Another"}}, "release"), pull.threads) == (204, [])
        assert retargeted("main") == 202
        assert "done: posted" in site.wait("review octo/app#1")
        (thread,) = pull.threads
        # The same again, and what else says that the head is there: it was reviewed for this base.
        assert site.push(pull).status == 200
        assert retargeted("release") == 202, "it was reviewed for this one, but not last"
        assert "1 resolved" in site.wait("review octo/app#1")
        assert thread.resolved_by is not None
    bases = [each["base"] for each in desk.records("run")]
    assert (len(bases), bases.count(pull.base)) == (3, 2)
