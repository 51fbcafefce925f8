"""Accounts, repositories and commits as GitHub's JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.github import records as r
from tests.support.github.diffs import FileDiff
from tests.support.github.git import Commit, Person

if TYPE_CHECKING:
    from tests.support.github.hub import Hub

JSON = dict[str, Any]
APP = "nootropic"

_USER_LINKS = {
    "followers_url": "/followers", "following_url": "/following{/other_user}", "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}", "subscriptions_url": "/subscriptions", "organizations_url": "/orgs",
    "repos_url": "/repos", "events_url": "/events{/privacy}", "received_events_url": "/received_events",
}  # fmt: skip
_REPOSITORY_LINKS = {
    "archive_url": "{archive_format}{/ref}", "assignees_url": "assignees{/user}", "blobs_url": "git/blobs{/sha}",
    "branches_url": "branches{/branch}", "collaborators_url": "collaborators{/collaborator}",
    "comments_url": "comments{/number}", "commits_url": "commits{/sha}", "compare_url": "compare/{base}...{head}",
    "contents_url": "contents/{+path}", "contributors_url": "contributors", "deployments_url": "deployments",
    "downloads_url": "downloads", "events_url": "events", "forks_url": "forks",
    "git_commits_url": "git/commits{/sha}", "git_refs_url": "git/refs{/sha}", "git_tags_url": "git/tags{/sha}",
    "hooks_url": "hooks", "issue_comment_url": "issues/comments{/number}",
    "issue_events_url": "issues/events{/number}", "issues_url": "issues{/number}", "keys_url": "keys{/key_id}",
    "labels_url": "labels{/name}", "languages_url": "languages", "merges_url": "merges",
    "milestones_url": "milestones{/number}", "notifications_url": "notifications{?since,all,participating}",
    "pulls_url": "pulls{/number}", "releases_url": "releases{/id}", "stargazers_url": "stargazers",
    "statuses_url": "statuses/{sha}", "subscribers_url": "subscribers", "subscription_url": "subscription",
    "tags_url": "tags", "teams_url": "teams", "trees_url": "git/trees{/sha}",
}  # fmt: skip
_ZERO = ("forks", "forks_count", "stargazers_count", "watchers", "watchers_count", "size")


class Shapes:
    """What the JSON of everything is made with. `api` and `web` are the addresses of both faces."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    @property
    def api(self) -> str:
        return self.hub.url

    @property
    def web(self) -> str:
        return f"{self.hub.url}/web"

    def user(self, user: r.User) -> JSON:
        url = f"{self.api}/users/{user.login}"
        return {
            "login": user.login, "id": user.id, "node_id": f"U_{user.id}", "avatar_url": f"{self.web}/{user.id}.png",
            "gravatar_id": "", "url": url, "html_url": f"{self.web}/{user.login}", "type": user.type,
            "site_admin": False, **{name: url + end for name, end in _USER_LINKS.items()},
        }  # fmt: skip

    def full_user(self, user: r.User) -> JSON:
        none = dict.fromkeys(("company", "blog", "location", "email", "hireable", "bio"))
        zero = dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0)
        born = self.hub.iso(0)
        return {**self.user(user), **none, **zero, "name": user.name, "created_at": born, "updated_at": born}

    def app(self, user: r.User) -> JSON:
        """The app that an account is the face of."""
        slug = user.login.removesuffix("[bot]")
        born = self.hub.iso(0)
        return {
            "id": user.id, "slug": slug, "node_id": f"A_{user.id}", "owner": self.user(self.hub.user("app-owner")),
            "name": slug, "description": None, "external_url": self.web, "html_url": f"{self.web}/apps/{slug}",
            "created_at": born, "updated_at": born, "permissions": {}, "events": [],
        }  # fmt: skip

    def repository_url(self, repository: r.Repository) -> str:
        return f"{self.api}/repos/{repository.full_name}"

    def html(self, repository: r.Repository) -> str:
        return f"{self.web}/{repository.full_name}"

    def minimal_repository(self, repository: r.Repository) -> JSON:
        url, html = self.repository_url(repository), self.html(repository)
        return {
            "id": repository.id, "node_id": f"R_{repository.id}", "name": repository.name,
            "full_name": repository.full_name, "owner": self.user(repository.owner), "private": repository.is_private,
            "html_url": html, "description": None, "fork": repository.parent is not None, "url": url,
            **{name: f"{url}/{end}" for name, end in _REPOSITORY_LINKS.items()},
        }  # fmt: skip

    def repository(self, repository: r.Repository) -> JSON:
        """As inside a pull request."""
        html, born = self.html(repository), self.hub.iso(repository.created)
        # Pull requests are issues, too.
        pulls = sum(at == repository.id and pull.state == "open" for (at, _number), pull in self.hub.pulls.items())
        return {
            **self.minimal_repository(repository), **dict.fromkeys(_ZERO, 0), "license": None, "homepage": None,
            "git_url": f"git://{html.partition('://')[2]}.git", "ssh_url": f"git@127.0.0.1:{repository.full_name}.git",
            "clone_url": repository.git.path.as_uri(), "svn_url": html, "mirror_url": None, "language": None,
            "default_branch": repository.default_branch, "open_issues_count": pulls, "open_issues": pulls,
            "has_issues": True, "has_projects": True, "has_wiki": True, "has_pages": False, "has_downloads": True,
            "has_discussions": False, "archived": False, "disabled": False, "pushed_at": born, "created_at": born,
            "updated_at": born, "topics": [], "allow_forking": True, "is_template": False,
            "web_commit_signoff_required": False, "visibility": "private" if repository.is_private else "public",
        }  # fmt: skip

    def full_repository(self, repository: r.Repository) -> JSON:
        more: JSON = {"subscribers_count": 0, "network_count": 0}
        if repository.parent is not None and not repository.parent.is_deleted:
            parent = self.repository(repository.parent)
            more |= {"parent": parent, "source": parent}
        return {**self.repository(repository), **more}

    # git.

    def git_person(self, person: Person) -> JSON:
        return {"name": person.name, "email": person.email, "date": person.date}

    def account(self, person: Person) -> JSON | None:
        """The account behind an address; GitHub answers null when it knows none."""
        for user in self.hub.users.values():
            if user.email == person.email:
                return self.user(user)
        return None

    def parents(self, repository: r.Repository, commit: Commit, *, area: str) -> list[JSON]:
        url, html = self.repository_url(repository), self.html(repository)
        return [
            {"sha": sha, "url": f"{url}/{area}/{sha}", "html_url": f"{html}/commit/{sha}"} for sha in commit.parents
        ]

    def commit(self, repository: r.Repository, commit: Commit) -> JSON:
        url, html = self.repository_url(repository), self.html(repository)
        inner = {
            "url": f"{url}/git/commits/{commit.sha}", "author": self.git_person(commit.author),
            "committer": self.git_person(commit.committer), "message": commit.message, "comment_count": 0,
            "tree": {"sha": commit.tree, "url": f"{url}/git/trees/{commit.tree}"}, "verification": unsigned(),
        }  # fmt: skip
        return {
            "url": f"{url}/commits/{commit.sha}", "sha": commit.sha, "node_id": f"C_{commit.sha}",
            "html_url": f"{html}/commit/{commit.sha}", "comments_url": f"{url}/commits/{commit.sha}/comments",
            "commit": inner, "author": self.account(commit.author), "committer": self.account(commit.committer),
            "parents": self.parents(repository, commit, area="commits"),
        }  # fmt: skip

    def git_commit(self, repository: r.Repository, commit: Commit) -> JSON:
        url, html = self.repository_url(repository), self.html(repository)
        return {
            "sha": commit.sha, "node_id": f"C_{commit.sha}", "url": f"{url}/git/commits/{commit.sha}",
            "html_url": f"{html}/commit/{commit.sha}", "author": self.git_person(commit.author),
            "committer": self.git_person(commit.committer), "message": commit.message,
            "tree": {"sha": commit.tree, "url": f"{url}/git/trees/{commit.tree}"},
            "parents": self.parents(repository, commit, area="git/commits"), "verification": unsigned(),
        }  # fmt: skip

    def diff_entry(self, repository: r.Repository, file: FileDiff, head: str) -> JSON:
        # A name that is no UTF-8 can't be told in JSON; GitHub replaces what it can't read.
        path = readable(file.path)
        url, html = self.repository_url(repository), self.html(repository)
        entry = {
            "sha": file.sha, "filename": path, "status": file.status, "additions": file.additions,
            "deletions": file.deletions, "changes": file.additions + file.deletions,
            "blob_url": f"{html}/blob/{head}/{path}", "raw_url": f"{html}/raw/{head}/{path}",
            "contents_url": f"{url}/contents/{path}?ref={head}",
        }  # fmt: skip
        if file.patch is not None:
            entry["patch"] = file.patch
        if file.previous is not None:
            entry["previous_filename"] = readable(file.previous)
        return entry


def readable(path: str) -> str:
    """A path of git as text."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def unsigned() -> JSON:
    """No commit here is signed."""
    return {"verified": False, "reason": "unsigned", "signature": None, "payload": None, "verified_at": None}
