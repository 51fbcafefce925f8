"""`review`: find, fix and prove, over what changed or over everything; `review merge`: join the reports of shards."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any

import click

from nootropic_bot.commands.shared import clear_progress, exit_code, parse_shard, progress_reporter
from nootropic_bot.config import FailOn
from nootropic_bot.errors import UsageError

_FORMATS = ("text", "json", "yaml", "sarif", "markdown")
# What the run would record, for a job that may share it (`publish`).
_RECORDS = "records"
_FAIL_ON = ("error", "warning", "info", "never")


class _ReviewCommand(click.Command):
    """`review merge REPORT…` is a command of its own; a folder called `merge` is written `./merge`."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        if args[:1] == ["merge"]:
            return merge.make_context("review merge", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


@click.command(cls=_ReviewCommand, short_help="Find problems in what changed, with proved fixes.")
@click.argument("paths", nargs=-1, metavar="[PATH]…")
@click.option("--base", metavar="REV", help="Review what --head changed since it parted from this revision.")
@click.option("--head", metavar="REV", help="The revision to review with --base.  [default: HEAD]")
@click.option("--staged", is_flag=True, help="Review what is staged for the next commit.")
@click.option("--worktree", is_flag=True, help="Review all uncommitted changes.  [default]")
@click.option("--all", "everything", is_flag=True, help="Review every file of the work tree.")
@click.option("--rules", multiple=True, metavar="PATH", help="More rules: a Semgrep file or folder. Repeatable.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="Leave out (.gitignore syntax). Repeatable.")
@click.option("--format", "format_", type=click.Choice(_FORMATS), default="text", show_default=True)
@click.option(
    "--output",
    multiple=True,
    metavar="FORMAT=PATH",
    help="Write the report to a file too; `records`: what is recorded, for `publish`. Repeatable.",
)
@click.option("--apply", "write", is_flag=True, help="Write the proved fixes to the work tree.")
@click.option(
    "--unproved", is_flag=True, help="Also show fixes that are not proved, or of which the model is not sure."
)
@click.option("--no-model", is_flag=True, help="Ask no model for fixes.")
@click.option("--fail-on", type=click.Choice(_FAIL_ON), help="Least severity for exit code 1.  [default: error]")
@click.option("--shard", metavar="I/N", help="Review one part of N, to be joined by `review merge`.")
@click.option(
    "--pull-request",
    type=click.IntRange(1),
    envvar="NOOTROPIC_PULL_REQUEST",
    metavar="N",
    help="Record the findings under this pull request.",
)
@click.option("--show-all", is_flag=True, help="Show findings outside the change as well (text).")
def command(
    paths: tuple[str, ...],
    base: str | None,
    head: str | None,
    staged: bool,
    worktree: bool,
    everything: bool,
    rules: tuple[str, ...],
    exclude: tuple[str, ...],
    format_: str,
    output: tuple[str, ...],
    write: bool,
    unproved: bool,
    no_model: bool,
    fail_on: FailOn | None,
    shard: str | None,
    pull_request: int | None,
    show_all: bool,
) -> None:
    """Find problems in what changed, propose fixes, and show only fixes that were proved.

    `review merge REPORT…` joins the JSON reports of all shards into one.
    """
    from nootropic_bot.escape import one_line
    from nootropic_bot.output import parse_targets, render, write_output
    from nootropic_bot.pipeline import review
    from nootropic_bot.recording import hand_over, record
    from nootropic_bot.session import Request, open_session

    chosen = [name for name, on in (("--base", base is not None), ("--staged", staged), ("--worktree", worktree)) if on]
    chosen += ["--all"] if everything else []
    if len(chosen) > 1:
        raise UsageError(f"{' and '.join(chosen)} exclude each other")
    if head is not None and base is None:
        raise UsageError("--head needs --base", "give the revision to compare with, for example `--base origin/main`")
    mode = {"--base": "range", "--staged": "staged", "--all": "all"}.get(chosen[0] if chosen else "", "worktree")
    targets = parse_targets(output, also=(_RECORDS,))
    request = Request(
        mode=mode,  # type: ignore[arg-type]
        base=base,
        head=head,
        paths=paths,
        rules=rules,
        exclude=exclude,
        shard=parse_shard(shard),
        unproved=unproved,
        use_model=not no_model,
        pull_request=pull_request,
    )
    with open_session(Path.cwd(), request) as session:
        outcome = review(session, progress_reporter())
        clear_progress()
        records = hand_over(outcome) if any(name == _RECORDS for name, _path in targets) else ""
        # Before anything is shown: what a person has seen has been recorded.
        remarks = (*outcome.notes, *record(outcome))
        show = partial(render, outcome.report, sources=outcome.sources, rules=session.rules.by_id)
        for target_format, path in targets:
            write_output(path, records if target_format == _RECORDS else show(target_format))
        sys.stdout.write(show(format_, stream=sys.stdout, show_all=show_all, hints=not write))
        for note in remarks:
            click.echo(f"note: {one_line(note)}", err=True)
        gone: frozenset[str] = frozenset()
        if write:
            gone = _write_fixes(outcome)
        sys.exit(exit_code(outcome.report, fail_on or session.config.fail_on, gone))


def _write_fixes(outcome: Any) -> frozenset[str]:
    from nootropic_bot.applying import apply
    from nootropic_bot.escape import one_line

    applied = apply(outcome)
    count = len(applied.finding_ids)
    files = len(applied.paths)
    if count:
        click.echo(f"wrote {count} fix{'es' * (count != 1)} to {files} file{'s' * (files != 1)}", err=True)
    else:
        click.echo("no proved fix to write", err=True)
    for path, reason in applied.skipped:
        click.echo(f"left alone: {one_line(path)}: {reason}", err=True)
    return applied.finding_ids


@click.command("merge", short_help="Join the JSON reports of all shards.")
@click.argument("reports", nargs=-1, required=True, metavar="REPORT…")
@click.option("--format", "format_", type=click.Choice(_FORMATS), default="json", show_default=True)
@click.option("--output", multiple=True, metavar="FORMAT=PATH", help="Write the report to a file too. Repeatable.")
@click.option("--fail-on", type=click.Choice(_FAIL_ON), default="error", show_default=True)
def merge(reports: tuple[str, ...], format_: str, output: tuple[str, ...], fail_on: FailOn) -> None:
    """Join the JSON reports of all shards of one run into the report that one run would have given.

    A shard that left no report is named in it, and the exit code is 4: nothing is known of its files.
    """
    from nootropic_bot.output import parse_targets, render, write_output
    from nootropic_bot.reports import from_json
    from nootropic_bot.reports import merge as merge_reports

    targets = parse_targets(output)
    read = []
    for name in reports:
        try:
            read.append(from_json(Path(name).read_bytes(), name))
        except OSError as error:
            raise UsageError(f"the report {name} can't be read: {error.strerror}") from error
    merged = merge_reports(read)
    for target_format, path in targets:
        write_output(path, render(merged, target_format, sources={}))
    sys.stdout.write(render(merged, format_, sources={}, stream=sys.stdout))
    sys.exit(exit_code(merged, fail_on))
