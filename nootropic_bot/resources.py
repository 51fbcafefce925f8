"""Where the files that ship with the package are."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).resolve().parent


def rules_directory() -> Path:
    """The rule pack: inside the installed package, or beside it in a source checkout."""
    shipped = _PACKAGE / "rules"
    return shipped if shipped.is_dir() else _PACKAGE.parent / "rules"


def bundled_rules() -> Path:
    """The folder of the bundled Semgrep rules."""
    return rules_directory() / "python"


def principles_file() -> Path:
    """The named principles that rules and reports point to."""
    return rules_directory() / "principles.toml"


def own_findings_file() -> Path:
    """The findings that the critic raises itself while it decodes a file."""
    return rules_directory() / "source.toml"


def prompts_directory() -> Path:
    """What chat models are asked: `<task>/v<N>.md`, inside the installed package or beside it."""
    shipped = _PACKAGE / "prompts"
    return shipped if shipped.is_dir() else _PACKAGE.parent / "prompts"


def sample_directory() -> Path:
    """The code of `demo`: `before` and `after`."""
    return _PACKAGE / "sample"


def read_toml(path: Path) -> dict[str, Any]:
    """One of our own TOML files."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    return tomllib.loads(path.read_text(encoding="utf-8"))


@cache
def principles() -> Mapping[str, Mapping[str, str]]:
    """The named principles by id, each with `title` and `text`."""
    return read_toml(principles_file())
