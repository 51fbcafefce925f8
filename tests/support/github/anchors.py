"""The rules for where a review comment may stand, and for what it may say.

From GitHub's documentation and from what people were answered (the messages are those of public reports): a line must be
part of the diff on its side, a range must start before it ends and stay in one hunk, and a review with one bad
comment is refused as a whole without telling which.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.github import records as r
from tests.support.github.diffs import Comparison, FileDiff, Line
from tests.support.github.errors import Refused, invalid, unprocessable
from tests.support.github.hub import Hub

BODY_LIMIT = 65_536

Refuse = Callable[[str, str], Refused]


def as_review(field: str, message: str) -> Refused:
    """How the endpoint for whole reviews refuses."""
    names = {"line": "Line", "start_line": "Start line", "path": "Path", "commit_id": "Commit", "body": "Body"}
    if message == "could not be resolved":
        return unprocessable(f"{names[field]} {message}")
    return unprocessable(f"Pull request review thread {names[field].lower()} {message}")


def as_comment(field: str, message: str) -> Refused:
    """How the endpoint for one comment refuses."""
    name = f"pull_request_review_thread.{field}"
    return invalid("PullRequestReviewComment", name, message if message[0] == "c" else f"{name} {message}")


def check_body(body: str, refuse: Refuse) -> None:
    """Text there is, and not too much of it."""
    if not body.strip():
        raise refuse("body", "can't be blank")
    if len(body) > BODY_LIMIT:
        raise refuse("body", f"is too long (maximum is {BODY_LIMIT} characters)")


def anchor(hub: Hub, pull: r.PullRequest, entry: dict[str, Any], commit: str, refuse: Refuse) -> r.Anchor:
    """Where an entry of a request points to, or the refusal."""
    diff, merge_base = hub.diff(pull, commit), hub.merge_base(pull, commit)
    file = _file(diff, entry["path"], refuse)
    if entry.get("subject_type") == "file":
        return r.Anchor(file.path, "RIGHT", None, None, None, commit, merge_base, None, "")
    side, line = entry.get("side", "RIGHT"), entry.get("line")
    if line is None and (position := entry.get("position")) is not None:
        side, line = _at_position(file, position, refuse)
    if side not in ("LEFT", "RIGHT"):
        raise refuse("line", "could not be resolved")
    found = file.find(side, line) if line is not None else None
    if found is None or line is None:
        raise refuse("line", "could not be resolved" if line is None else "must be part of the diff")
    start, start_side = entry.get("start_line"), entry.get("start_side") or side
    if start is not None:
        _check_start(file, found, start_side, start, refuse)
    return r.Anchor(
        file.path, side, line, start_side if start is not None else None, start, commit, merge_base,
        found[1].position, file.excerpt(side, line),
    )  # fmt: skip


def _file(diff: Comparison, path: str, refuse: Refuse) -> FileDiff:
    file = diff.file(path)
    # What has no hunks (binary files, renames, modes, what is too long to be shown) has no line to comment on.
    if file is None:
        raise refuse("path", "could not be resolved")
    return file


def _at_position(file: FileDiff, position: int, refuse: Refuse) -> tuple[str, int]:
    found = file.at_position(position)
    if found is None:
        raise refuse("line", "could not be resolved")
    if found.right is not None:
        return "RIGHT", found.right
    assert found.left is not None
    return "LEFT", found.left


def _check_start(file: FileDiff, end: tuple[int, Line], side: str, number: int, refuse: Refuse) -> None:
    start = file.find(side, number)
    if start is None or start[0] != end[0]:
        raise refuse("start_line", "must be part of the same hunk as the line.")
    if start[1].position >= end[1].position:
        raise refuse("start_line", "must precede the end line.")


def commit_of(pull: r.PullRequest, wanted: str | None, refuse: Refuse) -> str:
    """The commit to comment on: one of the pull request's, by default its head."""
    if wanted is None:
        return pull.head
    git = pull.repository.git
    is_known = any(head == wanted or git.is_ancestor(wanted, head) for head in pull.heads)
    if git.kind(wanted) != "commit" or not is_known or git.is_ancestor(wanted, pull.base):
        raise refuse("commit_id", "could not be resolved")
    return wanted
