"""What a command is carried out with, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass

from nootropic_bot.errors import EXIT_CLEAN, EXIT_REMOTE
from nootropic_bot.host import Host, Target
from nootropic_bot.respond.answers import commit_name
from nootropic_bot.respond.memory import Memory
from nootropic_bot.respond.plan import Plan

# What is left of a comment's limit for our own last line.
ROOM_FOR_MARKER = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply. `text`: Markdown; `note`: the same in a few words, for the log.

    `is_done`: the command is settled, so that it does nothing when its comment is delivered again. `has_effect`: it
    changed something of which this text tells, so that no later answer takes its place.
    """

    text: str
    note: str
    exit_code: int = EXIT_CLEAN
    is_done: bool = True
    has_effect: bool = False


@dataclass(frozen=True, slots=True)
class Situation:
    """One command, and the pull request as it is now."""

    plan: Plan
    target: Target
    host: Host
    memory: Memory


def moved(plan: Plan, target: Target) -> Answer:
    """The head is another one than the one that was looked at (row A13)."""
    text = (
        f"The pull request was at {commit_name(plan.head)} when this was asked for and is at "
        f"{commit_name(target.head)} now, so nothing was done. Give the command again.\n"
    )
    return Answer(text, "the head has moved", EXIT_REMOTE, is_done=False)
