"""`rules list|explain|test`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nootropic_bot import resources
from nootropic_bot.errors import EXIT_CLEAN, EXIT_FINDINGS, UsageError

if TYPE_CHECKING:
    from nootropic_bot.rulefiles import RuleFile
    from nootropic_bot.ruletests import RuleResult

_RULES_HELP = "Rules to use instead of the bundled ones: a file or folder. Repeatable."


@click.group(short_help="List, explain and test rules.")
def command() -> None:
    """List, explain and test rules."""


@command.command("list")
@click.option("--rules", multiple=True, metavar="PATH", help=_RULES_HELP)
@click.option("--format", "format_", type=click.Choice(("text", "json", "yaml")), default="text", show_default=True)
def list_rules(rules: tuple[str, ...], format_: str) -> None:
    """List the rules: severity, whether a rule fixes by itself, CWE, first sentence of the message."""
    from nootropic_bot.rulefiles import load_rules, own_rules

    loaded = load_rules(rule_files(rules), None).rules
    everything = sorted((*loaded, *own_rules()) if not rules else loaded, key=lambda rule: rule.id)
    if format_ != "text":
        from nootropic_bot.output import dump

        data = [asdict(rule) for rule in everything]
        for entry in data:
            del entry["file"]
        click.echo(dump(data, format_), nl=False)
        return
    width = max(len(rule.id) for rule in everything)
    for rule in everything:
        cwe = rule.cwe[0].split(":")[0] if rule.cwe else ""
        sentence = rule.message.split(". ")[0].rstrip(".")
        fix = "fix" if rule.has_fix else ""
        click.echo(f"{rule.id:<{width}}  {rule.severity:<7}  {fix:<3}  {cwe:<9}  {sentence}")
    fixing = sum(rule.has_fix for rule in everything)
    click.echo(f"\n{len(everything)} rules, {fixing} with a deterministic fix")


@command.command("explain")
@click.argument("rule_id", metavar="RULE")
@click.option("--rules", multiple=True, metavar="PATH", help=_RULES_HELP)
def explain_rule(rule_id: str, rules: tuple[str, ...]) -> None:
    """Explain a rule: what goes wrong, what to do, examples, sources."""
    from nootropic_bot.commands.explain import rule_text

    click.echo(rule_text(rule_id, rule_files(rules)), nl=False)


@command.command("test")
@click.argument("ids", nargs=-1, metavar="[RULE]…")
@click.option("--rules", multiple=True, metavar="PATH", help=_RULES_HELP)
@click.option(
    "--report", is_flag=True, help="A table: forms flagged and spared, share of findings with a proved fix, noise."
)
@click.option(
    "--noise", is_flag=True, help="Measure findings per 1,000 lines on the standard library and installed packages."
)
@click.option("--corpus", multiple=True, metavar="NAME=DIR", help="Measure on this folder as well. Repeatable.")
@click.option("--format", "format_", type=click.Choice(("text", "json", "yaml")), default="text", show_default=True)
def test_rules(
    ids: tuple[str, ...], rules: tuple[str, ...], report: bool, noise: bool, corpus: tuple[str, ...], format_: str
) -> None:
    """Hold rules to what they claim: form, fixtures, examples, fixes."""
    from nootropic_bot.ruletests import check_rules, measure_noise

    files = rule_files(rules)
    results = check_rules(files, ids)
    unknown = set(ids) - {result.rule.id for result in results}
    if unknown:
        raise UsageError(f"there is no rule {min(unknown)!r}", "list them with `nootropic-bot rules list`")
    corpora = dict(_corpus(each) for each in corpus)
    if noise:
        corpora = {**_installed_corpora(), **corpora}
    if corpora:
        measure_noise(files, corpora, results)
    if format_ == "text":
        _show(results, list(corpora), report or bool(corpora))
    else:
        from nootropic_bot.output import dump

        click.echo(dump([_as_data(result) for result in results], format_), nl=False)
    sys.exit(EXIT_FINDINGS if any(result.problems for result in results) else EXIT_CLEAN)


def rule_files(given: Sequence[str]) -> list[RuleFile]:
    """The rule files that the user named, or the bundled ones."""
    from nootropic_bot.rulefiles import find_rule_files

    if not given:
        return find_rule_files(resources.bundled_rules())
    return [file for path in given for file in find_rule_files(Path(path), path)]


def _corpus(text: str) -> tuple[str, Path]:
    name, separator, folder = text.partition("=")
    if not separator or not Path(folder).is_dir():
        raise UsageError(f"--corpus {text!r} is not NAME=DIR with an existing folder")
    return name, Path(folder)


def _installed_corpora() -> dict[str, Path]:
    import sysconfig

    return {"stdlib": Path(sysconfig.get_path("stdlib")), "packages": Path(sysconfig.get_path("purelib"))}


def _as_data(result: RuleResult) -> dict[str, Any]:
    return {
        "id": result.rule.id,
        "problems": result.problems,
        "flagged": result.flagged,
        "spared": result.spared,
        "findings": result.findings,
        "verified": result.verified,
        "noise": {name: {"findings": count, "lines": lines} for name, (count, lines) in result.noise.items()},
    }


def _show(results: Sequence[RuleResult], corpora: Sequence[str], with_table: bool) -> None:
    for result in results:
        for problem in result.problems:
            click.echo(f"{click.style('FAIL', fg='red')} {result.rule.id}: {problem}")
    if with_table:
        _show_table(results, corpora)
    flagged, verified = sum(r.findings for r in results), sum(r.verified for r in results)
    failed = sum(bool(result.problems) for result in results)
    share = f"{100 * verified / flagged:.0f} %" if flagged else "none"
    click.echo(
        f"{len(results)} rules, {failed} with problems; {verified} of {flagged} fixture findings "
        f"({share}) end with a proved fix"
    )


def _show_table(results: Sequence[RuleResult], corpora: Sequence[str]) -> None:
    width = max(len(result.rule.id) for result in results)
    heads = "".join(f"  {name + '/1k':>12}" for name in corpora)
    click.echo(f"{'rule':<{width}}  forms  spared  proved{heads}")
    for result in results:
        rates = "".join(f"  {1000 * count / max(lines, 1):>12.3f}" for count, lines in result.noise.values())
        proved = f"{result.verified}/{result.findings}"
        click.echo(f"{result.rule.id:<{width}}  {result.flagged:>5}  {result.spared:>6}  {proved:>6}{rates}")
        for reason, count in result.failed_checks.items():
            click.echo(f"    not proved{f' ({count} times)' if count > 1 else ''}: {reason}")
