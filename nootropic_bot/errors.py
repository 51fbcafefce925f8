"""What can go wrong, one exit code for each kind.

    NootropicError
    ├── UsageError          2    the command line, the configuration or a rule file is wrong
    ├── EnvironmentFault    3    something this machine lacks: git, the engine, disk space, permissions
    ├── IncompleteError     4    the analysis of an in-scope file did not finish
    └── RemoteError         5    a server refused or could not be reached
                           70    a bug: anything else, with a crash log
                          130    interrupted

The message says what happened; `remedy` says what the reader can do about it.
When several apply, the order is 70 > 3 > 5 > 4 > 1 (see `worst_exit_code`).
"""

from __future__ import annotations

from collections.abc import Iterable

EXIT_CLEAN = 0
EXIT_FINDINGS = 1
EXIT_USAGE = 2
EXIT_ENVIRONMENT = 3
EXIT_INCOMPLETE = 4
EXIT_REMOTE = 5
EXIT_BUG = 70
EXIT_INTERRUPTED = 130

_PRECEDENCE = (EXIT_BUG, EXIT_ENVIRONMENT, EXIT_REMOTE, EXIT_INCOMPLETE, EXIT_FINDINGS, EXIT_CLEAN)


class NootropicError(Exception):
    """A failure that the user can understand; never shown with a traceback."""

    exit_code = EXIT_BUG

    def __init__(self, message: str, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class UsageError(NootropicError):
    """The command line, the configuration or a rule file is wrong."""

    exit_code = EXIT_USAGE


class EnvironmentFault(NootropicError):
    """This machine lacks something: a program, disk space, a permission."""

    exit_code = EXIT_ENVIRONMENT


class IncompleteError(NootropicError):
    """The analysis of something in scope did not finish."""

    exit_code = EXIT_INCOMPLETE


class RemoteError(NootropicError):
    """A server refused or could not be reached."""

    exit_code = EXIT_REMOTE


def worst_exit_code(codes: Iterable[int]) -> int:
    """The one code to exit with when several apply."""
    present = set(codes)
    return next((code for code in _PRECEDENCE if code in present), EXIT_CLEAN)
