"""`init`: configuration, hook stanza and workflows for a repository. What is there is kept; twice changes nothing."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from pathlib import Path

import click

from nootropic_bot.constants import CONFIG_FILE, HOME_REPOSITORY, PYPROJECT_FILE, PYPROJECT_TABLE
from nootropic_bot.errors import EnvironmentFault, UsageError

_PRE_COMMIT_FILE = ".pre-commit-config.yaml"
_CONFIG = """\
# nootropic-bot: https://pypi.org/project/nootropic-bot/
# Everything here is optional; these are the defaults.

# What is not reviewed, in .gitignore syntax.
exclude = []

# More rules of this repository: Semgrep files or folders, any language.
rules = []

# Least severity that makes a review fail: error, warning, info or never.
fail_on = "error"

[hook]
# Past this the commit hook says what it skipped.
budget_seconds = 5.0

[state]
# Reviews are recorded in refs of this repository; `nootropic-bot state sync` shares them through this remote.
record = true
remote = "origin"

# A rule can be judged differently, or switched off with a reason; it is then listed as suppressed.
# [rule.http-call-without-timeout]
# severity = "info"
#
# [rule.hardcoded-tmp-path]
# enabled = false
# reason = "this tool runs in a container of its own"
"""
_STANZA = """\
- repo: local
  hooks:
  - id: nootropic-review
    name: nootropic-bot review
    entry: nootropic-bot hook
    language: system
    types: [text]
    require_serial: true
"""


@click.command(short_help="Write configuration, hook stanza and workflows for this repository.")
@click.option("--github", is_flag=True, help="Also write the GitHub workflows that review pull requests.")
@click.option("--self-hosted", is_flag=True, help="With --github: for a private repository's own runners.")
@click.option("--shards", type=int, default=1, metavar="N", help="With --github: split the analysis into N jobs.")
@click.option("--ref", metavar="SHA", help="With --github: the commit of the actions.  [default: this version's]")
@click.option(
    "--actions",
    default=HOME_REPOSITORY,
    show_default=True,
    metavar="OWNER/NAME",
    help="With --github: the repository of the actions.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be written, write nothing.")
def command(github: bool, self_hosted: bool, shards: int, ref: str | None, actions: str, dry_run: bool) -> None:
    """Write configuration, hook stanza and workflows for this repository, and show the difference."""
    from nootropic_bot.commands.initworkflows import Wish, next_steps, wanted_workflows
    from nootropic_bot.git import Repository

    if not github and (self_hosted or shards != 1 or ref is not None or actions != HOME_REPOSITORY):
        raise UsageError("--self-hosted, --shards, --ref and --actions say how --github is meant", "add --github")
    repo = Repository.open(Path.cwd())
    wanted = {CONFIG_FILE: _wanted_config(repo.top), _PRE_COMMIT_FILE: _wanted_hooks(repo.top)}
    wish = Wish(actions, ref, self_hosted, shards)
    kept: tuple[str, ...] = ()
    if github:
        found = wanted_workflows(repo, wish)
        wanted, kept = wanted | found.files, found.kept
    changed = {name: pair for name, pair in wanted.items() if pair[0] != pair[1]}
    for name, (old, new) in changed.items():
        _show_difference(name, old, new)
    if not changed:
        click.echo("nothing was written" if kept else "nothing to do: this repository is set up")
    _tell_kept(kept)
    if not changed:
        return
    if dry_run:
        click.echo("\nnothing was written (--dry-run)")
        return
    for name, (_old, new) in changed.items():
        _write(repo.top / name, new)
    click.echo(f"\nwrote {', '.join(changed)}")
    if {CONFIG_FILE, _PRE_COMMIT_FILE} & changed.keys():
        click.echo(
            "next: `pre-commit install`, then commit as always; `nootropic-bot review --all` looks at everything"
        )
    if wanted.keys() & changed.keys() - {CONFIG_FILE, _PRE_COMMIT_FILE}:
        click.echo(next_steps(wish))


def _tell_kept(paths: Sequence[str]) -> None:
    """What these options would give otherwise, so that nobody takes it for done."""
    if paths:
        click.echo(f"\nkept as it is, though these options give something else: {', '.join(paths)}")
        click.echo("to have that written anew, delete it and run this again")


def _show_difference(name: str, old: str, new: str) -> None:
    from nootropic_bot.escape import visible

    before = f"a/{name}" if old else "/dev/null"
    for line in difflib.unified_diff(old.splitlines(), new.splitlines(), before, f"b/{name}", lineterm=""):
        color = {"+": "green", "-": "red", "@": "cyan"}.get(line[0])
        click.secho(visible(line), fg=color)


def _write(path: Path, text: str) -> None:
    from nootropic_bot.cachefile import write_atomically

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text.encode(), durable=True)
    except OSError as error:
        raise EnvironmentFault(f"{path.name} could not be written: {error.strerror}") from error


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path.name} can't be read: {error}") from error


def _wanted_config(top: Path) -> tuple[str, str]:
    old = _read(top / CONFIG_FILE)
    has_table = f"[tool.{PYPROJECT_TABLE}" in _read(top / PYPROJECT_FILE)
    return old, old if old or has_table else _CONFIG


def _wanted_hooks(top: Path) -> tuple[str, str]:
    old = _read(top / _PRE_COMMIT_FILE)
    if "nootropic-" in old:
        return old, old
    return old, _with_stanza(old) if old.strip() else f"repos:\n{_STANZA}"


def _with_stanza(old: str) -> str:
    """The file with our hook after its last repository, in the file's own indentation.

    Raises:
        UsageError: the file is not laid out in a way that can be extended safely.
    """
    lines = old.splitlines(keepends=True)
    start = next((n for n, line in enumerate(lines) if re.match(r"repos:\s*(#.*)?$", line)), None)
    if start is not None:
        end = next((n for n in range(start + 1, len(lines)) if re.match(r"[^\s#-]", lines[n])), len(lines))
        while end > start + 1 and not lines[end - 1].strip():
            end -= 1
        item = next((found for line in lines[start:end] if (found := re.match(r"( *)- ", line))), None)
        indent = item[1] if item else ""
        if not lines[end - 1].endswith("\n"):
            lines[end - 1] += "\n"
        stanza = "".join(indent + line for line in _STANZA.splitlines(keepends=True))
        new = "".join([*lines[:end], stanza, *lines[end:]])
        if _is_extended(old, new):
            return new
    raise UsageError(
        f"{_PRE_COMMIT_FILE} can't be extended safely; nothing was written", f"add this to its `repos`:\n{_STANZA}"
    )


def _is_extended(old: str, new: str) -> bool:
    """Whether the new text means the old one plus our repository, and nothing else."""
    import yaml

    try:
        before, after = yaml.safe_load(old), yaml.safe_load(new)
        ours = yaml.safe_load(_STANZA)
        return bool({**before, "repos": (before["repos"] or []) + ours} == after)
    except (yaml.YAMLError, TypeError, KeyError):
        return False
