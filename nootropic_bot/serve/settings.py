"""What the server must know and nobody else may: from files or the environment, never from arguments."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path

from nootropic_bot.errors import EnvironmentFault, UsageError
from nootropic_bot.github.apps import App, Credentials, OneToken
from nootropic_bot.github.runner import Runner

SECRET, APP_ID, APP_KEY = "NOOTROPIC_WEBHOOK_SECRET", "NOOTROPIC_APP_ID", "NOOTROPIC_APP_KEY"
_MAX_BYTES = 64 << 10


def take_secret(environment: MutableMapping[str, str], name: str, path: Path | None = None) -> str:
    """A secret from a file (`path`, or the one that `NAME_FILE` names) or from the variable `NAME`; "" without one.

    The variable is removed, so that no process that is started later has it.

    Raises:
        EnvironmentFault: its file can't be read.
    """
    value, named = environment.pop(name, ""), environment.get(f"{name}_FILE", "")
    source = path or (Path(named) if named else None)
    if source is None:
        return value.strip()
    try:
        with source.open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
        if len(raw) > _MAX_BYTES:
            raise EnvironmentFault(f"{source} is too large for a secret")
        return raw.decode("utf-8").strip()
    except OSError as error:
        raise EnvironmentFault(f"{source} can't be read: {error.strerror}", "see who may read it") from error
    except UnicodeDecodeError:
        raise EnvironmentFault(f"{source} is no text", "give the file as GitHub made it") from None


def webhook_secret(environment: MutableMapping[str, str], path: Path | None = None) -> bytes:
    """What GitHub signs deliveries with.

    Raises:
        EnvironmentFault: there is none; without it anybody could send deliveries (row A16).
    """
    found = take_secret(environment, SECRET, path)
    if not found:
        remedy = f"set the same one on the app's page and in {SECRET} (or --secret-file): `openssl rand -hex 32`"
        raise EnvironmentFault("there is no webhook secret", remedy)
    return found.encode("utf-8")


def credentials(
    environment: MutableMapping[str, str], runner: Runner, app_id: str | None, key_file: Path | None
) -> Credentials:
    """Who we are: an app, or whoever's token is in GITHUB_TOKEN, for the repository in GITHUB_REPOSITORY.

    Raises:
        EnvironmentFault: there is neither, or only a part of it.
    """
    key = take_secret(environment, APP_KEY, key_file)
    environment.pop("GITHUB_TOKEN", None)
    number = app_id or environment.get(APP_ID, "")
    if number and key:
        return App(runner.api_url, number, key)
    if number or key:
        missing, remedy = ("private key", f"--key-file or {APP_KEY}") if number else ("id", f"--app-id or {APP_ID}")
        raise EnvironmentFault(f"the app's {missing} is missing", f"give it with {remedy}")
    if runner.token and runner.repository:
        return OneToken(runner.repository, runner.token)
    remedy = f"set {APP_ID} and {APP_KEY}; or GITHUB_TOKEN and GITHUB_REPOSITORY, for one repository"
    raise EnvironmentFault("there is nothing to ask GitHub with", remedy)


def state_home(environment: MutableMapping[str, str]) -> Path:
    """Where the server keeps its files unless told otherwise: `nootropic-bot/serve` in the user's state folder.

    Raises:
        UsageError: this user has no such folder.
    """
    given = environment.get("XDG_STATE_HOME", "")
    home = environment.get("HOME", "")
    if not given.startswith("/") and not home:
        raise UsageError("this user has no home folder", "say where with --state-folder")
    base = Path(given) if given.startswith("/") else Path(home) / ".local" / "state"
    return base / "nootropic-bot" / "serve"


@contextmanager
def sole_user(folder: Path) -> Iterator[None]:
    """Keep other servers out of a state folder, which is made if it is not there.

    Raises:
        EnvironmentFault: there is another one, or the folder can't be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise EnvironmentFault(
            f"{folder} can't be written: {error.strerror}", "choose another: --state-folder"
        ) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        remedy = "one server does the work of all; give another a folder of its own: --state-folder"
        raise EnvironmentFault(f"another server uses {folder}", remedy) from None
    finally:
        os.close(handle)
