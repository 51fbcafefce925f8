"""Carries one permitted command out, and answers it in the conversation.

    plan, report of the present head ─▶ act ─▶ one effect, one reply

What comes from a report is used only for the head that it is about (row A13), and every effect can be recognised when
the same command is delivered again: a commit by its trailer, a record by its key, a reply by its marker (row A17).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from nootropic_bot.errors import EXIT_CLEAN, EXIT_REMOTE, IncompleteError, NootropicError
from nootropic_bot.forge import ForgeError
from nootropic_bot.host import Host
from nootropic_bot.marker import ReplyMarker
from nootropic_bot.records import Report, Rule
from nootropic_bot.respond.answers import closed, denied, failed, help_text, status_text, unclear, unconfirmed
from nootropic_bot.respond.authorise import ONLY_TELLS
from nootropic_bot.respond.choosing import Unclear, the_finding
from nootropic_bot.respond.committing import apply_fixes, earlier_commit
from nootropic_bot.respond.deciding import (
    earlier_decision,
    give_feedback,
    ignore_rule,
    mark_false_positive,
    standing,
)
from nootropic_bot.respond.fixtexts import explained
from nootropic_bot.respond.ledger import Ledger, topic
from nootropic_bot.respond.memory import Memory
from nootropic_bot.respond.outcome import ROOM_FOR_MARKER, Answer, Situation, moved
from nootropic_bot.respond.plan import Plan
from nootropic_bot.state.redact import redact_text

_DECISIONS = {"ignore": ignore_rule, "feedback": give_feedback}
_ON_REPORT = {"fix": apply_fixes, "apply": apply_fixes, "fp": mark_false_positive}


@dataclass(frozen=True, slots=True)
class Tools:
    """What carrying out takes. `rule`: a rule by its id; `publish`: posts a report as `publish` does, and says so."""

    host: Host
    memory: Memory
    rule: Callable[[str], Rule | None]
    publish: Callable[[Report], Answer]


@dataclass(frozen=True, slots=True)
class Acted:
    """What became of a plan. `note`: one line for the log; `text`: the reply as it was posted, without its marker."""

    note: str
    text: str = ""
    exit_code: int = EXIT_CLEAN


def act(plan: Plan, report: Report | NootropicError | None, tools: Tools) -> Acted:
    """Carry a plan out and reply.

    Args:
        plan: what was permitted, compared with the comment already.
        report: of the pull request's head, if the command needs one, or why there is none.
        tools: the forge, the state, and what others do.

    Raises:
        ForgeError: the forge can't be read, or does not let us reply.
    """
    host, name = tools.host, topic(plan.command)
    ledger = Ledger.read(host)
    if ledger.is_answered(name, plan.comment):
        return Acted("the command was carried out before")
    answer = _answer(plan, report, tools)
    ledger = Ledger.read(host)
    # What another delivery of this comment said meanwhile stands. That nothing came of this one is of no interest where
    # the same was done for a newer comment; what was done is said whatever a newer one came to.
    is_known = ledger.is_told if answer.is_done else ledger.is_answered
    if is_known(name, plan.comment):
        return Acted("the command was carried out meanwhile")
    room = host.comment_limit - ROOM_FOR_MARKER
    text = answer.text if len(answer.text) <= room else "The answer is too long for a comment.\n"
    ledger.put(host, text, ReplyMarker(name, plan.comment, answer.is_done, answer.has_effect))
    return Acted(f"{plan.command.verb}: {answer.note}", text, answer.exit_code)


def _answer(plan: Plan, report: Report | NootropicError | None, tools: Tools) -> Answer:
    target, verb = tools.host.target(), plan.command.verb
    if not target.is_open and verb not in ONLY_TELLS:
        return Answer(closed(is_merged=target.is_merged), "the pull request is not open")
    if verb not in ONLY_TELLS or plan.login != target.author:
        # Asked again: minutes may have passed, and now something is done.
        permission = tools.host.permission(plan.login)
        if permission.problem is not None:
            text = unconfirmed(plan.login, permission.problem)
            return Answer(text, f"what the person may do is unknown: {permission.problem}", EXIT_REMOTE, is_done=False)
        if not permission.may_write:
            return Answer(denied(plan.login), "the person may not give this command (any more)")
    try:
        return _carry_out(Situation(plan, target, tools.host, tools.memory), report, tools)
    except NootropicError as error:
        return _of_failure(error, plan, tools)


def _of_failure(error: NootropicError, plan: Plan, tools: Tools) -> Answer:
    """Why it failed: what happened to the pull request meanwhile says more than the forge's refusal."""
    if isinstance(error, ForgeError):
        target = tools.host.target()
        if not target.is_open:
            return Answer(closed(is_merged=target.is_merged), "the pull request was closed meanwhile")
        if target.head != plan.head:
            # It may be the very commit, by another delivery.
            now = Situation(plan, target, tools.host, tools.memory)
            return earlier_commit(now) or moved(plan, target)
    return Answer(failed("That did not work:", error), "failed", error.exit_code, is_done=False)


def _carry_out(situation: Situation, report: Report | NootropicError | None, tools: Tools) -> Answer:
    plan, target = situation.plan, situation.target
    verb = plan.command.verb
    if verb == "help":
        return Answer(help_text(), "told")
    if verb == "status":
        return Answer(status_text(target, standing(situation)), "told")
    if verb in _DECISIONS:
        return _DECISIONS[verb](situation)
    if verb in ("fix", "apply") and (answer := earlier_commit(situation)) is not None:
        return answer
    if verb == "fp" and target.head != plan.head and (answer := earlier_decision(situation)) is not None:
        return answer
    if target.head != plan.head:
        return moved(plan, target)
    if isinstance(report, NootropicError):
        raise report
    if report is None or report.head != plan.head:
        raise IncompleteError(
            "there is no report of the analysis of this head", "the log of the job that analyses says why"
        )
    if verb == "review":
        return tools.publish(report)
    try:
        return _ON_REPORT[verb](situation, report) if verb in _ON_REPORT else _explain(situation, report, tools)
    except Unclear as error:
        if not report.complete:
            raise IncompleteError("it was not found, but the analysis is incomplete", "see its report") from error
        return Answer(unclear(error, "finding"), "not found")


def _explain(situation: Situation, report: Report, tools: Tools) -> Answer:
    found = the_finding(situation.plan.command.target or "", report.findings)
    finding = replace(found, message=redact_text(found.message)[0])
    room = tools.host.comment_limit - ROOM_FOR_MARKER
    return Answer(explained(finding, tools.rule(finding.rule_id), room), "explained")
