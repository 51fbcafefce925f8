"""What was answered before, read from the conversation itself: no record of ours elsewhere has to be right.

A reply carries a hidden marker of what it answers and of the newest comment that it answers. The same command is
answered in the same place (row A18), and numbers of comments only grow: one that is not newer than what was done is a
delivery that came again, or late (rows A17, F17). What was done stays said: a later failure is told in a reply of its
own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from nootropic_bot.host import Host, Remark
from nootropic_bot.marker import ReplyMarker, digest, parse_reply_marker
from nootropic_bot.respond.grammar import NAME, Command

# How many commands one person may give on one pull request within `PERIOD`; who may give none uses up nothing.
QUOTA = 30
PERIOD = timedelta(hours=1)


def topic(command: Command) -> str:
    """What a reply to a command is known by: the words of the command."""
    words = (command.verb, command.target, command.reason, command.vote)
    return digest(["answer", *(word or "" for word in words)])


def notice(kind: str, login: str) -> str:
    """The same of a reply that answers a person instead of a command."""
    return digest(["notice", kind, login])


@dataclass(frozen=True, slots=True)
class Ledger:
    """The conversation as it was read."""

    remarks: Sequence[Remark]

    @classmethod
    def read(cls, host: Host) -> Ledger:
        """Read the newest comments. Raises a `ForgeError` where that fails."""
        return cls(host.remarks())

    def find(self, reply: str) -> tuple[Remark, ReplyMarker] | None:
        """Our reply of that name; the newest, should there be several."""
        return next(self._named(reply), None)

    def is_answered(self, reply: str, comment: int) -> bool:
        """Whether that comment, or a newer one, was answered there for good; that a newer one failed says nothing."""
        return any(marker.is_done and comment <= marker.comment for _remark, marker in self._named(reply))

    def is_told(self, reply: str, comment: int) -> bool:
        """Whether what was done for that very comment was said."""
        return any(marker.is_done and comment == marker.comment for _remark, marker in self._named(reply))

    def _named(self, reply: str) -> Iterator[tuple[Remark, ReplyMarker]]:
        """Our replies of that name, the newest first."""
        for remark in reversed(self.remarks):
            marker = parse_reply_marker(remark.body) if remark.is_ours else None
            if marker is not None and marker.reply == reply:
                yield remark, marker

    def is_over_quota(self, login: str, comment: int) -> bool:
        """Whether a person gave more than `QUOTA` commands in the time before this comment.

        Where the hour holds more comments than were read, what was read is more than enough.
        """
        told = next((remark for remark in self.remarks if remark.id == comment), None)
        now = told.created if told is not None else max((each.created for each in self.remarks), default=None)
        if now is None:
            return False
        since = now - PERIOD
        return sum(_is_command(each, login, since) for each in self.remarks if each.id <= comment) > QUOTA

    def was_told_lately(self, reply: str, now: datetime) -> bool:
        """Whether our reply of that name was written or changed within the period."""
        found = self.find(reply)
        return found is not None and now - found[0].updated < PERIOD

    def put(self, host: Host, text: str, marker: ReplyMarker) -> None:
        """Write a reply, in place of the one of that name; nothing where it says the same already.

        What was done is not written over by what failed, or by what an older comment asked for; what was changed, such
        as the commit that was made, by nothing but the same words.
        """
        body = f"{text.rstrip()}\n\n{marker}"
        found = self.find(marker.reply)
        if found is None or _stays(*found, text, marker):
            host.reply(body)
        elif found[0].body.split() != body.split():
            host.edit_reply(found[0].id, body)


def _stays(remark: Remark, said: ReplyMarker, text: str, marker: ReplyMarker) -> bool:
    """Whether an earlier reply is kept beside this one."""
    if not said.is_done:
        return False
    if not marker.is_done or marker.comment < said.comment:
        return True
    return said.has_effect and remark.body.rstrip().rpartition("\n")[0].split() != text.split()


def _is_command(remark: Remark, login: str, since: datetime) -> bool:
    return (
        not remark.is_ours
        and remark.author == login
        and remark.created > since
        and re.match(rf"{re.escape(NAME)}(?:\s|\Z)", remark.body) is not None
    )
