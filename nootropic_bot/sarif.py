"""The report as SARIF 2.1.0, the form that code scanning reads.

GitHub's limits: 25,000 results a run, 20 tags a rule. What is left out is said in a notification.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nootropic_bot.escape import visible
from nootropic_bot.records import Edit, Finding, Report, Rule, Severity, Suggestion
from nootropic_bot.reports import counts
from nootropic_bot.source import Source

SCHEMA_URI = "https://json.schemastore.org/sarif-2.1.0.json"
FINGERPRINT = "nootropicFingerprint/v1"
MAX_RESULTS = 25_000
MAX_TAGS = 20

_ROOT = "%SRCROOT%"
_LEVELS: Mapping[Severity, str] = {"error": "error", "warning": "warning", "info": "note"}
_PROBLEM_SEVERITIES: Mapping[Severity, str] = {"error": "error", "warning": "warning", "info": "recommendation"}
_CWE = re.compile(r"CWE-(\d{1,6})\b")

Data = dict[str, Any]


def to_sarif(
    report: Report,
    *,
    sources: Mapping[str, Source] | None = None,
    rules: Mapping[str, Rule] | None = None,
    max_results: int = MAX_RESULTS,
) -> Data:
    """The report as SARIF data.

    Args:
        report: what to convert.
        sources: decoded files by path; they tell whether a file's last line has a line end.
        rules: what is known of the rules by id; without, their findings speak for them.
        max_results: more findings than that are left out, those that don't count first, and counted.
    """
    findings = _limited(report.findings, max_results)
    rule_ids = sorted({finding.rule_id for finding in findings})
    indexes = {rule_id: index for index, rule_id in enumerate(rule_ids)}
    by_rule: dict[str, list[Finding]] = {}
    for finding in findings:
        by_rule.setdefault(finding.rule_id, []).append(finding)
    driver = {
        "name": report.tool.name,
        "version": report.tool.version,
        "rules": [_rule(by_rule[rule_id], (rules or {}).get(rule_id)) for rule_id in rule_ids],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The top of the repository."}}},
        "invocations": [_invocation(report, len(report.findings) - len(findings))],
        "results": [_result(f, indexes[f.rule_id], (sources or {}).get(f.path)) for f in findings],
    }
    return {"$schema": SCHEMA_URI, "version": "2.1.0", "runs": [run]}


def _limited(findings: Sequence[Finding], limit: int) -> list[Finding]:
    """At most `limit` findings, those that count before the others, in the order of the report."""
    if len(findings) <= limit:
        return list(findings)
    first = sorted(range(len(findings)), key=lambda index: (not counts(findings[index]), index))[:limit]
    return [findings[index] for index in sorted(first)]


def _rule(findings: Sequence[Finding], rule: Rule | None) -> Data:
    example = findings[0]
    cwe = rule.cwe if rule else example.cwe
    owasp = rule.owasp if rule else example.owasp
    severity = rule.severity if rule else example.severity
    message = _message(rule.message if rule else example.message)
    help_uri = _help_uri(rule.references if rule else (), cwe)
    return {
        "id": visible(example.rule_id),
        "name": visible(example.rule_id),
        "shortDescription": {"text": _first_sentence(message)},
        "fullDescription": {"text": message},
        **({"helpUri": help_uri} if help_uri else {}),
        "help": {"text": "\n".join([message, *map(_message, (*cwe, *owasp))])},
        "defaultConfiguration": {"level": _LEVELS[severity]},
        "properties": {
            "tags": _tags(cwe, owasp, example.principle),
            "precision": "high" if severity == "error" else "medium",
            "problem.severity": _PROBLEM_SEVERITIES[severity],
        },
    }


def _tags(cwe: Iterable[str], owasp: Sequence[str], principle: str | None) -> list[str]:
    """GitHub takes a rule with the tag `security` for a vulnerability; rules about correctness have a CWE, no OWASP."""
    tags = ["security" if owasp else "correctness"]
    tags += [f"external/cwe/cwe-{int(found[1])}" for name in cwe if (found := _CWE.match(name))]
    tags += [f"external/owasp/{_slug(name.partition(' ')[0])}" for name in owasp]
    tags += [f"principle/{_slug(principle)}"] if principle else []
    return list(dict.fromkeys(tags))[:MAX_TAGS]


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-")[:100]


def _help_uri(references: Iterable[str], cwe: Iterable[str]) -> str | None:
    # Rules may come from a repository: only what is plainly a web address becomes a link.
    for reference in references:
        if re.fullmatch(r"https://[\w.-]+(?:/[\w.~/#?&=%+:@,;-]*)?", reference, re.ASCII):
            return reference
    for name in cwe:
        if found := _CWE.match(name):
            return f"https://cwe.mitre.org/data/definitions/{int(found[1])}.html"
    return None


def _first_sentence(message: str) -> str:
    sentence = re.split(r"(?<=[.!?])\s", message, maxsplit=1)[0]
    return sentence if len(sentence) <= 250 else f"{sentence[:249]}…"


def _message(text: str) -> str:
    """A message as plain text, where `[text](target)` would be read as a link."""
    return visible(text).replace("](", "] (").strip() or "(no message)"


def _result(finding: Finding, rule_index: int, source: Source | None) -> Data:
    result: Data = {
        "ruleId": visible(finding.rule_id),
        "ruleIndex": rule_index,
        "level": _LEVELS[finding.severity],
        "message": {"text": _message(finding.message)},
        "locations": [{"physicalLocation": {"artifactLocation": _artifact(finding.path), "region": _region(finding)}}],
        "partialFingerprints": {FINGERPRINT: finding.id},
        "baselineState": "new" if finding.in_scope else "unchanged",
        "suppressions": [],
    }
    if finding.suppressed is not None:
        mark = finding.suppressed
        until = f" (until {mark.expires})" if mark.expires else ""
        kind = "inSource" if mark.by.startswith("nosem") else "external"
        text = visible(f"{mark.by}: {mark.reason}{until}")
        result["suppressions"] = [{"kind": kind, "status": "accepted", "justification": text}]
    if finding.suggestion is not None and finding.suggestion.verified:
        fix = _fix(finding.suggestion, {finding.path: source} if source else {})
        if fix:
            result["fixes"] = [fix]
    return result


def _artifact(path: str) -> Data:
    return {"uri": urllib.parse.quote(path.encode("utf-8", "surrogateescape"), safe="/"), "uriBaseId": _ROOT}


def _region(finding: Finding) -> Data:
    start, end = finding.start, max(finding.start, finding.end)
    return {"startLine": start.line, "startColumn": start.col, "endLine": end.line, "endColumn": end.col}


def _fix(suggestion: Suggestion, sources: Mapping[str, Source]) -> Data | None:
    """The whole fix or none of it: bytes that are no text have no form here."""
    changes: dict[str, list[Data]] = {}
    for edit in suggestion.edits:
        if not _is_text(edit.replacement):
            return None
        region = _whole_lines(edit, sources.get(edit.path))
        replacement = {"deletedRegion": region, "insertedContent": {"text": edit.replacement}}
        changes.setdefault(edit.path, []).append(replacement)
    proof = ", ".join(check.name for check in suggestion.checks)
    return {
        "description": {"text": f"Proved fix by {suggestion.source} ({proof})"},
        "artifactChanges": [
            {"artifactLocation": _artifact(path), "replacements": replacements}
            for path, replacements in changes.items()
        ],
    }


def _is_text(text: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in text)


def _whole_lines(edit: Edit, source: Source | None) -> Data:
    """Up to the start of the next line, where there is one: a region that ends on a line leaves its line end."""
    if source is not None:
        lines = source.lines
        has_line_end = edit.end_line > len(lines) or lines[edit.end_line - 1].endswith("\n")
    else:
        has_line_end = edit.replacement.endswith("\n") or not edit.replacement
    if has_line_end:
        return {"startLine": edit.start_line, "startColumn": 1, "endLine": edit.end_line + 1, "endColumn": 1}
    return {"startLine": edit.start_line, "startColumn": 1, "endLine": edit.end_line}


def _invocation(report: Report, left_out: int) -> Data:
    notifications = [_notification(reason, "error") for reason in report.incomplete_reasons]
    for item in report.not_scanned:
        notification = _notification(f"not scanned: {item.reason}", "warning")
        notification["locations"] = [{"physicalLocation": {"artifactLocation": _artifact(item.path)}}]
        notifications.append(notification)
    if left_out:
        notifications.append(_notification(f"{left_out} findings are left out: the limit is reached", "warning"))
    return {"executionSuccessful": report.complete, "toolExecutionNotifications": notifications}


def _notification(text: str, level: str) -> Data:
    return {"level": level, "message": {"text": _message(text)}}
