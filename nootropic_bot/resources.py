"""Where the files that ship with the package are."""

from __future__ import annotations

from pathlib import Path

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
