"""What a runner says and is told: the event, outputs, the summary; and whose commands count."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nootropic_bot.errors import UsageError
from nootropic_bot.github.client import Client
from nootropic_bot.github.events import IssueCommentEvent, PullRequestEvent, WorkflowRunEvent, parse_event, read_event
from nootropic_bot.github.names import repository_name
from nootropic_bot.github.permissions import permission
from nootropic_bot.github.runner import Runner
from nootropic_bot.github.waiting import Patience
from tests.github.conftest import Scene


def test_events_are_read_as_the_server_sends_them(scene: Scene, tmp_path: Path) -> None:
    events, pull = scene.server.events, scene.open_from_fork()
    workflow = scene.server.add_workflow(scene.repository, ".github/workflows/a.yml", "a")
    run = scene.server.add_run(workflow, pull, {})
    comment = scene.server.comment(pull, "mona", "/nootropic help")
    found = []
    for name, data in (
        ("pull_request", events.pull_request(pull)),
        ("workflow_run", events.workflow_run(run)),
        ("issue_comment", events.issue_comment(comment)),
    ):
        (tmp_path / name).write_text(json.dumps(data))
        environment = {"GITHUB_EVENT_NAME": name, "GITHUB_EVENT_PATH": str(tmp_path / name)}
        found.append(read_event(Runner.from_environment(environment)))
    assert found == [
        PullRequestEvent("octo/app", "opened", 2, pull.base, pull.head, "eve/app", "main"),
        WorkflowRunEvent("octo/app", "completed", run.id, "pull_request", "success", pull.head, "patch", "eve/app"),
        IssueCommentEvent(
            "octo/app", "created", 2, True, comment.id, "/nootropic help", "mona", comment.user.id, "User"
        ),
    ]


def test_a_deleted_fork_has_no_repository(scene: Scene) -> None:
    pull = scene.open_from_fork()
    data = scene.server.events.pull_request(pull)
    data["pull_request"]["head"]["repo"] = None
    event = parse_event("pull_request", json.dumps(data).encode())
    assert isinstance(event, PullRequestEvent)
    assert event.head_repository is None


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{", b"[]", b"null", b'{"action": 1}', b"\xff", b"[" * 100_000,
        b'{"action":"a","repository":{"full_name":"a/b"},"issue":{"number":1},"comment":{}}',
        b'{"action":"a","repository":{"full_name":"../..","private":false},"issue":{"number":1},'
        b'"comment":{"id":1,"body":"","user":{"login":"x","type":"User"}}}',
        b'{"action":"a","repository":{"full_name":"a/b","private":false},"issue":{"number":"1"},'
        b'"comment":{"id":1,"body":"","user":{"login":"x","type":"User"}}}',
        b'{"action":"a","repository":{"full_name":"a/b","private":false},"issue":{"number":1},'
        b'"comment":{"id":1,"body":"","user":{"login":"x/../y","type":"User"}}}',
    ],
)  # fmt: skip
def test_what_is_no_event_is_told_in_a_line(raw: bytes) -> None:
    with pytest.raises(UsageError, match="the event is no issue_comment") as caught:
        parse_event("issue_comment", raw)
    assert "\n" not in caught.value.message


def test_an_event_that_is_not_there_or_not_known_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no event"):
        read_event(Runner())
    with pytest.raises(UsageError, match="'push'"):
        read_event(Runner(event_name="push", event_path=tmp_path / "x"))
    with pytest.raises(UsageError, match="can't be read"):
        read_event(Runner(event_name="workflow_run", event_path=tmp_path / "x"))


def test_a4_no_value_sets_another_output(tmp_path: Path) -> None:
    file = tmp_path / "out"
    runner = Runner(output_path=file)
    assert runner.add_outputs({"plan": "one\nend\nevil=1\nplan<<x\n", "base": "b"})
    lines = file.read_text().split("\n")
    delimiters = [line.partition("<<")[2] for line in lines if line.startswith(("plan<<end-", "base<<end-"))]
    assert len(set(delimiters)) == 2
    start, end = lines.index(f"plan<<{delimiters[0]}"), lines.index(delimiters[0])
    assert lines[start + 1 : end] == ["one", "end", "evil=1", "plan<<x", ""]
    assert not Runner().add_outputs({"a": "b"})


def test_a_summary_is_cut_at_what_a_runner_takes(tmp_path: Path) -> None:
    file = tmp_path / "summary"
    runner = Runner(summary_path=file)
    assert runner.add_summary("first")
    assert runner.add_summary("ä" * 600_000)
    text = file.read_bytes()
    assert len(text) <= 1024 * 1024
    assert text.startswith(b"first\n\xc3\xa4")
    assert text.decode().endswith("more than a job summary holds.\n")


def test_a_token_is_not_shown() -> None:
    runner = Runner.from_environment({"GITHUB_TOKEN": " secret\n", "GITHUB_API_URL": "", "GITHUB_REPOSITORY": "a/b"})
    assert (runner.token, runner.api_url) == ("secret", "https://api.github.com")
    assert "secret" not in repr(runner)


@pytest.mark.parametrize("name", ["", "a", "a/b/c", "a/..", "a/.", "../a", "a/b?x", "a/b#", "a b/c", "-a/b", "a/b\n"])
def test_a_name_that_would_be_another_path_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        repository_name(name)


def asker(scene: Scene) -> Client:
    patience = Patience(0)
    return Client.connect(scene.server.url, scene.server.token("bot"), patience=patience)


@pytest.mark.parametrize(
    ("role", "level", "may"),
    [("none", "none", False), ("read", "read", False), ("triage", "read", False), ("write", "write", True),
     ("maintain", "write", True), ("admin", "admin", True)],
)  # fmt: skip
def test_a11_the_forge_says_who_may_write(scene: Scene, role: str, level: str, may: bool) -> None:
    scene.server.add_person("pat", scene.repository, role)
    found = permission(asker(scene), "octo/app", "pat")
    assert (found.level, found.may_write, found.problem) == (level, may, None)


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 301])
def test_a11_an_error_is_a_denial(scene: Scene, status: int) -> None:
    scene.server.add_person("pat", scene.repository, "admin")
    scene.server.fail_next("GET", "permission", status, times=9)
    found = permission(asker(scene), "octo/app", "pat")
    assert not found.may_write
    assert ("another server" if status == 301 else str(status)) in str(found.problem)


@pytest.mark.parametrize("body", [{}, [], {"permission": "admin"}, {"permission": "admin", "user": {"login": "eve"}}])
def test_a11_an_answer_about_somebody_else_is_a_denial(scene: Scene, body: object) -> None:
    scene.server.fail_next("GET", "permission", 200, body=body)
    found = permission(asker(scene), "octo/app", "pat")
    assert (found.may_write, found.problem is None) == (False, False)


@pytest.mark.parametrize("login", ["", "../../octo/app", "a/b", "a?b", "a%2e", "[bot]"])
def test_a10_a_name_that_is_no_account_is_not_even_asked_about(scene: Scene, login: str) -> None:
    assert not permission(asker(scene), "octo/app", login).may_write
    assert len(scene.server.log) == 0
