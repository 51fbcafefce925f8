"""What the answers of the configured models depend on, told without loading any of them.

It keys what was proved before, so the warm commit hook computes it each time: the bundled model costs one `stat`, and
the registry is read only when the order names another one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from nootropic_bot.config import BackendSettings, BudgetSettings, Config

_BUNDLED = "bundled"
_FOLDER = Path(__file__).resolve().parent / "bundled"


def identity(config: Config, env: Mapping[str, str], lock: bytes | None) -> str:
    """A hash over settings, files and pins; budgets don't count, since they decide only whether one is asked."""
    parts = [repr(replace(config.models, budget=BudgetSettings())).encode(), lock or b""]
    for name in config.models.order:
        settings = config.backend.get(name, BackendSettings())
        parts += [name.encode(), repr(settings).encode(), _file_of(settings.model or name, settings, env).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _file_of(name: str, settings: BackendSettings, env: Mapping[str, str]) -> str:
    if settings.kind != "llama_cpp":
        return ""
    if name == _BUNDLED:
        files = sorted(_FOLDER.glob("*.*")) if _FOLDER.is_dir() else []
        stats = [(path.name, path.stat()) for path in files]
        return repr([(each, stat.st_size, stat.st_mtime_ns) for each, stat in stats])
    from nootropic_bot.models.registry import known_entries, models_home

    return repr(known_entries(models_home(env)).get(name))
