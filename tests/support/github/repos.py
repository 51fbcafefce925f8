"""Repositories, people, branches, commits and comparisons."""

from __future__ import annotations

from tests.support.github import records as r
from tests.support.github.errors import FORBIDDEN, Refused, not_found
from tests.support.github.git import Commit
from tests.support.github.pullshapes import PullShapes
from tests.support.github.routing import REPO, Answer, Listed, Request, route
from tests.support.github.shapes import JSON, Shapes


@route(f"GET {REPO}")
def get_repository(request: Request) -> Answer:
    return Answer(Shapes(request.hub).full_repository(request.repository))


@route("GET /user", "metadata:read")
def get_authenticated_user(request: Request) -> Answer:
    if request.token is not None and request.token.kind != "user":
        raise Refused(403, FORBIDDEN)
    return Answer(Shapes(request.hub).full_user(request.user))


@route("GET /users/{username}", "free")
def get_user(request: Request) -> Answer:
    user = request.hub.users.get(request.params["username"])
    if user is None:
        raise not_found()
    return Answer(Shapes(request.hub).full_user(user))


@route(f"GET {REPO}/collaborators/{{username}}/permission")
def get_permission(request: Request) -> Answer:
    """`triage` and `maintain` are told as `read` and `write`; `role_name` has the exact role."""
    repository = request.repository
    user = request.hub.users.get(request.params["username"])
    if request.token is None:
        raise Refused(401, "Requires authentication")
    if user is None:
        raise not_found()
    role = repository.role(user)
    level = r.ROLES.index(role)
    names = {"pull": "read", "triage": "triage", "push": "write", "maintain": "maintain", "admin": "admin"}
    permissions = {name: level >= r.ROLES.index(least) for name, least in names.items()}
    shown = {**Shapes(request.hub).user(user), "role_name": role, "permissions": permissions}
    permission = {"triage": "read", "maintain": "write"}.get(role, role)
    return Answer({"permission": permission, "role_name": role, "user": shown})


# Branches, commits, comparisons.


@route(f"GET {REPO}/branches", "contents:read")
def list_branches(request: Request) -> Listed:
    heads = request.repository.git.refs("refs/heads/")
    url = Shapes(request.hub).repository_url(request.repository)

    def show(ref: str) -> JSON:
        commit = {"sha": heads[ref], "url": f"{url}/commits/{heads[ref]}"}
        return {"name": ref.removeprefix("refs/heads/"), "commit": commit, "protected": False}

    return Listed(sorted(heads), show)


@route(f"GET {REPO}/branches/{{branch}}", "contents:read")
def get_branch(request: Request) -> Answer:
    repository, name, shapes = request.repository, request.params["branch"], Shapes(request.hub)
    sha = repository.git.head_of(name)
    if sha is None:
        raise Refused(404, "Branch not found")
    url = f"{shapes.repository_url(repository)}/branches/{name}"
    return Answer(
        {
            "name": name, "commit": shapes.commit(repository, repository.git.commit(sha)), "protected": False,
            "protection": {"enabled": False}, "protection_url": f"{url}/protection",
            "_links": {"self": url, "html": f"{shapes.html(repository)}/tree/{name}"},
        }
    )  # fmt: skip


@route(f"GET {REPO}/commits", "contents:read")
def list_commits(request: Request) -> Listed:
    repository, shapes = request.repository, Shapes(request.hub)
    start = find_commit(repository, request.query.get("sha") or repository.default_branch)
    commits = repository.git.log(start.sha, path=request.query.get("path"))
    return Listed(commits, lambda commit: shapes.commit(repository, commit))


@route(f"GET {REPO}/commits/{{ref}}", "contents:read")
def get_commit(request: Request) -> Answer:
    repository, shapes = request.repository, Shapes(request.hub)
    commit = find_commit(repository, request.params["ref"], 422)
    old = commit.parents[0] if commit.parents else repository.git.line("hash-object", "-t", "tree", "-w", "/dev/null")
    if ".sha" in request.accept:
        return Answer(commit.sha.encode(), media="application/vnd.github.sha; charset=utf-8")
    files = request.hub.compare(repository, old, commit.sha, 3).files
    plus, minus = sum(file.additions for file in files), sum(file.deletions for file in files)
    more = {
        "stats": {"additions": plus, "deletions": minus, "total": plus + minus},
        "files": [shapes.diff_entry(repository, file, commit.sha) for file in files[:300]],
    }
    return Answer({**shapes.commit(repository, commit), **more})


@route(f"GET {REPO}/commits/{{commit_sha}}/pulls", "pull_requests:read")
def list_pulls_of_commit(request: Request) -> Listed:
    """Those that bring the commit, of the repository that it lies in.

    A fork's commit is asked for in the fork: the base repository answers with an empty list. So people found out; the
    documentation is silent.
    """
    hub, repository, sha = request.hub, request.repository, request.params["commit_sha"]
    if repository.git.kind(sha) != "commit":
        raise Refused(422, f"No commit found for SHA: {sha}")
    found = []
    for pull in [*hub.pulls_of(repository), *(hub.pulls_of(repository.parent) if repository.parent else ())]:
        git = pull.repository.git
        is_here = pull.head_repository is repository and git.kind(sha) == "commit"
        if is_here and git.is_ancestor(sha, pull.head) and not git.is_ancestor(sha, hub.merge_base(pull)):
            found.append(pull)
    return Listed(found, PullShapes(hub).simple_pull)


@route(f"GET {REPO}/compare/{{basehead}}", "contents:read")
def get_comparison(request: Request) -> Answer:
    repository, shapes, git = request.repository, Shapes(request.hub), request.repository.git
    base_name, _, head_name = request.params["basehead"].partition("...")
    base, head = find_commit(repository, base_name), find_commit(repository, head_name)
    middle = git.merge_base(base.sha, head.sha)
    if middle is None:
        raise Refused(404, f"No common ancestor between {base_name} and {head_name}.")
    ahead, behind = git.count(f"{base.sha}..{head.sha}"), git.count(f"{head.sha}..{base.sha}")
    status = {(0, 0): "identical", (1, 0): "ahead", (0, 1): "behind"}.get((min(ahead, 1), min(behind, 1)), "diverged")
    url = f"{shapes.repository_url(repository)}/compare/{request.params['basehead']}"
    html = f"{shapes.html(repository)}/compare/{request.params['basehead']}"
    files = request.hub.compare(repository, middle, head.sha, 3).files[:300]
    commits = git.log(f"{base.sha}..{head.sha}")[::-1][:250]
    return Answer(
        {
            "url": url, "html_url": html, "permalink_url": html, "diff_url": f"{html}.diff",
            "patch_url": f"{html}.patch", "base_commit": shapes.commit(repository, base),
            "merge_base_commit": shapes.commit(repository, git.commit(middle)), "status": status, "ahead_by": ahead,
            "behind_by": behind, "total_commits": ahead,
            "commits": [shapes.commit(repository, each) for each in commits],
            "files": [shapes.diff_entry(repository, file, head.sha) for file in files],
        }
    )  # fmt: skip


def find_commit(repository: r.Repository, name: str, status: int = 404) -> Commit:
    """The commit that a branch, tag or id names, or the refusal."""
    # In a comparison `owner:branch` may name a fork's; its objects are here once it has a pull request.
    sha = repository.git.resolve(name.removeprefix(f"{repository.owner.login}:"))
    if sha is None:
        raise not_found() if status == 404 else Refused(422, f"No commit found for SHA: {name}")
    return repository.git.commit(sha)
