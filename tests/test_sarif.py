"""The SARIF form: valid against the official schema, and true to the report."""

from __future__ import annotations

import json
import urllib.parse
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from nootropic_bot.diff import apply_edits
from nootropic_bot.records import NotScanned, Position, Report, Rule, Suppression
from nootropic_bot.sarif import FINGERPRINT, to_sarif
from nootropic_bot.source import Source, split_lines
from tests.support.reports import (
    APP,
    BYTES_PATH,
    everyday,
    hostile,
    make_finding,
    make_report,
    make_source,
    make_suggestion,
)

SCHEMA = Path(__file__).parent / "data" / "sarif-2.1.0.json"


@cache
def validator() -> Draft202012Validator:
    schema = json.loads(SCHEMA.read_bytes())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def converted(report: Report, **more: Any) -> dict[str, Any]:
    """The one run, after the schema and a round trip through UTF-8."""
    data = to_sarif(report, **more)
    json.dumps(data, ensure_ascii=False).encode("utf-8")
    validator().validate(data)
    (run,) = data["runs"]
    return run


@pytest.mark.parametrize("make", [everyday, hostile, lambda: (make_report(), {})])
def test_reports_are_valid(make: Any) -> None:
    report, sources = make()
    assert len(converted(report, sources=sources)["results"]) == len(report.findings)
    converted(report)


def test_a_result_is_true_to_its_finding() -> None:
    report, sources = everyday()
    run = converted(report, sources=sources)
    result = run["results"][0]
    assert result["ruleId"] == "sql-built-from-strings"
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    assert result["level"] == "error"
    assert result["message"]["text"] == report.findings[0].message
    assert result["partialFingerprints"] == {FINGERPRINT: report.findings[0].id}
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "src/app.py", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 6, "startColumn": 5, "endLine": 6, "endColumn": 73},
    }
    assert run["columnKind"] == "unicodeCodePoints"
    assert "%SRCROOT%" in run["originalUriBaseIds"]


def test_levels_and_baseline_state() -> None:
    run = converted(
        make_report(
            [make_finding(line=n, severity=s, in_scope=n != 2) for n, s in enumerate(("error", "warning", "info"), 1)]
        )
    )
    assert [result["level"] for result in run["results"]] == ["error", "warning", "note"]
    assert [result["baselineState"] for result in run["results"]] == ["new", "unchanged", "new"]


def test_rules_carry_what_code_scanning_shows() -> None:
    (rule,) = converted(make_report([make_finding(), make_finding(line=9)]))["tool"]["driver"]["rules"]
    assert rule["defaultConfiguration"] == {"level": "error"}
    assert rule["helpUri"] == "https://cwe.mitre.org/data/definitions/89.html"
    assert rule["properties"]["tags"] == [
        "security", "external/cwe/cwe-89", "external/owasp/a03-2021", "principle/separate-code-from-data",
    ]  # fmt: skip
    assert rule["properties"]["precision"] == "high"
    assert rule["shortDescription"]["text"] == "A value is put into the text of this SQL statement."


def test_a_rule_about_correctness_is_no_vulnerability() -> None:
    run = converted(make_report([make_finding(severity="warning", cwe=("CWE-396: x",), owasp=())]))
    tags = run["tool"]["driver"]["rules"][0]["properties"]["tags"]
    assert "security" not in tags
    assert "external/cwe/cwe-396" in tags


def test_known_rules_speak_for_themselves() -> None:
    rule = Rule(
        "sql-built-from-strings", "warning", "The rule. In general.", ("python",), cwe=("CWE-1: x",),
        references=("javascript:alert(1)", "https://e.example/a b", "https://docs.example/sql?x=1"),
    )  # fmt: skip
    run = converted(make_report([make_finding(message="This one.")]), rules={rule.id: rule})
    described = run["tool"]["driver"]["rules"][0]
    assert described["fullDescription"]["text"] == "The rule. In general."
    assert described["shortDescription"]["text"] == "The rule."
    assert described["helpUri"] == "https://docs.example/sql?x=1"
    assert described["defaultConfiguration"]["level"] == "warning"
    assert run["results"][0]["level"] == "error"
    assert run["results"][0]["message"]["text"] == "This one."


def test_a_rule_has_at_most_twenty_tags() -> None:
    run = converted(make_report([make_finding(cwe=tuple(f"CWE-{n}" for n in range(1, 60)))]))
    assert len(run["tool"]["driver"]["rules"][0]["properties"]["tags"]) == 20


@pytest.mark.parametrize(("by", "kind"), [("nosemgrep", "inSource"), ("configuration", "external")])
def test_suppressions(by: str, kind: str) -> None:
    run = converted(
        make_report([make_finding(suppressed=Suppression(by, "for a reason", "2030-01-01")), make_finding(line=9)])
    )
    assert run["results"][0]["suppressions"] == [
        {"kind": kind, "status": "accepted", "justification": f"{by}: for a reason (until 2030-01-01)"}
    ]
    assert run["results"][1]["suppressions"] == []


