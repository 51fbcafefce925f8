"""The only place where the stages meet: critique → propose → verify → report, and the writing of what was proved."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nootropic_bot import __version__
from nootropic_bot.constants import SCHEMA_VERSION, TOOL_NAME
from nootropic_bot.critique.stage import Critique, Critiqued, Located
from nootropic_bot.records import Finding, Proposal, Report, Seconds, Suggestion, Tool, Verdict
from nootropic_bot.reports import finding_order, summarize
from nootropic_bot.session import Session
from nootropic_bot.soundness import suggestion_id

if TYPE_CHECKING:
    from nootropic_bot.propose.base import Proposer
    from nootropic_bot.propose.models import Models
    from nootropic_bot.source import Source

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A report, the decoded files that hold its findings, and remarks about the run."""

    report: Report
    sources: Mapping[str, Source]
    notes: tuple[str, ...]
    critique: Critique
    located: tuple[Located, ...]


def ladder() -> tuple[Proposer, ...]:
    """The proposers in the order they are asked."""
    from nootropic_bot.propose.rule_fix import RuleFix

    return (RuleFix(),)


def models_of(session: Session) -> Models | None:
    """The models that may be asked in this session; None where none are wanted."""
    if not session.request.use_model or not session.config.models.enabled or not session.config.models.order:
        return None
    from nootropic_bot.propose.models import Models

    return Models.of(session)


def review(session: Session, progress: Progress = lambda _message: None) -> Outcome:
    """Find, fix and prove.

    Raises:
        UsageError: an invalid rule.
        EnvironmentFault: the engine is unusable here.
    """
    started = time.perf_counter()
    critique = Critique(session, progress)
    critiqued = critique.run()
    seconds = Seconds(critique=time.perf_counter() - started)
    located = critiqued.located
    if session.request.propose and located:
        located, proposing, verifying = suggest(critique, located)
        seconds = replace(seconds, propose=proposing, verify=verifying)
    critique.load_sources(item.candidate for item in located)
    seconds = replace(seconds, total=time.perf_counter() - started)
    report = _report(session, critiqued, [item.finding for item in located], seconds)
    return Outcome(report, critique.sources, tuple(session.notes), critique, tuple(located))


def suggest(critique: Critique, located: Sequence[Located]) -> tuple[list[Located], float, float]:
    """The findings with their suggestions, and the seconds spent on proposing and on proving.

    Only findings that count are worked on: in scope and not suppressed.
    """
    from nootropic_bot.verify.cache import ProofCache

    session = critique.session
    folder = session.repo.cache_dir / "proofs"
    models = models_of(session)
    salt = models.identity if models is not None else "no model"
    cache = ProofCache(folder, session.rules.hash, critique.engine.version, str(session.request.unproved), salt)
    known: dict[str, Suggestion | None] = {}
    open_items: list[Located] = []
    for item in located:
        is_open = item.finding.in_scope and item.finding.suppressed is None
        if is_open and (item.match.fix is not None or models is not None):
            is_known, suggestion = cache.get(item.candidate.oid, item.finding.id)
            if is_known:
                known[item.finding.id] = suggestion
            else:
                open_items.append(item)
    proposing = verifying = 0.0
    if critique.deadline.has_passed() and open_items:
        session.notes.append(f"the time budget was used up: no fix was tried for {len(open_items)} findings")
    elif open_items:
        critique.load_sources(item.candidate for item in open_items)
        proved = prove_all(critique, open_items, critique.sources, models)
        if not critique.deadline.has_passed():
            for item in open_items:
                if item.finding.id not in proved.unanswered:
                    cache.put(item.candidate.oid, item.finding.id, proved.suggestions.get(item.finding.id))
        known.update(proved.suggestions)
        proposing, verifying = proved.proposing, proved.verifying
    result = [replace(item, finding=replace(item.finding, suggestion=known.get(item.finding.id))) for item in located]
    return result, proposing, verifying


@dataclass(slots=True)
class Proved:
    """What proposing and proving gave: suggestions by finding id, and the seconds that each took.

    `unanswered`: the findings on which a model failed, which may go better next time.
    """

    suggestions: dict[str, Suggestion] = field(default_factory=dict)
    proposing: float = 0.0
    verifying: float = 0.0
    unanswered: set[str] = field(default_factory=set)


