"""Reports for tests of the outputs: small ones made to measure, and one with everything an attacker would try."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nootropic_bot.diff import apply_edits, unified
from nootropic_bot.records import (
    Check,
    Edit,
    Finding,
    NotScanned,
    Position,
    Report,
    Seconds,
    Suggestion,
    Suppression,
    Tool,
)
from nootropic_bot.reports import finding_order, summarize
from nootropic_bot.source import Source, decode

CHECKS = ("scope", "parse", "names", "signature", "bounded", "gone", "nothing_new")

# One line that tries everything: terminal, CI log, Markdown, bidirectional text.
HOSTILE = (
    "\x1b[2J\x1b]0;owned\x07\r\n::stop-commands::x\n##[error]y @team fixes #1 \u202egnp.exe\u200b "
    "![i](http://evil.example/p.png) <script>alert(1)</script> ```` ``` | \x9b31m $x$ www.evil.example"
)
BYTES_PATH = "src/caf\udce9/na\udcffme.py"

APP = """import sqlite3


def find(connection, name):
    cursor = connection.cursor()
    cursor.execute(f"SELECT id, email FROM users WHERE name = '{name}'")
    return cursor.fetchall()


def compare(value):
    if value == None:
        return False
    return True
"""


def make_source(path: str, text: str) -> Source:
    """A decoded file."""
    return decode(path, text.encode("utf-8", "surrogateescape"))


def make_suggestion(of: Source, /, *edits: tuple[int, int, str], verified: bool = True, **more: Any) -> Suggestion:
    """A suggestion of whole-line edits, each `(first, last, replacement)`, with its real diff."""
    made = tuple(Edit(of.path, first, last, text) for first, last, text in edits)
    checks = tuple(Check(name, "passed") for name in CHECKS)
    if not verified:
        checks = (
            *checks[:2],
            Check("names", "failed", "undefined: foo"),
            Check("gone", "not_run", "an earlier check failed"),
        )
    fields: dict[str, Any] = {
        "id": "5" * 16,
        "edits": made,
        "source": "rule",
        "verified": verified,
        "checks": checks,
        "diff": unified(of.path, of.lines, apply_edits(of.lines, made)),
    }
    return Suggestion(**{**fields, **more})


def make_finding(path: str = "src/app.py", line: int = 6, **more: Any) -> Finding:
    """A finding; everything has a default."""
    fields: dict[str, Any] = {
        "id": f"{path}:{line}:{more.get('rule_id', '')}".encode("utf-8", "surrogateescape").hex()[-20:],
        "rule_id": "sql-built-from-strings",
        "path": path,
        "start": Position(line, 5),
        "end": Position(line, 20),
        "severity": "error",
        "message": "A value is put into the text of this SQL statement.",
        "cwe": ("CWE-89: SQL Injection",),
        "owasp": ("A03:2021 - Injection",),
        "principle": "separate-code-from-data",
    }
    return Finding(**{**fields, **more})


def make_report(findings: Iterable[Finding] = (), **more: Any) -> Report:
    """A report with its counts."""
    ordered = tuple(sorted(findings, key=finding_order))
    seconds = Seconds(0.25, 0.01, 0.14, 0.4)
    fields: dict[str, Any] = {
        "schema_version": 1,
        "tool": Tool("nootropic-bot", "0.1.0"),
        "base": "a" * 40,
        "head": "b" * 40,
        "rules_hash": "c" * 64,
        "shard": None,
        "complete": not more.get("incomplete_reasons"),
        "incomplete_reasons": (),
        "not_scanned": (),
        "findings": ordered,
        "summary": summarize(ordered, seconds),
    }
    return Report(**{**fields, **more})


def everyday() -> tuple[Report, dict[str, Source]]:
    """What a person meets: two errors and a warning, a fix, an unproved fix, one suppressed, one outside the change."""
    app = make_source("src/app.py", APP)
    old = make_source(
        "src/old.py", "\timport os\n\tif x:\n\t\tos.system(cmd + '\u65e5\u672c') # " + "long " * 60 + "\n"
    )
    fix = make_suggestion(
        app,
        (6, 6, '    cursor.execute("SELECT id, email FROM users WHERE name = ?", (name,))\n'),
    )
    message = (
        "A value is put into the text of this SQL statement, so whoever supplies the value can change what the "
        "statement does. Leave a placeholder in the statement and pass the value in the parameters argument."
    )
    findings = [
        make_finding(end=Position(6, 73), message=message, suggestion=fix),
        make_finding(
            line=11,
            rule_id="none-comparison",
            start=Position(11, 8),
            end=Position(11, 21),
            severity="warning",
            cwe=(),
            owasp=(),
            principle="compare-what-you-mean",
            message="`== None` asks for equality; ask for identity.",
            suggestion=make_suggestion(app, (11, 11, "    if foo is None:\n"), verified=False),
        ),
        make_finding(
            path="src/old.py",
            line=3,
            rule_id="os-system-command",
            start=Position(3, 3),
            end=Position(3, 23),
            message="A shell reads this text.",
            cwe=("CWE-78: OS Command Injection",),
        ),
        make_finding(
            path="src/old.py",
            line=1,
            rule_id="import-os",
            suppressed=Suppression("nosemgrep", "nosemgrep: import-os"),
            severity="info",
        ),
        make_finding(path="src/other.py", line=9, in_scope=False),
    ]
    return make_report(findings), {source.path: source for source in (app, old)}


def hostile() -> tuple[Report, dict[str, Source]]:
    """Every text that can come from a pull request is hostile, one path is not UTF-8, one file has CRLF lines."""
    evil = make_source(BYTES_PATH, f"a = 1\n::stop-commands::b\n{HOSTILE}\n```\n~~~\n````\nc = 3\n")
    windows = make_source("windows.py", "x = 1\r\nif y == None:\r\n    pass\r\nz = 3")
    findings = [
        make_finding(
            path=BYTES_PATH,
            line=3,
            end=Position(3, 9),
            rule_id=HOSTILE,
            message=HOSTILE,
            cwe=(HOSTILE, "CWE-89"),
            owasp=(HOSTILE,),
            principle=HOSTILE,
            suggestion=make_suggestion(
                evil,
                (2, 2, ""),
                (5, 5, f"::add-mask::z\n{HOSTILE}\n`````\n"),
                source="model",
                model=HOSTILE,
                confidence=0.5,
            ),
        ),
        make_finding(path=BYTES_PATH, line=2, suppressed=Suppression(HOSTILE, HOSTILE, HOSTILE)),
        make_finding(
            path="windows.py",
            line=2,
            rule_id="none-comparison",
            suggestion=make_suggestion(windows, (2, 2, "if y is None:\r\n"), (4, 4, "z = 3\r\nw = 4")),
        ),
        make_finding(
            path="windows.py",
            line=3,
            rule_id="insertion",
            severity="info",
            suggestion=make_suggestion(windows, (1, 1, "import os\r\nx = 1\r\n"), (3, 3, ""), verified=False),
        ),
        make_finding(path="::set-output name=a::b.py", line=1, in_scope=False, message="::debug::x"),
    ]
    gaps = {"not_scanned": (NotScanned(BYTES_PATH, HOSTILE),), "incomplete_reasons": (HOSTILE,)}
    return make_report(findings, **gaps), {source.path: source for source in (evil, windows)}
