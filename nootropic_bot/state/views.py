"""Questions to the state, each answered by one query of an index that is up to date."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import date
from typing import Any, NamedTuple

from nootropic_bot.errors import UsageError
from nootropic_bot.escape import valid_text
from nootropic_bot.records import Suppression
from nootropic_bot.state.index import Index
from nootropic_bot.state.tables import chunks


class OpenSuggestion(NamedTuple):
    """A suggestion that nobody has answered yet."""

    suggestion: str
    finding: str
    rule_id: str
    path: str
    source: str
    verified: bool


class RuleOutcomes(NamedTuple):
    """How often suggestions of a rule ended like this."""

    rule_id: str
    result: str
    times: int


class DayCost(NamedTuple):
    """What a backend used on a day (UTC); money in millionths of a US dollar."""

    day: str
    backend: str
    runs: int
    input_tokens: int
    output_tokens: int
    milliseconds: int
    microdollars: int


class KnownFinding(NamedTuple):
    """A finding that was recorded, and its rule."""

    finding: str
    rule_id: str


class LastRun(NamedTuple):
    """What the latest run over a pull request came to."""

    at: str
    head: str | None
    complete: bool
    in_scope: int
    suppressed: int
    verified: int


class Triage(NamedTuple):
    """A decision that some findings don't count: one finding, or those of a rule (below a path pattern)."""

    id: str
    finding: str | None
    rule_id: str | None
    path: str | None
    reason: str
    author: str
    expires: str | None
    at: str
    pull_request: int | None = None

    def has_expired(self, today: str) -> bool:
        """Whether it no longer holds on a day (`YYYY-MM-DD`); it holds on the day of its expiry."""
        return self.expires is not None and self.expires < today

    def covers(self, finding: str, rule_id: str, path: str, pull_request: int | None = None) -> bool:
        """Whether it is about a finding, of a pull request if a number is given."""
        if self.pull_request is not None and self.pull_request != pull_request:
            return False
        if self.finding is not None:
            # With rule and file, where it says them: an id alone may be shown for something else.
            is_that = self.rule_id in (None, rule_id) and self.path in (None, path, valid_text(path))
            return self.finding == finding and is_that
        if self.rule_id != rule_id:
            return False
        return self.path is None or matches(self.path, path)


def matches(pattern: str, path: str) -> bool:
    """Whether a pattern in `.gitignore` syntax covers a path; one that is no pattern covers nothing."""
    import pathspec

    try:
        return pathspec.GitIgnoreSpec.from_lines([pattern]).match_file(path)
    except (ValueError, re.error):
        return False


def is_pattern(text: str) -> bool:
    """Whether a text is a pattern that can cover something."""
    import pathspec

    try:
        spec = pathspec.GitIgnoreSpec.from_lines([text])
    except (ValueError, re.error):
        return False
    return any(pattern.include for pattern in spec.patterns)


def open_suggestions(index: Index, pull_request: int) -> list[OpenSuggestion]:
    """The suggestions of a pull request without an outcome, in the order they were made."""
    query = (
        "SELECT s.suggestion, s.finding, s.rule_id, s.path, s.source, s.verified "
        "FROM suggestion s JOIN record r ON r.n = s.record "
        "WHERE s.pull_request = ? AND NOT EXISTS (SELECT 1 FROM outcome_latest o WHERE o.suggestion = s.suggestion) "
        "GROUP BY s.suggestion ORDER BY min(r.clock), r.id"
    )
    rows = index.db.execute(query, (pull_request,))
    return [OpenSuggestion(s, f, rule, path, source, bool(verified)) for s, f, rule, path, source, verified in rows]


def outcomes_by_rule(index: Index) -> list[RuleOutcomes]:
    """Counts of what became of suggestions, by rule and result."""
    query = "SELECT rule_id, result, count FROM outcome_by_rule WHERE count > 0 ORDER BY rule_id, result"
    return [RuleOutcomes(*row) for row in index.db.execute(query)]


def cost_by_day(index: Index) -> list[DayCost]:
    """What runs used, by day and backend."""
    return [DayCost(*row) for row in index.db.execute("SELECT * FROM cost_by_day ORDER BY day, backend")]


def active_triage(index: Index) -> list[Triage]:
    """The triage entries that were not removed, expired ones among them, oldest first."""
    query = (
        "SELECT lower(hex(r.id)), t.finding, t.rule_id, t.path, t.reason, t.author, t.expires, t.at, t.pull_request "
        "FROM triage t JOIN record r ON r.n = t.record WHERE t.action = 'add' AND lower(hex(r.id)) NOT IN "
        "(SELECT target FROM triage WHERE action = 'remove' AND target IS NOT NULL) ORDER BY r.clock, r.id"
    )
    return [Triage(*row) for row in index.db.execute(query)]


def suppression(
    entries: Iterable[Triage], finding: str, rule_id: str, path: str, pull_request: int | None = None
) -> Suppression | None:
    """Why a finding does not count, in a pull request or in general, if a triage entry says so."""
    today = date.today().isoformat()
    for entry in entries:
        if entry.covers(finding, rule_id, path, pull_request) and not entry.has_expired(today):
            return Suppression("triage", entry.reason, entry.expires)
    return None


