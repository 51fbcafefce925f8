"""Writing what was proved: in memory, round by round, and at the end each file once.

Fixes that touch the same lines can't be combined, so a round takes those that don't overlap, proves them
together, and the next round starts from its result. Files are written whole or not at all, only where the work tree
holds exactly what was reviewed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from nootropic_bot.cachefile import write_atomically
from nootropic_bot.critique.stage import Critique, Located
from nootropic_bot.diff import apply_edits
from nootropic_bot.errors import EnvironmentFault
from nootropic_bot.pipeline import Outcome, models_of, prove_all
from nootropic_bot.records import Edit, FileAnalysis, Suggestion
from nootropic_bot.source import Source, decode, split_lines

_MAX_ROUNDS = 50


@dataclass(frozen=True, slots=True)
class Applied:
    """What was written: the ids of fixed findings, changed paths, and files left alone with the reason."""

    finding_ids: frozenset[str]
    paths: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _File:
    """One file on its way: its present text and analysis, and the findings still to fix (with their first ids)."""

    source: Source
    analysis: FileAnalysis
    pending: dict[str, Located]
    fixed: list[str] = field(default_factory=list)
    alone: bool = False


def apply(outcome: Outcome) -> Applied:
    """Write the verified suggestions of an outcome to the work tree.

    Raises:
        EnvironmentFault: a file could not be written; files written before it stay fixed, it stays as it was.
    """
    files: dict[str, _File] = {}
    for item in outcome.located:
        suggestion = item.finding.suggestion
        if suggestion is None or (suggestion.source == "model" and _are_model_fixes_left(outcome.critique)):
            continue
        if suggestion.verified and item.candidate.path in outcome.sources:
            source = outcome.sources[item.candidate.path]
            file = files.setdefault(source.path, _File(source, item.analysis, {}))
            file.pending[item.finding.id] = item
    top = outcome.critique.session.repo.top
    skipped = []
    for path, file in list(files.items()):
        reason = _why_untouchable(top, path, file.source)
        if reason is not None:
            skipped.append((path, reason))
            del files[path]
    originals = {path: file.source for path, file in files.items()}
    for _round in range(_MAX_ROUNDS):
        if not _advance(outcome.critique, [file for file in files.values() if file.pending]):
            break
    written = [path for path, file in files.items() if file.fixed]
    for path in written:
        _write(top, path, originals[path], files[path].source)
    done = frozenset(identity for path in written for identity in files[path].fixed)
    return Applied(done, tuple(sorted(written)), tuple(skipped))


def _are_model_fixes_left(critique: Critique) -> bool:
    """Whether a model's fixes are shown but not applied: a hook does so unless the configuration says otherwise."""
    return critique.session.request.in_hook and not critique.session.config.hook.apply_model_fixes


def _advance(critique: Critique, files: Sequence[_File]) -> bool:
    """One round over all files; whether it got anywhere."""
    attempts = [(file, _independent(file)) for file in files]
    attempts = [(file, chosen) for file, chosen in attempts if chosen]
    if not attempts:
        return False
    sources = [_combined(file.source, chosen.values()) for file, chosen in attempts]
    progressed = False
    accepted: list[_File] = []
    for (file, chosen), source, after in zip(attempts, sources, critique.rescan(sources), strict=True):
        if _is_sound(file, chosen, after):
            _accept(file, chosen, source, after)
            accepted.append(file)
            progressed = True
        elif not file.alone:
            file.alone = progressed = True  # Together they fail, so next time one by one.
        else:
            for identity in chosen:
                file.pending.pop(identity)
    _propose_again(critique, accepted)
    return progressed


def _independent(file: _File) -> dict[str, Suggestion]:
    """Suggestions that touch no line of each other; an import that several need is inserted once."""
    chosen: dict[str, Suggestion] = {}
    taken: list[Edit] = []
    for identity, item in file.pending.items():
        suggestion = item.finding.suggestion
        if suggestion is None or any(_clash(edit, other) for edit in suggestion.edits for other in taken):
            continue
        chosen[identity] = suggestion
        taken += suggestion.edits
        if file.alone:
            break
    return chosen


