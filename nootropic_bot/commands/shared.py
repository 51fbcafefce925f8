"""What the verbs that review have in common: parsing, progress, showing, exit codes."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable

from nootropic_bot.config import FailOn
from nootropic_bot.constants import SEVERITIES
from nootropic_bot.errors import EXIT_CLEAN, EXIT_FINDINGS, EXIT_INCOMPLETE, UsageError, worst_exit_code
from nootropic_bot.records import Finding, Report
from nootropic_bot.reports import counts


def parse_shard(text: str | None) -> tuple[int, int] | None:
    """`I/N`, 1-based.

    Raises:
        UsageError: it is something else.
    """
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,4})/(\d{1,4})", text)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise UsageError(f"--shard {text!r} is not of the form I/N", "for example `--shard 2/5`, the second of five")
    return int(found[1]), int(found[2])


def progress_reporter() -> Callable[[str], None]:
    """Shows one changing line on standard error, when that is a terminal."""
    if not sys.stderr.isatty():
        return lambda _message: None

    def report(message: str) -> None:
        sys.stderr.write(f"\r\x1b[2K{message} …\r")
        sys.stderr.flush()

    return report


def clear_progress() -> None:
    """Remove the progress line."""
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[2K")
        sys.stderr.flush()


def failing(findings: Iterable[Finding], fail_on: FailOn) -> list[Finding]:
    """The findings that decide the exit code."""
    if fail_on == "never":
        return []
    level = SEVERITIES.index(fail_on)
    return [f for f in findings if counts(f) and SEVERITIES.index(f.severity) <= level]


def exit_code(report: Report, fail_on: FailOn, gone: frozenset[str] = frozenset()) -> int:
    """The exit code of a report; `gone`: ids of findings that were fixed since."""
    left = [finding for finding in report.findings if finding.id not in gone]
    codes = [EXIT_FINDINGS if failing(left, fail_on) else EXIT_CLEAN]
    if not report.complete:
        codes.append(EXIT_INCOMPLETE)
    return worst_exit_code(codes)
