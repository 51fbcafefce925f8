"""The command line: a table of verbs, each loaded when it is called.

A module of `commands/` is imported only when its verb is used, so `--version` and the hook don't pay for the others.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import NoReturn

import click

from nootropic_bot import __version__
from nootropic_bot.constants import TOOL_NAME
from nootropic_bot.ending import run

# verb → (module in `commands`, one line for the overview)
_VERBS = {
    "review": ("review", "Find problems in what changed, with proved fixes."),
    "hook": ("hook", "Review what is about to be committed; what pre-commit calls."),
    "demo": ("demo", "See it work on a small repository that it makes itself."),
    "explain": ("explain", "Explain a rule, or a finding of a report."),
    "rules": ("rules", "List, explain and test rules."),
    "prompts": ("prompts", "List the prompts, and test them against a model."),
    "state": ("state", "Look at, share and check what the bot keeps in the repository."),
    "publish": ("publish", "Show a report on its pull request; the trusted half of a review."),
    "respond": ("respond", "Carry out one slash command of a comment on a pull request."),
    "serve": ("serve", "Serve the webhook of a GitHub App: reviews and commands."),
    "triage": ("triage", "Decide that findings don't count, with a reason."),
    "models": ("models", "List, fetch and choose models."),
    "init": ("init", "Write configuration, hook stanza and workflows for this repository."),
    "doctor": ("doctor", "Say what is missing on this machine, and how to mend it."),
    "completion": ("completion", "Print the completion script of a shell."),
}


class _Verbs(click.Group):
    """Loads a verb's module when it is named. `review merge` is a verb of two words."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _VERBS:
            return None
        module = importlib.import_module(f"nootropic_bot.commands.{_VERBS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(verb, text) for verb, (_module, text) in _VERBS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            raise click.UsageError(_did_you_mean(args[0]), ctx) from error


def _did_you_mean(verb: str) -> str:
    import difflib

    close = difflib.get_close_matches(verb, _VERBS, n=1)
    hint = f" Perhaps you meant `{close[0]}`." if close else f" There are: {', '.join(_VERBS)}."
    return f"There is no command `{verb}`.{hint}"


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name=TOOL_NAME)
def cli() -> None:
    """Finds problems, proposes fixes locally, and shows only fixes it has proved.

    Exit codes: 0 clean, 1 findings at or above --fail-on, 2 usage, 3 environment, 4 incomplete analysis,
    5 remote, 70 a bug (with a crash log), 130 interrupted.
    """


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit; every failure ends here, none with a traceback."""
    run(cli, args)
