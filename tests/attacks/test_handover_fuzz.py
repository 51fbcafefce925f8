"""Row A7: whatever stands in a report or in records, it is refused in a line or shown; nothing else happens.

`NOOTROPIC_HANDOVER_EXAMPLES=5000` tries more.
"""

from __future__ import annotations

import copy
import json
import os
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nootropic_bot.errors import NootropicError
from nootropic_bot.forge import Limits
from nootropic_bot.handover import cleaned, muted, read_report
from nootropic_bot.publish.anchors import Diff, FileDiff
from nootropic_bot.publish.comments import listed
from nootropic_bot.publish.plan import Policy, offered, plan, ranked
from nootropic_bot.publish.summary import Overview, summary_page
from nootropic_bot.relayed import Shown, read_records
from nootropic_bot.reports import to_data
from nootropic_bot.sarif import to_sarif
from nootropic_bot.state.views import Triage
from tests.support.reports import HOSTILE, everyday

EXAMPLES = int(os.environ.get("NOOTROPIC_HANDOVER_EXAMPLES", "100"))
HEAD = "b" * 40
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 10**30, 1.5, float("nan"), float("inf"), -0.0, "", " ", "\n", "\0", "\ud800",
    "../x", "/etc/passwd", ".git/hooks/x", "C:x", HOSTILE, "a" * 70_000, "\u202e", "```", [], {}, [[]], [None], {"": None},
    "passed", "rule", "error", "src/app.py", [0, 1, 2],
)  # fmt: skip


def report_data() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(json.dumps(to_data(everyday()[0])))
    return {**data, "base": "a" * 40, "head": HEAD}


def records_data() -> list[dict[str, Any]]:
    finding = next(each for each in report_data()["findings"] if each["suggestion"])
    run = dict.fromkeys(
        ("critique_ms", "propose_ms", "verify_ms", "total_ms", "findings", "in_scope", "suppressed", "verified"), 1
    )
    run |= {"run": "a" * 16, "mode": "range", "base": "a" * 40, "head": HEAD, "pull_request": 1, "rules": "c" * 64}  # type: ignore[dict-item]
    run |= {"tool": "0.1", "engine": "1", "complete": True}  # type: ignore[dict-item]
    place = {"run": "a" * 16, "finding": finding["id"], "rule_id": "x", "path": "x", "pull_request": 1}
    edits = [{"start": 1, "end": 2, "text": "x", "copies": [[0, 1, 2]]}]
    proof = {"blob": "d" * 40, "rules": "c" * 64, "engine": "1", "tool": "1", "checks": {"parse": "passed"}}
    fix = {"suggestion": finding["suggestion"]["id"], "source": "rule", "verified": True, "confidence": None}
    cost = {
        "run": "a" * 16,
        "backend": "x",
        "input_tokens": 1,
        "output_tokens": 1,
        "milliseconds": 1,
        "microdollars": 1,
    }
    return [
        {"kind": "run", "data": run},
        {"kind": "finding", "data": {**place, "line": 1, "end_line": 1, "severity": "error", "in_scope": True}},
        {"kind": "suggestion", "data": {**place, **fix, "edits": edits, "proof": proof}},
        {"kind": "cost", "data": cost},
    ]  # fmt: skip


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container in a tree, with each of its keys."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [pair for key in keys for pair in [(value, key), *places(value[key])]]


@st.composite
def changed(draw: st.DrawFn, tree: Any) -> Any:
    """A tree with a few of its parts replaced, removed or repeated."""
    tree = copy.deepcopy(tree)
    for _ in range(draw(st.sampled_from([1, 1, 2, 3]))):
        container, key = draw(st.sampled_from(places(tree)))
        how = draw(st.sampled_from(["replace", "replace", "replace", "remove", "repeat", "add"]))
        if isinstance(container, dict) and key not in container:
            continue
        if isinstance(container, list) and key >= len(container):
            continue
        if how == "remove":
            del container[key]
        elif how == "repeat" and isinstance(container, list):
            container.extend(copy.deepcopy(container))
        elif how == "add" and isinstance(container, dict):
            container[draw(st.sampled_from(["evil", "", "id", "kind"]))] = copy.deepcopy(draw(st.sampled_from(ODD)))
        else:
            container[key] = copy.deepcopy(draw(st.sampled_from(ODD)))
    return tree


def test_a7_any_report_is_refused_or_shown() -> None:
    seen: Counter[str] = Counter()
    told: set[str] = set()
    entries = [Triage("i", None, "sql-built-from-strings", None, "r", "a", None, "2024-01-01T00:00:00Z")]

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(changed(report_data()))
    def check(data: Any) -> None:
        try:
            report = read_report(json.dumps(data).encode(), "report.json", HEAD)
        except NootropicError as error:
            seen["refused"] += 1
            told.add(error.message)
            return
        seen["shown"] += 1
        report = muted(cleaned(report).report, entries[: seen["shown"] % 2], 1)
        diff = Diff(HEAD, {"src/app.py": FileDiff("src/app.py", ((1, 12),))})
        made = plan(report, diff, (), Limits())
        bodies = [post.comment.body for post in made.new]
        bodies += [listed(finding, offered(finding, Policy())) for finding in ranked(report, Policy())]
        overview = Overview(report, HEAD, (), 0, 0, 0, made.listed)
        bodies.append(summary_page(overview, 65_536, None).text)
        for body in bodies:
            body.encode()
            assert not any(char in body for char in "\x1b\0\u202e\x9b")
        json.dumps(to_sarif(report))

    check()
    assert not any("\n" in message for message in told)
    assert min(seen["refused"], seen["shown"]) > EXAMPLES / 50, seen


def test_a7_any_records_are_refused_or_are_of_the_report() -> None:
    seen: Counter[str] = Counter()
    told: set[str] = set()
    report = read_report(json.dumps(report_data()).encode(), "report.json", HEAD)
    shown = Shown(report, everyday()[1], 7, is_fork=False)
    assert len(read_records(b"\n".join(json.dumps(each).encode() for each in records_data()), report, shown)) == 4

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(changed(records_data()))
    def check(data: Any) -> None:
        lines = data if isinstance(data, list) else [data]
        try:
            drafts = read_records(b"\n".join(json.dumps(each).encode() for each in lines), report, shown)
        except NootropicError as error:
            seen["refused"] += 1
            told.add(error.message)
            return
        seen["taken"] += 1
        for draft in drafts:
            assert draft.kind in ("run", "finding", "suggestion", "cost")
            assert draft.data.get("pull_request", 7) in (7, None)
            json.dumps(draft.data, allow_nan=False).encode()

    check()
    assert not any("\n" in message for message in told)
    assert min(seen["refused"], seen["taken"]) > EXAMPLES / 50, seen
