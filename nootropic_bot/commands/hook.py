"""`hook`: what pre-commit calls, and the plain hooks of `hooks/`.

It reads the staged content, never the work tree's. Files that pre-commit names although nothing of them is staged
(`--all-files`, `--files`) are reviewed whole, and `--from-ref`/`--to-ref` are reviewed as that
range: a run that looks green because nothing was staged would be a lie.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from nootropic_bot.commands.shared import clear_progress, exit_code, progress_reporter
from nootropic_bot.errors import EXIT_CLEAN, EXIT_FINDINGS, worst_exit_code

# Set by pre-commit for `--from-ref/--to-ref` and for pre-push.
_FROM, _TO = "PRE_COMMIT_FROM_REF", "PRE_COMMIT_TO_REF"


@click.command(short_help="Review what is about to be committed; what pre-commit calls.")
@click.option("--fix", is_flag=True, help="Write the proved fixes to the work tree, for you to stage.")
@click.option("--no-model", is_flag=True, help="Ask no model for fixes.")
@click.argument("files", nargs=-1, metavar="[FILE]…")
def command(fix: bool, no_model: bool, files: tuple[str, ...]) -> None:
    """Review what is about to be committed."""
    from nootropic_bot.escape import one_line
    from nootropic_bot.pipeline import review
    from nootropic_bot.recording import record
    from nootropic_bot.session import Request, open_session

    base, head = os.environ.get(_FROM), os.environ.get(_TO)
    is_range = bool(base and head)
    request = Request(
        mode="range" if is_range else "staged",
        base=base if is_range else None,
        head=head if is_range else None,
        paths=files if is_range else (),
        files=() if is_range else files,
        in_hook=True,
        use_model=not no_model,
    )
    with open_session(Path.cwd(), request) as session:
        outcome = review(session, progress_reporter())
        clear_progress()
        report = outcome.report
        remarks = (*outcome.notes, *record(outcome))
        if report.findings or not report.complete or remarks:
            from nootropic_bot.output import render

            sys.stdout.write(render(report, "text", sources=outcome.sources, stream=sys.stdout, hints=False))
        for note in remarks:
            click.echo(f"note: {one_line(note)}", err=True)
        codes = [EXIT_CLEAN]
        gone: frozenset[str] = frozenset()
        if fix:
            from nootropic_bot.applying import apply

            applied = apply(outcome)
            gone = applied.finding_ids
            if applied.paths:
                codes.append(EXIT_FINDINGS)
                click.echo(
                    f"fixed {len(gone)} in {', '.join(map(one_line, applied.paths))}; stage what you want to keep"
                )
            for path, reason in applied.skipped:
                click.echo(f"left alone: {one_line(path)}: {reason}")
        codes.append(exit_code(report, session.config.fail_on, gone))
        sys.exit(worst_exit_code(codes))
