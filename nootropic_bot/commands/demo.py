"""`demo`: the main job on a small repository of realistic code, made on the spot."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import click

from nootropic_bot.commands.shared import clear_progress, progress_reporter
from nootropic_bot.errors import EnvironmentFault, UsageError


@click.command(short_help="See it work on a small repository that it makes itself.")
@click.option("--keep", metavar="DIR", help="Make the repository here and keep it, to play with.")
@click.option("--format", "format_", type=click.Choice(("text", "json", "yaml", "sarif", "markdown")), default="text")
def command(keep: str | None, format_: str) -> None:
    """Make a repository of two commits, and review the last one."""
    if keep is not None:
        folder = Path(keep).absolute()
        if folder.exists() and any(folder.iterdir()):
            raise UsageError(f"{keep} is not empty", "name a new folder")
        _run(folder, format_)
        click.echo(f"\nThe repository is in {keep}. Try there: nootropic-bot review --base HEAD~1 --apply", err=True)
        return
    with tempfile.TemporaryDirectory(prefix="nootropic-demo-") as scratch:
        _run(Path(scratch) / "orders", format_)


def _run(folder: Path, format_: str) -> None:
    from nootropic_bot.output import render
    from nootropic_bot.pipeline import review
    from nootropic_bot.session import Request, open_session

    _make_repository(folder)
    if format_ == "text":
        click.echo("A small service, its last commit just made. What a review of that commit says:\n")
    with open_session(folder, Request(mode="range", base="HEAD~1")) as session:
        outcome = review(session, progress_reporter())
        clear_progress()
        sys.stdout.write(render(outcome.report, format_, sources=outcome.sources, stream=sys.stdout))
    if outcome.report.summary.verified_suggestions == 0:
        raise EnvironmentFault("the demo proved no fix, so something is wrong here", "run `nootropic-bot doctor`")


def _make_repository(folder: Path) -> None:
    """Two commits with GitPython: the service as it was, and a feature written in a hurry."""
    from git import Actor, Repo

    from nootropic_bot.git import without_git_variables
    from nootropic_bot.resources import sample_directory

    author = Actor("Demo", "demo@example.invalid")
    with without_git_variables():
        folder.mkdir(parents=True, exist_ok=True)
        with Repo.init(folder, initial_branch="main") as repo:
            for stage, message in (("before", "Orders service"), ("after", "Import orders from partners")):
                shutil.copytree(sample_directory() / stage, folder, dirs_exist_ok=True)
                repo.git.add(all=True)
                repo.index.commit(message, author=author, committer=author, skip_hooks=True)
