"""The command line: a table of verbs, each loaded when it is called, and the one place that catches everything.

A module of `commands/` is imported only when its verb is used, so `--version` and the hook don't pay for the others.
"""

from __future__ import annotations

import errno
import importlib
import os
import signal
import sys
import warnings
from collections.abc import Sequence
from typing import NoReturn

import click

from nootropic_bot import __version__
from nootropic_bot.constants import TOOL_NAME
from nootropic_bot.errors import (
    EXIT_BUG,
    EXIT_ENVIRONMENT,
    EXIT_INTERRUPTED,
    EXIT_USAGE,
    EnvironmentFault,
    NootropicError,
)

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

_DISK_TROUBLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


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
    _end_like_ctrl_c()
    _overhear_no_code()
    try:
        cli.main(args=None if args is None else list(args), prog_name=TOOL_NAME, standalone_mode=False)
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else EXIT_BUG
    except click.exceptions.Exit as stop:
        code = stop.exit_code
    except click.ClickException as error:
        error.show()
        code = EXIT_USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted; nothing was changed half-way", err=True)
        code = EXIT_INTERRUPTED
    except NootropicError as error:
        _show(error)
        code = error.exit_code
    except Exception as error:  # noqa: BLE001  The only place that catches everything; a bug leaves a log and its own exit code.
        code = _explain(error)
    sys.exit(_flush(code))


def _end_like_ctrl_c() -> None:
    """Let a cancelled job (SIGTERM) or a closed terminal (SIGHUP) clean up, too: children and temporary files go."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)


def _overhear_no_code() -> None:
    """Python warns of what it parses (`"\\d"`, `x is 1`); of the code under review that is not ours to say."""
    warnings.filterwarnings("ignore", category=SyntaxWarning)
    warnings.filterwarnings("ignore", message="invalid (escape sequence|octal escape|decimal literal)")


def _explain(error: Exception) -> int:
    if isinstance(error, OSError) and error.errno in _DISK_TROUBLE:
        fault = EnvironmentFault(f"the output could not be written: {error.strerror}")
        _show(fault)
        return fault.exit_code
    from nootropic_bot.crash import write_crash_log

    click.echo(write_crash_log(error), err=True)
    return EXIT_BUG


def _flush(code: int) -> int:
    """Write out what is still held back: the interpreter's own last flush would change the exit code to 120."""
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        # The reader of our output went away (`| head`): not our failure, and nothing more can be said there.
        was_said = isinstance(error, BrokenPipeError) or code == EXIT_ENVIRONMENT
        return code if was_said else _explain(error)
    return code


def _show(error: NootropicError) -> None:
    from nootropic_bot.escape import visible

    click.echo(f"{click.style('error', fg='red', bold=True)}: {visible(error.message)}", err=True)
    if error.remedy:
        click.echo(f"  → {visible(error.remedy)}", err=True)
