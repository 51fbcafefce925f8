"""The door: what is taken in, what is none of ours, and what is told."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nootropic_bot.serve.analysis import bare_environment
from nootropic_bot.serve.mirrors import Mirrors
from nootropic_bot.serve.settings import take_secret
from tests.support.repo import PROJECT, run_bot
from tests.support.respond import Desk
from tests.support.site import PATHS, SECRET, Site, private_key, sign


def test_what_is_none_of_ours_is_let_pass(idle: Site, desk: Desk) -> None:
    opened = desk.server.events.pull_request(desk.pull)
    talk = [desk.server.events.issue_comment(desk.say(body)) for body in ("hello", "> /nootropic fix", "")]
    command = desk.server.events.issue_comment(desk.say("/nootropic fix"))
    by_bot = {**command, "comment": {**command["comment"], "user": {**command["comment"]["user"], "type": "Bot"}}}
    on_issue = {**command, "issue": {name: value for name, value in command["issue"].items() if name != "pull_request"}}
    deliveries = [
        ("pull_request", {**opened, "action": "labeled"}),
        ("pull_request", {**opened, "action": "closed"}),
        *(("issue_comment", event) for event in talk),
        ("issue_comment", {**command, "action": "edited"}),
        ("issue_comment", by_bot),
        ("issue_comment", on_issue),
        ("installation", {"action": "created"}),
        ("workflow_run", {}),
    ]
    with idle.running() as door:
        assert [idle.send(event, payload).status for event, payload in deliveries] == [204] * len(deliveries)
        ping = idle.send("ping", {"zen": "Keep it logically awesome."})
        assert (ping.status, door.ledger.waiting()) == (200, 0)
        # What is meant as a command and is none is answered, so it is taken in.
        assert idle.say(desk.say("/nootropic refiew")).status == 202
        for action in ("reopened", "ready_for_review"):
            assert idle.send("pull_request", {**opened, "action": action}).status in (202, 200)
        assert door.ledger.waiting() == 2


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        (b"{", 400, "is no pull_request"),
        (b'"text"', 400, "is no pull_request"),
        (
            b'{"action": "opened", "repository": {"full_name": "../x", "private": true}}',
            400,
            "this is not a repository",
        ),
        (b"\xff", 400, "is no pull_request"),
        (b"[" * 100_000, 400, "is no pull_request"),
    ],
)
def test_what_is_signed_and_no_event_is_refused_in_a_line(idle: Site, body: bytes, status: int, told: str) -> None:
    with idle.running():
        reply = idle.send("pull_request", None, body=body)
        assert reply.status == status
        assert told in json.loads(reply.text)["status"]
    assert all("\n" not in line and len(line) < 300 for line in idle.lines)


def test_headers_that_are_missing_or_strange_are_refused(idle: Site, desk: Desk) -> None:
    strange = (
        {"X-GitHub-Delivery": ""},
        {"X-GitHub-Event": ""},
        {"X-GitHub-Delivery": "a\tb"},
        {"X-GitHub-Delivery": "x" * 101},
        {"X-GitHub-Event": "pull_request; rm"},
    )
    with idle.running() as door:
        assert [idle.push(desk.pull, headers=headers).status for headers in strange] == [400] * len(strange)
        form = idle.push(desk.pull, headers={"Content-Type": "application/x-www-form-urlencoded"})
        assert (form.status, "choose `application/json`" in form.text) == (415, True)
        assert idle.push(desk.pull, headers={"Content-Type": "application/json; charset=utf-8"}).status == 202
        assert door.ledger.waiting() == 1


def test_health_and_other_addresses(idle: Site, desk: Desk) -> None:
    with idle.running() as door:
        idle.push(desk.pull)
        found = idle.request("GET", "/healthz")
        assert (found.status, json.loads(found.text)) == (200, {"status": "ok", "waiting": 1, "running": 0})
        assert idle.request("GET", "/webhook").status == 405
        assert idle.request("GET", "/docs").status == 404
        assert "server" not in found.headers
        door.pool.stopping.set()
        assert json.loads(idle.request("GET", "/healthz").text)["status"] == "stopping"
        assert idle.push(desk.pull, delivery="late").status == 503


def test_the_command_serves_until_it_is_told_to_stop(desk: Desk, tmp_path: Path) -> None:
    """The program itself: a key in a file, a port of its own choice, SIGTERM."""
    key, secret = tmp_path / "key.pem", tmp_path / "secret"
    key.write_text(private_key())
    secret.write_text(f"{SECRET}\n")
    options = ["--port", "0", "--state-folder", str(tmp_path / "s"), "--app-id", "7", "--key-file", str(key)]
    command = [sys.executable, "-m", "nootropic_bot", "serve", *options, "--secret-file", str(secret)]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": PATHS}
    running = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        assert running.stderr is not None
        first = running.stderr.readline()
        assert first.startswith("listening on http://127.0.0.1:"), first + running.stderr.read()
        site = Site(desk.server, tmp_path, port=int(first.split(":")[2].partition("/")[0]))
        assert site.send("ping", {}).status == 200
        assert site.send("ping", {}, signature=sign(b"{}", "wrong")).status == 401
    finally:
        running.send_signal(signal.SIGTERM)
        _out, rest = running.communicate(timeout=60)
    assert running.returncode == 0, rest
    assert "ping: none of ours" in rest
    assert rest.splitlines()[-1] == "stopped; left for the next start: 0"
    assert "Traceback" not in rest


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "there is nothing to ask GitHub with"),
        ({"GITHUB_TOKEN": "t"}, "there is nothing to ask GitHub with"),
        ({"NOOTROPIC_APP_ID": "1"}, "the app's private key is missing"),
        ({"NOOTROPIC_APP_KEY": "x"}, "the app's id is missing"),
        ({"NOOTROPIC_APP_ID": "1", "NOOTROPIC_APP_KEY_FILE": "missing.pem"}, "missing.pem can't be read"),
    ],
)
def test_what_is_missing_is_told_with_its_remedy(tmp_path: Path, environment: dict[str, str], message: str) -> None:
    given = {"NOOTROPIC_WEBHOOK_SECRET": "s", **environment}
    done = run_bot("serve", "--port", "0", cwd=tmp_path, env=given)
    assert (done.code, message in done.err, "→" in done.err) == (3, True, True), done.err


def test_an_address_that_is_not_encrypted_is_refused(tmp_path: Path) -> None:
    given = {"NOOTROPIC_WEBHOOK_SECRET": "s", "GITHUB_TOKEN": "t", "GITHUB_REPOSITORY": "o/r"}
    given["GITHUB_SERVER_URL"] = "http://github.example"
    done = run_bot("serve", "--port", "0", "--state-folder", str(tmp_path / "s"), cwd=tmp_path, env=given)
    assert (done.code, "GITHUB_SERVER_URL" in done.err) == (2, True)


def test_without_starlette_the_remedy_is_told(tmp_path: Path) -> None:
    code = "import sys; sys.modules['starlette'] = None; from nootropic_bot.cli import main; main(['serve'])"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "pip install 'nootropic-bot[serve]'" in done.stderr


def test_a_secret_leaves_the_environment_when_it_is_read(tmp_path: Path) -> None:
    environment = {"NOOTROPIC_WEBHOOK_SECRET": " one\n", "X": "y"}
    assert take_secret(environment, "NOOTROPIC_WEBHOOK_SECRET") == "one"
    assert environment == {"X": "y"}
    path = tmp_path / "secret"
    path.write_text("two\n")
    environment = {"NOOTROPIC_WEBHOOK_SECRET": "one", "NOOTROPIC_WEBHOOK_SECRET_FILE": str(path)}
    assert take_secret(environment, "NOOTROPIC_WEBHOOK_SECRET") == "two"
    assert "NOOTROPIC_WEBHOOK_SECRET" not in environment


def test_the_environment_of_an_analysis_has_no_secret() -> None:
    secrets = ("GITHUB_TOKEN", "NOOTROPIC_WEBHOOK_SECRET", "NOOTROPIC_APP_KEY", "NOOTROPIC_APP_KEY_FILE", "OPENAI_API_KEY",
               "AWS_SESSION_TOKEN", "HTTPS_PROXY", "GIT_ASKPASS", "SSH_AUTH_SOCK", "GIT_CONFIG_VALUE_0", "NOOTROPIC_MY_KEY", "XDG_RUNTIME_DIR")  # fmt: skip
    needed = ("PATH", "HOME", "NOOTROPIC_MODEL", "NOOTROPIC_JOBS", "XDG_CACHE_HOME", "LC_ALL")
    found = bare_environment(dict.fromkeys((*secrets, *needed), "v"))
    assert set(found) == {*needed, "PYTHONSAFEPATH", "NO_COLOR"}


def test_an_analysis_writes_nothing_that_a_process_with_a_token_reads(desk: Desk, site: Site, tmp_path: Path) -> None:
    """Its repository reads the clone's objects; configuration, refs and objects that it writes are its own."""
    mirrors = Mirrors(tmp_path / "m", "https://github.test")
    mirror = mirrors.open("octo/app", "token")
    mirrors.fetch(mirror, 1, desk.pull.base, desk.pull.head)
    before = sorted(str(path) for path in mirror.common_dir.rglob("*"))
    with mirrors.analysis(mirror, "Octo/App") as repo:
        assert repo.resolve(desk.pull.head) == desk.pull.head
        assert repo.common_dir != mirror.common_dir
        assert not any(repo.network)
        repo.run("hash-object", "-w", "--stdin", feed=b"new")
        repo.run("config", "core.sshCommand", "touch owned")
        repo.run("update-ref", "refs/heads/x", desk.pull.head)
        (repo.cache_dir / "rules" / "one.json").write_text("{}")
    assert sorted(str(path) for path in mirror.common_dir.rglob("*")) == before
    assert "sshCommand" not in (mirror.common_dir / "config").read_text()
    assert not list((tmp_path / "m" / "scratch").iterdir())
    # What it remembers is there for the next one.
    with mirrors.analysis(mirror, "octo/app") as repo:
        assert (repo.cache_dir / "rules" / "one.json").read_text() == "{}"
    assert "token" not in (mirror.common_dir / "config").read_text()
    assert list(mirror.top.iterdir()) == [mirror.top / ".git"], "nothing is checked out"


