"""Where `models` runs: in a repository with its configuration and `nootropic.lock`, or outside; and writing both."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from nootropic_bot.cachefile import write_atomically
from nootropic_bot.commands.state import show
from nootropic_bot.config import Config
from nootropic_bot.constants import CONFIG_FILE, PYPROJECT_FILE, PYPROJECT_TABLE
from nootropic_bot.errors import EnvironmentFault, UsageError
from nootropic_bot.escape import one_line
from nootropic_bot.git import Repository
from nootropic_bot.models.base import Unavailable
from nootropic_bot.models.lock import LOCK_FILE, Lock, Pin, locate, parse, pin_of, render
from nootropic_bot.models.order import order_line, with_order
from nootropic_bot.models.registry import BUNDLED, Installed, builtin, cache_home, known_entries, models_home
from nootropic_bot.resources import read_toml
from nootropic_bot.session import load_settings

if TYPE_CHECKING:
    from nootropic_bot.models.registry import Entry


@dataclass(frozen=True, slots=True)
class Place:
    """Where the command runs: in a repository with its configuration and lock, or outside of any."""

    home: Path
    cache: Path
    repo: Repository | None
    config: Config
    lock: Lock | None

    @classmethod
    def here(cls, *, needs_repository: bool = False) -> Place:
        """The place around the current folder.

        Raises:
            UsageError: the configuration or the lock is wrong, or there is no repository and one is needed.
        """
        home, cache = models_home(os.environ), cache_home(os.environ)
        try:
            repo = Repository.open(Path.cwd())
        except UsageError:
            if needs_repository:
                raise
            return cls(home, cache, None, Config(), None)
        path = repo.top / LOCK_FILE
        lock = parse(path.read_bytes()) if path.is_file() and not path.is_symlink() else None
        return cls(home, cache, repo, load_settings(repo), lock)

    def known(self, name: str) -> Entry:
        """The entry of a name.

        Raises:
            UsageError: there is no such model.
        """
        known = known_entries(self.home)
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            remedy = f"perhaps you meant {close[0]}" if close else "see `nootropic-bot models list`"
            raise UsageError(f"there is no model {name!r}", remedy)
        return known[name]


def entry_to_pull(place: Place, what: str, name: str | None, sha256: str | None) -> Entry:
    """The entry that `pull` is asked for: a name, or an address, with the hash that must come out.

    Raises:
        UsageError: no such name, no such address, or two sources of the hash that contradict each other.
    """
    from nootropic_bot.models.pull import entry_of, parse_sha256

    wanted = parse_sha256(sha256)
    ours = {entry.name for entry in builtin()}
    if "://" in what or what.startswith("hf:"):
        entry = entry_of(what, name, wanted)
        if entry.name in ours:
            raise UsageError(f"{entry.name} is the name of another model", "choose one with --name")
        return entry
    if name is not None:
        raise UsageError("--name needs a URL")
    pin = place.lock.now.pin(what) if place.lock else None
    entry = _entry_of_pin(pin) if pin and pin.url and what not in ours else place.known(what)
    if entry.name == BUNDLED or not entry.url:
        raise UsageError("the bundled model comes with the package", "install nootropic-bot again if it is missing")
    for source, digest in (("nootropic.lock", pin.sha256 if pin else None), ("the registry", entry.sha256)):
        if digest and wanted and digest != wanted:
            raise UsageError(f"{source} says that the SHA-256 of {what} is {digest}", "leave out --sha256")
    if pin and entry.sha256 and pin.sha256 != entry.sha256:
        raise UsageError(
            f"nootropic.lock wants {what} with SHA-256 {pin.sha256[:12]}…, the registry knows {entry.sha256[:12]}…",
            f"install the version of nootropic-bot that wrote the lock, or pin this one: `models use {what}`",
        )
    size = pin.size if pin else entry.size_bytes if entry.sha256 else 0
    return replace(entry, sha256=entry.sha256 or (pin.sha256 if pin else wanted), size_bytes=size)


def _entry_of_pin(pin: Pin) -> Entry:
    from nootropic_bot.models.pull import entry_of

    return replace(entry_of(pin.url, pin.name, pin.sha256), version=pin.version)


def pins_for(place: Place, order: Sequence[str], chosen: str) -> list[Pin]:
    """A pin for each model file in the order: of the chosen one what is here now, of others what was pinned."""
    pins = []
    for name in order:
        backend = place.config.backend.get(name)
        if backend and backend.kind != "llama_cpp":
            continue
        model = backend.model or name if backend else name
        pinned = place.lock.now.pin(model) if place.lock else None
        if pinned and name != chosen:
            pins.append(pinned)
            continue
        try:
            found = locate(model, home=place.home, cache=place.cache)
        except Unavailable as error:
            if name == chosen:
                raise EnvironmentFault(str(error)) from error
            click.echo(one_line(f"note: {model} is not pinned: {error}"), err=True)
            continue
        pins.append(pin_of(Installed(found.entry, found.path, found.sha256, ""), found.sha256))
    return pins


def write_choice(place: Place, lock: Lock, format_: str, said: str) -> None:
    """Write lock and configuration, and say so. The lock first: without its place in the order it changes nothing.

    Raises:
        EnvironmentFault: they can't be written.
    """
    assert place.repo
    try:
        if lock != place.lock:
            write_atomically(place.repo.top / LOCK_FILE, render(lock).encode())
        order = _write_order(place.repo.top, lock.now.order, place.config.models.order)
    except OSError as error:
        raise EnvironmentFault(f"{place.repo.top} can't be written: {error.strerror}") from error
    if format_ != "text":
        data = {"order": list(lock.now.order), "models": [asdict(pin) for pin in lock.now.models]}
        show({**data, "changed": lock != place.lock or order != "same", "configuration": order}, format_)
        return
    click.echo(said)
    if order == "written":
        click.echo(f"written: {LOCK_FILE} and {CONFIG_FILE}; commit both")
    elif lock != place.lock:
        click.echo(f"written: {LOCK_FILE}; commit it")
    if order == "to do":
        click.echo(f"in your configuration, set in [models]: {order_line(lock.now.order)}")


def _write_order(top: Path, order: Sequence[str], before: Sequence[str]) -> Literal["same", "written", "to do"]:
    """Make the configuration say `order`; "to do" where its author must, since it takes more than one plain line."""
    if tuple(order) == tuple(before):
        return "same"
    path, project = top / CONFIG_FILE, top / PYPROJECT_FILE
    # One that does not name the bot was not read before, and need not be TOML.
    is_named = project.is_file() and PYPROJECT_TABLE.encode() in project.read_bytes()
    if not path.exists() and is_named and PYPROJECT_TABLE in read_toml(project).get("tool", {}):
        return "to do"
    if path.is_symlink():
        return "to do"
    text = path.read_bytes().decode("utf-8") if path.exists() else ""
    changed = with_order(text, order)
    if changed is None:
        return "to do"
    write_atomically(path, changed.encode())
    return "written"
