"""The frozen records that travel between the stages. Read this file first.

    git diff ─▶ critique ─▶ propose ─▶ verify ─▶ output
                 Finding     Proposal   Verdict    Suggestion

A stage takes records and answers records; it never reaches into another stage (see `pipeline.py`).
They are plain dataclasses, not pydantic models, because the commit hook's warm path must not pay
pydantic's import; what comes from outside is validated by pydantic in `reports.py` and `config.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warning", "info"]
CheckStatus = Literal["passed", "failed", "not_run"]
FixSource = Literal["rule", "memory", "model"]


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the original file. Both are 1-based; `col` counts code points, a byte order mark not among them."""

    line: int
    col: int


@dataclass(frozen=True, slots=True)
class Suppression:
    """Why a finding does not count. It is still listed."""

    by: str
    reason: str
    expires: str | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """Replaces the whole lines `start_line`..`end_line` (1-based, inclusive) by `replacement`.

    `replacement` carries its own line ends; `""` deletes the lines. An insertion replaces its anchor
    line by the line itself plus the new text.
    """

    path: str
    start_line: int
    end_line: int
    replacement: str


@dataclass(frozen=True, slots=True)
class Check:
    """One part of the proof. A check that did not run is never counted as passed; `detail` says why."""

    name: str
    status: CheckStatus
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """What the tool knows of a rule besides its patterns.

    `requires`: texts without which a file holds no finding; each entry is a choice (`"popen|system"`), all must hold.
    """

    id: str
    severity: Severity
    message: str
    languages: tuple[str, ...]
    cwe: tuple[str, ...] = ()
    owasp: tuple[str, ...] = ()
    principle: str | None = None
    references: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    has_fix: bool = False
    file: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """One answer of the engine for one blob, independent of the path and of what changed; this is what is cached.

    `start_offset` and `end_offset` are 0-based code-point offsets into the text that was scanned
    (`Source.scan_text`); `snippet` is the hash of the matched text with white space folded.
    """

    rule_id: str
    start: Position
    end: Position
    start_offset: int
    end_offset: int
    message: str
    snippet: str
    fix: str | None = None
    suppressed: Suppression | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """A part of a file that was not analysed: lines `first`..`last`, or all of it when both are 0.

    `transient`: it may go better next time (a time-out, a crash), so it is not remembered.
    """

    reason: str
    first: int = 0
    last: int = 0
    transient: bool = False


@dataclass(frozen=True, slots=True)
class FileAnalysis:
    """Everything the critic says of one blob. `undefined`: names that nothing in the file defines, sorted."""

    matches: tuple[Match, ...] = ()
    gaps: tuple[Gap, ...] = ()
    undefined: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A fix and its proof."""

    id: str
    edits: tuple[Edit, ...]
    source: FixSource
    verified: bool
    checks: tuple[Check, ...]
    diff: str
    model: str | None = None
    prompt: str | None = None
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem at a place. `id` is a fingerprint that survives moved lines (see `critique/scope.py`)."""

    id: str
    rule_id: str
    path: str
    start: Position
    end: Position
    severity: Severity
    message: str
    cwe: tuple[str, ...] = ()
    owasp: tuple[str, ...] = ()
    principle: str | None = None
    in_scope: bool = True
    suppressed: Suppression | None = None
    suggestion: Suggestion | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A candidate fix for one finding, not yet proved."""

    finding_id: str
    edits: tuple[Edit, ...]
    source: FixSource
    model: str | None = None
    prompt: str | None = None
    confidence: float | None = None
    # Names the fix brings in and the import statement each is meant to come from.
    needs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of a proof: every check with its answer."""

    checks: tuple[Check, ...]

    @property
    def is_verified(self) -> bool:
        """True when every check passed; one that did not run is not a pass."""
        return bool(self.checks) and all(check.status == "passed" for check in self.checks)


@dataclass(frozen=True, slots=True)
class NotScanned:
    """A file that was not (wholly) analysed, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Seconds:
    """Wall-clock time of each stage."""

    critique: float = 0.0
    propose: float = 0.0
    verify: float = 0.0
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts over a report. `unfixed`: in-scope, unsuppressed findings without a verified suggestion."""

    findings: int
    in_scope: int
    suppressed: int
    verified_suggestions: int
    unfixed: int
    seconds: Seconds = field(default_factory=Seconds)


@dataclass(frozen=True, slots=True)
class Tool:
    """Who wrote a report."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Report:
    """Everything one `review` found; its JSON form is a public interface (`reports.py`).

    `missing_shards`: of a report that was joined, the parts ("2/3") that left none; nothing is known of their files.
    """

    schema_version: int
    tool: Tool
    base: str | None
    head: str | None
    rules_hash: str
    shard: str | None
    missing_shards: tuple[str, ...] = field(default=(), kw_only=True)
    complete: bool
    incomplete_reasons: tuple[str, ...]
    not_scanned: tuple[NotScanned, ...]
    findings: tuple[Finding, ...]
    summary: Summary