def test_a_sender_that_takes_its_time_is_let_go(idle: Site, desk: Desk) -> None:
    body = json.dumps(desk.server.events.pull_request(desk.pull)).encode()
    with idle.running() as door:
        door.body_seconds = 0.2
        connection = http.client.HTTPConnection("127.0.0.1", idle.port, timeout=60)
        connection.putrequest("POST", "/webhook")
        connection.putheader("X-Hub-Signature-256", sign(body))
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders()
        connection.send(body[:10])
        assert connection.getresponse().status == 408
        connection.close()
        # One that hangs up in the middle leaves nothing behind.
        door.body_seconds = 60.0
        cut = socket.create_connection(("127.0.0.1", idle.port))
        head = f"POST /webhook HTTP/1.1\r\nHost: x\r\nX-Hub-Signature-256: {sign(body)}\r\nContent-Length: 99\r\n\r\n"
        cut.sendall(head.encode() + body[:10])
        cut.close()
        idle.wait("refused: the sender hung up")
        assert door.ledger.waiting() == 0
        assert idle.send("pull_request", None, body=body).status == 202


_EVENT = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(["opened", "created", "octo/app"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "action",
                    "repository",
                    "full_name",
                    "private",
                    "pull_request",
                    "number",
                    "base",
                    "head",
                    "sha",
                    "repo",
                    "issue",
                    "comment",
                    "user",
                ]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)


def test_no_signed_body_breaks_the_door(idle: Site, desk: Desk) -> None:
    """Anything that is signed: an answer of ours, never a failure of the server, and nothing in the queue by accident."""
    opened = desk.server.events.pull_request(desk.pull)

    @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(["pull_request", "issue_comment"]), _EVENT, st.booleans(), st.sampled_from(sorted(opened)))
    def send(event: str, part: object, is_whole: bool, name: str) -> None:
        payload = part if is_whole else {**opened, name: part}
        assert idle.send(event, payload).status in (200, 202, 204, 400)

    with idle.running() as door:
        send()
        assert door.ledger.waiting() <= 2
        assert json.loads(idle.request("GET", "/healthz").text)["status"] == "ok"