def prove_all(
    critique: Critique, items: Sequence[Located], sources: Mapping[str, Source], models: Models | None = None
) -> Proved:
    """Propose for every item, and prove; `sources` by path.

    In rounds, each with one start of the engine: first what needs no model, then, for what is left, the models, one
    group of a kind after another.
    """
    result = Proved()
    _round(critique, items, sources, ladder(), result)
    left = [item for item in items if not _is_verified(result, item)]
    if models is not None and left and not critique.deadline.has_passed():
        # Findings of one rule after another: the state of the rule's part of the prompt is computed once.
        left.sort(key=lambda item: (item.match.rule_id, item.candidate.path, item.match.start))
        from nootropic_bot.proving import AGAIN

        proposer = models.proposer(critique.deadline.left)
        for group in proposer.by_group():
            if left and not critique.deadline.has_passed():
                _round(critique, left, sources, (group,), result, AGAIN)
                left = [item for item in left if not _is_verified(result, item)]
        result.unanswered |= proposer.unanswered
        models.report()
    return result


def _is_verified(result: Proved, item: Located) -> bool:
    made = result.suggestions.get(item.finding.id)
    return made is not None and made.verified


def _round(
    critique: Critique,
    items: Sequence[Located],
    sources: Mapping[str, Source],
    proposers: Sequence[Proposer],
    result: Proved,
    again: int = 0,
) -> None:
    from nootropic_bot.propose.base import Context
    from nootropic_bot.proving import Attempt, Task

    tasks = []
    for item in items:
        source = sources.get(item.candidate.path)
        if source is not None:
            context = Context(source, item.match, critique.rule(item.match.rule_id), item.analysis)
            tasks.append(Task(item.finding, context))
    request, models = critique.session.request, critique.session.config.models

    def is_shown(proposal: Proposal) -> bool:
        """Whether a proposal is shown once it is proved."""
        return request.unproved or proposal.confidence is None or proposal.confidence >= models.min_confidence

    def tell(count: int) -> None:
        critique.progress(f"proving {count} proposed fix{'es' * (count != 1)}")

    attempt = Attempt(proposers, models.candidates, critique.rescan, is_shown, again, tell)
    for made in attempt.rounds(tasks):
        for each in made.tried:
            proposal, known = each.case.proposal, result.suggestions.get(each.case.proposal.finding_id)
            is_better = known is None or (each.verdict.is_verified and not known.verified)
            if is_better and (is_shown(proposal) if each.verdict.is_verified else request.unproved):
                result.suggestions[proposal.finding_id] = _suggestion(proposal, each.verdict, each.case.source)
        result.proposing += made.proposing
        result.verifying += made.verifying
        if critique.deadline.has_passed():
            return


def _suggestion(proposal: Proposal, verdict: Verdict, source: Source) -> Suggestion:
    from nootropic_bot.diff import apply_edits, unified

    try:
        diff = unified(source.path, source.lines, apply_edits(source.lines, proposal.edits))
    except ValueError:  # Edits that don't fit are shown on demand only, as failed.
        diff = ""
    return Suggestion(
        id=suggestion_id(proposal.finding_id, proposal.edits),
        edits=proposal.edits,
        source=proposal.source,
        verified=verdict.is_verified,
        checks=verdict.checks,
        diff=diff,
        model=proposal.model,
        prompt=proposal.prompt,
        confidence=proposal.confidence,
    )


def _report(session: Session, critiqued: Critiqued, findings: Iterable[Finding], seconds: Seconds) -> Report:
    shard = session.request.shard
    ordered = tuple(sorted(findings, key=finding_order))
    return Report(
        schema_version=SCHEMA_VERSION,
        tool=Tool(TOOL_NAME, __version__),
        base=session.base,
        head=session.head,
        rules_hash=session.rules.hash,
        shard=None if shard is None else f"{shard[0]}/{shard[1]}",
        complete=not critiqued.reasons,
        incomplete_reasons=tuple(sorted(set(critiqued.reasons))),
        not_scanned=tuple(sorted(set(critiqued.not_scanned), key=lambda n: (n.path, n.reason))),
        findings=ordered,
        summary=summarize(ordered, seconds),
    )
