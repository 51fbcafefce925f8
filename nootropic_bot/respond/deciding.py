"""`fp`, `ignore`, `feedback` and `status`: what people say about findings, recorded where all later runs look."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

from nootropic_bot.errors import NootropicError
from nootropic_bot.escape import valid_text
from nootropic_bot.findingtext import plural
from nootropic_bot.forge import ForgeError, Thread
from nootropic_bot.marker import Marker, key
from nootropic_bot.records import Report
from nootropic_bot.respond.answers import (
    Standing,
    ignored,
    marked_as_false_positive,
    never_posted,
    no_such_rule,
    settled_thread,
    thanked,
    unclear,
)
from nootropic_bot.respond.choosing import Unclear, the_finding, the_one
from nootropic_bot.respond.outcome import Answer, Situation
from nootropic_bot.state.schema import Draft, NoteData, TriageData

# The line of a comment of ours that names severity and rule; a comment that was settled begins with another one.
_NAMED = re.compile(r"^[🔴🟡🔵] \*\*\w+\*\* · `([a-z0-9][a-z0-9._-]{0,127})`", re.MULTILINE)


def mark_false_positive(situation: Situation, report: Report) -> Answer:
    """`fp ID REASON`: the finding does not count any more, anywhere.

    What was posted or recorded of a fork is its word, and ids can be computed: a harmless finding shown under the id of
    another would have people mute that one. So the finding is the one that our own analysis has, with rule and file.

    Raises:
        Unclear: the report has no such finding, or several.
    """
    plan = situation.plan
    finding = the_finding(plan.command.target or "", report.findings)
    reason = plan.command.reason or ""
    data: TriageData = {
        "action": "add",
        "finding": finding.id,
        "rule_id": finding.rule_id,
        "path": valid_text(finding.path),
        "reason": reason,
        "author": plan.login,
        "command": plan.key,
    }
    # Read before: what fails after it is recorded could only be told as if it had not been.
    threads = situation.host.threads()
    _record(situation, Draft("triage", data))
    remark = _settle(situation, threads, {finding.id}, "Marked as a false positive", reason)
    return Answer(f"{marked_as_false_positive(finding, plan.login, reason)}{remark}", "recorded", has_effect=True)


def earlier_decision(situation: Situation) -> Answer | None:
    """The answer, if this very command was recorded: an earlier run ended before it could say so."""
    if not situation.memory.is_carried_out(situation.plan.key):
        return None
    return Answer("It is recorded.\n", "recorded before", has_effect=True)


def ignore_rule(situation: Situation) -> Answer:
    """`ignore RULE`: findings of the rule don't count in this pull request."""
    plan, number = situation.plan, situation.target.number
    threads = situation.host.threads()
    rules = _known(situation, threads)
    rule_id = plan.command.target or ""
    if rule_id not in rules.values():
        there = sorted({rule for rule in rules.values() if rule})
        near = next(iter(difflib.get_close_matches(rule_id, there, 1)), None)
        return Answer(no_such_rule(rule_id, there, near), "not found")
    reason = f"ignored in pull request {number}"
    data: TriageData = {
        "action": "add",
        "rule_id": rule_id,
        "reason": reason,
        "author": plan.login,
        "pull_request": number,
        "command": plan.key,
    }
    _record(situation, Draft("triage", data))
    about = {finding for finding, rule in rules.items() if rule == rule_id}
    remark = _settle(situation, threads, about, "Ignored in this pull request", f"all findings of {rule_id}")
    return Answer(f"{ignored(rule_id, number, plan.login)}{remark}", "recorded", has_effect=True)


def give_feedback(situation: Situation) -> Answer:
    """`feedback ID up|down`: recorded as a note, because it says nothing of what becomes of a fix."""
    plan = situation.plan
    rules = _known(situation, situation.host.threads())
    try:
        finding = the_one(plan.command.target or "", rules)
    except Unclear as error:
        text = unclear(error, "finding") if error.fitting else never_posted(error.given, error.known)
        return Answer(text, "not found")
    vote = plan.command.vote or "up"
    data: NoteData = {
        "text": f"feedback: {vote}",
        "finding": finding,
        "vote": vote,
        "author": plan.login,
        "pull_request": situation.target.number,
        "command": plan.key,
    }
    if rules[finding]:
        data["rule_id"] = rules[finding]
    _record(situation, Draft("note", data))
    return Answer(thanked(finding, vote), "recorded", has_effect=True)


def standing(situation: Situation) -> Standing:
    """What `status` tells."""
    threads = situation.host.threads()
    opened = sum(
        thread.marker is not None and not thread.is_resolved and thread.marker.fixed is None for thread in threads
    )
    try:
        return Standing(situation.memory.last_run(), situation.memory.decisions(), opened)
    except NootropicError:
        return Standing(None, (), opened, is_known=False)


def _known(situation: Situation, threads: Iterable[Thread]) -> dict[str, str]:
    """The findings of the pull request, each with its rule, or "" where nothing names that."""
    found = {marker.finding: _rule_in(thread) for thread in threads if (marker := thread.marker) is not None}
    found |= {each.finding: each.rule_id for each in situation.memory.findings()}
    return found


def _rule_in(thread: Thread) -> str:
    named = _NAMED.search(thread.body)
    return named[1] if named else ""


def _record(situation: Situation, draft: Draft) -> None:
    # An earlier run of the same command may have come this far.
    if not situation.memory.is_carried_out(situation.plan.key):
        situation.memory.record([draft])


def _settle(situation: Situation, threads: Sequence[Thread], findings: set[str], what: str, reason: str) -> str:
    """Say it in the comments on these findings, and resolve them; what to add to the reply."""
    keys = {key(finding) for finding in findings}
    left = 0
    for thread in threads:
        marker = thread.marker
        if marker is None or marker.finding not in keys or thread.is_resolved:
            continue
        # By `fixed` a later run knows that the comment says something else, should its finding count again.
        own = Marker(marker.finding, marker.suggestion, fixed=key(situation.target.head))
        body = f"{settled_thread(thread.body, what, situation.plan.login, reason)}\n{own}"
        try:
            if thread.is_ours:
                situation.host.edit_comment(thread.comment_id, body)
        except ForgeError:
            left += 1
            continue
        _resolve(situation, thread)
    return f"\n{plural(left, 'comment')} on the diff could not be changed to say so.\n" if left else ""


def _resolve(situation: Situation, thread: Thread) -> None:
    try:
        situation.host.resolve_thread(thread.id)
    except ForgeError:
        # The comment says it already; to resolve it takes a permission that the job may not have.
        return