@pytest.mark.parametrize("path", [BYTES_PATH, "a b/ü%20.py", "c:d.py", "日本.py", "a?b#c.py", "[x].py"])
def test_paths_are_percent_encoded_and_lead_back(path: str) -> None:
    run = converted(make_report([make_finding(path)]))
    uri = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri.isascii()
    assert not urllib.parse.urlsplit(uri).scheme
    assert urllib.parse.unquote_to_bytes(uri) == path.encode("utf-8", "surrogateescape")


def apply_fix(source: Source, fix: dict[str, Any]) -> str:
    """What a consumer does: cut the regions out and put the texts in, from the last to the first."""
    text = source.text
    lines = split_lines(text)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    (change,) = fix["artifactChanges"]
    for part in sorted(change["replacements"], key=lambda p: p["deletedRegion"]["startLine"], reverse=True):
        region = part["deletedRegion"]
        start = starts[region["startLine"] - 1] + region["startColumn"] - 1
        if "endColumn" in region:
            end = starts[region["endLine"] - 1] + region["endColumn"] - 1
        else:
            end = starts[region["endLine"] - 1] + len(lines[region["endLine"] - 1].rstrip("\r\n"))
        text = text[:start] + part["insertedContent"]["text"] + text[end:]
    return text


@pytest.mark.parametrize("text", [APP, APP.rstrip("\n"), APP.replace("\n", "\r\n")])
@pytest.mark.parametrize(
    "edits",
    [
        [(6, 6, "    pass\n")],
        [(1, 1, "import os\nimport sqlite3\n"), (6, 7, "")],
        [(13, 13, "    return 1\n")],
        [(13, 13, "")],
    ],
)
@pytest.mark.parametrize("is_known", [True, False])
def test_a_fix_does_what_the_edits_do(text: str, edits: list[tuple[int, int, str]], is_known: bool) -> None:
    source = make_source("src/app.py", text)
    newline = source.newline
    last = len(source.lines)
    edits = [
        (first, end, new.replace("\n", newline) if end < last or text.endswith("\n") else new.rstrip("\n"))
        for first, end, new in edits
    ]
    if not is_known and not text.endswith("\n") and edits[-1] == (13, 13, ""):
        pytest.skip("without the source, a deletion says nothing of the line end")
    suggestion = make_suggestion(source, *edits)
    sources = {"src/app.py": source} if is_known else {}
    run = converted(make_report([make_finding(suggestion=suggestion)]), sources=sources)
    (fix,) = run["results"][0]["fixes"]
    assert apply_fix(source, fix) == "".join(apply_edits(source.lines, suggestion.edits))


def test_only_proved_fixes_are_offered() -> None:
    report, sources = everyday()
    results = converted(report, sources=sources)["results"]
    assert ["fixes" in result for result in results] == [True, False, False, False, False]


def test_a_fix_that_is_no_text_is_not_offered() -> None:
    source = make_source("a.py", "x = '\udce9'\n")
    finding = make_finding("a.py", 1, suggestion=make_suggestion(source, (1, 1, "y = '\udce9'\n")))
    assert "fixes" not in converted(make_report([finding]))["results"][0]


def test_incomplete_runs_say_so() -> None:
    run = converted(make_report(incomplete_reasons=("a.py: time-out",), not_scanned=(NotScanned("b c.bin", "binary"),)))
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    first, second = invocation["toolExecutionNotifications"]
    assert (first["level"], first["message"]["text"]) == ("error", "a.py: time-out")
    assert second["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "b%20c.bin"
    assert converted(make_report())["invocations"] == [{"executionSuccessful": True, "toolExecutionNotifications": []}]


def test_over_the_limit_those_that_count_stay_and_the_rest_is_counted() -> None:
    findings = [make_finding(line=n, in_scope=n % 2 == 0) for n in range(1, 11)]
    run = converted(make_report(findings), max_results=6)
    lines = [r["locations"][0]["physicalLocation"]["region"]["startLine"] for r in run["results"]]
    assert lines == [1, 2, 4, 6, 8, 10]
    (notification,) = run["invocations"][0]["toolExecutionNotifications"]
    assert notification["message"]["text"] == "4 findings are left out: the limit is reached"


def test_a_region_never_ends_before_it_starts() -> None:
    run = converted(make_report([make_finding(start=Position(5, 9), end=Position(5, 1))]))
    region = run["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert (region["endLine"], region["endColumn"]) == (5, 9)


def test_a_message_can_not_hold_a_link() -> None:
    run = converted(make_report([make_finding(message="see [here](https://evil.example)")]))
    assert run["results"][0]["message"]["text"] == "see [here] (https://evil.example)"
