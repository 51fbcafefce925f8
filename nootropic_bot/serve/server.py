"""The server as a whole: parts put together, the socket, and the way to an orderly end."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn

from nootropic_bot.errors import EnvironmentFault
from nootropic_bot.github.apps import Credentials
from nootropic_bot.github.runner import Runner
from nootropic_bot.serve.analysis import Analyst
from nootropic_bot.serve.app import Door, make_app
from nootropic_bot.serve.ledger import open_ledger
from nootropic_bot.serve.mirrors import Mirrors
from nootropic_bot.serve.pool import RETRY_SECONDS, Log, Pool
from nootropic_bot.serve.settings import sole_user
from nootropic_bot.serve.worker import Worker

# Connections at once; more are answered with 503.
_MAX_CONNECTIONS = 128
_HEADER_BYTES = 32 << 10
# How long deliveries that are being read have at the end.
_LAST_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Settings:
    """How to serve. `folder`: for clones and the ledger; `secret`: of the webhook; `runner`: where the forge is.

    `time_limit`: seconds for an analysis; `grace`: seconds for what is being done when the server is to stop.
    """

    folder: Path
    secret: bytes = field(repr=False)
    credentials: Credentials
    runner: Runner
    workers: int = 2
    max_queued: int = 500
    time_limit: float = 900.0
    grace: float = 30.0
    retry_seconds: float = RETRY_SECONDS


@contextmanager
def open_door(settings: Settings, log: Log, *, pause: Callable[[float], None] | None = None) -> Iterator[Door]:
    """Everything behind the socket, at work until the end of the context. `pause`: waits so many seconds; until the
    server stops, if nothing is said.

    Raises:
        EnvironmentFault: the folder can't be used.
        UsageError: an address is none.
    """
    stopping = threading.Event()
    mirrors = Mirrors(settings.folder, settings.runner.server_url)
    with sole_user(settings.folder), contextlib.ExitStack() as stack:
        ledger = open_ledger(settings.folder / "ledger.sqlite", settings.max_queued)
        stack.callback(ledger.close)
        mirrors.clean()
        analyst = Analyst(settings.time_limit)

        def wait(seconds: float) -> None:
            stopping.wait(seconds)

        worker = Worker(settings.credentials, settings.runner, mirrors, analyst, ledger, pause or wait, stopping.is_set)
        pool = Pool(worker, ledger, analyst, log, stopping, settings.workers, settings.retry_seconds)
        if given_up := ledger.recover():
            log(f"given up: {given_up} that ended the server each time")
        pool.wake()
        try:
            yield Door(settings.secret, ledger, pool, settings.credentials.covers, log)
        finally:
            left = pool.stop(settings.grace)
            log(f"stopped; left for the next start: {left}")


def bind(host: str, port: int) -> socket.socket:
    """A socket that is listened on; port 0 is any that is free.

    Raises:
        EnvironmentFault: it can't be had.
    """
    try:
        found = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise _unlistenable(host, port, error) from error
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
        found.listen(_MAX_CONNECTIONS)
    except OSError as error:
        found.close()
        raise _unlistenable(host, port, error) from error
    return found


def _unlistenable(host: str, port: int, error: OSError) -> EnvironmentFault:
    reason = error.strerror or "no such address"
    return EnvironmentFault(f"{host}:{port} can't be listened on: {reason}", "choose another --host or --port")


def serve(door: Door) -> uvicorn.Server:
    """A server for that door, to be run with a socket; it ends in an orderly way on SIGTERM and SIGINT."""
    config = uvicorn.Config(
        make_app(door),
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=_MAX_CONNECTIONS,
        h11_max_incomplete_event_size=_HEADER_BYTES,
        timeout_graceful_shutdown=_LAST_SECONDS,
    )
    return uvicorn.Server(config)
