"""Check runs and code scanning."""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import uuid
import zlib
from typing import Any

from tests.support.github import records as r
from tests.support.github.errors import Refused, invalid, not_found
from tests.support.github.pullshapes import PullShapes
from tests.support.github.routing import REPO, Answer, Listed, Request, route
from tests.support.github.shapes import JSON

CHECK = REPO + "/check-runs/{check_run_id}"
# Per file, from GitHub's documentation of its SARIF support.
SARIF_BYTES, SARIF_RUNS, SARIF_RESULTS, SARIF_LOCATIONS, SARIF_TAGS = 10_000_000, 20, 25_000, 1_000, 20
MESSAGE_BYTES, TITLE_LENGTH = 64 * 1024, 255


@route(f"POST {REPO}/check-runs", "checks:write", is_content=True)
def create_check(request: Request) -> Answer:
    _need_app(request)
    repository, fields = request.repository, request.fields
    if repository.git.kind(fields["head_sha"]) != "commit":
        raise Refused(422, f"No commit found for SHA: {fields['head_sha']}")
    begun = {"status": "queued", "started_at": request.hub.iso(request.hub.now())}
    check = r.CheckRun(request.hub.new_id(), repository, request.user, begun)
    _take(request, check)
    request.hub.checks[check.id] = check
    return Answer(_check(request, check), 201)


@route(f"PATCH {CHECK}", "checks:write", is_content=True)
def update_check(request: Request) -> Answer:
    """Annotations are appended to those that are there."""
    _need_app(request)
    check = _find(request)
    if check.user is not request.user:
        raise Refused(403, "Invalid app_id for this check run")
    _take(request, check)
    return Answer(_check(request, check))


@route(f"GET {CHECK}", "checks:read")
def get_check(request: Request) -> Answer:
    return Answer(_check(request, _find(request)))


@route(f"GET {CHECK}/annotations", "checks:read")
def list_annotations(request: Request) -> Listed:
    return Listed(_find(request).annotations, lambda annotation: annotation)


@route(f"GET {REPO}/commits/{{ref}}/check-runs", "checks:read")
def list_checks(request: Request) -> Listed:
    """Of several of a name the latest, unless all are asked for."""
    repository = request.repository
    sha = repository.git.resolve(request.params["ref"])
    found = [
        each
        for each in request.hub.checks.values()
        if each.repository is repository
        and each.fields["head_sha"] == sha
        and request.query.get("check_name") in (None, each.fields["name"])
    ]
    if request.query.get("filter", "latest") == "latest":
        found = list({(each.user.id, each.fields["name"]): each for each in found}.values())
    return Listed(found[::-1], lambda check: _check(request, check), "check_runs")


def _need_app(request: Request) -> None:
    if request.token is None or request.token.kind not in ("actions", "installation"):
        raise Refused(403, "You must authenticate via a GitHub App.")


def _find(request: Request) -> r.CheckRun:
    check = request.hub.checks.get(request.number("check_run_id"))
    if check is None or check.repository is not request.repository:
        raise not_found()
    return check


def _take(request: Request, check: r.CheckRun) -> None:
    fields = dict(request.fields)
    output = dict(fields.get("output") or {})
    added = [_annotation(request, check, fields, each) for each in output.pop("annotations", [])]
    if fields.get("status") == "completed" and "conclusion" not in fields:
        raise invalid("CheckRun", "conclusion", "conclusion can't be blank when status is completed")
    if "conclusion" in fields:
        fields["status"] = "completed"
        fields.setdefault("completed_at", request.hub.iso(request.hub.now()))
    if output:
        fields["output"] = output
    check.fields |= fields
    check.annotations += added


def _annotation(request: Request, check: r.CheckRun, fields: JSON, given: JSON) -> JSON:
    sizes = {"message": MESSAGE_BYTES, "raw_details": MESSAGE_BYTES}
    for name, most in sizes.items():
        if len(given.get(name, "").encode()) > most:
            raise invalid("CheckRun", "annotations", f"{name} is too long (maximum is 64 KB)")
    if len(given.get("title", "")) > TITLE_LENGTH:
        raise invalid("CheckRun", "annotations", f"title is too long (maximum is {TITLE_LENGTH} characters)")
    if given["start_line"] > given["end_line"] or given["start_line"] < 1:
        raise invalid("CheckRun", "annotations", "start_line must precede or equal end_line")
    if "start_column" in given and given["start_line"] != given["end_line"]:
        raise invalid("CheckRun", "annotations", "start_column and end_column are only for annotations of one line")
    head = fields.get("head_sha") or check.fields["head_sha"]
    html = f"{PullShapes(request.hub).html(check.repository)}/blob/{head}/{given['path']}"
    optional = dict.fromkeys(("start_column", "end_column", "title", "raw_details"))
    return {**optional, **given, "blob_href": html}


