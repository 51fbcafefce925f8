"""Proposer 3: a local model reads the finding in its window and writes the lines that change.

The bundled fixer is asked in its own format (`models/fixer.py`), all others by `prompts/fix` (`chat_fix.py`). An
answer is only ever text for numbered lines: where they lie in the file is known here, not by the model, and imports are
added by code. The most probable answer comes first, then, unless the model is all but sure of it, others drawn at a
temperature with fixed seeds, so that a run can be repeated; whoever takes them stops when there are enough that stand
(`verify/standing.py`).

A model that fails is a remark, once; the finding is shown all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from nootropic_bot.diff import apply_edits, minimal_edits
from nootropic_bot.models import fixer
from nootropic_bot.models.base import Answer, BadAnswer, ModelError, Request
from nootropic_bot.models.factory import Group
from nootropic_bot.propose import chat_fix
from nootropic_bot.propose.accounting import restored, unaccounted
from nootropic_bot.propose.base import Context
from nootropic_bot.propose.calibration import Calibration
from nootropic_bot.propose.examples import ledgers_of, recites
from nootropic_bot.propose.imports import repair_imports
from nootropic_bot.propose.slips import without_slips
from nootropic_bot.propose.views import View, view_of
from nootropic_bot.records import Edit, Finding, Proposal
from nootropic_bot.source import Source
from nootropic_bot.window import Change, Window, window_of

_SURE = 0.97
# Each draw is bolder than the one before: a model that is sure of a wrong answer gives it again and again. Of 392
# findings 277 had a fix that stands, where a temperature of 0.7 for all of them gave 272.
_TEMPERATURE, _BOLDER = 0.7, 0.08
# So often is the bundled fixer asked for each candidate that is wanted: its answers are cheap, and many don't parse.
# Of 392 findings in code that it was not trained on, 12 draws gave 8 in 100 more a fix that stands than 3 did.
_DRAWS = 4
_STALE_IN_A_ROW = 4
# What the bundled fixer itself finds less probable is a draw of luck: it passes the proof now and then, and is
# wrong nearly always.
_LEAST_PROBABLE = 0.015
_MAX_ANSWER = 192
# In less time nobody answers; to ask all the same would only add a failure to the remarks.
_LEAST_SECONDS = 0.02


@dataclass(slots=True)
class ModelFix:
    """Satisfies `Proposer`. `seconds_left` says how long the run may still take.

    A chat model is asked up to `candidates` times a finding, a fixer `draws` times as often.

    `unanswered` collects the findings that a model failed on, so that nobody remembers them as unfixable.
    """

    groups: Sequence[Group]
    calibration: Calibration
    candidates: int
    timeout: float
    seconds_left: Callable[[], float]
    draws: int = _DRAWS
    unanswered: set[str] = field(default_factory=set)

    def propose(self, finding: Finding, context: Context) -> Iterator[Proposal]:
        """The candidates of the first group that has any."""
        if not context.source.is_faithful:
            return
        window = window_of(context.source, context.match)
        if window is None:
            return
        for group in self.groups:
            if group.kind == "fixer" and not context.source.is_python:
                continue  # It was trained on Python only.
            found = False
            for proposal in self._from_group(group, finding, context, window):
                found = True
                yield proposal
            if found:
                return

    def by_group(self) -> Iterator[ModelFix]:
        """One proposer a group, with everything else in common, to be asked where the one before proved nothing."""
        for group in self.groups:
            yield replace(self, groups=(group,))

    def reasons(self) -> tuple[str, ...]:
        """Why models did not answer, each reason once."""
        return tuple(dict.fromkeys(reason for group in self.groups for reason in group.router.reasons()))

    def close(self) -> None:
        """Free the models."""
        for group in self.groups:
            group.router.close()

    def _from_group(self, group: Group, finding: Finding, context: Context, window: Window) -> Iterator[Proposal]:
        is_answered, stale = False, 0
        seen: set[Edit | None] = {None}
        for number in range(self.candidates * (self.draws if group.kind == "fixer" else 1)):
            seconds = min(self.timeout, self.seconds_left())
            if seconds < _LEAST_SECONDS:
                self.unanswered.add(finding.id)
                return
            try:
                view = view_of(window, number) if group.kind == "fixer" else View(window, {})
                request, prompt_id = _request(group, finding, context, view, number, seconds)
                answer = group.router.generate(request)
                is_answered = True
                edit = _edit(group, context.source, window, view, answer)
            except BadAnswer:
                continue  # Another seed may do better.
            except ModelError:
                self.unanswered.add(finding.id)
                return
            proposal = None
            if edit is not None and edit not in seen and not _is_luck(group, answer):
                made = edit if group.kind != "fixer" else _as_examples_do(context, window, _mended(context, edit))
                proposal = self._proposal(finding, context, made, answer, prompt_id)
            if proposal is not None:
                yield proposal
            # A model that says the same again and again, or that it knows no fix, has nothing more to say.
            stale = stale + 1 if edit in seen else 0
            seen.add(edit)
            if answer.confidence is None or answer.confidence >= _SURE or stale == _STALE_IN_A_ROW:
                return
        if not is_answered:
            self.unanswered.add(finding.id)

    def _proposal(
        self, finding: Finding, context: Context, edit: Edit | None, answer: Answer, prompt_id: str
    ) -> Proposal | None:
        if edit is None or _brings_secret(context.source, edit):
            return None
        repaired, needs = repair_imports(context.source, edit, context.rule)
        smallest = tuple(part for each in repaired for part in minimal_edits(context.source.lines, each))
        if not smallest:
            return None
        confidence = self.calibration.confidence(answer.model, finding.rule_id, answer.confidence)
        return Proposal(
            finding.id, smallest, "model", model=answer.model, prompt=prompt_id, confidence=confidence, needs=needs
        )


def _request(
    group: Group, finding: Finding, context: Context, view: View, number: int, seconds: float
) -> tuple[Request, str]:
    """What to ask, and under which version of the prompt."""
    temperature = 0.0 if number == 0 else _TEMPERATURE + _BOLDER * (number - 1)
    if group.kind == "fixer":
        prompt = fixer.encode(finding.message, view.window)
        return (
            Request(
                prompt=prompt,
                max_tokens=_MAX_ANSWER,
                temperature=temperature,
                seed=number,
                stop=(fixer.END,),
                timeout=seconds,
                shared_prefix=2,
            ),
            fixer.FORMAT,
        )
    is_chat = group.kind == "chat"
    return chat_fix.request(
        finding, context, view.window, is_chat=is_chat, temperature=temperature, seed=number, timeout=seconds
    )


def _edit(group: Group, source: Source, window: Window, view: View, answer: Answer) -> Edit | None:
    """What the answer changes, None where it knows no fix.

    Raises:
        BadAnswer: it is not in the form that was asked for.
    """
    changes = fixer.decode(answer.text) if group.kind == "fixer" else chat_fix.decode(answer.text, window)
    try:
        if any(not 0 <= change.item < len(view.window.items) for change in changes):
            raise ValueError("the answer changes a line that was not shown")
        restored = (each for change in changes for each in view.restored(change))
        placed = (window.with_comment(source, _below_docstring(window, each)) for each in restored)
        changes = _merged(window, placed)
        edit = _joined(source, window.edits(source, changes))
        if edit is not None:
            source.encode(edit.replacement)  # Characters that this file's encoding does not have.
    except ValueError as error:
        raise BadAnswer(str(error)) from error
    return edit


def _below_docstring(window: Window, change: Change) -> Change:
    """The change with what it puts between a function's head and its docstring put below this one."""
    below = change.item + 1
    is_above = change.keep and below < len(window.items) and window.items[below].is_fixed
    return replace(change, item=below) if is_above else change


