"""What a runner of GitHub Actions tells a step, and where the step says what came of it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from nootropic_bot.constants import LOOPBACK
from nootropic_bot.errors import EnvironmentFault, UsageError
from nootropic_bot.github.names import repository_name

DEFAULT_API = "https://api.github.com"
DEFAULT_SERVER = "https://github.com"
# GitHub takes 1,024 KiB of each step.
_SUMMARY_BYTES = 1_000_000
_TOO_LONG = "\n\n… and more than a job summary holds.\n"


@dataclass(frozen=True, slots=True)
class Runner:
    """The environment of a step. `token` is never shown; texts are "" and paths None where the runner says nothing."""

    token: str = field(default="", repr=False)
    api_url: str = DEFAULT_API
    server_url: str = DEFAULT_SERVER
    repository: str = ""
    run_id: str = ""
    event_name: str = ""
    event_path: Path | None = None
    summary_path: Path | None = None
    output_path: Path | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Runner:
        """The runner that these variables describe; an empty one counts as missing.

        Raises:
            UsageError: the address of the API is not safe to send a token to, or the repository is none.
        """

        def path(name: str) -> Path | None:
            return Path(environment[name]) if environment.get(name) else None

        repository = environment.get("GITHUB_REPOSITORY", "")
        return cls(
            token=environment.get("GITHUB_TOKEN", "").strip(),
            api_url=check_api_url(environment.get("GITHUB_API_URL") or DEFAULT_API),
            server_url=(environment.get("GITHUB_SERVER_URL") or DEFAULT_SERVER).rstrip("/"),
            repository=repository_name(repository) if repository else "",
            run_id=environment.get("GITHUB_RUN_ID", ""),
            event_name=environment.get("GITHUB_EVENT_NAME", ""),
            event_path=path("GITHUB_EVENT_PATH"),
            summary_path=path("GITHUB_STEP_SUMMARY"),
            output_path=path("GITHUB_OUTPUT"),
        )

    def add_summary(self, text: str) -> bool:
        """Append Markdown to the job's summary, as much as one holds; False where there is none.

        Raises:
            EnvironmentFault: its file can't be written.
        """
        if self.summary_path is None:
            return False
        raw = f"{text}\n".encode("utf-8", "backslashreplace")
        if len(raw) > _SUMMARY_BYTES:
            raw = raw[:_SUMMARY_BYTES].decode("utf-8", "ignore").encode() + _TOO_LONG.encode()
        _append(self.summary_path, raw)
        return True

    def add_outputs(self, outputs: Mapping[str, str]) -> bool:
        """Say the step's outputs; False where there is no file for them.

        Each stands between delimiters that nobody can guess, so no value can set another (row A4).

        Raises:
            EnvironmentFault: their file can't be written.
        """
        if self.output_path is None:
            return False
        parts = []
        for name, value in outputs.items():
            delimiter = f"end-{secrets.token_hex(16)}"
            parts.append(f"{name}<<{delimiter}\n{value}\n{delimiter}\n")
        _append(self.output_path, "".join(parts).encode("utf-8", "backslashreplace"))
        return True


def check_api_url(url: str) -> str:
    """An address that a token may be sent to: `https`, or `http` to this machine itself.

    Raises:
        UsageError: it is none.
    """
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError("GITHUB_API_URL is no address") from error
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise UsageError("GITHUB_API_URL holds more than an address", f"for example {DEFAULT_API}")
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)):
        raise UsageError(
            "GITHUB_API_URL is not encrypted", f"give one that begins with https://, such as {DEFAULT_API}"
        )
    return url.rstrip("/")


def _append(path: Path, raw: bytes) -> None:
    try:
        with path.open("ab") as file:
            file.write(raw)
    except OSError as error:
        raise EnvironmentFault(f"{path.name} of the runner can't be written: {error.strerror}") from error