def findings_of(index: Index, pull_request: int) -> list[KnownFinding]:
    """The findings that were recorded under a pull request, in the order of their ids."""
    query = "SELECT DISTINCT finding, rule_id FROM finding WHERE pull_request = ? ORDER BY finding, rule_id"
    return [KnownFinding(*row) for row in index.db.execute(query, (pull_request,))]


def last_run(index: Index, pull_request: int) -> LastRun | None:
    """The latest run over a pull request, or None."""
    query = (
        "SELECT lower(hex(r.id)) FROM run t JOIN record r ON r.n = t.record WHERE t.pull_request = ? "
        "ORDER BY r.clock DESC, r.id DESC LIMIT 1"
    )
    found = [identity for (identity,) in index.db.execute(query, (pull_request,))]
    for _id, line in index.lines(found):
        record = json.loads(line)
        data = record["data"]
        figures = data["in_scope"], data["suppressed"], data["verified"]
        return LastRun(record["at"], data["head"], data["complete"], *figures)
    return None


def is_carried_out(index: Index, command: str) -> bool:
    """Whether something was recorded for a command that was given in a comment."""
    query = "SELECT 1 FROM triage WHERE command = ? UNION SELECT 1 FROM note WHERE command = ?"
    return index.db.execute(query, (command, command)).fetchone() is not None


def newest(index: Index, kind: str | None, limit: int | None) -> list[str]:
    """Ids of records, the newest first, by (clock, id)."""
    where, values = ("WHERE kind = ?", [kind]) if kind else ("", [])
    query = f"SELECT lower(hex(id)) FROM record {where} ORDER BY clock DESC, id DESC LIMIT ?"  # noqa: S608 (a constant)
    return [identity for (identity,) in index.db.execute(query, [*values, -1 if limit is None else limit])]


def oldest_first(index: Index, kind: str | None = None) -> list[str]:
    """Ids of records in their order, of one kind or all."""
    where, values = ("WHERE kind = ?", [kind]) if kind else ("", [])
    query = f"SELECT lower(hex(id)) FROM record {where} ORDER BY clock, id"  # noqa: S608 (a constant)
    return [identity for (identity,) in index.db.execute(query, values)]


def counts(index: Index) -> dict[str, int]:
    """Records by kind."""
    return dict(index.db.execute("SELECT kind, count(*) FROM record GROUP BY kind ORDER BY kind"))


def resolve(index: Index, text: str) -> list[str]:
    """The ids of the records that a user means: a record id or its beginning, or the id of a finding or suggestion.

    Raises:
        UsageError: nothing is called so, or a beginning is that of several records.
    """
    lowered = text.lower()
    if not 0 < len(lowered) <= 64 or set(lowered) - set("0123456789abcdef"):
        raise UsageError(f"{text!r} is no id", "ids are hexadecimal; see `nootropic-bot state log`")
    for table, column in (("suggestion", "suggestion"), ("finding", "finding"), ("run", "run")):
        query = (
            f"SELECT lower(hex(r.id)) FROM {table} t JOIN record r ON r.n = t.record "  # noqa: S608 (names of ours)
            f"WHERE t.{column} = ? ORDER BY r.clock, r.id"
        )
        if found := [identity for (identity,) in index.db.execute(query, (lowered,))]:
            return found
    low, high = bytes.fromhex(lowered.ljust(64, "0")), bytes.fromhex(lowered.ljust(64, "f"))
    rows = index.db.execute("SELECT lower(hex(id)) FROM record WHERE id BETWEEN ? AND ? LIMIT 2", (low, high))
    matching = [identity for (identity,) in rows]
    if not matching:
        raise UsageError(f"there is no record, finding or suggestion {text!r}", "see `nootropic-bot state log`")
    if len(matching) > 1:
        raise UsageError(f"{text!r} is the beginning of several ids", "give more of it")
    return matching


def known_findings(index: Index, ids: Iterable[str]) -> set[tuple[str, int | None]]:
    """Which (finding, pull request) were recorded before."""
    return _pairs(index, "finding", ids)


def known_suggestions(index: Index, ids: Iterable[str]) -> set[tuple[str, int | None]]:
    """Which (suggestion, pull request) were recorded before."""
    return _pairs(index, "suggestion", ids)


def known_runs(index: Index, ids: Iterable[str]) -> set[tuple[str, int | None]]:
    """Which of these runs were recorded before, each with its pull request."""
    return _pairs(index, "run", ids)


def _pairs(index: Index, table: str, ids: Iterable[str]) -> set[tuple[str, int | None]]:
    found: set[tuple[Any, Any]] = set()
    for part in chunks(ids, 500):
        marks = ",".join("?" * len(part))
        query = f"SELECT {table}, pull_request FROM {table} WHERE {table} IN ({marks})"  # noqa: S608 (names of ours)
        found.update(index.db.execute(query, part))
    return found