def _merged(window: Window, changes: Iterable[Change]) -> tuple[Change, ...]:
    """The changes, with what is to follow a line that is replaced as well as a part of its replacement."""
    found: list[Change] = []
    for change in changes:
        before = found[-1] if found else None
        if before is not None and change.keep and not before.keep and before.text and before.item == change.item:
            found[-1] = Change(change.item, f"{window.written_out(before).text}\n{change.text}")
        else:
            found.append(change)
    return tuple(found)


def _joined(source: Source, edits: Sequence[Edit]) -> Edit | None:
    """Several edits of one window as one edit from the first line to the last."""
    if not edits:
        return None
    first, last = edits[0].start_line, edits[-1].end_line
    part = source.lines[first - 1 : last]
    shifted = [Edit(e.path, e.start_line - first + 1, e.end_line - first + 1, e.replacement) for e in edits]
    return Edit(source.path, first, last, "".join(apply_edits(part, shifted)))


def _is_luck(group: Group, answer: Answer) -> bool:
    return group.kind == "fixer" and answer.confidence is not None and answer.confidence < _LEAST_PROBABLE


def _mended(context: Context, edit: Edit) -> Edit:
    """The edit without a small model's slips."""
    old = "".join(context.source.lines[edit.start_line - 1 : edit.end_line])
    return replace(edit, replacement=without_slips(old, edit.replacement))


def _as_examples_do(context: Context, window: Window, edit: Edit) -> Edit | None:
    """What is left of the edit of a small model where only such changes are made as examples make."""
    old = "".join(context.source.lines[edit.start_line - 1 : edit.end_line])
    around = (*window.before, *window.after, *window.uses)
    if recites(context.rule, "\n".join((old, *around)), edit.replacement):
        return None
    ledgers = ledgers_of(context.rule)
    if any(not unaccounted(each, old, edit.replacement, around) for each in ledgers):
        return edit
    # A rule without examples could have taken anything away: what to put back is not known.
    made = restored(ledgers[0], old, edit.replacement, around) if len(ledgers) == 1 else None
    return None if made is None else replace(edit, replacement=made)


def _brings_secret(source: Source, edit: Edit) -> bool:
    """Whether the new text holds what looks like a secret and the old one did not (row A22 of the attack corpus)."""
    from nootropic_bot.state.redact import find_secrets

    old = "".join(source.lines[edit.start_line - 1 : edit.end_line])
    return any(secret not in old for secret, _kind in find_secrets(edit.replacement))
