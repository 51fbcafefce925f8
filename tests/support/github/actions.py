"""Workflows, their runs and artifacts; installations of an app; rate limits."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json

from tests.support.github import records as r
from tests.support.github.errors import Refused, not_found
from tests.support.github.pullshapes import PullShapes
from tests.support.github.routing import REPO, Answer, Listed, Request, route
from tests.support.github.shapes import JSON

RUN = REPO + "/actions/runs/{run_id}"
ARTIFACT = REPO + "/actions/artifacts/{artifact_id}"
JWT_SECONDS = 600


@route(f"GET {REPO}/actions/workflows", "actions:read")
def list_workflows(request: Request) -> Listed:
    repository = request.repository
    found = [each for each in request.hub.workflows.values() if each.repository is repository]
    return Listed(found, lambda workflow: workflow_shape(PullShapes(request.hub), workflow), "workflows")


@route(f"GET {REPO}/actions/workflows/{{workflow_id}}", "actions:read")
def get_workflow(request: Request) -> Answer:
    return Answer(workflow_shape(PullShapes(request.hub), _find_workflow(request)))


@route(f"POST {REPO}/actions/workflows/{{workflow_id}}/dispatches", "actions:write", is_content=True)
def dispatch(request: Request) -> Answer:
    """Starts a run; nothing executes it. The file must say that it may be started so, which is read from git."""
    workflow, fields, git = _find_workflow(request), request.fields, request.repository.git
    name = fields["ref"].removeprefix("refs/heads/").removeprefix("refs/tags/")
    head = git.resolve(name)
    if head is None:
        raise Refused(422, f"No ref found for: {fields['ref']}")
    text = git.run("show", f"{head}:{workflow.path}") if git.holds("cat-file", "-e", f"{head}:{workflow.path}") else b""
    if b"workflow_dispatch" not in text:
        raise Refused(422, "Workflow does not have 'workflow_dispatch' trigger")
    hub = request.hub
    run = r.WorkflowRun(
        hub.new_id(), len(hub.runs) + 1, workflow, "workflow_dispatch", request.repository, name, head, request.user,
        hub.now(), "queued", None, dict(fields.get("inputs") or {}),
    )  # fmt: skip
    hub.runs[run.id] = run
    if not fields.get("return_run_details"):
        return Answer(None, 204)
    shown = run_shape(PullShapes(request.hub), run)
    return Answer({"workflow_run_id": run.id, "run_url": shown["url"], "html_url": shown["html_url"]})


def _find_workflow(request: Request) -> r.Workflow:
    wanted = request.params["workflow_id"]
    for each in request.hub.workflows.values():
        names = (str(each.id), each.path.rpartition("/")[2])
        if each.repository is request.repository and wanted in names:
            return each
    raise not_found()


def workflow_shape(shapes: PullShapes, workflow: r.Workflow) -> JSON:
    """A workflow as GitHub's JSON."""
    url = f"{shapes.repository_url(workflow.repository)}/actions/workflows/{workflow.id}"
    html = f"{shapes.html(workflow.repository)}/blob/main/{workflow.path}"
    born = shapes.hub.iso(workflow.repository.created)
    return {
        "id": workflow.id, "node_id": f"W_{workflow.id}", "name": workflow.name, "path": workflow.path,
        "state": "active", "created_at": born, "updated_at": born, "url": url, "html_url": html,
        "badge_url": f"{html}/badge.svg",
    }  # fmt: skip


@route(f"GET {REPO}/actions/runs", "actions:read")
def list_runs(request: Request) -> Listed:
    repository, query = request.repository, request.query
    found = [each for each in request.hub.runs.values() if each.workflow.repository is repository]
    for name, value in (("event", "event"), ("branch", "head_branch"), ("head_sha", "head"), ("status", "status")):
        if name in query:
            found = [
                each for each in found if query[name] in (getattr(each, value), name == "status" and each.conclusion)
            ]
    return Listed(found[::-1], lambda run: run_shape(PullShapes(request.hub), run), "workflow_runs")


