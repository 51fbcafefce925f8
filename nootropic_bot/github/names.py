"""What may stand in an address of the forge: names by pattern, so that none of them is a path, an option or a query."""

from __future__ import annotations

import re

from nootropic_bot.errors import UsageError

# An owner may be a managed user, whose name ends in an underscore and the company's short name.
_OWNER = r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}"
_REPOSITORY = re.compile(rf"{_OWNER}/(?!\.{{1,2}}\Z)[A-Za-z0-9._-]{{1,100}}")
_LOGIN = re.compile(rf"{_OWNER}(?:\[bot\])?")
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def repository_name(text: str) -> str:
    """A repository as `owner/name`.

    Raises:
        UsageError: it is none.
    """
    if _REPOSITORY.fullmatch(text) is None:
        raise UsageError(f"{text[:100]!r} is no repository", "give it as OWNER/NAME")
    return text


def is_repository_name(text: str) -> bool:
    """Whether that is a repository as `owner/name`."""
    return _REPOSITORY.fullmatch(text) is not None


def is_login(text: str) -> bool:
    """Whether that is the name of an account; an app's ends in `[bot]`."""
    return _LOGIN.fullmatch(text) is not None


def commit_id(text: str) -> str:
    """The full id of a commit.

    Raises:
        UsageError: it is none.
    """
    if _SHA.fullmatch(text) is None:
        raise UsageError(f"{text[:100]!r} is no commit id", "give all of its hexadecimal digits, in lower case")
    return text


def is_commit_id(text: str) -> bool:
    """Whether that is the full id of a commit."""
    return _SHA.fullmatch(text) is not None
