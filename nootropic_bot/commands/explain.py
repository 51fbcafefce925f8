"""`explain ID`: a rule, or a finding of a report."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nootropic_bot.errors import UsageError

if TYPE_CHECKING:
    from nootropic_bot.records import Rule
    from nootropic_bot.rulefiles import RuleFile


@click.command(short_help="Explain a rule, or a finding of a report.")
@click.argument("identity", metavar="ID")
@click.option("--report", metavar="FILE", help="The JSON report that holds the finding.")
@click.option("--rules", multiple=True, metavar="PATH", help="Rules to use instead of the bundled ones. Repeatable.")
def command(identity: str, report: str | None, rules: tuple[str, ...]) -> None:
    """Explain a rule, or a finding of a report: what goes wrong, what to do, examples, sources."""
    from nootropic_bot.commands.rules import rule_files

    files = rule_files(rules)
    if report is not None:
        rule_id, text = _finding_text(identity, report)
        click.echo(text)
        identity = rule_id
    click.echo(rule_text(identity, files), nl=False)


def _finding_text(identity: str, report: str) -> tuple[str, str]:
    from nootropic_bot.escape import code, diff_lines, one_line
    from nootropic_bot.reports import from_json

    try:
        read = from_json(Path(report).read_bytes(), report)
    except OSError as error:
        raise UsageError(f"the report {report} can't be read: {error.strerror}") from error
    for finding in read.findings:
        if finding.id == identity or (finding.suggestion and finding.suggestion.id == identity):
            place = f"{finding.path}:{finding.start.line}:{finding.start.col}"
            scope = "in scope" if finding.in_scope else "outside the change"
            lines = [f"{one_line(place)}  {finding.severity}, {scope}", one_line(finding.message)]
            if finding.suggestion is not None:
                lines += ["", *(f"  {code(line)}" for line in diff_lines(finding.suggestion.diff))]
                lines += [f"  {c.name}: {c.status} {one_line(c.detail)}".rstrip() for c in finding.suggestion.checks]
            return finding.rule_id, "\n".join(lines) + "\n"
    raise UsageError(f"{report} has no finding or suggestion {identity!r}")


def rule_text(rule_id: str, files: Sequence[RuleFile]) -> str:
    """A rule as a page of text.

    Raises:
        UsageError: there is no such rule.
    """
    import difflib

    from nootropic_bot.rulefiles import load_rules, own_rules

    rules = {rule.id: rule for rule in (*load_rules(files, None).rules, *own_rules())}
    if rule_id not in rules:
        close = difflib.get_close_matches(rule_id, rules, n=1)
        remedy = f"perhaps you meant `{close[0]}`" if close else "list them with `nootropic-bot rules list`"
        raise UsageError(f"there is no rule {rule_id!r}", remedy)
    rule = rules[rule_id]
    return "\n".join([*_head(rule), *_examples(rule, files), *_sources(rule)]) + "\n"


def _head(rule: Rule) -> Iterator[str]:
    from nootropic_bot.resources import principles

    yield f"{rule.id}  ({rule.severity})"
    yield ""
    yield from textwrap.wrap(rule.message, 100)
    principle = principles().get(rule.principle or "")
    if principle is not None:
        yield ""
        yield from textwrap.wrap(f"Principle: {principle['title']}. {principle['text']}", 100)
    yield ""
    fix = "the rule fixes it, where its fix passes the proof" if rule.has_fix else "none by the rule itself"
    yield f"Fix: {fix}"


def _examples(rule: Rule, files: Sequence[RuleFile]) -> Iterator[str]:
    from nootropic_bot.rulefiles import parse_rule_file
    from nootropic_bot.templates import parse_examples

    for file in files:
        if file.name != rule.file:
            continue
        for body in parse_rule_file(file):
            if body["id"] != rule.id:
                continue
            for example in parse_examples(rule.id, body.get("metadata") or {})[:3]:
                yield ""
                yield from (f"  - {line}" for line in example.unsafe.rstrip("\n").split("\n"))
                yield from (f"  + {line}" for line in example.safe.rstrip("\n").split("\n"))


def _sources(rule: Rule) -> Iterator[str]:
    yield ""
    yield from (*rule.cwe, *rule.owasp, *rule.references)
