"""Refs, blobs, trees and commits through the interface."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from tests.support.github import records as r
from tests.support.github.errors import Refused, invalid, not_found
from tests.support.github.git import GitFailed, Person
from tests.support.github.repos import find_commit
from tests.support.github.routing import REPO, Answer, Listed, Request, route
from tests.support.github.shapes import JSON, Shapes


@route(f"GET {REPO}/git/ref/{{ref}}", "contents:read")
def get_ref(request: Request) -> Answer:
    name = f"refs/{request.params['ref']}"
    sha = request.repository.git.refs(name).get(name)
    if sha is None:
        raise not_found()
    return Answer(_ref(request, name, sha))


@route(f"GET {REPO}/git/matching-refs/{{ref}}", "contents:read")
def list_matching_refs(request: Request) -> Listed:
    prefix = f"refs/{request.params['ref']}"
    found = {name: sha for name, sha in request.repository.git.refs("refs/").items() if name.startswith(prefix)}
    return Listed(sorted(found), lambda name: _ref(request, name, found[name]))


@route(f"POST {REPO}/git/refs", "contents:write", is_content=True)
def create_ref(request: Request) -> Answer:
    name, sha, git = request.fields["ref"], request.fields["sha"], request.repository.git
    if not name.startswith("refs/") or name.count("/") < 2 or not git.holds("check-ref-format", name):
        raise Refused(422, f"Reference name must start with 'refs' and contain at least two slashes: {name}")
    if name in git.refs(name):
        raise Refused(422, "Reference already exists")
    if git.kind(sha) is None:
        raise Refused(422, "Object does not exist")
    git.run("update-ref", name, sha)
    shown = _ref(request, name, sha)
    return Answer(shown, 201, {"Location": shown["url"]})


@route(f"PATCH {REPO}/git/refs/{{ref}}", "contents:write", is_content=True)
def update_ref(request: Request) -> Answer:
    """Only forward, unless forced."""
    name, sha, git = f"refs/{request.params['ref']}", request.fields["sha"], request.repository.git
    old = git.refs(name).get(name)
    if old is None:
        raise Refused(422, "Reference does not exist")
    if git.kind(sha) is None:
        raise Refused(422, "Object does not exist")
    if not request.fields.get("force", False) and not git.is_ancestor(old, sha):
        raise Refused(422, "Update is not a fast forward")
    git.run("update-ref", name, sha, old)
    return Answer(_ref(request, name, sha))


@route(f"DELETE {REPO}/git/refs/{{ref}}", "contents:write")
def delete_ref(request: Request) -> Answer:
    name, git = f"refs/{request.params['ref']}", request.repository.git
    if name not in git.refs(name):
        raise Refused(422, "Reference does not exist")
    git.run("update-ref", "-d", name)
    return Answer(None, 204)


def _ref(request: Request, name: str, sha: str) -> JSON:
    url = Shapes(request.hub).repository_url(request.repository)
    kind = request.repository.git.kind(sha) or "commit"
    target = {"type": kind, "sha": sha, "url": f"{url}/git/{kind}s/{sha}"}
    return {"ref": name, "node_id": f"REF_{name}", "url": f"{url}/git/{name}", "object": target}


@route(f"GET {REPO}/git/blobs/{{file_sha}}", "contents:read")
def get_blob(request: Request) -> Answer:
    sha, git = request.params["file_sha"], request.repository.git
    if git.kind(sha) != "blob":
        raise not_found()
    data = git.blob(sha)
    if ".raw" in request.accept:
        return Answer(data, media="application/vnd.github.raw; charset=utf-8")
    url = f"{Shapes(request.hub).repository_url(request.repository)}/git/blobs/{sha}"
    content = base64.encodebytes(data).decode()
    return Answer(
        {"sha": sha, "node_id": f"B_{sha}", "size": len(data), "url": url, "content": content, "encoding": "base64"}
    )


@route(f"POST {REPO}/git/blobs", "contents:write", is_content=True)
def create_blob(request: Request) -> Answer:
    content = request.fields["content"]
    if request.fields.get("encoding", "utf-8") == "base64":
        try:
            data = base64.b64decode("".join(content.split()), validate=True)
        except binascii.Error:
            raise invalid("Blob", "content", "content is not valid Base64") from None
    else:
        data = content.encode()
    sha = request.repository.git.store_blob(data)
    url = f"{Shapes(request.hub).repository_url(request.repository)}/git/blobs/{sha}"
    return Answer({"sha": sha, "url": url}, 201, {"Location": url})


@route(f"GET {REPO}/git/trees/{{tree_sha}}", "contents:read")
def get_tree(request: Request) -> Answer:
    git, name = request.repository.git, request.params["tree_sha"]
    sha = name if git.kind(name) == "tree" else None
    if sha is None:
        sha = find_commit(request.repository, name).tree
    return Answer(_tree(request, sha, is_recursive="recursive" in request.query))


@route(f"POST {REPO}/git/trees", "contents:write", is_content=True)
def create_tree(request: Request) -> Answer:
    """The base tree with these entries put over it; an entry with a null id is deleted."""
    git = request.repository.git
    base = request.fields.get("base_tree")
    kept = {} if base is None else {each.path: each for each in git.entries(base, is_recursive=True)}
    lines = {each.path: f"{each.mode} {each.sha}" for each in kept.values() if each.kind != "tree"}
    for entry in request.fields["tree"]:
        path = entry["path"]
        if path.startswith("/") or ".." in path.split("/") or ".git" in path.split("/"):
            raise Refused(422, "tree.path contains a malformed path component")
        if "content" in entry:
            lines[path] = f"{entry['mode']} {git.store_blob(entry['content'].encode())}"
        elif entry.get("sha") is None:
            lines.pop(path, None)
        elif git.kind(entry["sha"]) is None:
            raise Refused(422, f"tree.sha {entry['sha']} is not a valid blob")
        else:
            lines[path] = f"{entry['mode']} {entry['sha']}"
    sha = write_tree(request.repository, lines)
    return Answer(_tree(request, sha, is_recursive=False), 201, {"Location": f"/git/trees/{sha}"})


def write_tree(repository: r.Repository, lines: dict[str, str]) -> str:
    """Trees from the leaves up, with git's own `mktree`."""
    here: list[str] = []
    below: dict[str, dict[str, str]] = {}
    for path, entry in lines.items():
        name, _, rest = path.partition("/")
        if rest:
            below.setdefault(name, {})[rest] = entry
        else:
            mode, sha = entry.split(" ")
            here.append(f"{mode} {'commit' if mode == '160000' else 'blob'} {sha}\t{name}")
    here += [f"040000 tree {write_tree(repository, inner)}\t{name}" for name, inner in below.items()]
    feed = "".join(f"{line}\0" for line in here).encode("utf-8", "surrogateescape")
    return repository.git.line("mktree", "-z", feed=feed)


