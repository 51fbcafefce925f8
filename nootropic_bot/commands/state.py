"""`state log|show|sync|compact|verify|export`: what the bot knows, kept in the git repository itself."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nootropic_bot.errors import EXIT_CLEAN, EXIT_FINDINGS, EXIT_INCOMPLETE, EnvironmentFault, UsageError

if TYPE_CHECKING:
    from nootropic_bot.state.index import Updated
    from nootropic_bot.state.store import Store

_FORMAT = click.option(
    "--format", "format_", type=click.Choice(("text", "json", "yaml")), default="text", show_default=True
)
_KINDS = ("run", "finding", "suggestion", "outcome", "triage", "cost", "experiment", "model", "task", "note")


@click.group(short_help="Look at, share and check what the bot keeps in the repository.")
def command() -> None:
    """Look at, share and check what the bot keeps in the repository.

    Everything lies in refs below refs/nootropic, as immutable records; nothing is shared before `state sync`.
    """


@contextmanager
def open_store() -> Iterator[tuple[Store, Updated]]:
    """The state of the repository around the current folder, its index up to date."""
    from nootropic_bot.escape import one_line
    from nootropic_bot.git import Repository
    from nootropic_bot.session import load_settings
    from nootropic_bot.state.store import Store

    repo = Repository.open(Path.cwd())
    with Store(repo, load_settings(repo).state) as store:
        try:
            updated = store.index.update()
            for what, why in updated.damaged.items():
                text = one_line(f"{what} can't be read: {why}")
                click.echo(f"note: {text} (`nootropic-bot state verify` mends what it can)", err=True)
            yield store, updated
        except sqlite3.DatabaseError as error:
            store.index.discard()
            problem = "the index of the state was damaged and has been removed; nothing is lost"
            raise EnvironmentFault(problem, "run the command again: it is made anew") from error


def say_what_is_unknown(store: Store) -> None:
    """A clone does not bring the state along: what others recorded is unknown until the first sync (row F7)."""
    remotes = store.repo.run("remote").stdout.split()
    if store.settings.remote.encode() in remotes and not store.tracked():
        click.echo(
            f"note: never synced with {store.settings.remote!r}: what others recorded is unknown here "
            "(`nootropic-bot state sync` fetches it)",
            err=True,
        )


def show(data: Any, format_: str) -> None:
    """Print plain data for machines."""
    from nootropic_bot.output import dump

    click.echo(dump(data, format_), nl=False)


@command.command("log", short_help="List records, the newest first.")
@click.option("--kind", type=click.Choice(_KINDS), help="Only records of this kind.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="The newest so many.")
@_FORMAT
def log(kind: str | None, limit: int, format_: str) -> None:
    """List records, the newest first."""
    from nootropic_bot.state.views import counts, newest

    with open_store() as (store, _updated):
        say_what_is_unknown(store)
        records = [json.loads(line) for _id, line in store.index.lines(newest(store.index, kind, limit))]
        if format_ != "text":
            show(records, format_)
            return
        for record in records:
            click.echo(_one_line(record))
        total = sum(counts(store.index).values())
        shown = f"{len(records)} of " if len(records) < total else ""
        click.echo(f"\n{shown}{total} record{'s' * (total != 1)}" if records else "nothing is recorded here yet")


def _one_line(record: dict[str, Any]) -> str:
    from nootropic_bot.escape import one_line

    data = record["data"]
    names = ("suggestion", "finding", "action", "result", "rule_id", "path", "line", "reason", "mode", "findings")
    parts = [f"{data[name]}" for name in names if data.get(name) is not None]
    if record["kind"] == "run":
        parts = [f"{data.get('mode')}; findings: {data.get('findings')}, proved fixes: {data.get('verified')}"]
    head = f"{record['id'][:12]}  {record['at']}  {record['kind']:<10}  {' '.join(parts)}"
    return one_line(head)[:200].rstrip()


@command.command("show", short_help="Show a record in full.")
@click.argument("identity", metavar="ID")
@click.option("--format", "format_", type=click.Choice(("json", "yaml")), default="json", show_default=True)
def show_record(identity: str, format_: str) -> None:
    """Show records in full: by record id (or its beginning), finding, suggestion or run."""
    from nootropic_bot.state.views import resolve

    with open_store() as (store, _updated):
        ids = resolve(store.index, identity)
        records = [json.loads(line) for _id, line in store.index.lines(ids)]
        show(records[0] if len(records) == 1 else records, format_)


@command.command("sync", short_help="Share: fetch what others recorded, push what this clone did.")
@click.option("--close/--no-close", "closing", default=None, help="This clone ends here.  [default: in a CI job]")
@_FORMAT
def sync(closing: bool | None, format_: str) -> None:
    """Fetch what others recorded, and push what this clone recorded; records are only ever added."""
    from nootropic_bot.escape import one_line
    from nootropic_bot.state.compact import share

    is_closing = bool(os.environ.get("CI")) if closing is None else closing
    with open_store() as (store, _updated):
        synced, compacted = share(store, closing=is_closing)
        if format_ != "text":
            show({**asdict(synced), "compacted": asdict(compacted)}, format_)
            return
        for note in synced.notes:
            click.echo(one_line(f"note: {note}"), err=True)
        for what, why in synced.damaged.items():
            click.echo(one_line(f"note: {what} can't be read: {why}"), err=True)
        received, pushed = _plural(synced.received, "record"), _plural(synced.pushed_logs, "log")
        click.echo(f"received {received}, pushed {pushed} to {store.settings.remote}")
        if compacted.writers:
            click.echo(f"compacted {_plural(compacted.writers, 'log')} of finished writers")


@command.command("compact", short_help="Fold the logs of finished writers into one.")
@_FORMAT
def compact(format_: str) -> None:
    """Fold the logs of finished writers into one base; a sync does this by itself when many have piled up.

    A writer is finished when its clone said so (a CI job does), or has been silent for a week.
    """
    from nootropic_bot.gitwrite import has_remote
    from nootropic_bot.state.compact import compact_local, compact_remote
    from nootropic_bot.state.sync import Sync

    with open_store() as (store, _updated):
        if has_remote(store.repo, store.settings.remote):
            with_remote = Sync(store)
            with_remote.run()
            done = compact_remote(store, with_remote)
        else:
            done = compact_local(store)
        if format_ != "text":
            show(asdict(done), format_)
        elif done.was_overtaken:
            click.echo(
                "the remote did not take the new base: another clone was quicker, or it refuses; nothing changed"
            )
        else:
            click.echo(f"folded {_plural(done.writers, 'log')}, {_plural(done.records, 'record')}, into the base")


@command.command("verify", short_help="Check every record, or replay one proof.")
@click.option("--replay", metavar="ID", help="Run the proof of this suggestion again: holds, broken or unavailable.")
@_FORMAT
def verify(replay: str | None, format_: str) -> None:
    """Check every record, or with --replay the proof of one suggestion.

    Exit code 1 when something is quarantined or damaged, or the proof is broken; 4 when it is unavailable.
    """
    with open_store() as (store, _updated):
        if replay is not None:
            sys.exit(_replay(store, replay, format_))
        sys.exit(_verify(store, format_))


def _replay(store: Store, identity: str, format_: str) -> int:
    from nootropic_bot.replaying import replay

    result = replay(store, identity)
    if format_ != "text":
        show(asdict(result), format_)
    else:
        click.echo(f"{result.answer}: {result.reason}")
        for check in result.checks:
            click.echo(f"  {check.name}: {check.status} {check.detail}".rstrip())
        for note in result.notes:
            click.echo(f"note: {note}", err=True)
    return {"holds": EXIT_CLEAN, "broken": EXIT_FINDINGS, "unavailable": EXIT_INCOMPLETE}[result.answer]


def _verify(store: Store, format_: str) -> int:
    from nootropic_bot.escape import one_line
    from nootropic_bot.state.repair import check

    report = check(store)
    if format_ != "text":
        show(asdict(report), format_)
    else:
        total = sum(report.records.values())
        kinds = ", ".join(f"{count} {kind}" for kind, count in report.records.items())
        click.echo(one_line(f"{_plural(total, 'record')} ({kinds})") if total else "nothing is recorded here yet")
        for entry in report.quarantined:
            click.echo(one_line(f"quarantined: {entry['hash'][:12]}, {entry['size']} bytes: {entry['reason']}"))
        for what, why in report.damaged.items():
            click.echo(one_line(f"damaged: {what}: {why}"))
        for note in report.notes:
            click.echo(one_line(f"note: {note}"), err=True)
        if not report.quarantined and not report.damaged:
            click.echo("every record is what its id says")
    return EXIT_FINDINGS if report.quarantined or report.damaged else EXIT_CLEAN


@command.command("export", short_help="Write all records as JSON lines or CSV.")
@click.option("--format", "format_", type=click.Choice(("jsonl", "csv")), default="jsonl", show_default=True)
@click.option("--kind", type=click.Choice(_KINDS), help="Only records of this kind.")
def export(format_: str, kind: str | None) -> None:
    """Write all records to standard output, in their order: JSON lines as they are stored, or CSV."""
    from nootropic_bot.state.exporting import to_csv, to_jsonl

    with open_store() as (store, _updated):
        try:
            # UTF-8 whatever the terminal's encoding is: these are files for machines.
            for chunk in to_csv(store.index, kind) if format_ == "csv" else to_jsonl(store.index, kind):
                sys.stdout.buffer.write(chunk.encode())
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            # `| head`: the reader has what it wanted.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


def parse_day(text: str | None) -> str | None:
    """A date of the form `YYYY-MM-DD`.

    Raises:
        UsageError: it is none.
    """
    from datetime import date

    if text is None:
        return None
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise UsageError(f"{text!r} is no date", "give it as YYYY-MM-DD") from None
