"""The models that are known by name, and where model files lie on this machine.

    <home>/<sha256>/<file>           an installed model; the folder's name is the hash that was proved when it came
    <home>/<sha256>/NAME.entry.json  what it is and where it came from, one for each name that it was pulled under
                                     (`entry.json` of earlier versions is read, too)
    <home>/partial/                  downloads under way (`download.py`)

`home` is `$NOOTROPIC_MODELS`, else `nootropic-bot/models` in the user's cache (`$XDG_CACHE_HOME`, `~/.cache`). The
bundled model lies in the package. Deleting any of it loses nothing that can't be fetched again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from nootropic_bot.cachefile import read_cached, write_atomically
from nootropic_bot.errors import EnvironmentFault, UsageError
from nootropic_bot.resources import read_toml

Kind = Literal["fixer", "chat", "completion"]

BUNDLED = "bundled"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}\.gguf")
SHA256 = re.compile(r"[0-9a-f]{64}")

_PACKAGE = Path(__file__).resolve().parent
_KINDS = ("fixer", "chat", "completion")


@dataclass(frozen=True, slots=True)
class Entry:
    """One model file.

    `size_bytes` is exact where `sha256` is known, else about right, 0 where nobody knows. `url` is None for the bundled
    model. `chat_format` names one of our own templates (`models/chat.py`). `parameters`, `humaneval` (published, per
    cent), `context` (tokens), `layers`, `kv_heads` and `head_size` are 0 where unknown.
    """

    name: str
    version: str
    kind: Kind
    file: str
    size_bytes: int = 0
    quantization: str = ""
    parameters: int = 0
    humaneval: float = 0.0
    context: int = 0
    licence: str = ""
    licence_note: str = ""
    url: str | None = None
    sha256: str | None = None
    chat_format: str = ""
    layers: int = 0
    kv_heads: int = 0
    head_size: int = 0

    @property
    def full_name(self) -> str:
        """`name@version`, as it stands in suggestions and records."""
        return f"{self.name}@{self.version}"


@dataclass(frozen=True, slots=True)
class Installed:
    """A model whose file is here. `sha256` was proved when it came; None: the bundled file, when nothing pins it."""

    entry: Entry
    path: Path
    sha256: str | None
    origin: str
    on_first_use: bool = False


def builtin() -> tuple[Entry, ...]:
    """The entries of `registry.toml`, in its order."""
    return tuple(Entry(**table) for table in read_toml(_PACKAGE / "registry.toml")["model"])


def cache_home(env: Mapping[str, str]) -> Path:
    """The bot's folder in the user's cache.

    Raises:
        EnvironmentFault: the user has no home.
    """
    given = env.get("XDG_CACHE_HOME", "")
    try:
        # The XDG specification: a relative path is to be ignored.
        base = Path(given) if given.startswith("/") else Path(env.get("HOME") or Path.home()) / ".cache"
    except RuntimeError as error:
        raise EnvironmentFault("this user has no home folder", "set HOME, or XDG_CACHE_HOME") from error
    return base / "nootropic-bot"


def models_home(env: Mapping[str, str]) -> Path:
    """Where model files lie.

    Raises:
        UsageError: NOOTROPIC_MODELS names the home of a user that is not there.
        EnvironmentFault: the user has no home.
    """
    given = env.get("NOOTROPIC_MODELS")
    try:
        return Path(given).expanduser().absolute() if given else cache_home(env) / "models"
    except RuntimeError as error:
        raise UsageError(
            f"NOOTROPIC_MODELS is {given!r}: there is no such user", "give the folder's full path"
        ) from error


def installed_models(home: Path, bundled_folder: Path = _PACKAGE / "bundled") -> tuple[Installed, ...]:
    """Every model whose file is here, by name, of one name the latest first. Their bytes are not looked at."""
    found = [(0, model) for model in _bundled(bundled_folder)]
    pulled: dict[tuple[Path, str], tuple[int, Installed]] = {}
    for card in (*home.glob("*/entry.json"), *home.glob("*/*.entry.json")):
        model = _read_card(card)
        if model is not None:
            pulled[card.parent, model.entry.name] = -card.stat().st_mtime_ns, model
    found += pulled.values()
    return tuple(model for _age, model in sorted(found, key=lambda each: (each[1].entry.name, each[0])))


def known_entries(home: Path) -> dict[str, Entry]:
    """All names that `models` answers to: the built-in ones, and what the user pulled under a name of his own."""
    known = {entry.name: entry for entry in builtin()}
    for model in installed_models(home):
        known.setdefault(model.entry.name, model.entry)
    return known


def write_card(folder: Path, entry: Entry, origin: str, *, on_first_use: bool) -> None:
    """Say what the file in `folder` is; from then on it is installed under the entry's name, beside any others.

    Raises:
        OSError: it could not be written.
    """
    card = {"entry": asdict(entry), "origin": origin, "on_first_use": on_first_use}
    write_atomically(
        folder / f"{entry.name}.entry.json", json.dumps(card, indent=2, sort_keys=True).encode() + b"\n", durable=True
    )


def _bundled(folder: Path) -> list[Installed]:
    entry = next(entry for entry in builtin() if entry.name == BUNDLED)
    path = folder / entry.file
    if not path.is_file():
        return []
    if entry.sha256 is None:
        entry = replace(entry, size_bytes=path.stat().st_size)
    return [Installed(entry, path, entry.sha256, "the package")]


def _read_card(card: Path) -> Installed | None:
    """What `write_card` wrote, or None: a damaged card means "not installed", never a crash."""
    data = read_cached(card)
    sha256 = card.parent.name
    if not isinstance(data, dict) or not SHA256.fullmatch(sha256):
        return None
    entry = entry_from(data.get("entry"))
    if entry is None or entry.sha256 != sha256 or not (card.parent / entry.file).is_file():
        return None
    if card.name not in ("entry.json", f"{entry.name}.entry.json"):
        return None
    on_first_use = data.get("on_first_use") is True
    return Installed(entry, card.parent / entry.file, sha256, str(data.get("origin", "")), on_first_use)


def entry_from(data: Any) -> Entry | None:
    """An entry from JSON that may hold anything; None where it is none."""
    if not isinstance(data, dict) or not {"name", "version", "kind", "file"} <= set(data):
        return None
    given = {field.name: data[field.name] for field in fields(Entry) if field.name in data}
    numbers = ("size_bytes", "parameters", "context", "layers", "kv_heads", "head_size")
    if any(type(given[key]) is not int or given[key] < 0 for key in numbers if key in given):
        return None
    humaneval = given.get("humaneval", 0.0)
    if not isinstance(humaneval, (int, float)) or not 0 <= humaneval <= 100:
        return None
    texts = {key: value for key, value in given.items() if key not in (*numbers, "humaneval")}
    if not all(isinstance(value, str) or (value is None and key in ("url", "sha256")) for key, value in texts.items()):
        return None
    if not NAME.fullmatch(str(given["name"])) or not FILE_NAME.fullmatch(str(given["file"])):
        return None
    return Entry(**given) if given["kind"] in _KINDS else None