@route(f"GET {RUN}", "actions:read")
def get_run(request: Request) -> Answer:
    return Answer(run_shape(PullShapes(request.hub), _find_run(request)))


@route(f"GET {RUN}/artifacts", "actions:read")
def list_artifacts_of_run(request: Request) -> Listed:
    wanted = request.query.get("name")
    found = [each for each in _find_run(request).artifacts if wanted in (None, each.name)]
    return Listed(found, lambda artifact: _artifact(request, artifact), "artifacts")


@route(f"GET {REPO}/actions/artifacts", "actions:read")
def list_artifacts(request: Request) -> Listed:
    repository, wanted = request.repository, request.query.get("name")
    found = [
        each
        for each in request.hub.artifacts.values()
        if each.run.workflow.repository is repository and wanted in (None, each.name)
    ]
    return Listed(found[::-1], lambda artifact: _artifact(request, artifact), "artifacts")


@route(f"GET {ARTIFACT}", "actions:read")
def get_artifact(request: Request) -> Answer:
    return Answer(_artifact(request, _find_artifact(request)))


@route(f"GET {ARTIFACT}/{{archive_format}}", "actions:read")
def download_artifact(request: Request) -> Answer:
    """A redirect to another host, which refuses the token: the storage that GitHub redirects to does so as well."""
    if request.token is None:
        raise Refused(401, "Requires authentication")
    artifact = _find_artifact(request)
    if request.params["archive_format"] != "zip":
        raise not_found()
    if artifact.is_expired:
        raise Refused(410, "Artifact has expired")
    place = request.hub.url.replace("127.0.0.1", "localhost")
    return Answer(None, 302, {"Location": f"{place}/storage/artifacts/{artifact.id}"})


def _find_run(request: Request) -> r.WorkflowRun:
    run = request.hub.runs.get(request.number("run_id"))
    if run is None or run.workflow.repository is not request.repository:
        raise not_found()
    return run


def _find_artifact(request: Request) -> r.Artifact:
    artifact = request.hub.artifacts.get(request.number("artifact_id"))
    if artifact is None or artifact.run.workflow.repository is not request.repository:
        raise not_found()
    return artifact


def run_shape(shapes: PullShapes, run: r.WorkflowRun) -> JSON:
    """A run as GitHub's JSON."""
    hub, repository = shapes.hub, run.workflow.repository
    url = f"{shapes.repository_url(repository)}/actions/runs/{run.id}"
    html = f"{shapes.html(repository)}/actions/runs/{run.id}"
    commit = run.head_repository.git.commit(run.head)
    author, committer = ({"name": each.name, "email": each.email} for each in (commit.author, commit.committer))
    started = hub.iso(run.created)
    return {
        "id": run.id, "name": run.workflow.name, "node_id": f"WFR_{run.id}", "head_branch": run.head_branch,
        "head_sha": run.head, "path": run.workflow.path, "display_title": commit.message.split("\n")[0],
        "run_number": run.number, "run_attempt": 1, "event": run.event, "status": run.status,
        "conclusion": run.conclusion, "workflow_id": run.workflow.id, "url": url, "html_url": html,
        "pull_requests": [shapes.minimal_pull(pull) for pull in hub.pulls_of_run(run)],
        "created_at": started, "updated_at": started, "run_started_at": started, "actor": shapes.user(run.actor),
        "triggering_actor": shapes.user(run.actor), "previous_attempt_url": None, "referenced_workflows": [],
        "check_suite_url": f"{shapes.repository_url(repository)}/check-suites/{run.id}", "check_suite_id": run.id,
        "check_suite_node_id": f"CS_{run.id}",
        **{f"{each}_url": f"{url}/{each}" for each in ("jobs", "logs", "artifacts", "cancel", "rerun")},
        "workflow_url": f"{shapes.repository_url(repository)}/actions/workflows/{run.workflow.id}",
        "head_commit": {
            "id": run.head, "tree_id": commit.tree, "message": commit.message, "timestamp": commit.committer.date,
            "author": author, "committer": committer,
        },
        "repository": shapes.minimal_repository(repository),
        "head_repository": shapes.minimal_repository(run.head_repository),
    }  # fmt: skip