def _check(request: Request, check: r.CheckRun) -> JSON:
    shapes, fields = PullShapes(request.hub), check.fields
    url = f"{shapes.repository_url(check.repository)}/check-runs/{check.id}"
    html = f"{shapes.html(check.repository)}/runs/{check.id}"
    output = {"title": None, "summary": None, "text": None, **(fields.get("output") or {})}
    output = {name: value for name, value in output.items() if name != "images"}
    pulls = [
        pull
        for pull in request.hub.pulls_of(check.repository)
        if pull.head == fields["head_sha"] and pull.state == "open" and not pull.is_from_fork
    ]
    return {
        "id": check.id, "name": fields["name"], "node_id": f"CR_{check.id}", "head_sha": fields["head_sha"],
        "external_id": fields.get("external_id", ""), "url": url, "html_url": html,
        "details_url": fields.get("details_url", html), "status": fields["status"],
        "conclusion": fields.get("conclusion"), "started_at": fields["started_at"],
        "completed_at": fields.get("completed_at"), "check_suite": {"id": check.user.id},
        "output": {**output, "annotations_count": len(check.annotations), "annotations_url": f"{url}/annotations"},
        "app": shapes.app(check.user), "pull_requests": [shapes.minimal_pull(pull) for pull in pulls],
    }  # fmt: skip


@route(f"POST {REPO}/code-scanning/sarifs", "security_events:write", is_content=True)
def upload_sarif(request: Request) -> Answer:
    """Refuses what can't be read; what breaks a limit of the contents is told by the status, as GitHub does."""
    repository, fields = request.repository, request.fields
    try:
        packed = base64.b64decode(fields["sarif"], validate=True)
        document = json.loads(gzip.decompress(packed))
    except (binascii.Error, OSError, EOFError, zlib.error, ValueError):
        raise Refused(400, "The SARIF file is not valid: it must be gzip-compressed and Base64-encoded") from None
    if len(packed) > SARIF_BYTES:
        raise Refused(413, "The SARIF file is too large")
    if repository.git.kind(fields["commit_sha"]) != "commit":
        raise Refused(404, f"commit not found: {fields['commit_sha']}")
    found = r.Sarif(
        str(uuid.UUID(int=request.hub.new_id())), repository, fields["commit_sha"], fields["ref"], document,
        _sarif_errors(document),
    )  # fmt: skip
    request.hub.sarifs[found.id] = found
    url = f"{PullShapes(request.hub).repository_url(repository)}/code-scanning/sarifs/{found.id}"
    return Answer({"id": found.id, "url": url}, 202)


def _sarif_errors(document: Any) -> list[str]:
    if not isinstance(document, dict) or document.get("version") != "2.1.0":
        return ["only SARIF version 2.1.0 is supported"]
    runs = document.get("runs", [])
    errors = [] if len(runs) <= SARIF_RUNS else [f"rejecting SARIF, as there are more runs than allowed ({SARIF_RUNS})"]
    for run in runs:
        results, rules = run.get("results", []), run.get("tool", {}).get("driver", {}).get("rules", [])
        if len(results) > SARIF_RESULTS:
            errors.append(f"rejecting SARIF, as there are more results per run than allowed ({SARIF_RESULTS})")
        if any(len(each.get("locations", [])) > SARIF_LOCATIONS for each in results):
            errors.append(f"rejecting SARIF, as there are more locations per result than allowed ({SARIF_LOCATIONS})")
        if any(len(each.get("properties", {}).get("tags", [])) > SARIF_TAGS for each in rules):
            errors.append(f"rejecting SARIF, as there are more tags per rule than allowed ({SARIF_TAGS})")
    return errors


@route(f"GET {REPO}/code-scanning/sarifs/{{sarif_id}}", "security_events:read")
def get_sarif(request: Request) -> Answer:
    found = request.hub.sarifs.get(request.params["sarif_id"])
    if found is None or found.repository is not request.repository:
        raise not_found()
    if found.errors:
        return Answer({"processing_status": "failed", "analyses_url": None, "errors": found.errors})
    url = f"{PullShapes(request.hub).repository_url(found.repository)}/code-scanning/analyses?sarif_id={found.id}"
    return Answer({"processing_status": "complete", "analyses_url": url, "errors": None})