def _tree(request: Request, sha: str, *, is_recursive: bool) -> JSON:
    url = Shapes(request.hub).repository_url(request.repository)
    entries = []
    for each in request.repository.git.entries(sha, is_recursive=is_recursive):
        shown: dict[str, Any] = {"path": each.path, "mode": each.mode, "type": each.kind, "sha": each.sha}
        shown |= {} if each.size is None else {"size": each.size}
        entries.append(shown if each.kind == "commit" else {**shown, "url": f"{url}/git/{each.kind}s/{each.sha}"})
    return {"sha": sha, "url": f"{url}/git/trees/{sha}", "tree": entries, "truncated": False}


@route(f"GET {REPO}/git/commits/{{commit_sha}}", "contents:read")
def get_git_commit(request: Request) -> Answer:
    sha = request.params["commit_sha"]
    if request.repository.git.kind(sha) != "commit":
        raise not_found()
    return Answer(Shapes(request.hub).git_commit(request.repository, request.repository.git.commit(sha)))


@route(f"POST {REPO}/git/commits", "contents:write", is_content=True)
def create_git_commit(request: Request) -> Answer:
    git, fields, hub = request.repository.git, request.fields, request.hub
    own = hub.person(request.user)

    def person(name: str, default: Person) -> Person:
        given = fields.get(name) or {}
        return Person(
            given.get("name", default.name), given.get("email", default.email), given.get("date", default.date)
        )

    author = person("author", own)
    parents = [part for sha in fields.get("parents", []) for part in ("-p", sha)]
    try:
        sha = git.line(
            "commit-tree", fields["tree"], *parents, feed=fields["message"].encode(),
            who=(author, person("committer", author)),
        )  # fmt: skip
    except GitFailed:
        raise Refused(422, "Tree SHA does not exist") from None
    shown = Shapes(hub).git_commit(request.repository, git.commit(sha))
    return Answer(shown, 201, {"Location": shown["url"]})
