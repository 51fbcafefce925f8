"""What can be said to the bot in a comment; anything else is an error or no command at all.

    /nootropic review                 look at the pull request again
    /nootropic fix [ID]               commit the proved fix of a finding, or of all
    /nootropic apply ID               commit one suggestion
    /nootropic explain ID             why this is a problem, and what was proved
    /nootropic fp ID REASON           a false positive: never shown again
    /nootropic ignore RULE            no findings of this rule in this pull request
    /nootropic feedback ID up|down    was that any use?
    /nootropic status | help

A command is the first line of a comment and starts it: text before it, a quotation, a code block or an indented line is
somebody talking about commands, not giving one (row A12 of the attack corpus). There are no options, so none can be
smuggled in (row A14): every word is compared with an allow list or a pattern of its own.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Literal, get_args

from nootropic_bot.escape import one_line

Verb = Literal["review", "fix", "apply", "explain", "fp", "ignore", "feedback", "status", "help"]
Vote = Literal["up", "down"]

NAME = "/nootropic"
MAX_REASON = 300
_VERBS: tuple[Verb, ...] = get_args(Verb)
# A finding's id has 20 characters, a suggestion's 16; their beginning will do where it is unique.
_ID = re.compile(r"[0-9a-f]{8,20}")
_RULE = re.compile(r"[a-z0-9][a-z0-9._-]{0,127}")
_NEEDS = {
    "fix": "at most the id of one finding: `/nootropic fix 0123abcd…`",
    "apply": "the id of one suggestion: `/nootropic apply 0123abcd…`",
    "explain": "the id of one finding: `/nootropic explain 0123abcd…`",
    "fp": "the id of one finding and a reason: `/nootropic fp 0123abcd… generated code`",
    "ignore": "the id of one rule: `/nootropic ignore yaml-unsafe-load`",
    "feedback": "the id of one finding, and `up` or `down`: `/nootropic feedback 0123abcd… up`",
}


class NotUnderstood(Exception):
    """A line that is meant as a command and is none. The message says what would be one, in Markdown."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command. `target`: the beginning of the id of a finding or suggestion, or a rule's id; `reason`: for `fp`."""

    verb: Verb
    target: str | None = None
    reason: str | None = None
    vote: Vote | None = None


def parse(comment: str) -> Command | None:
    """The command that a comment gives; None where it gives none.

    Raises:
        NotUnderstood: it begins like a command.
    """
    line = re.split(r"[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]", comment, maxsplit=1)[0]
    words = line.split()
    if not words or not line.startswith(NAME) or words[0] != NAME:
        return None
    if len(words) == 1:
        return Command("help")
    verb = next((each for each in _VERBS if each == words[1]), None)
    if verb is None:
        raise NotUnderstood(_unknown(words[1]))
    command = _command(verb, words[2:])
    if command is None:
        need = _NEEDS.get(verb)
        raise NotUnderstood(f"`{verb}` takes {need}" if need else f"`{verb}` takes nothing behind it")
    return command


def _command(verb: Verb, words: list[str]) -> Command | None:
    """The command with these words behind its verb; None where they don't fit."""
    if not words:
        return Command(verb) if verb in ("review", "fix", "status", "help") else None
    target, rest = words[0], words[1:]
    if verb == "ignore":
        return Command(verb, target) if not rest and _RULE.fullmatch(target) else None
    if verb in ("review", "status", "help") or not _ID.fullmatch(target):
        return None
    if verb == "fp":
        reason = one_line(" ".join(rest))[:MAX_REASON]
        return Command(verb, target, reason) if reason.strip() else None
    if verb == "feedback":
        vote = next((each for each in get_args(Vote) if rest == [each]), None)
        return Command(verb, target, vote=vote) if vote else None
    return Command(verb, target) if not rest else None


def _unknown(word: str) -> str:
    near = difflib.get_close_matches(word[:40], _VERBS, 1)
    meant = f" Did you mean `{near[0]}`?" if near else ""
    return f"There is no such command.{meant} `{NAME} help` lists them."
