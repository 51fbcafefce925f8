"""The texts about fixes: a commit's message, a patch to take home, an explanation."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nootropic_bot.escape import diff_lines, fence, is_shown_as_is, markdown_code
from nootropic_bot.findingtext import plural
from nootropic_bot.markdown import details, finding_text, inline_code, inline_text, proof_text, proof_title
from nootropic_bot.records import Finding, Rule, Suggestion
from nootropic_bot.respond.answers import commit_name
from nootropic_bot.respond.grammar import NAME
from nootropic_bot.respond.patching import Fix, Patched
from nootropic_bot.respond.plan import Plan
from nootropic_bot.soundness import diff_brings_secret, is_proved

COMMAND_TRAILER = "Nootropic-Command"
_MAX_IN_MESSAGE = 50
_MAX_LEFT = 20
_LINK = re.compile(r"https://[A-Za-z0-9._~/#?&=%+-]{1,300}")
# What a commit message may hold of a path or a rule's id: nothing that a forge reads as a mention, a reference that
# closes something, or a word to its runners.
_HARMLESS = re.compile(r"(?!.*(?i:gh-\d))[A-Za-z0-9._/ +=-]{1,200}")


def commit_message(plan: Plan, patched: Patched, co_author: str) -> str:
    """What was fixed, what was proved and by whose proposal, who asked for it."""
    fixes = patched.fixes
    title = f"Fix {_harmless(fixes[0].finding.rule_id, 'a finding')}" if len(fixes) == 1 else ""
    title = title or f"Apply {len(fixes)} proved fixes"
    items = [_item(fix) for fix in fixes[:_MAX_IN_MESSAGE]]
    items += [f"- and {len(fixes) - _MAX_IN_MESSAGE} more"] if len(fixes) > _MAX_IN_MESSAGE else []
    names = [check.name for check in fixes[0].suggestion.checks]
    common = [name for name in names if all(name in {check.name for check in fix.suggestion.checks} for fix in fixes)]
    each = "Proved" if len(fixes) == 1 else "Each proved by itself"
    proof = f"{each} on {plan.head}: {', '.join(_harmless(name, 'a check').replace('_', ' ') for name in common)}."
    trailers = f"{COMMAND_TRAILER}: {plan.key}\nCo-authored-by: {co_author}"
    return "\n".join([title, "", *items, "", proof, "", trailers, ""])


def _item(fix: Fix) -> str:
    finding, suggestion = fix.finding, fix.suggestion
    place = f"{_harmless(finding.path, 'a file of another name')}, line {finding.start.line}"
    # An `@` would mention somebody.
    model = _harmless((suggestion.model or "").replace("@", " "), "")
    by = f"{suggestion.source} {model}".rstrip()
    return f"- {_harmless(finding.rule_id, 'a rule')}: {place} (by {by})"


def _harmless(text: str, otherwise: str) -> str:
    return text if _HARMLESS.fullmatch(text) else otherwise


def committed(plan: Plan, patched: Patched, commit: str, remark: str) -> str:
    """After a commit. `remark` says how it goes on, in Markdown of our own."""
    number = plural(len(patched.fixes), "proved fix", "proved fixes")
    lines = "".join(_fixed_line(fix) for fix in patched.fixes[:_MAX_IN_MESSAGE])
    more = len(patched.fixes) - _MAX_IN_MESSAGE
    lines += f"- … and {more} more\n" if more > 0 else ""
    head = f"Committed {number} in {commit_name(commit)}, on top of {commit_name(plan.head)}."
    return f"{head}\n\n{lines}{left_out(patched.left)}\n{remark}\n"


def _fixed_line(fix: Fix) -> str:
    checks = ", ".join(inline_text(check.name.replace("_", " ")) for check in fix.suggestion.checks[:20])
    place = inline_code(f"{fix.finding.path}:{fix.finding.start.line}")
    return f"- {inline_code(fix.finding.rule_id)} at {place}; passed: {checks}\n"


def left_out(left: Sequence[tuple[Fix, str]]) -> str:
    """Fixes that were not made, with the reasons; "" where there are none."""
    if not left:
        return ""
    items = "".join(
        f"- {inline_code(fix.suggestion.id)} ({inline_code(fix.finding.rule_id)} at "
        f"{inline_code(f'{fix.finding.path}:{fix.finding.start.line}')}): {inline_text(reason)}\n"
        for fix, reason in left[:_MAX_LEFT]
    )
    more = len(left) - _MAX_LEFT
    return f"\nNot made:\n\n{items}{f'- … and {more} more{chr(10)}' if more > 0 else ''}"


def patch_to_take(plan: Plan, patched: Patched, address: str, limit: int) -> str:
    """The fixes as a patch, for a branch that only its owner writes to; `address`: where the base is fetched from."""
    number = plural(len(patched.fixes), "proved fix", "proved fixes")
    head = f"The branch of this pull request is in a fork, where the bot writes nothing. {number} for it"
    left = left_out(patched.left)
    # A clone of the fork may well not have the base.
    fetch = markdown_code(f"git fetch {address} {plan.base}")
    local = markdown_code(f"nootropic-bot review --base {plan.base} --apply")
    at_home = f"\nIn a clone of the fork, at {commit_name(plan.head)}, run {fetch} and {local} to make them there.\n"
    if not is_shown_as_is(patched.diff):
        return f"{head} can't be shown as a patch, because its lines hold characters that don't show.\n{at_home}{left}"
    command = markdown_code("git apply fix.patch")
    shown = details(f"Patch with {number}", fence(patched.diff, "diff"))
    text = f"{head}, as a patch: save it as `fix.patch` and run {command} at {commit_name(plan.head)}.\n{shown}{left}"
    return text if len(text) <= limit else f"{head} don't fit into a comment.\n{at_home}{left}"


def explained(finding: Finding, rule: Rule | None, limit: int) -> str:
    """Why a finding is a problem, what stands behind it, and what was proved of its fix."""
    from nootropic_bot.resources import principles

    place = inline_code(f"{finding.path}:{finding.start.line}")
    parts = [finding_text(finding, place)]
    principle = principles().get(finding.principle or "")
    parts += [f"\n{inline_text(principle['text'])}\n"] if principle else []
    links = [link for link in (rule.references if rule else ()) if _LINK.fullmatch(link)]
    parts += ["\nMore about it:\n\n", *(f"- <{link}>\n" for link in links[:10])] if links else []
    parts += [_muted(finding)]
    fix = "" if finding.suggestion is None else _fix(finding.suggestion)
    text = "".join(parts)
    fallback = f"{text}\nIts fix is left out here: it is too long for a comment.\n"
    return next((each for each in (text + fix, fallback) if len(each) <= limit), f"{place}: too long for a comment.\n")


def _muted(finding: Finding) -> str:
    if finding.suppressed is None:
        return "" if finding.in_scope else "\nIt lies outside the change, so it does not count here.\n"
    return f"\nIt does not count: {inline_text(finding.suppressed.reason or finding.suppressed.by)}\n"


def _fix(suggestion: Suggestion) -> str:
    if not is_proved(suggestion):
        return "\nThere is no proved fix for it.\n"
    if diff_brings_secret(suggestion.diff):
        return "\nIts fix is withheld, because it holds what looks like a secret.\n"
    sure = "" if suggestion.confidence is None else f"\nThe confidence of the model is {suggestion.confidence:.0%}.\n"
    diff = fence("\n".join(diff_lines(suggestion.diff)), "diff")
    command = f"\nCommit it with {markdown_code(f'{NAME} apply {suggestion.id[:64]}')}.\n"
    return f"\n**{proof_title(suggestion)}**: {proof_text(suggestion)}{sure}\n{diff}{command}"
