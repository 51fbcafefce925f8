"""The JSON form of a report, a public interface: written, validated when it comes back, and merged from shards."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from nootropic_bot.constants import SCHEMA_VERSION
from nootropic_bot.diff import check_path
from nootropic_bot.errors import UsageError
from nootropic_bot.records import (
    Check,
    Edit,
    Finding,
    NotScanned,
    Position,
    Report,
    Seconds,
    Suggestion,
    Summary,
    Suppression,
    Tool,
)

if TYPE_CHECKING:
    from pydantic import TypeAdapter

MAX_REPORT_BYTES = 256 << 20
_SHARD = re.compile(r"\d{1,4}/(?P<count>\d{1,4})")
_NAMED_SHARDS = 10
_REMEDY = "make it with `review --format json` of this version, and pass it as it is"


def finding_order(finding: Finding) -> tuple[str, int, int, str, str]:
    """The order of every report: by path and place."""
    return finding.path, finding.start.line, finding.start.col, finding.rule_id, finding.id


def counts(finding: Finding) -> bool:
    """Whether a finding decides the exit code: in scope and not suppressed."""
    return finding.in_scope and finding.suppressed is None


def summarize(findings: Iterable[Finding], seconds: Seconds) -> Summary:
    """The counts of a report."""
    everything = list(findings)
    is_fixed = [f.suggestion is not None and f.suggestion.verified for f in everything]
    return Summary(
        findings=len(everything),
        in_scope=sum(f.in_scope for f in everything),
        suppressed=sum(f.suppressed is not None for f in everything),
        verified_suggestions=sum(is_fixed),
        unfixed=sum(1 for f, fixed in zip(everything, is_fixed, strict=True) if counts(f) and not fixed),
        seconds=seconds,
    )


def to_data(report: Report) -> dict[str, Any]:
    """The report as plain data, in the order and with the names of the public interface."""
    data = asdict(report)
    data["summary"]["seconds"] = {k: round(v, 3) for k, v in data["summary"]["seconds"].items()}
    return data


@cache
def _adapter() -> TypeAdapter[Report]:
    from pydantic import ConfigDict, TypeAdapter, with_config

    # `TypeAdapter` takes no configuration for a dataclass; the records can't carry one, they don't import pydantic.
    for record in (Report, Tool, NotScanned, Finding, Position, Suppression, Suggestion, Edit, Check, Summary, Seconds):
        with_config(ConfigDict(extra="forbid"))(record)
    return TypeAdapter(Report)


def json_schema() -> dict[str, Any]:
    """The JSON schema of a report."""
    return _adapter().json_schema()


def from_json(raw: bytes, name: str) -> Report:
    """A report from outside, validated.

    Raises:
        UsageError: it is no report, of another version, or names paths outside the repository.
    """
    import json

    from pydantic import ValidationError

    if len(raw) > MAX_REPORT_BYTES:
        raise UsageError(f"{name} is too large for a report ({len(raw)} bytes)")
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError) as error:
        what = f"is not JSON: {error}" if raw.strip() else "is empty"
        raise UsageError(f"{name} {what}", _REMEDY) from error
    version = data.get("schema_version") if isinstance(data, dict) else None
    if version != SCHEMA_VERSION:
        raise UsageError(f"{name} has schema version {version!r}, this program reads {SCHEMA_VERSION}", _REMEDY)
    try:
        report = _adapter().validate_python(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{name} is not a valid report: `{place}`: {first['msg'].lower()}", _REMEDY) from error
    for finding in report.findings:
        check_path(finding.path)
        for edit in finding.suggestion.edits if finding.suggestion else ():
            check_path(edit.path)
    return report


def merge(reports: Sequence[Report]) -> Report:
    """One report from the shards of one run; the same as the run without shards, but for the seconds, which add up.

    Where a shard is missing, the report is not complete and says so.

    Raises:
        UsageError: they are not shards of one run.
    """
    first = reports[0]
    for report in reports[1:]:
        for name in ("tool", "base", "head", "rules_hash"):
            if getattr(report, name) != getattr(first, name):
                raise UsageError(f"the reports differ in `{name}`: they are not shards of one run")
    missing = _missing_shards(reports)
    findings = tuple(sorted((f for r in reports for f in r.findings), key=finding_order))
    times = [report.summary.seconds for report in reports]
    names = ("critique", "propose", "verify", "total")
    seconds = Seconds(**{name: sum(getattr(each, name) for each in times) for name in names})
    reasons = {reason for r in reports for reason in r.incomplete_reasons}
    return replace(
        first,
        shard=None,
        missing_shards=missing,
        complete=all(report.complete for report in reports) and not missing,
        incomplete_reasons=tuple(sorted(reasons | {_told(missing)} if missing else reasons)),
        not_scanned=tuple(sorted({n for r in reports for n in r.not_scanned}, key=lambda n: (n.path, n.reason))),
        findings=findings,
        summary=summarize(findings, seconds),
    )


def _missing_shards(reports: Sequence[Report]) -> tuple[str, ...]:
    """The shards that are not among the reports.

    Raises:
        UsageError: a report is no shard, one is there twice, or they are of several runs.
    """
    shards = [report.shard or "none" for report in reports]
    found = [_SHARD.fullmatch(shard) for shard in shards]
    counts_told = {int(each["count"]) for each in found if each is not None}
    count = counts_told.pop() if len(counts_told) == 1 else 0
    expected = [f"{i}/{count}" for i in range(1, count + 1)]
    if len(set(shards)) < len(shards) or not set(shards) <= set(expected):
        raise UsageError(f"these are not shards of one run, each once: {', '.join(shards)}")
    return tuple(shard for shard in expected if shard not in shards)


def _told(missing: Sequence[str]) -> str:
    """Which shards left no report, in words."""
    more = f" and {len(missing) - _NAMED_SHARDS} more" if len(missing) > _NAMED_SHARDS else ""
    names = ", ".join(missing[:_NAMED_SHARDS])
    return (
        f"no report came from shard{'s' * (len(missing) != 1)} {names}{more}: what was to be looked at there is unknown"
    )
