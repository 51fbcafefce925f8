"""What the bot replies in the conversation, as Markdown in which no data formats, links or mentions anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized
from dataclasses import dataclass

from nootropic_bot.errors import NootropicError
from nootropic_bot.escape import markdown_code
from nootropic_bot.findingtext import plural
from nootropic_bot.host import Target
from nootropic_bot.markdown import inline_code, inline_text
from nootropic_bot.records import Finding
from nootropic_bot.respond.choosing import Unclear
from nootropic_bot.respond.grammar import NAME
from nootropic_bot.respond.ledger import QUOTA
from nootropic_bot.state.views import LastRun, Triage

NOT_OPEN = "the pull request is not open"
# The state is shared by `state sync` only: a clone knows nothing before it, and nobody else after it.
_TAKE_BACK = (
    "To take it back, in a clone: `nootropic-bot state sync`, `nootropic-bot triage list`, "
    "`nootropic-bot triage remove ID` with the id that stands there, and `nootropic-bot state sync` again.\n"
)
_MAX_LISTED = 20
_SHA_DIGITS = 10
_HELP = (
    ("review", "look at the pull request again"),
    ("fix", "commit every proved fix; `fix ID`: of one finding"),
    ("apply ID", "commit one suggestion"),
    ("explain ID", "why this is a problem, and what was proved"),
    ("fp ID REASON", "a false positive: it is not shown again"),
    ("ignore RULE", "no findings of this rule in this pull request"),
    ("feedback ID up", "it was of use; `down`: it was not"),
    ("status", "what is known about this pull request"),
    ("help", "this list"),
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known about a pull request, for `status`. `is_known`: the recorded state could be read."""

    last: LastRun | None
    decisions: Sequence[Triage]
    open_comments: int
    is_known: bool = True


def help_text() -> str:
    """All commands."""
    rows = "".join(f"| {markdown_code(f'{NAME} {words}')} | {what} |\n" for words, what in _HELP)
    return (
        f"| Command | What it does |\n| --- | --- |\n{rows}\n"
        "A command is the first line of a comment. The beginning of an ID will do, 8 characters at least. Commands are "
        "for people who may push to this repository; the author of a pull request may give `status` and `help` as "
        "well.\n"
    )


def denied(login: str) -> str:
    """To somebody who may not give a command."""
    return (
        f"{inline_code(login)}: this command is for people who may push to this repository, and you may not. Nothing "
        f"was done. The author of a pull request may give `status` and `help`; {markdown_code(f'{NAME} help')} lists "
        "what there is.\n"
    )


def unconfirmed(login: str, problem: str) -> str:
    """To somebody of whom the forge does not say what they may do."""
    return (
        f"{inline_code(login)}: whether you may push to this repository could not be found out, so nothing was done. "
        f"{_sentence(problem)} To try again, give the command again; the log of the job says more.\n"
    )


def over_quota(login: str) -> str:
    """To somebody who gave too many commands."""
    return (
        f"{inline_code(login)}: more than {QUOTA} commands within an hour on this pull request. The later ones were "
        "not carried out; give them again when the hour has passed.\n"
    )


def not_understood(why: str) -> str:
    """To somebody whose command is none. `why` is Markdown of our own."""
    there = markdown_code(f"{NAME} help")
    return f"**Not understood.** {why}\n" + ("" if there in why else f"\n{there} lists all commands.\n")


def closed(*, is_merged: bool) -> str:
    """On a pull request that is not open."""
    if is_merged:
        return "This pull request is merged, so nothing was done.\n"
    return "This pull request is closed, so nothing was done. Once it is open again, give the command again.\n"


def failed(what: str, error: NootropicError) -> str:
    """What could not be done, and what helps."""
    remedy = f"\n\n→ {_sentence(error.remedy)}" if error.remedy else ""
    return (
        f"**{what}** {_sentence(error.message)}{remedy}\n\nNothing was changed. To try again, give the command again.\n"
    )


def _sentence(text: str) -> str:
    return inline_text(text.rstrip(". ")) + "."


def unclear(error: Unclear, noun: str) -> str:
    """A beginning of an id that fits nothing, or several."""
    given = inline_code(error.given)
    if error.fitting:
        head = f"{given} is the beginning of {plural(len(error.fitting), noun)}. Give more of one of these:"
    elif error.known:
        head = f"There is no {noun} {given} here. There {_are(error.known)}:"
    else:
        return f"There is no {noun} {given} here; in fact there is none at all.\n"
    return f"{head}\n\n{_ids(error.fitting or error.known)}"


