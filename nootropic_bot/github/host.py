"""A pull request's conversation and branch on GitHub, as commands need them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

from nootropic_bot.forge import Forbidden, Forge, Missing, Refused, Thread, Unanswered
from nootropic_bot.github.client import Client
from nootropic_bot.github.commits import Commits
from nootropic_bot.github.names import is_login, repository_name
from nootropic_bot.github.permissions import permission
from nootropic_bot.github.pulls import get_pull
from nootropic_bot.host import File, Permission, Remark, Target

_PER_PAGE = 100
# Of a longer conversation the newest are read.
_PAGES = 10
_REMARKS = """
query ($owner: String!, $name: String!, $number: Int!, $before: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      comments(last: 100, before: $before) {
        nodes { fullDatabaseId body createdAt updatedAt viewerDidAuthor author { login } }
        pageInfo { hasPreviousPage startCursor }
      }
    }
  }
}
"""


class GitHubHost:
    """One pull request. Every method raises a `ForgeError` where it fails.

    `forge`: what is on its lines, through the interface that publishing has. `workflow`: the file name of the workflow
    that checks a branch; "" where a push starts the checks by itself, as one with an app's token does.
    """

    def __init__(
        self, client: Client, repository: str, number: int, forge: Forge, *, workflow: str, server_url: str
    ) -> None:
        self.number = number
        self._client = client
        self._name = repository_name(repository)
        self._repository = f"/repos/{self._name}"
        self._forge = forge
        self._workflow = workflow
        self._noreply = f"users.noreply.{urlsplit(server_url).hostname or 'github.com'}"
        self._commits = Commits(client, repository)

    @property
    def comment_limit(self) -> int:
        """The most characters of a comment."""
        return self._forge.limits.comment

    def target(self) -> Target:
        """The pull request as it is now."""
        pull = get_pull(self._client, self._name, self.number)
        return Target(
            number=self.number,
            head=pull.head,
            base=pull.base,
            branch=pull.head_branch if pull.head_repository is not None else None,
            author=pull.author,
            address=pull.address,
            is_open=pull.is_open,
            is_merged=pull.is_merged,
            is_fork=pull.is_fork,
        )

    def permission(self, login: str) -> Permission:
        """What a person may do in the repository; an error is a denial (row A11)."""
        return permission(self._client, self._name, login)

    def remarks(self) -> list[Remark]:
        """The newest comments of the conversation, the oldest of them first."""
        found: list[Remark] = []
        before: str | None = None
        for _page in range(_PAGES):
            owner, name = self._name.split("/")
            variables = {"owner": owner, "name": name, "number": self.number, "before": before}
            answer = self._client.graphql(_REMARKS, variables)
            pull = (answer.get("repository") or {}).get("pullRequest")
            if pull is None:
                raise Missing("the pull request is not there")
            found = [*(_remark(node) for node in pull["comments"]["nodes"] if node), *found]
            info = pull["comments"]["pageInfo"]
            if not info["hasPreviousPage"]:
                break
            before = info["startCursor"]
        return found

    def acknowledge(self, comment: int) -> None:
        """React to a comment; a second time changes nothing."""
        path = f"{self._repository}/issues/comments/{comment:d}/reactions"
        self._client.send("POST", path, {"content": "eyes"}, is_repeatable=True)

    def reply(self, body: str) -> None:
        """Write a comment. Where no answer comes, the conversation says whether it is there (row F15)."""
        path = f"{self._repository}/issues/{self.number:d}/comments"
        try:
            self._client.send("POST", path, {"body": body})
        except Unanswered:
            if not any(each.is_ours and each.body.split() == body.split() for each in self.remarks()):
                self._client.send("POST", path, {"body": body})

    def edit_reply(self, remark: int, body: str) -> None:
        """Replace the text of a comment of ours."""
        path = f"{self._repository}/issues/comments/{remark:d}"
        self._client.send("PATCH", path, {"body": body}, is_repeatable=True)

    def threads(self) -> Sequence[Thread]:
        """All threads on lines."""
        return self._forge.threads()

    def edit_comment(self, comment_id: str, body: str) -> None:
        """Replace the text of a comment of ours on lines."""
        self._forge.edit_comment(comment_id, body)

    def resolve_thread(self, thread_id: str) -> None:
        """Mark a thread as resolved."""
        self._forge.resolve_thread(thread_id)

    def read_files(self, commit: str, paths: Iterable[str]) -> Mapping[str, File]:
        """Regular files at a commit; see `Commits.files`."""
        return self._commits.files(commit, paths)

    def message(self, commit: str) -> str:
        """The message of a commit."""
        return self._commits.message(commit)

    def co_author(self, login: str, number: int) -> str:
        """A person as a commit names them, by the address that GitHub keeps for those who show none."""
        if not is_login(login):
            raise Refused("this is no account")
        return f"{login} <{number:d}+{login}@{self._noreply}>"

    def commit(self, target: Target, files: Sequence[File], message: str) -> str:
        """Replace files by one commit on the pull request's branch; see `Commits.commit`."""
        return self._commits.commit(_branch(target), target.head, files, message)

    def start_checks(self, target: Target) -> bool:
        """Start the workflow that checks the branch: a workflow's push starts none, an app's does."""
        if not self._workflow:
            return False
        path = f"{self._repository}/actions/workflows/{quote(self._workflow, safe='')}/dispatches"
        inputs = {"pull-request": str(self.number), "base": target.base}
        self._client.send("POST", path, {"ref": f"refs/heads/{_branch(target)}", "inputs": inputs})
        return True


def _remark(node: Mapping[str, Any]) -> Remark:
    return Remark(
        id=int(node["fullDatabaseId"]),
        author=(node["author"] or {"login": "ghost"})["login"],
        body=node["body"],
        created=_when(node["createdAt"]),
        updated=_when(node["updatedAt"]),
        is_ours=node["viewerDidAuthor"],
    )


def _branch(target: Target) -> str:
    if target.is_fork or target.branch is None:
        raise Forbidden("the pull request's branch is not in this repository")
    return target.branch


def _when(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
