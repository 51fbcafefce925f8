"""Replays: the proof of a recorded suggestion, run again from what the repository holds.

Needed are the file's blob, which exists if the content was ever committed (or staged), and the rules' text, which was
recorded with the suggestion. The engine is the one installed now; a difference is said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from nootropic_bot import __version__
from nootropic_bot.config import CritiqueSettings
from nootropic_bot.critique.cache import AnalysisCache
from nootropic_bot.critique.critic import Critic, Deadline
from nootropic_bot.critique.scope import fingerprints
from nootropic_bot.critique.semgrep import find_engine
from nootropic_bot.errors import UsageError
from nootropic_bot.records import Check, Proposal
from nootropic_bot.rulefiles import RuleSet
from nootropic_bot.rulepack import unpack_rules
from nootropic_bot.source import Source, Undecodable, decode
from nootropic_bot.state import refs, schema
from nootropic_bot.state.segments import read_attachment
from nootropic_bot.state.store import Store
from nootropic_bot.state.views import resolve
from nootropic_bot.textedits import line_edits
from nootropic_bot.verify.case import Case
from nootropic_bot.verify.proof import prove

Answer = Literal["holds", "broken", "unavailable"]


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay says, why, and the checks it ran."""

    answer: Answer
    reason: str
    checks: tuple[Check, ...] = ()
    notes: tuple[str, ...] = ()


def replay(store: Store, identity: str) -> Replayed:
    """Prove a recorded suggestion again; the store's index is up to date.

    Raises:
        UsageError: there is no such suggestion.
        EnvironmentFault: the engine is unusable here.
    """
    data = _suggestion(store, identity)
    proof = data["proof"]
    if data.get("redacted"):
        return Replayed("unavailable", "the fix held a secret, which was not recorded")
    content = store.repo.read_blobs([proof["blob"]]).get(proof["blob"])
    if content is None:
        return Replayed("unavailable", "the file's content was never committed, or is not in this clone")
    rules = _rules(store, proof["rules"])
    if rules is None:
        return Replayed("unavailable", "the rules' text was not recorded, or is not in this clone")
    engine = find_engine()
    notes = [
        f"proved with {what} {then}, replayed with {now}"
        for what, then, now in (("Semgrep", proof["engine"], engine.version), ("version", proof["tool"], __version__))
        if then != now
    ]
    try:
        source = decode(data["path"], content)
        edits = line_edits(source, data["edits"])
    except (Undecodable, ValueError) as error:
        return Replayed("broken", f"the fix does not fit the file: {error}", notes=tuple(notes))
    critic = Critic(engine, rules, AnalysisCache(None, "", "", rules.has_path_filters), CritiqueSettings())

    def scan(sources: Sequence[Source]) -> Any:
        return critic.analyse_sources(sources, Deadline(None))

    analysis = scan([source])[0]
    match = dict(fingerprints(data["path"], analysis.matches)).get(data["finding"])
    if match is None:
        return Replayed("broken", "the rules no longer find what the suggestion is about", notes=tuple(notes))
    proposal = Proposal(data["finding"], edits, data["source"])
    verdict = prove([Case(source, match, analysis, proposal)], scan)[0]
    if verdict.is_verified:
        return Replayed("holds", "every check passed again", verdict.checks, tuple(notes))
    failed = ", ".join(check.name for check in verdict.checks if check.status != "passed")
    return Replayed("broken", f"not every check passed: {failed}", verdict.checks, tuple(notes))


def _suggestion(store: Store, identity: str) -> Mapping[str, Any]:
    for _id, line in store.index.lines(reversed(resolve(store.index, identity))):
        record = schema.decode(line)
        if record.kind == "suggestion" and record.known:
            return record.data
    raise UsageError(f"{identity!r} is no suggestion", "see `nootropic-bot state log --kind suggestion`")


def _rules(store: Store, sha256: str) -> RuleSet | None:
    tips = [oid for name, oid in store.index.tips().items() if refs.is_ours(name)]
    content = read_attachment(store.repo, tips, sha256)
    try:
        return None if content is None else unpack_rules(content)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
