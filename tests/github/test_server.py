"""The server itself: tokens, pages, limits, faults, and how it is held to GitHub's description."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import threading
import time
import zipfile
from io import BytesIO
from pathlib import Path

import jwt
import pytest
import requests
from github import BadCredentialsException, GithubException, RateLimitExceededException, UnknownObjectException

from tests.github.conftest import Scene, changed
from tests.support.clock import Clock
from tests.support.github.contract import ContractBroken, component
from tests.support.github.graphql import Root
from tests.support.github.places import DATA, SOURCES
from tests.support.github.pullshapes import PullShapes
from tests.support.github_server import GitHubServer

# Pull requests.


def test_pull_requests_of_a_branch_and_of_a_fork(scene: Scene) -> None:
    scene.open_from_fork()
    own, other = scene.pull(number=1), scene.pull(number=2)
    assert (own.head.repo.full_name, own.changed_files, own.commits) == ("octo/app", 3, 1)
    assert own.head.sha == scene.head
    assert (other.head.repo.full_name, other.head.label, other.head.repo.fork) == ("eve/app", "eve:patch", True)
    repository = scene.server.client("bot").get_repo("octo/app")
    assert [each.number for each in repository.get_pulls()] == [2, 1]
    assert [each.number for each in repository.get_pulls(head="eve:patch")] == [2]
    assert [each.sha for each in own.get_commits()] == [own.head.sha]
    assert not scene.server.violations


def test_a_pull_request_is_opened_merged_and_closed(scene: Scene) -> None:
    repository = scene.server.client("bot").get_repo("octo/app")
    scene.work.git("push", "--quiet", "origin", "HEAD:refs/heads/other")
    pull = repository.create_pull(base="main", head="other", title="Another", body="Text", draft=True)
    assert (pull.number, pull.draft, pull.mergeable) == (2, True, True)
    with pytest.raises(GithubException, match="already exists"):
        repository.create_pull(base="main", head="other", title="Again")
    scene.pull(number=1).merge()
    assert repository.get_branch("main").commit.sha == scene.pull(number=1).merge_commit_sha
    assert scene.pull(number=1).merged
    scene.work.git("push", "--quiet", "origin", ":other")
    assert scene.pull(number=2).state in ("closed",), "its branch was deleted"


def test_a_conflict_is_not_mergeable_and_a_pushed_merge_closes(scene: Scene) -> None:
    scene.work.git("switch", "--quiet", "--detach", "origin/main")
    scene.work.commit({"a.py": changed(at={5: "x5 = 'other'\n"})})
    scene.work.git("push", "--quiet", "origin", "HEAD:main")
    assert scene.pull().mergeable is False
    scene.work.git("push", "--quiet", "--force", "origin", "feature:main")
    pull = scene.pull()
    assert (pull.state, pull.merged) == ("closed", True)


def test_a_deleted_fork_leaves_its_pull_request(scene: Scene) -> None:
    pull = scene.open_from_fork()
    assert pull.head_repository is not None
    scene.server.hub.delete_repository(pull.head_repository)
    shown = scene.pull(number=2)
    assert shown.head.repo is None
    assert [file.filename for file in shown.get_files()] == ["a.py"]
    assert not scene.server.drift


def test_the_conversation_and_reactions(scene: Scene) -> None:
    said = scene.server.comment(scene.server.hub.pulls[scene.repository.id, 1], "mona", "/nootropic status")
    pull = scene.pull()
    seen = pull.get_issue_comment(said.id)
    assert (seen.user.login, seen.raw_data["author_association"]) == ("mona", "NONE")
    seen.create_reaction("eyes")
    seen.create_reaction("eyes")
    assert [each.content for each in seen.get_reactions()] == ["eyes"]
    own = pull.create_issue_comment("Working.")
    own.edit("Done.")
    assert [each.body for each in pull.get_issue_comments()] == ["/nootropic status", "Done."]
    own.delete()
    with pytest.raises(GithubException) as caught:
        seen.edit("Forged.")
    assert caught.value.status == 403
    with pytest.raises(GithubException, match="65536"):
        pull.create_issue_comment("x" * 65_537)


def test_250_comments_come_in_pages(scene: Scene) -> None:
    pull = scene.server.hub.pulls[scene.repository.id, 1]
    for number in range(250):
        scene.server.comment(pull, "mona", f"{number}")
    found = list(scene.server.client("bot", per_page=100).get_repo("octo/app").get_pull(1).get_issue_comments())
    assert [each.body for each in found] == [f"{number}" for number in range(250)]
    assert scene.server.log.count("GET", r"/issues/1/comments") == 3
    url = f"{scene.server.url}/repos/octo/app/issues/1/comments"
    head = {"Authorization": f"Bearer {scene.server.token('bot')}"}
    answer = requests.get(url, params={"per_page": 1000, "page": 2}, headers=head, timeout=10)
    assert len(answer.json()) == 100, "a page has at most a hundred"
    assert set(answer.links) == {"first", "prev", "next", "last"}
    assert answer.links["last"]["url"].endswith("page=3")
    assert len(requests.get(url, headers=head, timeout=10).json()) == 30


# Commits and files.


def test_a_fix_is_committed_through_git_objects(scene: Scene) -> None:
    import github

    repository = scene.server.client("bot").get_repo("octo/app")
    head = repository.get_git_ref("heads/feature")
    parent = repository.get_git_commit(head.object.sha)
    element = github.InputGitTreeElement("deep/er/fix.py", "100644", "blob", content="fixed = True\n")
    tree = repository.create_git_tree([element], parent.tree)
    commit = repository.create_git_commit("Fix it\n\nCo-authored-by: Mona <m@example.invalid>", tree, [parent])
    head.edit(commit.sha)
    scene.work.git("pull", "--quiet", "origin", "feature")
    assert (scene.work.path / "deep/er/fix.py").read_text() == "fixed = True\n"
    assert scene.pull().head.sha == commit.sha
    with pytest.raises(GithubException, match="not a fast forward"):
        head.edit(parent.parents[0].sha)
    assert repository.get_contents("deep/er/fix.py", ref="feature").decoded_content == b"fixed = True\n"
    assert not scene.server.violations


def test_files_are_written_and_compared(scene: Scene) -> None:
    repository = scene.server.client("bot").get_repo("octo/app")
    repository.create_file("docs/a.md", "Add", "# A\n", branch="feature")
    old = repository.get_contents("docs/a.md", ref="feature")
    repository.update_file("docs/a.md", "Change", "# B\n", old.sha, branch="feature")
    with pytest.raises(GithubException) as caught:
        repository.update_file("docs/a.md", "Change", "# C\n", old.sha, branch="feature")
    assert caught.value.status == 409
    between = repository.compare("main", "feature")
    assert (between.status, between.ahead_by) == ("ahead", 3)
    assert "docs/a.md" in [file.filename for file in between.files]
    assert [each.name for each in repository.get_contents("docs", ref="feature")] == ["a.md"]
    with pytest.raises(UnknownObjectException):
        repository.get_contents("nothing.md")


# Checks, scanning, workflows.


def test_check_runs_take_fifty_annotations_at_a_time(scene: Scene) -> None:
    repository = scene.server.client("bot").get_repo("octo/app")
    note = {"path": "a.py", "start_line": 5, "end_line": 5, "annotation_level": "warning", "message": "eval"}
    output = {"title": "T", "summary": "S", "annotations": [note] * 50}
    check = repository.create_check_run("nootropic", scene.pull().head.sha, status="in_progress", output=output)
    check.edit(conclusion="neutral", output=output)
    assert (check.status, check.output.annotations_count) == ("completed", 100)
    assert check.get_annotations().totalCount == 100
    with pytest.raises(GithubException) as caught:
        check.edit(output={**output, "annotations": [note] * 51})
    assert caught.value.status == 422
    assert "annotations" in scene.server.violations[0].message
    scene.server.add_person("mona", scene.repository, "write")
    with pytest.raises(GithubException, match="GitHub App"):
        scene.server.client("mona").get_repo("octo/app").create_check_run("x", scene.pull().head.sha)


def test_sarif_is_unpacked_and_its_limits_are_told(scene: Scene) -> None:
    client, sha = scene.server.client("bot"), scene.pull().head.sha

    def upload(document: object) -> dict:
        packed = base64.b64encode(gzip.compress(json.dumps(document).encode())).decode()
        body = {"commit_sha": sha, "ref": "refs/pull/1/head", "sarif": packed}
        path = "/repos/octo/app/code-scanning/sarifs"
        _, answer = client.requester.requestJsonAndCheck("POST", path, input=body)
        return client.requester.requestJsonAndCheck("GET", f"{path}/{answer['id']}")[1]

    run = {"tool": {"driver": {"name": "n"}}, "results": []}
    assert upload({"version": "2.1.0", "runs": [run]})["processing_status"] == "complete"
    assert upload({"version": "2.1.0", "runs": [run] * 21})["errors"]


def test_artifacts_of_a_forks_run_are_found_by_commit_only(scene: Scene) -> None:
    pull = scene.open_from_fork()
    workflow = scene.server.add_workflow(scene.repository, ".github/workflows/analyse.yml", "analyse")
    made = scene.server.add_run(workflow, pull, {"report": {"report.json": b"{}"}, "broken": b"no zip"})
    own = scene.server.add_run(workflow, scene.server.hub.pulls[scene.repository.id, 1], {})
    client = scene.server.client("bot")
    repository = client.get_repo("octo/app")
    run = repository.get_workflow_run(made.id)
    assert run.pull_requests == []
    assert [each.number for each in repository.get_workflow_run(own.id).pull_requests] == [1]
    assert (run.head_sha, run.head_repository.full_name) == (pull.head, "eve/app")
    assert list(repository.get_commit(pull.head).get_pulls()) == []
    assert [each.number for each in client.get_repo("eve/app").get_commit(pull.head).get_pulls()] == [2]
    assert [each.number for each in repository.get_commit(scene.head).get_pulls()] == [1]
    artifact = next(each for each in run.get_artifacts() if each.name == "report")
    _, headers, _ = client.requester.requestBlob("GET", artifact.archive_download_url)
    location = headers["location"]
    data = requests.get(location, timeout=10).content
    assert zipfile.ZipFile(BytesIO(data)).read("report.json") == b"{}"
    refused = requests.get(location, headers={"Authorization": "Bearer x"}, timeout=10)
    assert refused.status_code == 400, "the storage behind artifacts refuses tokens"


def test_a_workflow_is_dispatched_when_its_file_allows_it(scene: Scene) -> None:
    path = ".github/workflows/tests.yml"
    scene.server.add_workflow(scene.repository, path, "tests")
    workflow = scene.server.client("bot").get_repo("octo/app").get_workflow("tests.yml")
    assert not workflow.create_dispatch("feature")
    scene.push({path: "on: {workflow_dispatch: {}}\n"})
    assert workflow.create_dispatch("feature", {"reason": "fix"})
    (run,) = scene.server.client("bot").get_repo("octo/app").get_workflow_runs()
    assert (run.event, run.head_sha) == ("workflow_dispatch", scene.work.git("rev-parse", "HEAD"))


# Tokens.


def test_a_forks_token_reads_and_cannot_write(scene: Scene) -> None:
    pull = scene.pull("fork")
    for attempt in (
        lambda: pull.create_issue_comment("x"),
        lambda: pull.create_review(body="x", event="COMMENT"),
        lambda: scene.server.client("fork").get_repo("octo/app").create_check_run("x", pull.head.sha),
        lambda: scene.server.client("fork").get_repo("octo/app").create_git_ref("refs/heads/x", pull.head.sha),
    ):
        with pytest.raises(GithubException) as caught:
            attempt()
        assert (caught.value.status, caught.value.message) == (403, "Resource not accessible by integration")
    assert scene.server.log.count("POST", token="fork", status=403) == 4


def test_no_token_and_a_revoked_one(scene: Scene) -> None:
    assert scene.pull(None).number == 1
    with pytest.raises(GithubException) as caught:
        scene.pull(None).create_issue_comment("x")
    assert caught.value.status == 401
    with pytest.raises(BadCredentialsException):
        scene.pull("revoked")


def test_a_private_repository_is_not_there_for_others(scene: Scene) -> None:
    scene.repository.is_private = True
    scene.server.add_person("mona", scene.repository, "read")
    assert scene.pull("mona").number == 1
    for label in ("read-only", None):
        with pytest.raises(UnknownObjectException):
            scene.server.client(label).get_repo("octo/app")


@pytest.mark.parametrize(
    ("role", "told"),
    [("read", "read"), ("triage", "read"), ("write", "write"), ("maintain", "write"), ("admin", "admin")],
)
def test_the_permission_of_a_person(scene: Scene, role: str, told: str) -> None:
    scene.server.add_person("ann", scene.repository, role)
    assert scene.server.client("bot").get_repo("octo/app").get_collaborator_permission("ann") == told


def test_an_installation_token_holds_what_was_asked_for(scene: Scene, clock: Clock) -> None:
    server, now = scene.server, int(clock.today().timestamp())
    app, owner = server.hub.user("nootropic[bot]"), server.hub.user("octo")
    signed = jwt.encode({"iss": str(app.id), "iat": now, "exp": now + 540}, "k" * 32, algorithm="HS256")
    url = f"{server.url}/app/installations/{owner.id}/access_tokens"
    head = {"Authorization": f"Bearer {signed}"}
    asked = {"permissions": {"pull_requests": "write"}, "repositories": ["app"]}
    made = requests.post(url, json=asked, headers=head, timeout=10)
    assert made.status_code == 201
    head = {"Authorization": f"token {made.json()['token']}"}
    comments = f"{server.url}/repos/octo/app/issues/1/comments"
    assert requests.post(comments, json={"body": "x"}, headers=head, timeout=10).status_code == 201
    refs = f"{server.url}/repos/octo/app/git/refs"
    assert (
        requests.post(refs, json={"ref": "refs/heads/x", "sha": "0" * 40}, headers=head, timeout=10).status_code == 403
    )
    clock.sleep(600)
    assert requests.post(url, headers={"Authorization": f"Bearer {signed}"}, timeout=10).status_code == 401


def test_a_renamed_repository_redirects(scene: Scene) -> None:
    scene.server.hub.rename_repository(scene.repository, "renamed")
    assert scene.server.client("bot").get_repo("octo/app").full_name == "octo/renamed"
    assert scene.server.log.count("GET", status=301) == 1
    url = f"{scene.server.url}/repos/octo/app/issues/1/comments"
    head = {"Authorization": f"Bearer {scene.server.token('bot')}"}
    answer = requests.post(url, json={"body": "x"}, headers=head, allow_redirects=False, timeout=10)
    assert answer.status_code == 307
    assert answer.headers["location"].endswith(f"/repositories/{scene.repository.id}/issues/1/comments")


# Limits.


def test_the_hours_budget_is_counted_and_told(scene: Scene, clock: Clock) -> None:
    scene.server.limits.hourly["actions"] = 3
    client = scene.server.client("bot")
    repository = client.get_repo("octo/app")
    repository.get_pull(1)
    assert client.get_rate_limit().rate.remaining == 1, "asking for the rate limit is free"
    repository.get_pull(1)
    with pytest.raises(RateLimitExceededException) as caught:
        repository.get_pull(1)
    assert caught.value.headers["x-ratelimit-remaining"] == "0"
    assert int(caught.value.headers["x-ratelimit-reset"]) - int(clock.today().timestamp()) == 3600
    clock.sleep(3600)
    assert repository.get_pull(1).number == 1


def test_more_than_eighty_creations_a_minute_are_refused(scene: Scene, clock: Clock) -> None:
    pull = scene.pull()
    for number in range(80):
        pull.create_issue_comment(f"{number}")
    clock.sleep(20)
    with pytest.raises(RateLimitExceededException) as caught:
        pull.create_issue_comment("one too many")
    assert caught.value.headers["retry-after"] == "40"
    assert scene.server.limits.exceeded == ["contents a minute"]
    clock.sleep(40)
    scene.server.limits.secondary_status, scene.server.limits.contents_a_minute = 429, 0
    with pytest.raises(GithubException) as refused:
        pull.create_issue_comment("again")
    assert refused.value.status == 429


def test_what_is_known_already_costs_nothing(scene: Scene) -> None:
    url = f"{scene.server.url}/repos/octo/app/pulls/1/files"
    head = {"Authorization": f"Bearer {scene.server.token('bot')}"}
    first = requests.get(url, headers=head, timeout=10)
    again = requests.get(url, headers={**head, "If-None-Match": first.headers["etag"]}, timeout=10)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["x-ratelimit-used"] == first.headers["x-ratelimit-used"] == "1"
    scene.push({"more.py": "more = 1\n"})
    assert requests.get(url, headers={**head, "If-None-Match": first.headers["etag"]}, timeout=10).status_code == 200


# Faults.


def test_failures_are_injected_with_and_without_effect(scene: Scene) -> None:
    pull, server = scene.pull(), scene.server
    server.fail_next("POST", r"/issues/\d+/comments$", 502)
    server.fail_next("POST", r"/issues/\d+/comments$", 504, effect=True)
    for status in (502, 504):
        with pytest.raises(GithubException) as caught:
            pull.create_issue_comment(f"{status}")
        assert caught.value.status == status
    assert [each.body for each in pull.get_issue_comments()] == ["504"]
    server.fail_next("*", "/pulls/1", 429, headers={"retry-after": "7"}, times=2)
    for _ in range(2):
        with pytest.raises(GithubException) as caught:
            scene.server.client("bot").get_repo("octo/app").get_pull(1)
        assert caught.value.headers["retry-after"] == "7"
    assert scene.pull().number == 1
    assert server.faults.left == []


def test_connections_are_dropped_and_slow(scene: Scene) -> None:
    pull, server = scene.pull(), scene.server
    server.drop_next("POST", "/comments$", effect=True)
    with pytest.raises(requests.ConnectionError):
        pull.create_issue_comment("accepted")
    assert [each.body for each in pull.get_issue_comments()] == ["accepted"]
    assert server.log.count("POST", token="bot", status=0) == 1
    server.slow_next("GET", "/pulls/1$", 30)
    with pytest.raises(requests.Timeout):
        server.client("bot", timeout=1).get_repo("octo/app").get_pull(1)


def test_a_server_ends_while_an_answer_is_slow(tmp_path: Path) -> None:
    began = time.monotonic()
    with GitHubServer(tmp_path / "github") as server:
        server.slow_next("GET", "/rate_limit", 60)

        def ask() -> None:
            with contextlib.suppress(requests.RequestException):
                requests.get(f"{server.url}/rate_limit", timeout=30)

        asked = threading.Thread(target=ask)
        asked.start()
        while server.faults.left:
            time.sleep(0.01)
    asked.join()
    assert time.monotonic() - began < 10


def test_many_clients_at_once_lose_nothing(scene: Scene) -> None:
    scene.server.limits.contents_a_minute = 1000
    pull = scene.pull()

    def say(name: int) -> None:
        for number in range(5):
            scene.server.client("bot", lazy=True).get_repo("octo/app").get_pull(pull.number).create_issue_comment(
                f"{name}.{number}"
            )

    threads = [threading.Thread(target=say, args=(name,)) for name in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {each.body for each in pull.get_issue_comments()} == {f"{a}.{b}" for a in range(10) for b in range(5)}
    assert scene.server.limits.most_at_once > 1


# The contract.


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        ("pulls/1/reviews", {"body": "x", "event": "SHOUT"}, "SHOUT"),
        (
            "pulls/1/reviews",
            {"body": "x", "event": "COMMENT", "comments": [{"path": "a.py", "lnie": 5, "body": "x"}]},
            "lnie",
        ),
        (
            "pulls/1/reviews",
            {"body": "x", "event": "COMMENT", "comments": [{"path": "a.py", "line": "5", "body": "x"}]},
            "'5'",
        ),
        ("issues/1/comments", {}, "body"),
        ("issues/1/comments?silent=1", {"body": "x"}, "silent"),
        ("check-runs", {"name": "x", "head_sha": "y", "status": "ready"}, "ready"),
        ("no/such/place", {}, "no such endpoint"),
    ],
)
def test_a_wrong_request_is_refused_and_noted(scene: Scene, path: str, body: dict, text: str) -> None:
    head = {"Authorization": f"Bearer {scene.server.token('bot')}"}
    answer = requests.post(f"{scene.server.url}/repos/octo/app/{path}", json=body, headers=head, timeout=10)
    assert answer.status_code in (404, 422)
    assert [text in each.message for each in scene.server.violations] == [True]
    assert scene.pull().get_issue_comments().totalCount == 0


def test_a_wrong_query_of_graphql_is_noted(scene: Scene) -> None:
    with pytest.raises(GithubException):
        scene.server.client("bot").requester.graphql_query("query { repository { id } }", {})
    with pytest.raises(GithubException):
        scene.server.client("bot").requester.graphql_query("mutation { resolveThread(id: 1) { id } }", {})
    assert len(scene.server.violations) >= 2
    assert not scene.server.drift


@pytest.mark.parametrize(
    ("change", "text"),
    [({"number": "1"}, "is not of type 'integer'"), ({"secret_field": 1}, "secret_field"), ({"state": None}, "state")],
)
def test_a_wrong_answer_of_the_server_fails_the_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict, text: str
) -> None:
    right = PullShapes.pull
    monkeypatch.setattr(PullShapes, "pull", lambda self, pull: {**right(self, pull), **change})
    with pytest.raises(ContractBroken, match=text):
        _ask_for_a_pull(tmp_path)


def test_a_wrong_answer_of_graphql_fails_the_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = Root._pull
    monkeypatch.setattr(Root, "_pull", lambda self, pull: {**right(self, pull), "title": None})
    with pytest.raises(ContractBroken, match="title"):
        _ask_for_a_pull(tmp_path)


def test_a_server_that_fails_fails_the_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PullShapes, "pull", lambda self, pull: 1 / 0)
    with pytest.raises(ContractBroken, match="ZeroDivisionError"):
        _ask_for_a_pull(tmp_path)


def test_a_right_answer_does_not(tmp_path: Path) -> None:
    _ask_for_a_pull(tmp_path)


def _ask_for_a_pull(folder: Path) -> None:
    """Both ways, in a server of its own."""
    with GitHubServer(folder / "github") as server:
        repository = server.create_repository("octo/app")
        main = server.commit(repository, "main", {"a.py": "a = 1\n"})
        server.commit(repository, "feature", {"a.py": "a = 2\n"}, parent=main)
        server.open_pull(repository, "feature")
        head = {"Authorization": f"Bearer {server.token('bot')}"}
        query = 'query { repository(owner: "octo", name: "app") { pullRequest(number: 1) { title } } }'
        requests.post(f"{server.url}/graphql", json={"query": query}, headers=head, timeout=10)
        with contextlib.suppress(requests.ConnectionError):
            requests.get(f"{server.url}/repos/octo/app/pulls/1", timeout=10)


def test_the_trimmed_descriptions_say_where_they_come_from() -> None:
    told = json.loads(SOURCES.read_text())
    assert [each["licence"] for each in told["sources"]] == ["MIT", "MIT"]
    assert all(len(each["sha256"]) == 64 for each in told["sources"])
    assert sum(file.stat().st_size for file in DATA.iterdir()) < 100_000
    assert component("basic-error").is_valid({"message": "x"})
