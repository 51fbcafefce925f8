"""The endpoints that no story needs: each answers, and what it answers is held to the description."""

from __future__ import annotations

import gzip
import json

import github
import jwt
import pytest
from github import GithubException
from graphql import GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType

from tests.github.conftest import Scene
from tests.support.clock import Clock
from tests.support.github import routes
from tests.support.github.graphql import schema
from tests.support.github.kept import KEPT
from tests.support.github.places import OPENAPI
from tests.support.github.routing import ROUTES


def test_every_route_and_field_is_described() -> None:
    """Who adds one makes the trimmed descriptions again."""
    paths = json.loads(gzip.decompress(OPENAPI.read_bytes()))["paths"]
    assert routes.MODULES
    assert {(each.method, each.template) for each in ROUTES} == {
        (method, template) for template, methods in paths.items() for method in methods
    }
    for name, fields in KEPT.items():
        described = schema().type_map[name]
        assert isinstance(described, GraphQLObjectType | GraphQLInputObjectType | GraphQLInterfaceType)
        assert set(described.fields) == set(fields)


def test_people(scene: Scene) -> None:
    scene.server.add_person("ann")
    assert scene.server.client("ann").get_user().login == "ann"
    assert scene.server.client("bot").get_user("ann").login == "ann"
    with pytest.raises(GithubException) as caught:
        _ = scene.server.client("bot").get_user().login
    assert caught.value.status == 403, "a workflow's token is nobody's"


def test_branches_commits_and_refs(scene: Scene) -> None:
    repository = scene.server.client("bot").get_repo("octo/app")
    assert [each.name for each in repository.get_branches()] == ["feature", "main"]
    assert [each.sha for each in repository.get_commits("feature")] == [scene.head, scene.main]
    assert [each.sha for each in repository.get_commits("feature", path="gone.py")] == [scene.head, scene.main]
    assert [each.sha for each in repository.get_commits("feature", path="new.py")] == [scene.head]
    commit = repository.get_commit(scene.head)
    assert (commit.stats.additions, commit.stats.deletions, len(list(commit.files))) == (4, 3, 3)
    assert [each.status for each in repository.get_commit(scene.main).files] == ["added", "added"]
    made = repository.create_git_ref("refs/nootropic/log/abc", scene.head)
    assert [each.ref for each in repository.get_git_matching_refs("nootropic/")] == [made.ref]
    with pytest.raises(GithubException, match="already exists"):
        repository.create_git_ref("refs/nootropic/log/abc", scene.head)
    made.delete()
    assert list(repository.get_git_matching_refs("nootropic/")) == []


def test_blobs_trees_and_deleted_files(scene: Scene) -> None:
    repository = scene.server.client("bot").get_repo("octo/app")
    blob = repository.create_git_blob("AAEC", "base64")
    assert repository.get_git_blob(blob.sha).content.strip() == "AAEC"
    tree = repository.get_git_tree("feature", recursive=True)
    assert [each.path for each in tree.tree] == ["a.py", "new.py"]
    entry = repository.get_contents("new.py", ref="feature")
    repository.delete_file("new.py", "Remove", entry.sha, branch="feature")
    assert [each.path for each in repository.get_git_tree("feature").tree] == ["a.py"]
    gone = github.InputGitTreeElement("a.py", "100644", "blob", sha=None)
    assert repository.create_git_tree([gone], repository.get_git_tree("feature")).tree == []
    evil = github.InputGitTreeElement("../a.py", "100644", "blob", content="x")
    with pytest.raises(GithubException, match="malformed path"):
        repository.create_git_tree([evil])


def test_reviews_one_by_one(scene: Scene) -> None:
    scene.server.add_person("ann", scene.repository, "write")
    pull = scene.pull("ann")
    made = pull.create_review(body="No.", event="REQUEST_CHANGES")
    made.edit("Not yet.")
    assert pull.get_review(made.id).body == "Not yet."
    made.dismiss("Fixed.")
    assert pull.get_review(made.id).state == "DISMISSED"
    draft = pull.create_review(body="Draft.")
    draft.delete()
    assert [each.state for each in pull.get_reviews()] == ["DISMISSED"]


def test_comments_one_by_one_and_their_reactions(scene: Scene) -> None:
    repository, pull = scene.server.client("bot").get_repo("octo/app"), scene.pull()
    made = pull.create_review_comment("Look.", pull.head.sha, "a.py", line=5)
    assert pull.get_review_comment(made.id).body == "Look."
    assert [each.id for each in repository.get_pulls_comments()] == [made.id]
    reaction = made.create_reaction("rocket")
    assert [each.content for each in made.get_reactions()] == ["rocket"]
    assert pull.get_review_comment(made.id).raw_data["reactions"]["rocket"] == 1
    made.delete_reaction(reaction.id)
    assert list(made.get_reactions()) == []
    said = repository.get_issue(1).create_comment("Hello.")
    said.delete_reaction(said.create_reaction("heart").id)
    assert list(said.get_reactions()) == []
    whole = pull.create_review_comment("All of it.", pull.head.sha, "a.py", subject_type="file")
    assert whole.raw_data["subject_type"] == "file"


def test_checks_and_artifacts_are_found(scene: Scene) -> None:
    repository = scene.server.client("bot").get_repo("octo/app")
    output = {"title": "T", "summary": "S"}
    made = repository.create_check_run("nootropic", scene.head, status="completed", conclusion="success", output=output)
    assert repository.get_check_run(made.id).conclusion == "success"
    assert [each.id for each in repository.get_commit(scene.head).get_check_runs(check_name="nootropic")] == [made.id]
    with pytest.raises(GithubException, match="Validation Failed"):
        repository.create_check_run("nootropic", scene.head, status="completed")
    workflow = scene.server.add_workflow(scene.repository, ".github/workflows/analyse.yml", "analyse")
    assert [each.name for each in repository.get_workflows()] == ["analyse"]
    scene.server.add_run(workflow, scene.server.hub.pulls[scene.repository.id, 1], {"report": {"a": b"b"}})
    (artifact,) = repository.get_artifacts(name="report")
    assert repository.get_artifact(artifact.id).size_in_bytes == artifact.size_in_bytes
    assert [each.status for each in repository.get_workflow_runs(head_sha=scene.head)] == ["completed"]


def test_an_app_finds_its_installation(scene: Scene, clock: Clock) -> None:
    app, now = scene.server.hub.user("nootropic[bot]"), int(clock.today().timestamp())
    signed = jwt.encode({"iss": str(app.id), "iat": now, "exp": now + 540}, "k" * 32, algorithm="HS256")
    auth = github.Auth.AppAuthToken(signed)
    client = github.Github(auth=auth, base_url=scene.server.url, retry=None)
    assert client.requester.requestJsonAndCheck("GET", "/app")[1]["slug"] == "nootropic"
    found = client.requester.requestJsonAndCheck("GET", "/repos/octo/app/installation")[1]
    assert found["account"]["login"] == "octo"
