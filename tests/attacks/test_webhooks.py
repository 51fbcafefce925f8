"""Attacks on the webhook server: rows A16 to A18."""

# ruff: noqa: F811  (fixtures)

from __future__ import annotations

import http.client
import json
import threading
from pathlib import Path

import pytest

from nootropic_bot.serve.ledger import open_ledger
from tests.serve.conftest import desk, idle, server, site  # noqa: F401
from tests.support.github_server import GitHubServer
from tests.support.repo import run_bot
from tests.support.respond import Desk
from tests.support.site import PATHS, SECRET, Reply, Site, private_key, sign


def bodies(idle: Site, desk: Desk) -> bytes:
    return json.dumps(idle.server.events.pull_request(desk.pull)).encode()


def test_a16_a_signature_that_is_not_ours_is_refused_before_anything_is_read(idle: Site, desk: Desk) -> None:
    body = bodies(idle, desk)
    wrong = {
        "missing": "",
        "of another secret": sign(body, "another"),
        "of an empty secret": sign(body, ""),
        "of another body": sign(body + b" "),
        "sha1 in its place": sign(body, method="sha1"),
        "cut": sign(body)[:-1],
        "longer": sign(body) + "0",
        "capitals": sign(body).upper(),
        "two in one": f"{sign(body)}, {sign(body)}",
        "no text": "sha256=" + "\xff" * 64,
    }
    with idle.running() as door:
        for name, signature in wrong.items():
            # It is not JSON and of no event that there is: with a good signature that would be said instead.
            for sent in (body, b"{", b""):
                reply = idle.send("pull_request", None, body=sent, signature=signature)
                assert reply.status == 401, name
        older = {"X-Hub-Signature": sign(body, method="sha1")}
        assert idle.send("pull_request", None, body=body, signature="", headers=older).status == 401
        assert door.ledger.waiting() == 0
        assert idle.send("pull_request", None, body=b"{").status == 400
        assert idle.send("pull_request", None, body=body).status == 202
        assert door.ledger.waiting() == 1
    assert all(SECRET not in line and "sha256=" not in line for line in idle.lines)


def test_a16_two_signatures_are_none(idle: Site, desk: Desk) -> None:
    body = bodies(idle, desk)
    with idle.running() as door:
        connection = http.client.HTTPConnection("127.0.0.1", idle.port, timeout=60)
        connection.putrequest("POST", "/webhook")
        for value in (sign(body), sign(body, "another")):
            connection.putheader("X-Hub-Signature-256", value)
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders()
        assert connection.getresponse().status == 401
        connection.close()
        assert door.ledger.waiting() == 0


@pytest.mark.parametrize("secret", [None, "", " \n"])
def test_a16_without_a_secret_the_server_does_not_start(tmp_path: Path, secret: str | None) -> None:
    environment = {"GITHUB_TOKEN": "t", "GITHUB_REPOSITORY": "octo/app"}
    if secret is not None:
        environment["NOOTROPIC_WEBHOOK_SECRET"] = secret
    done = run_bot("serve", "--port", "0", "--state-folder", str(tmp_path / "s"), cwd=tmp_path, env=environment)
    assert done.code == 3
    assert "there is no webhook secret" in done.err
    assert "openssl rand" in done.err
    assert not (tmp_path / "s").exists()


