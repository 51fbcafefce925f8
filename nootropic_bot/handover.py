"""What a run without a token hands over, and what is made of it before anybody sees it or it is recorded.

Anybody may have written it (rows A7, A8): a pull request from a fork brings its own workflow. So the report is
validated, what it says of its target is compared with what the forge says, texts with secrets are held back (row A22),
the repository's own decisions mute findings, and of its records only what belongs to this report is kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nootropic_bot.errors import UsageError
from nootropic_bot.records import Finding, Report, Suggestion
from nootropic_bot.reports import from_json, summarize, to_data
from nootropic_bot.state.redact import find_secrets, redact_text
from nootropic_bot.state.schema import KINDS, Draft, Invalid, Proof, TextEdit, draft
from nootropic_bot.state.views import Triage, suppression

MAX_FINDINGS = 25_000
_MAX_LINE = 10_000_000
# What a person would read of one finding is less; all of it is looked through for secrets, which takes time.
_MAX_TEXT, _MAX_FIX, _MAX_PARTS = 65_536, 1_000_000, 100
_MAX_RECORD_BYTES = 1 << 20
_MAX_NAME = 200
# One run a shard, and what each of a few models cost in it.
_MAX_RUNS, _MAX_COSTS = 256, 2_048
_RECORDED = frozenset({"run", "finding", "suggestion", "cost"})


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A report ready to be shown. `held_back`: how many texts held a secret: fixes left out, messages redacted."""

    report: Report
    held_back: int


def read_report(raw: bytes, name: str, head: str | None = None) -> Report:
    """A report from outside, validated; of the commit `head`, if one is given.

    Raises:
        UsageError: it is no report of a range of commits, is about another commit, or holds what no review says.
    """
    report = from_json(raw, name)
    try:
        # A byte that is no text is kept as half of a character; other halves come from nowhere.
        json.dumps(to_data(report), ensure_ascii=False).encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise UsageError(f"{name} holds characters that do not exist; it is refused") from error
    if report.base is None or report.head is None:
        raise UsageError(f"{name} is no report of a range of commits", "make it with `review --base … --head …`")
    if report.shard is not None:
        raise UsageError(f"{name} is one shard of several", "join them with `review merge`")
    if head is not None and report.head != head:
        problem = f"{name} is about commit {report.head[:40]!r}, not about {head}; it is refused"
        raise UsageError(problem, "review the commit that it should be about")
    findings = report.findings
    if len(findings) > MAX_FINDINGS:
        raise UsageError(f"{name} has {len(findings):,} findings, at most {MAX_FINDINGS:,} are taken")
    if len({finding.id for finding in findings}) < len(findings):
        raise UsageError(f"{name} has two findings of one id; it is refused")
    for finding in findings:
        if not 1 <= finding.start.line <= finding.end.line <= _MAX_LINE:
            raise UsageError(f"{name} has a finding on lines that no file has; it is refused")
        if _is_too_long(finding):
            raise UsageError(f"{name} has a finding with more text than anybody reads; it is refused")
    return replace(report, summary=summarize(findings, report.summary.seconds))


