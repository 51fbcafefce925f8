"""`fix` and `apply`: proved fixes as one commit on the pull request's branch, or as a patch where that is a fork's."""

from __future__ import annotations

from nootropic_bot.errors import EXIT_CLEAN, NootropicError
from nootropic_bot.forge import ForgeError
from nootropic_bot.markdown import inline_text
from nootropic_bot.records import Report
from nootropic_bot.reports import counts
from nootropic_bot.respond.answers import commit_name
from nootropic_bot.respond.choosing import the_fix
from nootropic_bot.respond.fixtexts import COMMAND_TRAILER, commit_message, committed, left_out, patch_to_take
from nootropic_bot.respond.outcome import ROOM_FOR_MARKER, Answer, Situation
from nootropic_bot.respond.patching import Fix, Patched, patch, paths_of, proved
from nootropic_bot.state.schema import Draft, OutcomeData

_STARTED = "The review was started again on the new head; other workflows may wait for the next push."


def earlier_commit(situation: Situation) -> Answer | None:
    """The answer, if the head is the commit of this very command: an earlier run ended before it could say so."""
    head, target = situation.target.head, situation.target
    if target.is_fork or f"\n{COMMAND_TRAILER}: {situation.plan.key}\n" not in f"{situation.host.message(head)}\n":
        return None
    return Answer(f"Committed in {commit_name(head)}.\n", "committed before", has_effect=True)


def apply_fixes(situation: Situation, report: Report) -> Answer:
    """Commit what the command asks for.

    Raises:
        Unclear: the command's id fits no proved fix, or several.
        NootropicError: it was not committed.
    """
    given, host, target = situation.plan.command.target, situation.host, situation.target
    fixes = [the_fix(given, report.findings)] if given else proved(filter(counts, report.findings))
    if not fixes:
        rest = "" if report.complete else " The analysis is incomplete, though: its report says where."
        return Answer(f"There is no proved fix to commit.{rest}\n", "no proved fix")
    patched = patch(fixes, host.read_files(target.head, paths_of(fixes)))
    if not patched.files:
        return Answer(f"Nothing was changed.\n{left_out(patched.left)}", "refused")
    if target.is_fork:
        room = host.comment_limit - ROOM_FOR_MARKER
        return Answer(patch_to_take(situation.plan, patched, target.address, room), "patch posted")
    plan = situation.plan
    message = commit_message(plan, patched, host.co_author(plan.login, plan.account))
    commit = host.commit(target, patched.files, message)
    remark, code = _go_on(situation, patched, commit)
    return Answer(committed(plan, patched, commit, remark), f"committed {commit}", code, has_effect=True)


def _go_on(situation: Situation, patched: Patched, commit: str) -> tuple[str, int]:
    """What follows a commit. It stands whatever fails here, so a failure is only told."""
    remarks, code = [], EXIT_CLEAN
    try:
        if situation.host.start_checks(situation.target):
            remarks.append(_STARTED)
    except ForgeError as error:
        remarks.append(
            f"The review could not be started again: {inline_text(error.message)}. The next push starts it, or a "
            "person in the page."
        )
    try:
        situation.memory.record([_outcome(situation, fix, commit) for fix in patched.fixes])
    except NootropicError as error:
        remarks.append(f"The commit stands, but it could not be recorded: {inline_text(error.message)}.")
        code = error.exit_code
    return " ".join(remarks), code


def _outcome(situation: Situation, fix: Fix, commit: str) -> Draft:
    data: OutcomeData = {
        "suggestion": fix.suggestion.id,
        "rule_id": fix.finding.rule_id,
        "result": "accepted",
        "pull_request": situation.target.number,
        "commit": commit,
        "command": situation.plan.key,
    }
    return Draft("outcome", data)
