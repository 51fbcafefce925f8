"""`triage add|list|remove`: decide that findings don't count, with a reason; recorded like everything else."""

from __future__ import annotations

import difflib
from datetime import date
from typing import TYPE_CHECKING

import click

from nootropic_bot.commands.state import open_store, parse_day, say_what_is_unknown, show
from nootropic_bot.errors import UsageError
from nootropic_bot.escape import one_line

if TYPE_CHECKING:
    from nootropic_bot.state.store import Store

_FORMAT = click.option(
    "--format", "format_", type=click.Choice(("text", "json", "yaml")), default="text", show_default=True
)


@click.group(short_help="Decide that findings don't count, with a reason.")
def command() -> None:
    """Decide that findings don't count, with a reason.

    A review still lists them, marked as suppressed. Decisions are recorded in this clone and shared by `state sync`.
    """


@command.command("add")
@click.option("--finding", metavar="ID", help="This finding; its id is in the report of `review`.")
@click.option("--rule", "rule_id", metavar="RULE", help="All findings of this rule.")
@click.option("--path", "pattern", metavar="GLOB", help="With --rule: only in these files (.gitignore syntax).")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is shown beside each finding.")
@click.option("--expires", metavar="DATE", help="The last day it holds, YYYY-MM-DD.")
@click.option("--pull-request", type=click.IntRange(1), metavar="N", help="It holds in this pull request only.")
@_FORMAT
def add(
    finding: str | None,
    rule_id: str | None,
    pattern: str | None,
    reason: str,
    expires: str | None,
    pull_request: int | None,
    format_: str,
) -> None:
    """Decide that a finding, or a rule's findings, don't count."""
    from nootropic_bot.gitwrite import user_ident
    from nootropic_bot.state.redact import redact
    from nootropic_bot.state.schema import Draft, Invalid, draft
    from nootropic_bot.state.views import is_pattern

    if (finding is None) == (rule_id is None):
        raise UsageError("give either --finding or --rule")
    if pattern is not None and rule_id is None:
        raise UsageError("--path needs --rule")
    if rule_id is not None and not rule_id.strip():
        raise UsageError("--rule is empty", "list the rules with `nootropic-bot rules list`")
    if pattern is not None and not is_pattern(pattern):
        raise UsageError(
            f"--path {pattern!r} covers nothing", "give a pattern in .gitignore syntax, such as 'tests/**'"
        )
    if not reason.strip():
        raise UsageError("--reason is empty", "say why the finding does not count")
    last_day = parse_day(expires)
    if last_day is not None and last_day < date.today().isoformat():
        raise UsageError(f"--expires {last_day} has passed")
    given = {"finding": finding, "rule_id": rule_id, "path": pattern, "expires": last_day, "pull_request": pull_request}
    with open_store() as (store, _updated):
        data: dict[str, str | int] = {"action": "add", "reason": reason.strip(), "author": user_ident(store.repo)}
        data.update({key: value for key, value in given.items() if value is not None})
        if rule_id is not None:
            _say_if_unknown(store, rule_id)
        try:
            made: Draft = draft("triage", data)
        except Invalid as error:
            remedy = "a finding's id is in `nootropic-bot review --format json`"
            problem = "this is no finding" if str(error).startswith("finding") else "this can't be recorded"
            raise UsageError(f"{problem}: {error}", remedy) from error
        (made,), redacted = redact([made])
        appended = store.append([made])
        if format_ != "text":
            show({"id": appended.ids[0], **made.data}, format_)
        else:
            where = f" in pull request {pull_request}" if pull_request else ""
            until = f" until {last_day}" if last_day else ""
            click.echo(f"{appended.ids[0][:12]}: {finding or rule_id} does not count{where}{until}")
        if redacted:
            click.echo(f"note: secrets taken out of the text: {redacted}", err=True)


@command.command("list")
@_FORMAT
def list_(format_: str) -> None:
    """List the decisions that stand, and those that have expired."""
    from nootropic_bot.state.views import active_triage

    today = date.today().isoformat()
    with open_store() as (store, _updated):
        say_what_is_unknown(store)
        entries = active_triage(store.index)
        if format_ != "text":
            show([{**entry._asdict(), "expired": entry.has_expired(today)} for entry in entries], format_)
            return
        for entry in entries:
            of = f"{entry.rule_id}{f' in {entry.path}' if entry.path else ''}"
            what = of if entry.finding is None else f"{entry.finding}{f' ({of})' if entry.rule_id else ''}"
            what += f" in pull request {entry.pull_request}" if entry.pull_request else ""
            state = f"expired {entry.expires}" if entry.has_expired(today) else f"until {entry.expires or 'removed'}"
            click.echo(one_line(f"{entry.id[:12]}  {what}  {state}  {entry.reason}  ({entry.author or 'unknown'})"))
        if not entries:
            click.echo("no decisions")


@command.command("remove")
@click.argument("identity", metavar="ID")
@click.option("--reason", default="", metavar="TEXT", help="Why.")
def remove(identity: str, reason: str) -> None:
    """Take a decision back; its findings count again."""
    from nootropic_bot.gitwrite import user_ident
    from nootropic_bot.state.schema import draft
    from nootropic_bot.state.views import active_triage

    with open_store() as (store, _updated):
        found = [entry for entry in active_triage(store.index) if entry.id.startswith(identity.lower())]
        if len(found) != 1 or not identity:
            problem = "there is no decision" if not found else "several decisions begin with"
            raise UsageError(f"{problem} {identity!r}", "see `nootropic-bot triage list`")
        target = found[0].id
        author = user_ident(store.repo)
        store.append([draft("triage", {"action": "remove", "target": target, "reason": reason, "author": author})])
        click.echo(f"{target[:12]}: {found[0].finding or found[0].rule_id} counts again")


def _say_if_unknown(store: Store, rule_id: str) -> None:
    """A mistyped rule would silently suppress nothing."""
    from nootropic_bot import resources
    from nootropic_bot.rulefiles import find_rule_files, load_rules, own_rules

    bundled = load_rules(find_rule_files(resources.bundled_rules()), store.repo.cache_dir)
    known = [rule.id for rule in (*bundled.rules, *own_rules())]
    if rule_id not in known:
        close = difflib.get_close_matches(rule_id, known, n=1)
        hint = f"; perhaps you meant {close[0]}" if close else ""
        click.echo(f"note: {one_line(rule_id)} is none of the bundled rules{hint}", err=True)
