"""A finding as Markdown: what stands on its lines, and what is listed of it elsewhere.

All data goes through `escape`, so it formats, links, mentions and closes nothing (rows A30, A45, A46).
"""

from __future__ import annotations

from nootropic_bot.escape import diff_lines, fence, markdown_code
from nootropic_bot.findingtext import plural
from nootropic_bot.forge import Limits
from nootropic_bot.markdown import ICONS, details, finding_text, inline_code, name_line, proof_text, proof_title
from nootropic_bot.marker import Marker, key
from nootropic_bot.publish.anchors import Anchor
from nootropic_bot.records import Finding, Suggestion

_MAX_PATCH = 12_000
_SHA_DIGITS = 10
# As many as a command needs at least; a beginning that fits two findings is answered with both.
_ID_DIGITS = 8


def marker_of(finding: Finding, fix: Suggestion | None, *, is_block: bool) -> Marker:
    """What a comment on a finding says of itself."""
    return Marker(key(finding.id), None if fix is None else key(fix.id), is_block)


def comment_body(finding: Finding, fix: Suggestion | None, anchor: Anchor | None, limits: Limits) -> str:
    """The comment on a finding.

    Args:
        finding: what to say.
        fix: its fix, if one is proved.
        anchor: the lines that the comment stands on, with the replacement that a block offers; None when they are not
            those of the fix, which is then shown as a patch.
        limits: what fits. What doesn't is left out whole, the fix first, and the comment says so.
    """
    is_block = fix is not None and is_applicable(anchor, limits)
    marker = str(marker_of(finding, fix, is_block=is_block))
    shown = "" if fix is None else _block(fix, anchor, limits) if is_block and anchor is not None else patch(fix)
    text, commands = finding_text(finding), _commands(finding)
    full = f"{text}{shown}{commands}\n{marker}"
    if len(full) <= limits.comment:
        return full
    missing = "\nThe fix is left out: with it, this comment is too long.\n" if shown else ""
    without_fix = f"{text}{missing}{commands}\n{Marker(key(finding.id), None if fix is None else key(fix.id))}"
    if len(without_fix) <= limits.comment:
        return without_fix
    return f"A finding of {finding.severity} severity, whose text is too long for a comment.\n\n{marker}"


def is_applicable(anchor: Anchor | None, limits: Limits) -> bool:
    """Whether the fix is offered as a block that can be applied in the page."""
    return anchor is not None and anchor.replacement is not None and bool(limits.suggestion)


def _block(fix: Suggestion, anchor: Anchor, limits: Limits) -> str:
    block = fence(anchor.replacement or "", limits.suggestion.format(above=anchor.last - anchor.first))
    return f"\n{block}\n{proof_title(fix)}: {proof_text(fix)}"


def patch(fix: Suggestion) -> str:
    """A fix that the page can't apply: its diff, on demand, and the command that applies it."""
    lines = diff_lines(fix.diff)
    kept: list[str] = []
    room = _MAX_PATCH
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    left = len(lines) - len(kept)
    more = f"\n… and {plural(left, 'more line')}\n" if left else ""
    diff = fence("\n".join(kept), "diff") if kept else ""
    command = f"Apply it with the comment {markdown_code(f'/nootropic apply {fix.id[:64]}')}.\n"
    return details(f"{proof_title(fix)}, as a patch", f"{proof_text(fix)}\n{diff}{more}\n{command}")


def _commands(finding: Finding) -> str:
    """What can be said about a finding, with its id, which stands nowhere else for people to see."""
    identity = _short_id(finding)
    false, more = f"/nootropic fp {identity} REASON", f"/nootropic explain {identity}"
    return f"\nNot a problem? Comment {markdown_code(false)}. More about it: {markdown_code(more)}.\n"


def _short_id(finding: Finding) -> str:
    return key(finding.id)[:_ID_DIGITS]


def fixed_body(old: str, marker: Marker, head: str, *, is_part: bool) -> str:
    """The comment on a finding that is gone, in place of `old`.

    `is_part`: whether its file is still part of the change; if not, nobody fixed anything.
    """
    # The line of our own that names severity and rule; whoever edited the comment may have put another one there.
    first = old.partition("\n")[0].rstrip("\r")
    name = f"\n\n{first}" if first.startswith(tuple(ICONS.values())) else ""
    done = "Fixed in" if is_part else "No longer part of this change in"
    gone = Marker(marker.finding, marker.suggestion, fixed=key(head))
    return f"**{done} {short(head)}.**{name}\n\n{gone}"


def short(head: str) -> str:
    """A commit's id, short enough to read."""
    return markdown_code(head[:_SHA_DIGITS])


def listed(finding: Finding, fix: Suggestion | None) -> str:
    """A finding that has no comment on its lines, in full."""
    return f"\n{finding_text(finding, _place(finding))}{patch(fix) if fix is not None else ''}{_commands(finding)}"


def named(finding: Finding) -> str:
    """The same in one line of a list."""
    return f"- {name_line(finding)} ({markdown_code(_short_id(finding))})\n"


def _place(finding: Finding) -> str:
    return inline_code(f"{finding.path}:{finding.start.line}")