def _artifact(request: Request, artifact: r.Artifact) -> JSON:
    shapes, run = PullShapes(request.hub), artifact.run
    url = f"{shapes.repository_url(run.workflow.repository)}/actions/artifacts/{artifact.id}"
    made, gone = request.hub.iso(artifact.created), request.hub.iso(artifact.created + 90 * 86_400)
    return {
        "id": artifact.id, "node_id": f"AR_{artifact.id}", "name": artifact.name,
        "size_in_bytes": len(artifact.data), "url": url, "archive_download_url": f"{url}/zip",
        "expired": artifact.is_expired, "created_at": made, "updated_at": made, "expires_at": gone,
        "digest": f"sha256:{hashlib.sha256(artifact.data).hexdigest()}",
        "workflow_run": {
            "id": run.id, "repository_id": run.workflow.repository.id, "head_repository_id": run.head_repository.id,
            "head_branch": run.head_branch, "head_sha": run.head,
        },
    }  # fmt: skip


# Apps.


@route("GET /app", "free")
def get_app(request: Request) -> Answer:
    _need_jwt(request)
    return Answer(PullShapes(request.hub).app(request.user))


@route(f"GET {REPO}/installation", "free")
def get_installation(request: Request) -> Answer:
    _need_jwt(request)
    return Answer(_installation(request, request.repository))


@route("POST /app/installations/{installation_id}/access_tokens", "free", is_content=True)
def create_installation_token(request: Request) -> Answer:
    """For an hour, with no more than what was asked for."""
    _need_jwt(request)
    hub, fields = request.hub, request.fields
    owner = next((each for each in hub.users.values() if each.id == request.number("installation_id")), None)
    if owner is None:
        raise not_found()
    owned = {each.id: each for each in hub.repositories.values() if each.owner is owner and not each.is_deleted}
    names, ids = fields.get("repositories"), fields.get("repository_ids")
    wanted = {each.id for each in owned.values() if names is None or each.name in names}
    wanted &= set(owned) if ids is None else set(ids)
    given = fields.get("permissions") or r.WRITE_ALL
    value = f"ghs_{hashlib.sha256(str(hub.new_id()).encode()).hexdigest()[:36]}"
    hub.tokens[value] = r.Token("installation", value, "installation", request.user, given, frozenset(wanted))
    shown = {"token": value, "expires_at": hub.iso(hub.now() + 3600), "permissions": given}
    selection = "all" if names is None and ids is None else "selected"
    return Answer({**shown, "repository_selection": selection}, 201)


def _need_jwt(request: Request) -> None:
    if request.token is None or request.token.kind != "app":
        raise Refused(401, "A JSON web token could not be decoded")


def jwt_claims(value: str) -> JSON | None:
    """The claims of a JSON web token. The signature is not checked: there is no key to check it with."""
    parts = value.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return None
    return claims if isinstance(claims, dict) else None


def is_valid(claims: JSON, now: float) -> bool:
    """At most ten minutes, says the documentation, and neither over nor in the future."""
    issued, expires = claims.get("iat", 0), claims.get("exp", 0)
    return bool(issued <= now + 60 and now < expires <= now + JWT_SECONDS)


def _installation(request: Request, repository: r.Repository) -> JSON:
    shapes, owner = PullShapes(request.hub), repository.owner
    url, born = f"{shapes.api}/app/installations/{owner.id}", request.hub.iso(0)
    return {
        "id": owner.id, "account": shapes.user(owner), "repository_selection": "all",
        "access_tokens_url": f"{url}/access_tokens", "repositories_url": f"{shapes.api}/installation/repositories",
        "html_url": f"{shapes.web}/settings/installations/{owner.id}", "app_id": request.user.id,
        "app_slug": request.user.login.removesuffix("[bot]"), "target_id": owner.id, "target_type": "User",
        "permissions": r.WRITE_ALL, "events": [], "created_at": born, "updated_at": born, "single_file_name": None,
        "suspended_by": None, "suspended_at": None,
    }  # fmt: skip
