"""Who may do what: from a comment to a plan, by asking the forge only.

Of what a person says only the words of the grammar are used, and who the person is says the forge, not the comment.
Whoever may push to the repository may give every command; the author of the pull request may also give those of
`ONLY_TELLS`. All others are told so once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from nootropic_bot.forge import Missing
from nootropic_bot.host import Host, Target
from nootropic_bot.marker import ReplyMarker
from nootropic_bot.respond.answers import NOT_OPEN, closed, denied, not_understood, over_quota, unconfirmed
from nootropic_bot.respond.grammar import Command, NotUnderstood, Verb, parse
from nootropic_bot.respond.ledger import Ledger, notice, topic
from nootropic_bot.respond.plan import Plan, Said

Status = Literal["permitted", "none", "denied", "answered", "closed", "quota", "misunderstood", "gone"]
# What changes nothing and starts nothing: open to the author of the pull request, and once it is closed. Not `explain`,
# which starts an analysis, nor `feedback`, which is recorded for good.
ONLY_TELLS: frozenset[Verb] = frozenset({"status", "help"})


@dataclass(frozen=True, slots=True)
class Authorised:
    """What became of a comment. `plan`: what may be done; None where nothing is to be done, for the reason `note`."""

    status: Status
    note: str
    plan: Plan | None = None


def authorise(said: Said, host: Host) -> Authorised:
    """Decide about a comment; acknowledge the command it gives, or say once why not.

    Raises:
        ForgeError: the forge could not be asked, or does not let us answer.
    """
    if not said.is_new or said.is_bot:
        return Authorised("none", "not a new comment by a person")
    refusal = ""
    command: Command | None = None
    try:
        command = parse(said.body)
        if command is None:
            return Authorised("none", "the comment gives no command")
    except NotUnderstood as error:
        refusal = str(error)
    try:
        target = host.target()
    except Missing:
        return Authorised("gone", "the pull request is not there")
    ledger = Ledger.read(host)
    if not _is_open_to(said, command, target):
        permission = host.permission(said.author)
        if not permission.may_write:
            return _deny(said, host, ledger, permission.problem)
    if ledger.is_over_quota(said.author, said.comment):
        return _hold(said, host, ledger)
    if command is None:
        return _tell(said, host, ledger, refusal)
    return _permit(said, command, target, host, ledger)


def _is_open_to(said: Said, command: Command | None, target: Target) -> bool:
    # What is not understood changes nothing, and to be told so is open to whom `help` is open.
    verb: Verb = "help" if command is None else command.verb
    return verb in ONLY_TELLS and said.author == target.author


def _permit(said: Said, command: Command, target: Target, host: Host, ledger: Ledger) -> Authorised:
    name = topic(command)
    if ledger.is_answered(name, said.comment):
        return Authorised("answered", "the command was carried out before")
    if not target.is_open and command.verb not in ONLY_TELLS:
        ledger.put(host, closed(is_merged=target.is_merged), ReplyMarker(name, said.comment, is_done=True))
        return Authorised("closed", NOT_OPEN)
    try:
        host.acknowledge(said.comment)
    except Missing:
        return Authorised("gone", "the comment is not there any more")
    plan = Plan(said.comment, target.number, said.author, said.number, command, target.head, target.base)
    return Authorised("permitted", f"{command.verb} is permitted", plan)


def _deny(said: Said, host: Host, ledger: Ledger, problem: str | None) -> Authorised:
    name = notice("denied" if problem is None else "unconfirmed", said.author)
    # Once: else whoever may do nothing could have us write as often as they do.
    if ledger.find(name) is None:
        text = denied(said.author) if problem is None else unconfirmed(said.author, problem)
        ledger.put(host, text, ReplyMarker(name, said.comment, is_done=True))
    if problem is not None:
        return Authorised("denied", f"what the person may do is unknown, which is a denial: {problem}")
    return Authorised("denied", "the person may not give this command")


def _hold(said: Said, host: Host, ledger: Ledger) -> Authorised:
    name = notice("quota", said.author)
    told = next((each for each in ledger.remarks if each.id == said.comment), None)
    if ledger.find(name) is None or (told is not None and not ledger.was_told_lately(name, told.created)):
        ledger.put(host, over_quota(said.author), ReplyMarker(name, said.comment, is_done=True))
    return Authorised("quota", "too many commands within an hour")


def _tell(said: Said, host: Host, ledger: Ledger, refusal: str) -> Authorised:
    """Say what would have been a command, in one place a person."""
    name = notice("misunderstood", said.author)
    if not ledger.is_answered(name, said.comment):
        ledger.put(host, not_understood(refusal), ReplyMarker(name, said.comment, is_done=True))
    return Authorised("misunderstood", "the command is none that there is")
