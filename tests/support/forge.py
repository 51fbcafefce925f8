"""A forge in memory over a real repository: it holds the rules for comments itself, by a reading of git's output of its own.

It takes a review whole or not at all and never says why, as the real ones do. `faults` scripts what goes wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from markdown_it import MarkdownIt

from nootropic_bot.forge import Annotation, Comment, Limits, Missing, PullRequest, Refused, Thread
from nootropic_bot.marker import parse_summary_marker
from tests.support.repo import Repo

_HEADER = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_OCTAL = re.compile(rb"\\([0-7]{3})|\\(.)")
_SIMPLE = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}

# Called with a method's name and the number of the call, from 1 on; what it raises happens instead of the request.
Fault = Callable[[str, int], None]


@dataclass(frozen=True)
class Check:
    conclusion: str
    title: str
    summary: str
    annotations: tuple[Annotation, ...]


@dataclass
class MemoryForge:
    """One pull request. `after` is called when a request was carried out, so what it raises hides that."""

    repo: Repo
    base: str
    head: str
    limits: Limits = field(default_factory=Limits)
    is_open: bool = True
    can_write: bool = True
    before: Fault = lambda _name, _number: None
    after: Fault = lambda _name, _number: None
    posted: list[Thread] = field(default_factory=list)
    reviews: list[tuple[str, tuple[Comment, ...]]] = field(default_factory=list)
    summaries: list[str] = field(default_factory=list)
    checks: dict[str, Check] = field(default_factory=dict)
    sarif: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    refuse: Callable[[Comment], bool] = lambda _comment: False
    count: int = 0

    # What a forge offers.

    def pull_request(self) -> PullRequest:
        self._begin("pull_request")
        return PullRequest(1, self.head, self.base, self.is_open, can_write=self.can_write)

    def threads(self) -> Sequence[Thread]:
        self._begin("threads")
        return tuple(self.posted)

    def summary(self) -> str | None:
        self._begin("summary")
        return self.summaries[0] if self.summaries else None

    def post_review(self, head: str, body: str, comments: Sequence[Comment]) -> None:
        self._begin("post_review")
        self._accept_text(body)
        if len(comments) > self.limits.comments_in_review or not comments:
            raise Refused("unprocessable")
        shown = shown_lines(self.repo, self.base, head)
        for comment in comments:
            self._accept_text(comment.body)
            if not fits(comment, shown) or self.refuse(comment):
                raise Refused("unprocessable")
        self.reviews.append((body, tuple(comments)))
        for comment in comments:
            self.count += 1
            place = comment.path, comment.line, comment.start_line
            review = str(len(self.reviews) - 1)
            self.posted.append(Thread(f"T{self.count}", f"C{self.count}", *place, comment.body, review_id=review))
        self._end("post_review")

    def edit_comment(self, comment_id: str, body: str) -> None:
        self._begin("edit_comment")
        self._accept_text(body)
        self._change(lambda thread: thread.comment_id == comment_id, body=body)
        self._end("edit_comment")

    def withdraw_comment(self, comment_id: str) -> None:
        self._begin("withdraw_comment")
        if not any(thread.comment_id == comment_id for thread in self.posted):
            raise Missing("it is gone")
        self.posted[:] = [thread for thread in self.posted if thread.comment_id != comment_id]
        self._end("withdraw_comment")

    def edit_review(self, review_id: str, body: str) -> None:
        self._begin("edit_review")
        self._accept_text(body)
        self.reviews[int(review_id)] = (body, self.reviews[int(review_id)][1])
        self._end("edit_review")

    def resolve_thread(self, thread_id: str) -> None:
        self._begin("resolve_thread")
        self._change(lambda thread: thread.id == thread_id, is_resolved=True, is_settled=True)
        self._end("resolve_thread")

    def upsert_summary(self, body: str) -> None:
        self._begin("upsert_summary")
        self._accept_text(body)
        assert parse_summary_marker(body) is not None, "it would not be found again"
        self.summaries[:] = [body]
        self._end("upsert_summary")

    def withdraw_doubled_summary(self) -> None:
        self._begin("withdraw_doubled_summary")
        self._end("withdraw_doubled_summary")

    def publish_check(
        self, head: str, conclusion: str, title: str, summary: str, annotations: Sequence[Annotation], *,
        is_first: bool = False,
    ) -> None:  # fmt: skip
        self._begin("publish_check")
        if len(summary) > self.limits.check_output or any(a.first_line > a.last_line for a in annotations):
            raise Refused("unprocessable")
        self.checks[head] = Check(conclusion, title, summary, tuple(annotations))
        self._end("publish_check")

    def upload_sarif(self, head: str, sarif: str) -> None:
        self._begin("upload_sarif")
        self.sarif[head] = sarif
        self._end("upload_sarif")

    # What people do.

    def push(self, files: Mapping[str, str | bytes]) -> str:
        """A new commit on the branch; threads follow their lines, or are outdated where those changed."""
        old, self.head = self.head, self.repo.commit(files)
        self.posted[:] = [self._moved(thread, old) for thread in self.posted]
        return self.head

    def resolve(self, thread: Thread) -> None:
        """A person resolves a thread."""
        self._change(lambda other: other.id == thread.id, is_resolved=True)

    def applied(self, comment: Comment | Thread) -> bytes:
        """The file at head with the block of a comment applied, as the page does it."""
        assert comment.line is not None, "outdated"
        blocks = suggestion_blocks(comment.body)
        assert len(blocks) == 1, blocks
        raw = self.read(comment.path)
        lines = re.findall(rb"[^\n]*\n|[^\n]+", raw)
        return b"".join(
            [*lines[: (comment.start_line or comment.line) - 1], blocks[0].encode(), *lines[comment.line :]]
        )

    def read(self, path: str) -> bytes:
        """A file at head."""
        return read_blob(self.repo, self.head, path)

    def writes(self) -> list[str]:
        """The requests that change something."""
        return [call for call in self.calls if call not in ("pull_request", "threads", "summary")]

    def _begin(self, name: str) -> None:
        self.calls.append(name)
        self.before(name, len(self.calls))

    def _end(self, name: str) -> None:
        self.after(name, len(self.calls))

    def _accept_text(self, text: str) -> None:
        text.encode()  # Nothing else can be sent.
        if not text.strip() or len(text) > self.limits.comment or not self.is_open:
            raise Refused("unprocessable")

    def _change(self, is_wanted: Callable[[Thread], bool], **changes: object) -> None:
        found = [index for index, thread in enumerate(self.posted) if is_wanted(thread)]
        assert len(found) == 1, found
        self.posted[found[0]] = replace(self.posted[found[0]], **changes)

    def _moved(self, thread: Thread, old: str) -> Thread:
        if thread.line is None:
            return thread
        patch = self.repo.git("diff", "--unified=0", old, self.head, "--", thread.path).encode()
        first, shift = thread.start_line or thread.line, 0
        for found in re.finditer(_HEADER, patch):
            start, length = int(found[1]), int(found[2] or 1)
            added = int(found[4] or 1)
            if length and start <= thread.line and first <= start + length - 1:
                return replace(thread, line=None, start_line=None)
            if not length and first <= start < thread.line:
                return replace(thread, line=None, start_line=None)
            if start < first:
                shift += added - length
        start_line = None if thread.start_line is None else thread.start_line + shift
        return replace(thread, line=thread.line + shift, start_line=start_line)


def fits(comment: Comment, shown: Mapping[str, Sequence[set[int]]]) -> bool:
    """Whether a comment stands on lines of the new side that the diff shows, a range within one hunk."""
    hunks = shown.get(comment.path, ())
    if comment.start_line is None:
        return any(comment.line in hunk for hunk in hunks)
    return comment.start_line < comment.line and any({comment.start_line, comment.line} <= hunk for hunk in hunks)


def shown_lines(repo: Repo, base: str, head: str) -> dict[str, list[set[int]]]:
    """The lines of the new side that each hunk of `git diff` shows, counted one by one, by path."""
    output = git_bytes(repo, "diff", "--no-color", "--no-ext-diff", "--find-renames", f"{base}...{head}")
    found: dict[str, list[set[int]]] = {}
    hunks: list[set[int]] = []
    left_old = left_new = number = 0
    for line in output.split(b"\n"):
        if left_old or left_new:
            sign = line[:1]
            if sign in (b"+", b" "):
                hunks[-1].add(number)
                number += 1
            left_new -= sign in (b"+", b" ")
            left_old -= sign in (b"-", b" ")
        elif line.startswith(b"+++ "):
            hunks = found.setdefault(_path(line[4:]), [])
        elif header := _HEADER.match(line):
            left_old, number, left_new = int(header[2] or 1), int(header[3]), int(header[4] or 1)
            hunks.append(set())
    return found


def _path(text: bytes) -> str:
    text = text.removesuffix(b"\t")  # git ends a path with a blank in it so.
    if text.startswith(b'"'):
        text = _OCTAL.sub(
            lambda m: bytes([int(m[1], 8)]) if m[1] else _SIMPLE.get(m[2], m[2]), text[1:].removesuffix(b'"')
        )
    return text.removeprefix(b"b/").decode("utf-8", "surrogateescape")


def git_bytes(repo: Repo, *args: str) -> bytes:
    """What git prints, byte for byte."""
    import subprocess

    return subprocess.run(["git", *args], cwd=repo.path, capture_output=True, check=True).stdout


def read_blob(repo: Repo, commit: str, path: str) -> bytes:
    """A file of a commit."""
    return git_bytes(repo, "cat-file", "blob", f"{commit}:{path}")


def suggestion_blocks(body: str) -> list[str]:
    """The contents of the blocks that a page offers to apply."""
    tokens = MarkdownIt("commonmark", {"html": True}).parse(body)
    return [token.content for token in tokens if token.type == "fence" and token.info.strip() == "suggestion"]
