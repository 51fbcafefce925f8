"""What people do in the page, for which there is no interface: they apply suggestions.

After GitHub's documentation of suggested changes: the whole commented range is replaced; deleted lines, outdated
comments, closed pull requests and changes that change nothing can't be applied; a batch takes one suggestion a line.
The commit is the person's, with those who suggested as co-authors, and its committer is `web-flow`.
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.support.github import records as r
from tests.support.github.hub import Hub


class NotApplicable(Exception):
    """The page offers no button for this, and says why."""


def suggestion(body: str) -> list[str] | None:
    """The lines of a body's first block of suggestion."""
    lines = body.replace("\r\n", "\n").split("\n")
    for at, line in enumerate(lines):
        fence = line[: len(line) - len(line.lstrip("`"))]
        if len(fence) < 3 or line[len(fence) :].strip() != "suggestion":
            continue
        for end in range(at + 1, len(lines)):
            if lines[end].startswith(fence) and not lines[end].strip("` "):
                return lines[at + 1 : end]
    return None


def apply_suggestions(hub: Hub, comments: Sequence[r.ReviewComment], user: r.User) -> str:
    """Commit them to the pull request's branch, all in one; the commit's id."""
    pull = comments[0].thread.pull
    hub.sync(pull)
    if pull.closed is not None or pull.head_repository is None:
        raise NotApplicable("Suggestions cannot be applied while the pull request is closed.")
    changes: dict[str, list[tuple[int, int, list[str]]]] = {}
    for comment in comments:
        thread, lines = comment.thread, suggestion(comment.body)
        if lines is None or thread.anchor.line is None:
            raise NotApplicable("There is no suggestion on lines.")
        if thread.anchor.side == "LEFT":
            raise NotApplicable("Suggestions cannot be applied on deleted lines.")
        if thread.place.line is None:
            raise NotApplicable("This suggestion is outdated.")
        start = thread.place.start_line or thread.place.line
        changes.setdefault(thread.anchor.path, []).append((start, thread.place.line, lines))
    files: dict[str, str | bytes | None] = {}
    for path, each in changes.items():
        old = pull.head_repository.git.run("cat-file", "blob", f"{pull.head}:{path}")
        files[path] = _changed(old, each)
        if files[path] == old:
            raise NotApplicable("This suggestion is invalid because no changes were made to the code.")
    title = f"Update {next(iter(files))}" if len(comments) == 1 else "Apply suggestions from code review"
    authors = dict.fromkeys(comment.user for comment in comments if comment.user is not user)
    trailers = "".join(f"\nCo-authored-by: {each.login} <{each.email}>" for each in authors)
    message = f"{title}\n{trailers}" if trailers else title
    web = hub.user("web-flow")
    return hub.commit(pull.head_repository, pull.head_branch, files, message, user, committer=web)


def _changed(data: bytes, changes: list[tuple[int, int, list[str]]]) -> bytes:
    lines = data.split(b"\n")
    below = len(lines) + 1
    for start, end, new in sorted(changes, reverse=True):
        if end >= below:
            raise NotApplicable("Only one suggestion per line can be applied in a batch.")
        below = start
        # Documentation is silent on line ends; those of the replaced line are kept, or no file with CRLF could be mended.
        ending = b"\r" if lines[start - 1].endswith(b"\r") else b""
        lines[start - 1 : end] = [line.encode() + ending for line in new]
    return b"\n".join(lines)
