"""Records that a run with a token writes for one without: of them as little is believed as can be.

Anybody may have written them (rows A7, A8, A44). A record stays only where the report explains it, and says what the
report says; what a fix brings in is told by its edits and the file at the head. Of the records themselves only figures
and the proof's hashes remain; of a fork's not even what it cost, since that is taken from budgets.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nootropic_bot.errors import UsageError
from nootropic_bot.escape import valid_text
from nootropic_bot.records import Finding, Report, Suggestion
from nootropic_bot.reports import counts
from nootropic_bot.source import Source
from nootropic_bot.state.schema import KINDS, Draft, Invalid, Proof, draft
from nootropic_bot.textedits import text_edits

# What one review adds to a state that only grows.
MAX_BYTES = 2_000_000
_MAX_RECORD_BYTES = 1 << 20
_MAX_NAME = 200
# One run a shard, and what each of a few models cost in it.
_MAX_RUNS, _MAX_COSTS = 256, 2_048
# What is read in a few seconds, and many times what one review may add. 500 findings with their fixes have about 1,000.
_MAX_LINES = 40_000
_RECORDED = frozenset({"run", "finding", "suggestion", "cost"})


@dataclass(frozen=True, slots=True)
class Shown:
    """What was made of a report, and shown: without fixes that are held back, and with what does not count marked.

    `sources`: the files at the head in which its fixes are, by path. `number`: the pull request's. `is_fork`: whether
    it comes from one.
    """

    report: Report
    sources: Mapping[str, Source]
    number: int
    is_fork: bool = True


def read_records(raw: bytes, report: Report, shown: Shown) -> list[Draft]:
    """The records of a run without a token, to be written on its behalf.

    Of a run, a finding or a suggestion only what belongs to `report` is taken, the report as it came, and of this only
    what was shown; the pull request is the one it was shown on, whatever a record says. Texts are redacted once more
    where they are appended.

    Raises:
        UsageError: there is one that this report does not explain; then none of them is taken.
    """
    taker = _Taker(report, shown)
    drafts = [taker.take(*_parsed(line)) for line in _lines_of(raw, report) if line.strip()]
    if drafts and not taker.runs:
        raise UsageError("the records are refused: they name no run")
    return [draft for draft in drafts if draft is not None]


def fitting(drafts: Iterable[Draft]) -> list[Draft]:
    """The first of the drafts, as many as one review may add to the state."""
    room = MAX_BYTES
    found = []
    for each in drafts:
        room -= len(json.dumps(each.data))
        if room < 0:
            break
        found.append(each)
    return found


def _lines_of(raw: bytes, report: Report) -> list[bytes]:
    """The lines, not more than a run with this report makes: one a finding and one a fix, beside runs and costs."""
    text = raw.rstrip()
    most = min(_MAX_LINES, 2 * len(report.findings) + _MAX_RUNS + _MAX_COSTS)
    if text.count(b"\n") >= most:
        raise _refused(f"there are more than {most:,}")
    return text.split(b"\n")


def _parsed(line: bytes) -> tuple[str, dict[str, Any]]:
    if len(line) > _MAX_RECORD_BYTES:
        raise _refused("one is too long")
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _refused("one is not JSON") from error
    kind = found.get("kind") if isinstance(found, dict) else None
    data = found.get("data") if isinstance(found, dict) else None
    if not isinstance(kind, str) or kind not in _RECORDED or not isinstance(data, dict):
        raise _refused("one is of a kind that a review does not make")
    return kind, data


class _Taker:
    """Takes records one by one. `runs`: the runs that were named so far; a review names its run first."""

    def __init__(self, report: Report, shown: Shown) -> None:
        self.report = report
        self.shown = shown
        self.number = shown.number
        self.runs: set[str] = set()
        self._costs = 0
        self._seen: set[tuple[str, str]] = set()
        self._findings = {finding.id: finding for finding in report.findings}
        self._explained = {each.id: each.suggestion.id for each in report.findings if each.suggestion is not None}
        self._shown = {finding.id: finding for finding in shown.report.findings}

    def take(self, kind: str, data: Mapping[str, Any]) -> Draft | None:
        """The record as it is written, None where it was taken before."""
        kept = {name: value for name, value in data.items() if name in KINDS[kind].__annotations__}
        if kind == "suggestion":
            # They are told by the report and the file.
            kept["edits"] = []
        try:
            draft(kind, kept)
        except Invalid as error:
            raise _refused(f"a {kind} is not of its form") from error
        if kind == "run":
            self._note_run(kept)
        elif kept["run"] not in self.runs:
            raise _refused(f"a {kind} belongs to no run")
        taken = {"run": self._run, "finding": self._finding, "suggestion": self._suggestion, "cost": self._cost}
        made = taken[kind](kept)
        if made is None:
            return None
        try:
            return draft(kind, made)
        except Invalid as error:
            raise _refused(f"a {kind} is not of its form") from error

    def _note_run(self, data: Mapping[str, Any]) -> None:
        self.runs.add(data["run"])
        if len(self.runs) > _MAX_RUNS:
            raise _refused("there are too many runs")

    def _is_new(self, kind: str, identity: str) -> bool:
        is_new = (kind, identity) not in self._seen
        self._seen.add((kind, identity))
        return is_new

    def _run(self, data: Mapping[str, Any]) -> dict[str, Any] | None:
        if (data["mode"], data["base"], data["head"]) != ("range", self.report.base, self.report.head):
            raise _refused("a run is of other commits than the report")
        figures = self.report.summary
        most = {
            "findings": figures.findings,
            "in_scope": figures.in_scope,
            "suppressed": figures.findings,
            "verified": figures.verified_suggestions,
        }
        if any(data[name] > number for name, number in most.items()):
            raise _refused("a run counts more than the report holds")
        _check_names(data["tool"], data["engine"])
        is_complete = data["complete"] and self.report.complete
        made = {**data, "pull_request": self.number, "complete": is_complete}
        return made if self._is_new("run", data["run"]) else None

    def _finding(self, data: Mapping[str, Any]) -> dict[str, Any] | None:
        finding = self._findings.get(data["finding"])
        if finding is None:
            raise _refused("a finding is not in the report")
        finding = self._shown.get(finding.id)
        if finding is None or (self.shown.is_fork and not counts(finding)):
            return None
        made: dict[str, Any] = {
            "run": data["run"],
            "finding": finding.id,
            "rule_id": valid_text(finding.rule_id),
            "path": valid_text(finding.path),
            "line": finding.start.line,
            "end_line": finding.end.line,
            "severity": finding.severity,
            "in_scope": finding.in_scope,
            "pull_request": self.number if finding.in_scope else None,
        }
        if finding.suppressed is not None:
            made["suppressed"] = valid_text(finding.suppressed.by)[:_MAX_NAME]
        return made if self._is_new("finding", finding.id) else None

    def _suggestion(self, data: Mapping[str, Any]) -> dict[str, Any] | None:
        if self._explained.get(data["finding"]) != data["suggestion"]:
            raise _refused("a suggestion is not in the report")
        proof = {name: data["proof"][name] for name in Proof.__annotations__ if name in data["proof"]}
        _check_names(*(value for name, value in proof.items() if name != "checks"), *proof["checks"])
        finding = self._shown.get(data["finding"])
        fix = None if finding is None else finding.suggestion
        source = None if finding is None else self.shown.sources.get(finding.path)
        if finding is None or fix is None or source is None:
            return None
        made = self._made(data["run"], finding, fix, source)
        proof["blob"] = _blob_id(source.raw, len(proof["blob"]))
        proof["checks"] = {check.name: check.status for check in fix.checks}
        proof |= {"model": fix.model, "prompt": fix.prompt} if fix.model or fix.prompt else {}
        return {**made, "proof": proof} if self._is_new("suggestion", fix.id) else None

    def _made(self, run: str, finding: Finding, fix: Suggestion, source: Source) -> dict[str, Any]:
        edits, redacted = text_edits(source, fix.edits)
        made: dict[str, Any] = {
            "run": run,
            "suggestion": fix.id,
            "finding": finding.id,
            "rule_id": valid_text(finding.rule_id),
            "path": valid_text(finding.path),
            "pull_request": self.number,
            "source": fix.source,
            "verified": fix.verified,
            "confidence": fix.confidence,
            "edits": edits,
        }
        return {**made, "redacted": redacted} if redacted else made

    def _cost(self, data: Mapping[str, Any]) -> dict[str, Any] | None:
        self._costs += 1
        if self._costs > _MAX_COSTS:
            raise _refused("there are too many costs")
        _check_names(data["backend"], data.get("model"))
        return None if self.shown.is_fork else dict(data)


def _blob_id(raw: bytes, digits: int) -> str:
    """The id that git gives to a content, of so many digits."""
    hasher = hashlib.sha1(usedforsecurity=False) if digits == 40 else hashlib.sha256()
    hasher.update(b"blob %d\0" % len(raw))
    hasher.update(raw)
    return hasher.hexdigest()


def _check_names(*texts: object) -> None:
    if any(isinstance(text, str) and len(text) > _MAX_NAME for text in texts):
        raise _refused("a name is too long")


def _refused(reason: str) -> UsageError:
    return UsageError(f"the records are refused: {reason}", "the report itself is posted")


def write_records(drafts: Iterable[Draft]) -> str:
    """Drafts as JSON lines, for `read_records` of another run."""
    return "".join(_lines(drafts))


def _lines(drafts: Iterable[Draft]) -> Iterator[str]:
    for item in drafts:
        yield json.dumps({"kind": item.kind, "data": item.data}, sort_keys=True, separators=(",", ":")) + "\n"
