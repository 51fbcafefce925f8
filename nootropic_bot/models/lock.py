"""`nootropic.lock`: which model files this repository's configuration means, by hash. Made for diffs.

    version = 1
    order = ["qwen2.5-coder-1.5b", "bundled"]     what `models use` last chose

    [[model]]                                     one table a pinned model, in the order
    name = "qwen2.5-coder-1.5b"
    version = "q4_k_m-f86cb2c1"
    file = "…"  size = …  sha256 = "…"  url = "…"

    [[previous]]                                  what `models rollback` goes back to, the latest first, at most five
    order = ["bundled"]
    [[previous.model]]

A file that differs from its pin is refused before anything parses it (`verified.py`). Where a pull request is reviewed,
the lock of the base commit counts, as with the configuration: a pull request can't choose what is loaded.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nootropic_bot.constants import MODEL_LOCK_FILE
from nootropic_bot.errors import UsageError
from nootropic_bot.models.base import Unavailable
from nootropic_bot.models.registry import (
    BUNDLED,
    FILE_NAME,
    NAME,
    SHA256,
    Entry,
    Installed,
    builtin,
    installed_models,
)
from nootropic_bot.models.verified import verify

LOCK_FILE = MODEL_LOCK_FILE
_VERSION = 1
_MAX_PREVIOUS = 5
_HEAD = "# Written by `nootropic-bot models use`; commit it. A model file that differs from its hash is never opened.\n"


@dataclass(frozen=True, slots=True)
class Pin:
    """One model file, exactly. `url` is empty for the bundled one."""

    name: str
    version: str
    file: str
    size: int
    sha256: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """An order of backends with the pins of those that are model files."""

    order: tuple[str, ...] = ()
    models: tuple[Pin, ...] = ()

    def pin(self, name: str) -> Pin | None:
        """The pin of a model, if it has one."""
        return next((pin for pin in self.models if pin.name == name), None)


@dataclass(frozen=True, slots=True)
class Lock:
    """The whole file."""

    now: State = State()
    previous: tuple[State, ...] = ()

    def use(self, order: Sequence[str], pins: Iterable[Pin], before: Sequence[str]) -> Lock:
        """The lock after `models use`; the order that stood in the configuration `before` can be rolled back to."""
        now = State(tuple(order), tuple(pins))
        if now == self.now:
            return self
        earlier = replace(self.now, order=tuple(before))
        return Lock(now, (earlier, *self.previous)[:_MAX_PREVIOUS])

    def rollback(self) -> Lock | None:
        """The lock before the last `use`; None when there is none."""
        return Lock(self.previous[0], self.previous[1:]) if self.previous else None


@dataclass(frozen=True, slots=True)
class Located:
    """A model file that was proved to be the right one."""

    entry: Entry
    path: Path
    sha256: str


def parse(raw: bytes) -> Lock:
    """Read `nootropic.lock`.

    Raises:
        UsageError: it is damaged, or of a later version.
    """
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        data = tomllib.loads(raw.decode("utf-8"))
        if data.get("version") != _VERSION:
            remedy = "use the version of nootropic-bot that wrote it, or write it anew with `nootropic-bot models use`"
            raise UsageError(f"{LOCK_FILE} is of version {data.get('version')!r}, known is {_VERSION}", remedy)
        previous = tuple(_state(table) for table in data.get("previous", ()))
        return Lock(_state(data), previous)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        remedy = "restore it (`git checkout -- nootropic.lock`), or write it anew with `nootropic-bot models use`"
        raise UsageError(f"{LOCK_FILE} is damaged: {error}", remedy) from error


def _state(table: Mapping[str, Any]) -> State:
    order = tuple(table.get("order", ()))
    if not all(isinstance(name, str) and NAME.fullmatch(name) for name in order):
        raise ValueError("`order` holds something that is no name")
    return State(order, tuple(_pin(each) for each in table.get("model", ())))


def _pin(table: Mapping[str, Any]) -> Pin:
    pin = Pin(**table)
    texts = (pin.name, pin.version, pin.file, pin.sha256, pin.url)
    if not all(isinstance(text, str) for text in texts) or type(pin.size) is not int or pin.size <= 0:
        raise ValueError("a model's table has a value of the wrong kind")
    if not NAME.fullmatch(pin.name) or not FILE_NAME.fullmatch(pin.file) or not SHA256.fullmatch(pin.sha256):
        raise ValueError(f"the table of {pin.name!r} has a wrong name, file or hash")
    return pin


def render(lock: Lock) -> str:
    """The text of the file: the same for the same lock, whoever writes it."""
    lines = [_HEAD, f"version = {_VERSION}\n"]
    lines += _render_state(lock.now, "")
    for state in lock.previous:
        lines += ["\n[[previous]]\n", *_render_state(state, "previous.")]
    return "".join(lines)


def _render_state(state: State, prefix: str) -> list[str]:
    lines = [f"order = [{', '.join(map(_quoted, state.order))}]\n"]
    for pin in state.models:
        lines.append(f"\n[[{prefix}model]]\n")
        values = (("name", pin.name), ("version", pin.version), ("file", pin.file), ("sha256", pin.sha256))
        lines += [f"{key} = {_quoted(value)}\n" for key, value in values]
        lines.append(f"size = {pin.size}\n")
        lines += [f"url = {_quoted(pin.url)}\n"] if pin.url else []
    return lines


def _quoted(text: str) -> str:
    # A JSON string of ASCII is a TOML string, except that TOML wants DEL escaped and takes no surrogates.
    return json.dumps(text.encode("ascii", "replace").decode().replace("\x7f", "?"))


def pin_of(model: Installed, sha256: str) -> Pin:
    """The pin of an installed model whose file has this hash.

    Raises:
        OSError: the file is gone.
    """
    entry = model.entry
    return Pin(entry.name, entry.version, entry.file, model.path.stat().st_size, sha256, entry.url or "")


def locate(name: str, *, home: Path, lock: Lock | None = None, cache: Path | None = None) -> Located:
    """The file of a model, proved: what a runtime may open.

    The hash comes from the lock where it pins the model, else from the registry, else from when the file was pulled.

    Raises:
        Unavailable: it is not installed, or not the file it should be; the reason names what to do.
    """
    pin = lock.now.pin(name) if lock else None
    candidates = [model for model in installed_models(home) if model.entry.name == name]
    if not candidates:
        raise Unavailable(_not_installed(name))
    known = next((entry.sha256 for entry in builtin() if entry.name == name), None)
    wanted = pin.sha256 if pin else known
    # The bundled file has no hash of its own when nothing pins it: what it is comes out when it is read.
    fitting = [model for model in candidates if wanted is None or model.sha256 in (wanted, None)]
    if wanted and not fitting:
        raise Unavailable(_another(name, LOCK_FILE if pin else "the registry", wanted, candidates))
    model = fitting[0]
    expected = pin.sha256 if pin else model.sha256
    size = pin.size if pin else model.entry.size_bytes if model.sha256 else 0
    try:
        digest = verify(model.path, sha256=expected, size=size, cache=cache)
    except Unavailable as error:
        mend = (
            "install nootropic-bot again" if name == BUNDLED else f"`nootropic-bot models pull {name}` fetches it again"
        )
        raise Unavailable(f"{error}; {mend}") from error
    return Located(model.entry, model.path, digest)


def _another(name: str, who: str, wanted: str, here: Sequence[Installed]) -> str:
    have = ", ".join(f"{(model.sha256 or '')[:12]}…" for model in here)
    problem = f"{who} wants {name} with SHA-256 {wanted[:12]}…, here is {have}"
    if name == BUNDLED:
        return f"{problem}: install the nootropic-bot that wrote it, or `nootropic-bot models use {name}` pins this one"
    return f"{problem}: `nootropic-bot models pull {name}` fetches the right one"


def _not_installed(name: str) -> str:
    if name == BUNDLED:
        return "the bundled model is not in this installation of nootropic-bot: install it again"
    return f"the model {name} is not installed: `nootropic-bot models pull {name}` fetches it"
