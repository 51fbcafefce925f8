"""How a command of ours ends: the one place that catches everything, and turns it into a message and an exit code."""

from __future__ import annotations

import errno
import os
import signal
import sys
import warnings
from collections.abc import Sequence
from typing import NoReturn

import click

from nootropic_bot.constants import TOOL_NAME
from nootropic_bot.errors import (
    EXIT_BUG,
    EXIT_ENVIRONMENT,
    EXIT_INTERRUPTED,
    EXIT_USAGE,
    EnvironmentFault,
    NootropicError,
)

_DISK_TROUBLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


def run(command: click.Command, args: Sequence[str] | None = None, *, name: str = TOOL_NAME) -> NoReturn:
    """Run a command line and exit; every failure ends here, none with a traceback."""
    _end_like_ctrl_c()
    _overhear_no_code()
    try:
        command.main(args=None if args is None else list(args), prog_name=name, standalone_mode=False)
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
