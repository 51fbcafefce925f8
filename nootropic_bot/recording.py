"""What a review writes down: the run, what it found for the first time, and its suggestions with what replays a proof.

Nothing of a file's text is written as it was: a finding is a rule and a place, an edit holds only what the
fix brings in, so source that was never committed stays out of the state. Paths and texts are made valid Unicode (a byte
that is none becomes `\\xe9`).
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from collections.abc import Iterator

from nootropic_bot import __version__
from nootropic_bot.critique.stage import Located
from nootropic_bot.errors import NootropicError
from nootropic_bot.escape import valid_text
from nootropic_bot.pipeline import Outcome
from nootropic_bot.records import Suggestion
from nootropic_bot.relayed import write_records
from nootropic_bot.rulepack import rules_text
from nootropic_bot.session import Session
from nootropic_bot.state.redact import redact
from nootropic_bot.state.schema import CostData, Draft, FindingData, Proof, RunData, SuggestionData
from nootropic_bot.state.views import known_findings, known_suggestions
from nootropic_bot.textedits import text_edits


def record(outcome: Outcome) -> list[str]:
    """Write down a review, unless the configuration says not to; remarks for the user.

    A review whose record can't be written has still been made: the reason is a remark, not a failure.
    """
    session = outcome.critique.session
    if not session.config.state.record:
        return []
    try:
        drafts, rules = _drafts(outcome)
        appended = session.store.append(drafts, [rules] if rules else [])
    except sqlite3.DatabaseError:
        session.store.index.discard()
        return ["this run was not recorded: the index of the state was damaged; it is made anew"]
    except NootropicError as error:
        return [f"this run was not recorded: {error.message}" + (f" ({error.remedy})" if error.remedy else "")]
    redacted = appended.redacted + sum(draft.data.get("redacted", 0) for draft in drafts)
    return [f"secrets taken out of what was recorded: {redacted}"] if redacted else []


def hand_over(outcome: Outcome) -> str:
    """What `record` would write, as lines for another run that may share it: this one has no token to do so.

    Nothing where the configuration says not to record. Secrets are taken out, as before every write.
    """
    if not outcome.critique.session.config.state.record:
        return ""
    try:
        drafts, _rules = _drafts(outcome)
    except sqlite3.DatabaseError:
        outcome.critique.session.store.index.discard()
        outcome.critique.session.store.index.update()
        drafts, _rules = _drafts(outcome)
    return write_records(redact(drafts)[0])


def _drafts(outcome: Outcome) -> tuple[list[Draft], bytes | None]:
    """The records of a review, and the text of the rules that they name."""
    session = outcome.critique.session
    run = secrets.token_hex(8)
    suggested = _new_suggestions(outcome)
    rules = rules_text(session.rules) if suggested else None
    rules_id = hashlib.sha256(rules).hexdigest() if rules else session.rules.hash
    drafts = [Draft("run", _run(outcome, run)), *_findings(outcome, run)]
    drafts += _costs(session, run)
    drafts += [_suggestion(outcome, item, suggestion, run, rules_id) for item, suggestion in suggested]
    return drafts, rules


def _run(outcome: Outcome, run: str) -> RunData:
    session, report = outcome.critique.session, outcome.report
    seconds, summary = report.summary.seconds, report.summary
    return {
        "run": run,
        "mode": session.request.mode,
        "base": report.base,
        "head": report.head,
        "pull_request": session.request.pull_request,
        "rules": session.rules.hash,
        "tool": __version__,
        "engine": outcome.critique.engine.version,
        "complete": report.complete,
        "findings": summary.findings,
        "in_scope": summary.in_scope,
        "suppressed": summary.suppressed,
        "verified": summary.verified_suggestions,
        "critique_ms": _milliseconds(seconds.critique),
        "propose_ms": _milliseconds(seconds.propose),
        "verify_ms": _milliseconds(seconds.verify),
        "total_ms": _milliseconds(seconds.total),
    }


def _costs(session: Session, run: str) -> Iterator[Draft]:
    """What models used, one record a backend and model."""
    sums: dict[tuple[str, str | None], list[int]] = {}
    for charge in session.charges:
        total = sums.setdefault((charge.backend, charge.model), [0, 0, 0, 0])
        figures = (charge.input_tokens, charge.output_tokens, charge.milliseconds, charge.microdollars)
        total[:] = [one + other for one, other in zip(total, figures, strict=True)]
    for (backend, model), (read, written, milliseconds, microdollars) in sums.items():
        data: CostData = {
            "run": run,
            "backend": backend,
            "model": model,
            "input_tokens": read,
            "output_tokens": written,
            "milliseconds": milliseconds,
            "microdollars": microdollars,
        }
        yield Draft("cost", data)


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _findings(outcome: Outcome, run: str) -> Iterator[Draft]:
    session, report = outcome.critique.session, outcome.report
    known = known_findings(session.store.index, (finding.id for finding in report.findings))
    for finding in report.findings:
        # What lies outside the change belongs to the repository, not to the pull request.
        pull_request = session.request.pull_request if finding.in_scope else None
        if (finding.id, pull_request) in known:
            continue
        data: FindingData = {
            "run": run,
            "finding": finding.id,
            "rule_id": valid_text(finding.rule_id),
            "path": valid_text(finding.path),
            "line": finding.start.line,
            "end_line": max(finding.end.line, finding.start.line),
            "severity": finding.severity,
            "in_scope": finding.in_scope,
            "pull_request": pull_request,
        }
        if finding.suppressed is not None:
            data["suppressed"] = valid_text(finding.suppressed.by)
        yield Draft("finding", data)


def _new_suggestions(outcome: Outcome) -> list[tuple[Located, Suggestion]]:
    """The suggestions that were not recorded before, for this pull request, with what they are about."""
    session = outcome.critique.session
    made = [(item, item.finding.suggestion) for item in outcome.located if item.finding.suggestion is not None]
    known = known_suggestions(session.store.index, [suggestion.id for _item, suggestion in made])
    pull_request = session.request.pull_request
    return [(item, suggestion) for item, suggestion in made if (suggestion.id, pull_request) not in known]


def _suggestion(outcome: Outcome, item: Located, suggestion: Suggestion, run: str, rules_id: str) -> Draft:
    finding = item.finding
    edits, redacted = text_edits(outcome.sources[finding.path], suggestion.edits)
    data: SuggestionData = {
        "run": run,
        "suggestion": suggestion.id,
        "finding": finding.id,
        "rule_id": valid_text(finding.rule_id),
        "path": valid_text(finding.path),
        "pull_request": outcome.critique.session.request.pull_request,
        "source": suggestion.source,
        "verified": suggestion.verified,
        "confidence": suggestion.confidence,
        "edits": edits,
        "proof": _proof(outcome, suggestion, item.candidate.oid, rules_id),
    }
    if redacted:
        data["redacted"] = redacted
    return Draft("suggestion", data)


def _proof(outcome: Outcome, suggestion: Suggestion, blob: str, rules_id: str) -> Proof:
    proof: Proof = {
        "blob": blob,
        "rules": rules_id,
        "engine": outcome.critique.engine.version,
        "tool": __version__,
        "checks": {check.name: check.status for check in suggestion.checks},
    }
    if suggestion.model is not None:
        proof["model"] = suggestion.model
    if suggestion.prompt is not None:
        proof["prompt"] = suggestion.prompt
    return proof