def never_posted(given: str, known: Mapping[str, str]) -> str:
    """To `feedback` on a finding of which nothing is known here."""
    head = f"No finding {inline_code(given)} was posted or recorded in this pull request, so nothing was recorded."
    return f"{head} {_look_again()}\n" + (f"\nThere {_are(known)}:\n\n{_ids(known)}" if known else "")


def no_such_rule(given: str, rules: Sequence[str], near: str | None) -> str:
    """To `ignore` of a rule of which no finding is known here. `rules`: those of which one is; `near`: one like it."""
    rule = inline_code(given)
    head = f"No finding of the rule {rule} was posted or recorded in this pull request, so nothing was ignored."
    meant = f" Did you mean {inline_code(near)}?" if near else ""
    there = f" There {_are(rules)}: {', '.join(map(inline_code, rules[:_MAX_LISTED]))}." if rules and not near else ""
    return f"{head}{meant}{there}" + ("\n" if meant else f" {_look_again()}\n")


def _look_again() -> str:
    return f"{markdown_code(f'{NAME} review')} looks at it again, posts what it finds, and records it."


def _are(items: Sized) -> str:
    return "is" if len(items) == 1 else "are"


def _ids(ids: Mapping[str, str]) -> str:
    named = {each: f": {inline_code(what)}" if what else "" for each, what in ids.items()}
    items = "".join(f"- {inline_code(each)}{what}\n" for each, what in list(named.items())[:_MAX_LISTED])
    left = len(ids) - _MAX_LISTED
    return items + (f"- … and {left} more\n" if left > 0 else "")


def commit_name(sha: str) -> str:
    """A commit, short enough to read."""
    return inline_code(sha[:_SHA_DIGITS])


def marked_as_false_positive(finding: Finding, login: str, reason: str) -> str:
    """After `fp`."""
    what = f"{inline_code(finding.rule_id)} in {inline_code(finding.path)}"
    return (
        f"Finding {inline_code(finding.id)} ({what}) is a false positive, says {inline_code(login)}: "
        f"{inline_text(reason)}\n\nIt is recorded, and from now on listed as suppressed.\n\n{_TAKE_BACK}"
    )


def ignored(rule_id: str, number: int, login: str) -> str:
    """After `ignore`."""
    return (
        f"{inline_code(login)} had findings of {inline_code(rule_id)} ignored in this pull request ({number}). They "
        f"are listed as suppressed here and count everywhere else.\n\n{_TAKE_BACK}"
    )


def thanked(finding: str, vote: str) -> str:
    """After `feedback`."""
    good = "it was of use" if vote == "up" else "it was of no use"
    return f"Recorded of {inline_code(finding)}: {good}. Thank you.\n"


def settled_thread(old: str, what: str, login: str, reason: str) -> str:
    """A comment on lines whose finding no longer counts, without its marker. `what` is Markdown of our own."""
    first = old.partition("\n")[0].rstrip("\r")
    # The line of our own that names severity and rule; whoever edited the comment may have put another one there.
    name = f"\n\n{first}" if first[:1] in "🔴🟡🔵" and first else ""
    return f"**{what}** by {inline_code(login)}: {inline_text(reason)}{name}\n"


def status_text(target: Target, standing: Standing) -> str:
    """What is known."""
    state = "merged" if target.is_merged else "open" if target.is_open else "closed"
    where = "from a fork" if target.is_fork else "of this repository"
    lines = [f"- The pull request is {state}, its branch {where}, its head {commit_name(target.head)}."]
    lines.append(_last_run(target, standing))
    lines.append(f"- {plural(standing.open_comments, 'open comment')} of the bot on the diff.")
    shown = standing.decisions[:_MAX_LISTED]
    for entry in shown:
        what = entry.finding or entry.rule_id or ""
        author = inline_text(entry.author or "unknown")
        lines.append(f"- Does not count here: {inline_code(what)}, {inline_text(entry.reason)} ({author}).")
    left = len(standing.decisions) - len(shown)
    lines += [f"- … and {plural(left, 'more decision')}."] if left else []
    return "\n".join(lines) + "\n"


def _last_run(target: Target, standing: Standing) -> str:
    if not standing.is_known:
        return "- What was recorded could not be read."
    run = standing.last
    if run is None:
        return f"- No review of it is recorded; {markdown_code(f'{NAME} review')} makes one."
    head = commit_name(run.head) if run.head else "an unknown commit"
    stale = "" if run.head == target.head else ", which is not the present head"
    whole = "" if run.complete else ", incomplete"
    found = f"{plural(run.in_scope, 'finding')} in the change, {plural(run.verified, 'proved fix', 'proved fixes')}"
    return f"- Last review: {head}{stale}, {run.at}: {found}{whole}."