def _clash(one: Edit, other: Edit) -> bool:
    return one != other and one.start_line <= other.end_line and other.start_line <= one.end_line


def _combined(source: Source, suggestions: Iterable[Suggestion]) -> Source:
    edits = dict.fromkeys(edit for suggestion in suggestions for edit in suggestion.edits)
    return decode(source.path, source.encode("".join(apply_edits(source.lines, edits))))


def _is_sound(file: _File, chosen: dict[str, Suggestion], after: FileAnalysis) -> bool:
    """Together, too, every chosen finding is gone and nothing is new."""
    old = Counter(match.rule_id for match in file.analysis.matches)
    new = Counter(match.rule_id for match in after.matches)
    expected = old - Counter(file.pending[identity].match.rule_id for identity in chosen)
    worse = len(after.gaps) > len(file.analysis.gaps) or any(gap.transient for gap in after.gaps)
    undefined = Counter(after.undefined) - Counter(file.analysis.undefined)
    return not (new - expected) and not worse and not undefined


def _accept(file: _File, chosen: dict[str, Suggestion], source: Source, after: FileAnalysis) -> None:
    """Move on to the fixed text, and find the pending findings again in it, by what they say and where they went."""
    edits = dict.fromkeys(edit for suggestion in chosen.values() for edit in suggestion.edits)
    for identity in chosen:
        file.pending.pop(identity)
        file.fixed.append(identity)
    remaining = [(m.rule_id, m.snippet, m.start.line, m) for m in after.matches if m.suppressed is None]
    pending: dict[str, Located] = {}
    for identity, item in file.pending.items():
        low, high = _image(item.match.start.line, edits)
        match = next(
            (m for rule, snippet, line, m in remaining
             if rule == item.match.rule_id and snippet == item.match.snippet and low <= line <= high), None
        )  # fmt: skip
        if match is not None:
            finding = replace(item.finding, start=match.start, end=match.end, suggestion=None)
            pending[identity] = replace(item, finding=finding, match=match, analysis=after)
    file.source, file.analysis, file.pending = source, after, pending


def _image(line: int, edits: Iterable[Edit]) -> tuple[int, int]:
    """Where a line can be after edits: one line, or the range of the edit that it was part of."""
    shift = 0
    for edit in sorted(edits, key=lambda each: each.start_line):
        size = len(split_lines(edit.replacement))
        if edit.start_line <= line <= edit.end_line:
            return edit.start_line + shift, edit.start_line + shift + max(size - 1, 0)
        if edit.end_line < line:
            shift += size - (edit.end_line - edit.start_line + 1)
    return line + shift, line + shift


def _propose_again(critique: Critique, files: Sequence[_File]) -> None:
    """New proposals and proofs for what is still pending, on the new text."""
    items = [item for file in files for item in file.pending.values()]
    if not items:
        return
    sources = {file.source.path: file.source for file in files}
    models = None if _are_model_fixes_left(critique) else models_of(critique.session)
    made = prove_all(critique, items, sources, models).suggestions
    for file in files:
        file.pending = {
            identity: replace(item, finding=replace(item.finding, suggestion=suggestion))
            for identity, item in file.pending.items()
            if (suggestion := made.get(item.finding.id)) is not None and suggestion.verified
        }


def _why_untouchable(top: Path, path: str, reviewed: Source) -> str | None:
    full = top / path
    try:
        if full.is_symlink() or full.resolve() != top.resolve() / path:
            return "reached through a symbolic link"
        if full.read_bytes() != reviewed.raw:
            return "the work tree holds something else than what was reviewed"
    except OSError as error:
        return f"not readable in the work tree: {error.strerror}"
    return None


def _write(top: Path, path: str, original: Source, fixed: Source) -> None:
    full = top / path
    try:
        if full.read_bytes() != original.raw:
            raise EnvironmentFault(f"{path} changed while it was being fixed; it was left as it is", "run again")
        write_atomically(full, fixed.raw, durable=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise EnvironmentFault(
            f"{path} could not be written: {reason}; it is unchanged", "mend that and run again"
        ) from error
