"""From proved suggestions to the files of a commit, with every reason not to.

A report comes from a job that saw the pull request, so what it says is compared with the files themselves: a suggestion
is used only where its edits turn the file at the head into exactly what its diff shows. Nothing here executes anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from nootropic_bot.diff import apply_edits, unified
from nootropic_bot.host import File
from nootropic_bot.records import Edit, Finding, Suggestion
from nootropic_bot.soundness import is_proved, mismatch, opened, refusal
from nootropic_bot.source import Source


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


def paths_of(fixes: Iterable[Fix]) -> list[str]:
    """The files that have to be read."""
    return sorted({fix.finding.path for fix in fixes if refusal(fix.finding, fix.suggestion) is None})


def patch(fixes: Sequence[Fix], files: Mapping[str, File]) -> Patched:
    """Make the fixes in the files at the head, as many as touch no line of each other."""
    left: list[tuple[Fix, str]] = []
    chosen: dict[str, list[Fix]] = {}
    sources: dict[str, Source] = {}
    for fix in fixes:
        path = fix.finding.path
        reason = refusal(fix.finding, fix.suggestion)
        if reason is None and path not in sources:
            reason = _open(files.get(path), sources, path)
        reason = reason or mismatch(fix.suggestion, sources[path])
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


def _open(file: File | None, sources: dict[str, Source], path: str) -> str | None:
    """Decode a file into `sources`, or say why not."""
    if file is None:
        return "the file is not at the head, or is a link or a submodule"
    source = opened(path, file.data)
    if isinstance(source, str):
        return source
    sources[path] = source
    return None


def _clash(one: Fix, other: Fix) -> bool:
    return any(_overlap(a, b) for a in one.suggestion.edits for b in other.suggestion.edits)


def _overlap(one: Edit, other: Edit) -> bool:
    # An import that several fixes need is inserted once.
    return one != other and one.start_line <= other.end_line and other.start_line <= one.end_line
