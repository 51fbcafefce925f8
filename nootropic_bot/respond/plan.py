"""What was permitted, as it travels from the job that asked the forge to the job that acts.

A plan is one line of JSON. It passes through a workflow's outputs, so the job that acts reads the comment again and
compares: a plan alone permits nothing.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from functools import cache
from typing import TYPE_CHECKING

from nootropic_bot.errors import UsageError
from nootropic_bot.marker import digest
from nootropic_bot.respond.grammar import Command, NotUnderstood, parse

if TYPE_CHECKING:
    from pydantic import TypeAdapter

MAX_PLAN = 4_000
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_REMEDY = "pass the output `plan` of `nootropic-bot respond authorise` as it is"
# What takes a report of the present head.
ANALYSED = frozenset({"review", "fix", "apply", "explain", "fp"})


@dataclass(frozen=True, slots=True)
class Said:
    """A comment in the conversation of a pull request, as the forge's event tells it.

    `number`: of the author's account. `is_new`: it was just made, not edited or deleted. `is_bot`: no person wrote it.
    """

    comment: int
    pull_request: int
    author: str
    number: int
    body: str
    is_new: bool = True
    is_bot: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """A command that may be carried out, and the commits between which the pull request lay then.

    `account`: the number of the account `login`.
    """

    comment: int
    pull_request: int
    login: str
    account: int
    command: Command
    head: str
    base: str

    @property
    def needs_analysis(self) -> bool:
        """Whether a report of `head` is needed to carry it out."""
        return self.command.verb in ANALYSED

    @property
    def key(self) -> str:
        """What marks all that comes of it: the same comment gives the same key, however often it is delivered."""
        return command_key(self.comment)

    def to_json(self) -> str:
        """The plan as one line of ASCII."""
        return json.dumps({"version": 1, **asdict(self)}, separators=(",", ":"))


def command_key(comment: int) -> str:
    """The key of the command that a comment gives."""
    return digest(["command", str(comment)])


def read_plan(text: str, said: Said) -> Plan:
    """A plan that comes back, if it is the one of this comment.

    Raises:
        UsageError: it is no plan, or is about something else than the comment.
    """
    from pydantic import ValidationError

    if len(text) > MAX_PLAN:
        raise UsageError(f"the plan has {len(text)} characters, {MAX_PLAN} are the most", _REMEDY)
    try:
        data = json.loads(text)
        if not isinstance(data, dict) or data.pop("version", None) != 1:
            raise UsageError("this is no plan of this version", _REMEDY)
        plan = _adapter().validate_python(data)
    except (ValueError, RecursionError) as error:
        # Nothing of the text is repeated: it may be anything.
        what = "of another form" if isinstance(error, ValidationError) else "not JSON"
        raise UsageError(f"the plan is {what}", _REMEDY) from None
    if not (_SHA.fullmatch(plan.head) and _SHA.fullmatch(plan.base)):
        raise UsageError("the plan names no commits", _REMEDY)
    try:
        command = parse(said.body)
    except NotUnderstood:
        command = None
    given = (plan.comment, plan.pull_request, plan.login, plan.account, plan.command)
    if given != (said.comment, said.pull_request, said.author, said.number, command) or not said.is_new:
        raise UsageError("the plan is not that of the event's comment", "it is refused; give the command again")
    return plan


@cache
def _adapter() -> TypeAdapter[Plan]:
    from pydantic import ConfigDict, TypeAdapter, with_config

    for record in (Plan, Command):
        with_config(ConfigDict(extra="forbid", strict=False))(record)
    return TypeAdapter(Plan)