def test_a16_a_key_that_is_none_is_not_repeated(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_text(private_key().replace("A", "B", 40))
    environment = {"NOOTROPIC_WEBHOOK_SECRET": "s", "PYTHONPATH": PATHS}
    done = run_bot("serve", "--port", "0", "--app-id", "1", "--key-file", str(key), cwd=tmp_path, env=environment)
    assert (done.code, "private key can't be used" in done.err) == (3, True)
    assert not any(line in done.err for line in key.read_text().splitlines()[1:-1])


def test_a16_a_body_that_is_too_large_is_not_held(idle: Site, desk: Desk) -> None:
    body = bodies(idle, desk)
    with idle.running() as door:
        door.max_body = len(body) - 1
        assert idle.send("pull_request", None, body=body).status == 413
        stated = {"X-Hub-Signature-256": sign(b""), "Content-Length": str(1 << 40)}
        assert idle.request("POST", "/webhook", headers=stated).status == 413
        # One that does not say how large it is.
        chunks = {"X-Hub-Signature-256": sign(body), "Transfer-Encoding": "chunked"}
        connection = http.client.HTTPConnection("127.0.0.1", idle.port, timeout=60)
        connection.request("POST", "/webhook", iter([body[:100], body[100:]]), chunks, encode_chunked=True)
        assert connection.getresponse().status == 413
        connection.close()
        door.max_body = len(body)
        assert idle.send("pull_request", None, body=body).status == 202


def test_a17_a_replayed_delivery_has_one_effect(idle: Site, desk: Desk) -> None:
    """The same delivery again, and the same under another number, before, while and after it is done."""
    comment = desk.say("/nootropic status")
    with idle.running() as door:
        first = idle.say(comment, delivery="one")
        replays = [idle.say(comment, delivery="one"), idle.say(comment, delivery="two"), idle.say(comment)]
        assert [each.status for each in (first, *replays)] == [202, 200, 200, 200]
        assert door.ledger.waiting() == 1
    with idle.running(workers=2) as door:
        assert "done: status: told" in idle.wait("command octo/app#1")
        writes = len(desk.server.log.writes())
        assert [idle.say(comment, delivery=name).status for name in ("one", "two", "three")] == [200] * 3
        assert door.ledger.waiting() == 0
    assert len(desk.server.log.writes()) == writes
    assert len([each for each in desk.pull.comments if each.user.login == "nootropic[bot]"]) == 1


def test_a17_a_replay_of_what_was_forgotten_meets_its_own_reply(idle: Site, desk: Desk) -> None:
    """A folder that was lost: the conversation itself still says what was answered."""
    comment = desk.say("/nootropic status")
    for folder in ("one", "two"):
        with idle.running(workers=1, folder=desk.folder / folder):
            assert idle.say(comment).status == 202
            line = idle.wait("command octo/app#1")
    assert "answered: the command was carried out before" in line
    assert len([each for each in desk.pull.comments if each.user.login == "nootropic[bot]"]) == 1


def test_a17_nothing_is_done_for_a_repository_that_is_not_ours(idle: Site, desk: Desk, server: GitHubServer) -> None:
    from nootropic_bot.github.apps import OneToken

    idle.credentials = OneToken("octo/other", server.token("bot"))
    with idle.running() as door:
        assert idle.push(desk.pull).status == 204
        assert door.ledger.waiting() == 0


def test_a18_two_hundred_commands_a_minute_meet_a_bound(idle: Site, desk: Desk) -> None:
    comments = [desk.say(f"/nootropic explain {number:08x}") for number in range(200)]
    events = [idle.server.events.issue_comment(comment) for comment in comments]
    found: list[Reply] = []

    def send(part: list[object]) -> None:
        found.extend(idle.send("issue_comment", event) for event in part)

    with idle.running(max_queued=50) as door:
        threads = [threading.Thread(target=send, args=(events[start::4],)) for start in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        statuses = [each.status for each in found]
        assert (statuses.count(202), statuses.count(503)) == (50, 150)
        assert all(int(each.headers["retry-after"]) >= 60 for each in found if each.status == 503)
        assert door.ledger.waiting() == 50
        # A push is told as well that there is no room; what was refused may come again.
        assert idle.push(desk.pull, delivery="later").status == 503
        job = door.ledger.take()
        assert job is not None
        door.ledger.settle(job, "done")
        assert idle.push(desk.pull, delivery="later").status == 202


def test_a18_what_is_remembered_is_bounded(tmp_path: Path) -> None:
    from nootropic_bot.serve.deliveries import Asked

    ledger = open_ledger(tmp_path / "ledger.sqlite", 10)
    ledger.max_known = 10
    for number in range(60):
        asked = Asked("command", "octo/app", 1, f"command octo/app {number}", "", "{}")
        assert ledger.accept(f"d{number}", asked) == "queued"
        job = ledger.take()
        assert job is not None
        ledger.settle(job, "done")
    rows = {name: ledger.connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("deliveries", "done", "jobs")}  # fmt: skip
    assert rows == {"deliveries": 10, "done": 10, "jobs": 0}
    assert ledger.is_done("command octo/app 59", "")
    assert not ledger.is_done("command octo/app 49", "")
    ledger.close()
