"""What a forge must offer for commands, in words that hold no forge's type; failures are `ForgeError`s (`forge.py`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from nootropic_bot.forge import Thread

# Modes of files that a fix may replace; a link or a submodule is none of them.
EXECUTABLE, REGULAR = "100755", "100644"
_MAY_WRITE = frozenset({"write", "admin"})


@dataclass(frozen=True, slots=True)
class Target:
    """The pull request as it is now.

    `head`, `base`: commits. `branch`: the head's branch; None when it is gone. `is_fork`: it lies in another
    repository, where nothing is written. `address`: where the repository that it is proposed to is cloned from.
    """

    number: int
    head: str
    base: str
    branch: str | None
    author: str
    address: str
    is_open: bool = True
    is_merged: bool = False
    is_fork: bool = False


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment of the conversation. `is_ours`: written with the credentials that we post with."""

    id: int
    author: str
    body: str
    created: datetime
    updated: datetime
    is_ours: bool


@dataclass(frozen=True, slots=True)
class File:
    """A file at a commit: its bytes, its blob's id and its mode."""

    path: str
    data: bytes
    oid: str
    mode: str = REGULAR


@dataclass(frozen=True, slots=True)
class Permission:
    """What somebody may do in a repository. `level`: "none", "read", "write", "admin"; `problem`: why it is unknown."""

    level: str
    problem: str | None = None

    @property
    def may_write(self) -> bool:
        """Whether they may push to it; not when that is unknown."""
        return self.level in _MAY_WRITE


class Host(Protocol):
    """One pull request on a forge."""

    @property
    def comment_limit(self) -> int:
        """The most characters of a comment; known without a request."""
        ...

    def target(self) -> Target:
        """The pull request as it is now."""
        ...

    def permission(self, login: str) -> Permission:
        """What a person may do in the repository; nothing, for a reason, where the forge does not say."""
        ...

    def remarks(self) -> Sequence[Remark]:
        """The newest comments of the conversation, a bounded number, the oldest of them first."""
        ...

    def acknowledge(self, comment: int) -> None:
        """Show beside a comment that it was understood as a command; a second time changes nothing."""
        ...

    def reply(self, body: str) -> None:
        """Write a comment in the conversation."""
        ...

    def edit_reply(self, remark: int, body: str) -> None:
        """Replace the text of a comment of ours in the conversation."""
        ...

    def threads(self) -> Sequence[Thread]:
        """All threads on lines."""
        ...

    def edit_comment(self, comment_id: str, body: str) -> None:
        """Replace the text of a comment of ours on lines."""
        ...

    def resolve_thread(self, thread_id: str) -> None:
        """Mark a thread as resolved."""
        ...

    def read_files(self, commit: str, paths: Iterable[str]) -> Mapping[str, File]:
        """Regular files at a commit by path; what is missing, or is something else, is left out."""
        ...

    def message(self, commit: str) -> str:
        """The message of a commit."""
        ...

    def co_author(self, login: str, number: int) -> str:
        """Who a commit names for a person, as `Name <address>`; `number` is the account's."""
        ...

    def commit(self, target: Target, files: Sequence[File], message: str) -> str:
        """Replace files on the pull request's branch by one commit on top of `target.head`; the commit's id.

        The branch is moved only from that head: one that has moved on stays as it is, and the forge refuses.
        """
        ...

    def start_checks(self, target: Target) -> bool:
        """Have the present head of the branch checked; a commit made by a workflow's token starts nothing by itself.

        False where nothing has to be started, because the commit itself does.
        """
        ...
