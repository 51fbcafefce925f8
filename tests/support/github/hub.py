"""All of the make-believe GitHub's memory, and what happens in it when somebody pushes."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from functools import lru_cache
from pathlib import Path
from typing import Any

from tests.support.github import records as r
from tests.support.github.diffs import Comparison, compare
from tests.support.github.errors import invalid, not_found
from tests.support.github.git import BareRepository, Person

Heads = dict[int, dict[str, str]]


class Hub:
    """Accounts, repositories and everything in them. `lock` is held while a request is answered."""

    def __init__(self, folder: Path, clock: Callable[[], float]) -> None:
        self.folder = folder
        self.clock = clock
        self.lock = threading.RLock()
        self.limits: Any = None
        self.url = ""
        self._ids = itertools.count(1001)
        self.users: dict[str, r.User] = {}
        self.tokens: dict[str, r.Token] = {}
        self.repositories: dict[int, r.Repository] = {}
        self.former_names: dict[str, int] = {}
        self.pulls: dict[tuple[int, int], r.PullRequest] = {}
        self.nodes: dict[str, Any] = {}
        self.checks: dict[int, r.CheckRun] = {}
        self.sarifs: dict[str, r.Sarif] = {}
        self.workflows: dict[int, r.Workflow] = {}
        self.runs: dict[int, r.WorkflowRun] = {}
        self.artifacts: dict[int, r.Artifact] = {}
        self.compare = lru_cache(maxsize=256)(self._compare)

    # Making things.

    def new_id(self) -> int:
        return next(self._ids)

    def now(self) -> float:
        return self.clock()

    def iso(self, seconds: float | None) -> str | None:
        """A time as GitHub writes it."""
        if seconds is None:
            return None
        return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    def person(self, user: r.User) -> Person:
        """A user as author of a commit, now."""
        return Person(user.name or user.login, user.email, f"{int(self.now())} +0000")

    def user(self, login: str) -> r.User:
        """The account of that name, made when it is new."""
        if login not in self.users:
            kind = "Bot" if login.endswith("[bot]") else "User"
            self.users[login] = r.User(self.new_id(), login, kind)
        return self.users[login]

    def keep(self, node: Any, prefix: str) -> None:
        """Let GraphQL find it."""
        self.nodes[f"{prefix}_{node.id}"] = node

    def repository(self, full_name: str) -> r.Repository:
        """By `owner/name`; 404 when there is none."""
        for each in self.repositories.values():
            if each.full_name.lower() == full_name.lower() and not each.is_deleted:
                return each
        raise not_found()

    def create_repository(
        self, full_name: str, *, is_private: bool = False, default_branch: str = "main"
    ) -> r.Repository:
        owner, name = full_name.split("/")
        number = self.new_id()
        git = BareRepository.init(self.folder / f"{number}.git", default_branch)
        found = r.Repository(number, self.user(owner), name, git, self.now(), default_branch, is_private)
        self.repositories[number] = found
        return found

    def commit(
        self, repository: r.Repository, branch: str, files: Mapping[str, str | bytes | None], message: str,
        user: r.User, *, parent: str | None = None, committer: r.User | None = None,
    ) -> str:  # fmt: skip
        """A commit on a branch, as if pushed. `parent`: where it starts; by default at the branch, if it exists."""
        git = repository.git
        start = parent or git.head_of(branch)
        data = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
        who = (self.person(user), self.person(committer or user))
        return git.import_commit(branch, data, message, who, start)

    def fork(self, parent: r.Repository, owner: str) -> r.Repository:
        number = self.new_id()
        git = BareRepository.clone(self.folder / f"{number}.git", parent.git)
        found = r.Repository(number, self.user(owner), parent.name, git, self.now(), parent.default_branch)
        found.is_private, found.parent = parent.is_private, parent
        self.repositories[number] = found
        return found

    def delete_repository(self, repository: r.Repository) -> None:
        """As its owner would. Pull requests from it stay and forget where they came from."""
        repository.is_deleted = True
        for pull in self.pulls.values():
            if pull.head_repository is repository:
                pull.head_repository = None

    def rename_repository(self, repository: r.Repository, name: str) -> None:
        """The old name redirects from now on."""
        self.former_names[repository.full_name.lower()] = repository.id
        repository.name = name

    # Pull requests.

    def open_pull(
        self, repository: r.Repository, user: r.User, title: str, *, head: str, base: str, body: str | None, draft: bool
    ) -> r.PullRequest:
        """`head`: a branch, or `owner:branch` for one of a fork."""
        owner, _, branch = head.rpartition(":")
        source = repository if not owner or owner == repository.owner.login else self._fork_of(repository, owner)
        head_sha, base_sha = source.git.head_of(branch), repository.git.head_of(base)
        if head_sha is None or base_sha is None:
            raise invalid("PullRequest", "base" if base_sha is None else "head", "", "invalid")
        for pull in self.pulls_of(repository):
            if pull.state == "open" and (pull.head_repository, pull.head_branch, pull.base_branch) == (
                source,
                branch,
                base,
            ):
                raise invalid("PullRequest", "", f"A pull request already exists for {source.owner.login}:{branch}.")
        pull = r.PullRequest(
            self.new_id(), repository.numbers + 1, repository, title, body, user, source, source.owner, branch, base,
            "", "", self.now(), self.now(), draft,
        )  # fmt: skip
        self._take_head(pull, head_sha, base_sha)
        if repository.git.merge_base(base_sha, head_sha) is None:
            raise invalid("PullRequest", "", f"The {base} branch has no history in common with {owner}:{branch}")
        if repository.git.is_ancestor(head_sha, base_sha):
            raise invalid("PullRequest", "", f"No commits between {base} and {branch}")
        repository.numbers += 1
        self.pulls[repository.id, pull.number] = pull
        self.keep(pull, "PR")
        return pull

    def _fork_of(self, repository: r.Repository, owner: str) -> r.Repository:
        for each in self.repositories.values():
            if each.parent is repository and each.owner.login == owner and not each.is_deleted:
                return each
        raise invalid("PullRequest", "head", "", "invalid")

    def pulls_of(self, repository: r.Repository) -> list[r.PullRequest]:
        """All of them, synchronised, the newest first."""
        found = [pull for (at, _), pull in sorted(self.pulls.items(), reverse=True) if at == repository.id]
        heads: Heads = {}
        for pull in found:
            self.sync(pull, heads)
        return found

    def pull(self, repository: r.Repository, number: int) -> r.PullRequest:
        """One, as it is after the latest push; 404 when there is none."""
        pull = self.pulls.get((repository.id, number))
        if pull is None:
            raise not_found()
        self.sync(pull)
        return pull

    def sync(self, pull: r.PullRequest, heads: Heads | None = None) -> None:
        """Notice what was pushed: the head moves, comments move or become outdated, a merged head closes.

        `heads`: branches that were read already for this request.
        """
        if pull.closed is not None:
            return
        heads, git = {} if heads is None else heads, pull.repository.git
        base = _heads(heads, pull.repository).get(f"refs/heads/{pull.base_branch}", pull.base)
        head = pull.head
        if pull.head_repository is not None:
            found = _heads(heads, pull.head_repository).get(f"refs/heads/{pull.head_branch}")
            if found is None:
                # GitHub closes the pull requests of a branch that is deleted.
                pull.closed = pull.updated = self.now()
                return
            head = found
        if (head, base) != (pull.head, pull.base):
            self._take_head(pull, head, base)
            if git.is_ancestor(head, base):
                pull.merged = pull.closed = self.now()
                pull.merge_commit = base

    def _take_head(self, pull: r.PullRequest, head: str, base: str) -> None:
        git, ref = pull.repository.git, f"refs/pull/{pull.number}/head"
        if pull.head_repository is not None and pull.head_repository is not pull.repository:
            git.run("fetch", "--quiet", "--no-tags", str(pull.head_repository.git.path), f"+{head}:{ref}")
        pull.head, pull.base, pull.updated = head, base, self.now()
        pull.heads.append(head)
        # Kept for ever: comments are mapped from the commit they were made on.
        refs = {ref: head, f"refs/heads-of-pull/{pull.number}/{len(pull.heads)}": head}
        self._try_merge(pull)
        git.point(refs if pull.merge_commit is None else {**refs, f"refs/pull/{pull.number}/merge": pull.merge_commit})
        for thread in pull.threads:
            self.place(thread)

    def _try_merge(self, pull: r.PullRequest) -> None:
        git = pull.repository.git
        tree = git.test_merge(pull.base, pull.head)
        pull.is_mergeable = tree is not None
        if tree is None:
            pull.merge_commit = None
            return
        web = self.person(self.user("web-flow"))
        message = f"Merge {pull.head} into {pull.base}".encode()
        parents = ("-p", pull.base, "-p", pull.head)
        pull.merge_commit = git.line("commit-tree", tree, *parents, feed=message, who=(web, web))

    def merge_base(self, pull: r.PullRequest, head: str | None = None) -> str:
        """Where the pull request's own commits begin."""
        return pull.repository.git.merge_base(pull.base, head or pull.head) or pull.base

    def diff(self, pull: r.PullRequest, head: str | None = None) -> Comparison:
        """The pull request's diff, at an earlier head if one is given."""
        return self.compare(pull.repository, self.merge_base(pull, head), head or pull.head, 3)

    def _compare(self, repository: r.Repository, old: str, new: str, context: int) -> Comparison:
        return compare(repository.git, old, new, context=context)

    # Where comments stand.

    def place(self, thread: r.Thread) -> None:
        """Find a comment's line again at the current head, or mark it as outdated.

        Documentation and threads are silent on some of it; this is: a line is followed through git's own diff from
        the commit that was commented on to the head; when it was changed there, or has left the pull request's diff,
        the comment is outdated. The whole commented range counts. A renamed file's comments are outdated.
        """
        anchor, pull = thread.anchor, thread.pull
        file = self.diff(pull).file(anchor.path)
        if anchor.line is None:
            thread.is_outdated = file is None
            thread.commit = pull.head
            return
        numbers = range(anchor.start_line or anchor.line, anchor.line + 1)
        if anchor.start_side not in (None, anchor.side):
            numbers = range(anchor.line, anchor.line + 1)
        moved = [self._moved(thread, number) for number in numbers]
        first, last = moved[0], moved[-1]
        is_whole = None not in moved and last is not None and first is not None and last - first == len(moved) - 1
        found = file.find(anchor.side, last) if file is not None and is_whole and last is not None else None
        thread.is_outdated = found is None
        if found is None:
            thread.place = r.Place()
            return
        start = None if anchor.start_line is None else first
        if anchor.start_side not in (None, anchor.side) and anchor.start_line is not None:
            start = anchor.start_line
        thread.place, thread.commit = r.Place(last, start, found[1].position), pull.head

    def _moved(self, thread: r.Thread, number: int) -> int | None:
        anchor, pull = thread.anchor, thread.pull
        old, new = anchor.commit, pull.head
        if anchor.side == "LEFT":
            old, new = anchor.merge_base, self.merge_base(pull)
        changed = self.compare(pull.repository, old, new, 0)
        file = changed.file(anchor.path)
        if file is not None:
            return file.moved(number) if not file.is_binary and file.previous is None else None
        is_gone = any(each.previous == anchor.path for each in changed.files)
        return None if is_gone else number

    # Runs of workflows.

    def pulls_of_run(self, run: r.WorkflowRun) -> Iterable[r.PullRequest]:
        """Open pull requests of its commit: none when it comes from a fork."""
        repository = run.workflow.repository
        if run.head_repository is not repository:
            return []
        return [
            pull
            for pull in self.pulls_of(repository)
            if pull.state == "open"
            and not pull.is_from_fork
            and (pull.head_branch, pull.head) == (run.head_branch, run.head)
        ]


def _heads(known: Heads, repository: r.Repository) -> dict[str, str]:
    if repository.id not in known:
        known[repository.id] = repository.git.refs("refs/heads/")
    return known[repository.id]
