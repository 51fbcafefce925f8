"""From proved suggestions to the files of a commit, with every reason not to.

A report comes from a job that saw the pull request, so what it says is compared with the files themselves: a suggestion
is used only where its edits turn the file at the head into exactly what its diff shows. Nothing here executes anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from nootropic_bot.constants import SILENCING_MARKS
from nootropic_bot.diff import apply_edits, is_forbidden_path, unified
from nootropic_bot.host import File
from nootropic_bot.records import Edit, Finding, Suggestion, Verdict
from nootropic_bot.source import Source, Undecodable, decode
from nootropic_bot.state.redact import find_secrets

# A fix of that many lines is none that the proof lets pass.
_MAX_LINES = 2_000


@dataclass(frozen=True, slots=True)
class Fix:
    """A finding and its proved fix."""

    finding: Finding
    suggestion: Suggestion


@dataclass(frozen=True, slots=True)
class Patched:
    """What a commit holds. `files`: with their new bytes; `diff`: what changes in them; `fixes`: what is fixed.

    `left`: fixes that are not part of it, each with the reason.
    """

    files: tuple[File, ...]
    diff: str
    fixes: tuple[Fix, ...]
    left: tuple[tuple[Fix, str], ...]


def proved(findings: Iterable[Finding]) -> list[Fix]:
    """The findings whose fix passed every check."""
    found = ((finding, finding.suggestion) for finding in findings)
    return [Fix(finding, fix) for finding, fix in found if fix is not None and is_proved(fix)]


def is_proved(suggestion: Suggestion) -> bool:
    """Whether every check passed; the word of the report alone is not enough."""
    return suggestion.verified and bool(suggestion.edits) and Verdict(suggestion.checks).is_verified


def paths_of(fixes: Iterable[Fix]) -> list[str]:
    """The files that have to be read."""
    return sorted({fix.finding.path for fix in fixes if _refusal(fix) is None})


def patch(fixes: Sequence[Fix], files: Mapping[str, File]) -> Patched:
    """Make the fixes in the files at the head, as many as touch no line of each other."""
    left: list[tuple[Fix, str]] = []
    chosen: dict[str, list[Fix]] = {}
    sources: dict[str, Source] = {}
    for fix in fixes:
        path = fix.finding.path
        reason = _refusal(fix)
        if reason is None and path not in sources:
            reason = _open(files.get(path), sources, path)
        reason = reason or _mismatch(fix.suggestion, sources[path])
        if reason is None and any(_clash(fix, other) for other in chosen.get(path, ())):
            reason = "it touches the same lines as another fix; give the command again for it"
        if reason is None:
            chosen.setdefault(path, []).append(fix)
        else:
            left.append((fix, reason))
    changed, diffs = [], []
    for path, taken in sorted(chosen.items()):
        source = sources[path]
        after = apply_edits(source.lines, dict.fromkeys(edit for fix in taken for edit in fix.suggestion.edits))
        changed.append(replace(files[path], data=source.encode("".join(after))))
        diffs.append(unified(path, source.lines, after))
    done = tuple(fix for taken in chosen.values() for fix in taken)
    return Patched(tuple(changed), "".join(diffs), done, tuple(left))


def _refusal(fix: Fix) -> str | None:
    """Why a fix is not made whatever the file holds (rows A22 to A24)."""
    path, edits = fix.finding.path, fix.suggestion.edits
    if any(edit.path != path for edit in edits):
        return "it changes another file than the finding's"
    if is_forbidden_path(path):
        return "workflows, settings of the forge and lock files are never changed"
    if sum(edit.replacement.count("\n") for edit in edits) > _MAX_LINES:
        return "it is too large"
    return None


def _open(file: File | None, sources: dict[str, Source], path: str) -> str | None:
    """Decode a file into `sources`, or say why not."""
    if file is None:
        return "the file is not at the head, or is a link or a submodule"
    try:
        source = decode(path, file.data)
    except Undecodable as error:
        return f"the file can't be read: {error}"
    if not source.is_faithful:
        return "the file holds bytes that its encoding does not have"
    sources[path] = source
    return None


def _mismatch(suggestion: Suggestion, source: Source) -> str | None:
    """Why a suggestion is not one for this file, or brings in what no fix may."""
    try:
        after = apply_edits(source.lines, suggestion.edits)
        source.encode("".join(after))
    except ValueError:
        return "it does not fit the file at the head"
    if unified(source.path, source.lines, after) != suggestion.diff or after == source.lines:
        return "the file at the head is not the one that it was proved for"
    if brings_secret(source.text, "".join(after)):
        return "it holds what looks like a secret"
    text = "".join(after).lower()
    if any(text.count(mark) > source.text.lower().count(mark) for mark in SILENCING_MARKS):
        return "it silences a checker"
    return None


def brings_secret(before: str, after: str) -> bool:
    """Whether a text holds something that looks like a secret and was not there before (row A22)."""
    return any(secret not in before for secret, _kind in find_secrets(after))


def _clash(one: Fix, other: Fix) -> bool:
    return any(_overlap(a, b) for a in one.suggestion.edits for b in other.suggestion.edits)


def _overlap(one: Edit, other: Edit) -> bool:
    # An import that several fixes need is inserted once.
    return one != other and one.start_line <= other.end_line and other.start_line <= one.end_line
