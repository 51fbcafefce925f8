"""Files of a commit, read and written one at a time."""

from __future__ import annotations

import base64
import binascii

from tests.support.github import records as r
from tests.support.github.errors import Refused, invalid, not_found
from tests.support.github.git import Entry
from tests.support.github.objects import write_tree
from tests.support.github.repos import find_commit
from tests.support.github.routing import REPO, Answer, Request, route
from tests.support.github.shapes import JSON, Shapes

CONTENTS_LIMIT = 1_000_000  # Larger ones are told without their content, says the documentation.


@route(f"GET {REPO}/contents/{{path}}", "contents:read")
def get_contents(request: Request) -> Answer:
    repository, path = request.repository, request.params["path"].strip("/")
    commit = find_commit(repository, request.query.get("ref") or repository.default_branch)
    shown = {entry.path: entry for entry in repository.git.entries(commit.sha, is_recursive=True)}
    entry = shown.get(path)
    if entry is None:
        raise not_found()
    if entry.kind == "tree":
        inside = [each for each in shown.values() if each.path.rpartition("/")[0] == path]
        return Answer([_content(request, each, commit.sha) for each in inside])
    if ".raw" in request.accept and entry.kind == "blob":
        return Answer(repository.git.blob(entry.sha), media="application/vnd.github.raw; charset=utf-8")
    return Answer({**_content(request, entry, commit.sha), **_inner(repository, entry)})


def _inner(repository: r.Repository, entry: Entry) -> JSON:
    if entry.kind == "commit":
        return {"type": "submodule", "submodule_git_url": None}
    data = repository.git.blob(entry.sha)
    if entry.mode == "120000":
        return {"type": "symlink", "target": data.decode("utf-8", "replace")}
    if len(data) > CONTENTS_LIMIT:
        return {"type": "file", "encoding": "none", "content": ""}
    return {"type": "file", "encoding": "base64", "content": base64.encodebytes(data).decode()}


def _content(request: Request, entry: Entry, ref: str) -> JSON:
    shapes, repository = Shapes(request.hub), request.repository
    url = f"{shapes.repository_url(repository)}/contents/{entry.path}?ref={ref}"
    html = f"{shapes.html(repository)}/blob/{ref}/{entry.path}"
    git = f"{shapes.repository_url(repository)}/git/{entry.kind}s/{entry.sha}"
    kind = {"tree": "dir", "commit": "submodule"}.get(entry.kind, "symlink" if entry.mode == "120000" else "file")
    return {
        "name": entry.path.rpartition("/")[2], "path": entry.path, "sha": entry.sha, "size": entry.size or 0,
        "type": kind, "url": url, "html_url": html, "git_url": git,
        "download_url": None if entry.kind != "blob" else html.replace("/blob/", "/raw/"),
        "_links": {"self": url, "git": git, "html": html},
    }  # fmt: skip


@route(f"PUT {REPO}/contents/{{path}}", "contents:write", is_content=True)
def put_contents(request: Request) -> Answer:
    """A commit that writes one file. An existing one is replaced only by who knows its id."""
    try:
        data = base64.b64decode("".join(request.fields["content"].split()), validate=True)
    except binascii.Error:
        raise invalid("Contents", "content", "content is not valid Base64") from None
    return _commit_file(request, request.repository.git.store_blob(data))


@route(f"DELETE {REPO}/contents/{{path}}", "contents:write", is_content=True)
def delete_contents(request: Request) -> Answer:
    return _commit_file(request, None)


def _commit_file(request: Request, blob: str | None) -> Answer:
    repository, git, path = request.repository, request.repository.git, request.params["path"].strip("/")
    branch = request.fields.get("branch", repository.default_branch)
    head = git.head_of(branch)
    if head is None:
        raise Refused(404, f"Branch {branch} not found")
    old = {each.path: each for each in git.entries(head, is_recursive=True) if each.kind != "tree"}
    had = old.get(path)
    if had is None and blob is None:
        raise not_found()
    if had is not None and request.fields.get("sha") is None:
        raise Refused(422, 'Invalid request.\n\n"sha" wasn\'t supplied.')
    if had is not None and request.fields["sha"] != had.sha:
        raise Refused(409, f"{path} does not match {request.fields['sha']}")
    lines = {each.path: f"{each.mode} {each.sha}" for each in old.values() if each.path != path}
    if blob is not None:
        lines[path] = f"{had.mode if had else '100644'} {blob}"
    who = request.hub.person(request.user)
    tree, message = write_tree(repository, lines), request.fields["message"].encode()
    sha = git.line("commit-tree", tree, "-p", head, feed=message, who=(who, who))
    git.run("update-ref", f"refs/heads/{branch}", sha, head)
    shown = None
    if blob is not None:
        entry = next(each for each in git.entries(sha, is_recursive=True) if each.path == path)
        shown = _content(request, entry, sha)
    commit = Shapes(request.hub).git_commit(repository, git.commit(sha))
    return Answer({"content": shown, "commit": commit}, 201 if had is None else 200)