def _is_too_long(finding: Finding) -> bool:
    fix = finding.suggestion
    named = (finding.rule_id, finding.path, finding.principle or "", *finding.cwe, *finding.owasp)
    parts = len(finding.cwe) + len(finding.owasp)
    length = 0
    if fix is not None:
        named += (fix.id, fix.model or "", fix.prompt or "", *(check.name for check in fix.checks))
        parts += len(fix.checks) + len(fix.edits)
        length = len(fix.diff) + sum(len(edit.replacement) for edit in fix.edits)
        length += sum(len(check.detail) for check in fix.checks)
    is_long = any(len(text) > _MAX_TEXT // 16 for text in named) or len(finding.message) > _MAX_TEXT
    return is_long or parts > _MAX_PARTS or length > _MAX_FIX


def cleaned(report: Report) -> Cleaned:
    """The report without texts that hold a secret; what is left of each finding is shown."""
    findings = [_clean(finding) for finding in report.findings]
    changed = sum(new is not old for new, old in zip(findings, report.findings, strict=True))
    seconds = report.summary.seconds
    return Cleaned(replace(report, findings=tuple(findings), summary=summarize(findings, seconds)), changed)


def _clean(finding: Finding) -> Finding:
    message, redacted = redact_text(finding.message)
    fix = finding.suggestion
    is_secret = fix is not None and _brings_secret(fix)
    if not redacted and not is_secret:
        return finding
    if is_secret:
        message += " (A fix is held back: it holds what looks like a secret.)"
    return replace(finding, message=message, suggestion=None if is_secret else fix)


def _brings_secret(fix: Suggestion) -> bool:
    """Whether a fix holds a secret that the file does not show already."""
    new = "\n".join(edit.replacement for edit in fix.edits)
    shown = [line for line in fix.diff.split("\n") if line.startswith("+")]
    found = {secret for secret, _kind in find_secrets(f"{new}\n{chr(10).join(shown)}")}
    old = "\n".join(line for line in fix.diff.split("\n") if not line.startswith("+"))
    return any(secret not in old for secret in found)


def muted(report: Report, entries: Iterable[Triage], number: int) -> Report:
    """The report with what the repository has decided since, or for this pull request: marked, not dropped."""
    known = list(entries)
    findings = [_mute(finding, known, number) for finding in report.findings]
    return replace(report, findings=tuple(findings), summary=summarize(findings, report.summary.seconds))


def _mute(finding: Finding, entries: Sequence[Triage], number: int) -> Finding:
    if finding.suppressed is not None:
        return finding
    found = suppression(entries, finding.id, finding.rule_id, finding.path, number)
    return finding if found is None else replace(finding, suppressed=found)


def read_records(raw: bytes, report: Report, number: int) -> list[Draft]:
    """The records of a run without a token, to be written on its behalf.

    Of a run, a finding or a suggestion only what belongs to the report is taken, and what the report says of it counts;
    the pull request is `number`, whatever a record says. Texts are redacted once more where they are appended.

    Raises:
        UsageError: there is one that this report does not explain; then none of them is taken.
    """
    taker = _Taker(report, number)
    drafts = [taker.take(*_parsed(line)) for line in raw.split(b"\n") if line.strip()]
    if drafts and not taker.runs:
        raise UsageError("the records are refused: they name no run")
    return [draft for draft in drafts if draft is not None]


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

    def __init__(self, report: Report, number: int) -> None:
        self.report = report
        self.number = number
        self.runs: set[str] = set()
        self._costs = 0
        self._seen: set[tuple[str, str]] = set()
        self._findings = {finding.id: finding for finding in report.findings}
        found = [(finding, finding.suggestion) for finding in report.findings if finding.suggestion is not None]
        self._suggestions = {(finding.id, fix.id): (finding, fix) for finding, fix in found}

    def take(self, kind: str, data: Mapping[str, Any]) -> Draft | None:
        """The record as it is written, None where it was taken before."""
        kept = {name: value for name, value in data.items() if name in KINDS[kind].__annotations__}
        if kind == "suggestion":
            kept["edits"] = _edits(data.get("edits"))
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
        made: dict[str, Any] = {
            "run": data["run"],
            "finding": finding.id,
            "rule_id": _text(finding.rule_id),
            "path": _text(finding.path),
            "line": finding.start.line,
            "end_line": finding.end.line,
            "severity": finding.severity,
            "in_scope": finding.in_scope,
            "pull_request": self.number if finding.in_scope else None,
        }
        if finding.suppressed is not None:
            made["suppressed"] = _text(finding.suppressed.by)[:_MAX_NAME]
        return made if self._is_new("finding", finding.id) else None

    def _suggestion(self, data: Mapping[str, Any]) -> dict[str, Any] | None:
        found = self._suggestions.get((data["finding"], data["suggestion"]))
        if found is None:
            raise _refused("a suggestion is not in the report")
        finding, fix = found
        edits = data["edits"]
        proof = {name: data["proof"][name] for name in Proof.__annotations__ if name in data["proof"]}
        _check_names(*(value for name, value in proof.items() if name != "checks"), *proof["checks"])
        # A byte that is no text takes four characters there, and a secret is replaced by a word.
        room = sum(4 * len(edit.replacement) for edit in fix.edits) + 16 * len(edits)
        if sum(len(edit["text"]) for edit in edits) > room:
            raise _refused("a suggestion brings more text than the report's")
        proof["checks"] = {check.name: check.status for check in fix.checks}
        proof |= {"model": fix.model, "prompt": fix.prompt} if fix.model or fix.prompt else {}
        made = {
            **data,
            "rule_id": _text(finding.rule_id),
            "path": _text(finding.path),
            "pull_request": self.number,
            "source": fix.source,
            "verified": fix.verified,
            "confidence": fix.confidence,
            "edits": edits,
            "proof": proof,
        }
        return made if self._is_new("suggestion", fix.id) else None

    def _cost(self, data: Mapping[str, Any]) -> dict[str, Any]:
        self._costs += 1
        if self._costs > _MAX_COSTS:
            raise _refused("there are too many costs")
        _check_names(data["backend"], data.get("model"))
        return dict(data)


def _edits(edits: object) -> list[dict[str, Any]]:
    """The edits of a suggestion, as they were before they became JSON, which knows no tuples."""
    if not isinstance(edits, list) or not all(isinstance(edit, dict) for edit in edits):
        raise _refused("a suggestion is not of its form")
    found = [{name: edit[name] for name in TextEdit.__annotations__ if name in edit} for edit in edits]
    for edit in found:
        copies = edit.get("copies")
        if isinstance(copies, list):
            edit["copies"] = [tuple(copy) if isinstance(copy, list) else copy for copy in copies]
    return found


def _check_names(*texts: object) -> None:
    if any(isinstance(text, str) and len(text) > _MAX_NAME for text in texts):
        raise _refused("a name is too long")


def _refused(reason: str) -> UsageError:
    return UsageError(f"the records are refused: {reason}", "the report itself is posted")


def _text(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def write_records(drafts: Iterable[Draft]) -> str:
    """Drafts as JSON lines, for `read_records` of another run."""
    return "".join(_lines(drafts))


def _lines(drafts: Iterable[Draft]) -> Iterator[str]:
    for item in drafts:
        yield json.dumps({"kind": item.kind, "data": item.data}, sort_keys=True, separators=(",", ":")) + "\n"
