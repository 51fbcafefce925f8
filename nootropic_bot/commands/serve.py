"""`serve`: a webhook server for organisations that install the bot as a GitHub App."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nootropic_bot.errors import EnvironmentFault

if TYPE_CHECKING:
    from nootropic_bot.serve.server import Settings

_PATH = click.Path(path_type=Path)


@click.command(short_help="Serve the webhook of a GitHub App: reviews and commands, as the actions do.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0: any that is free.")
@click.option("--state-folder", type=_PATH, help="For clones and the queue.  [default: in the user's state folder]")
@click.option("--secret-file", type=_PATH, help="The webhook's secret.  [default: NOOTROPIC_WEBHOOK_SECRET]")
@click.option("--app-id", metavar="ID", help="The app's id.  [default: NOOTROPIC_APP_ID]")
@click.option("--key-file", type=_PATH, help="The app's private key (PEM).  [default: NOOTROPIC_APP_KEY]")
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="Reviews at once.")
@click.option("--queue", type=click.IntRange(1, 100_000), default=500, show_default=True, help="What waits at most.")
@click.option(
    "--time-limit", type=click.FloatRange(1, 86_400), default=900, show_default=True, help="Seconds for an analysis."
)
@click.option(
    "--grace", type=click.FloatRange(0, 3_600), default=30, show_default=True, help="Seconds for reviews at the end."
)
def command(
    host: str,
    port: int,
    state_folder: Path | None,
    secret_file: Path | None,
    app_id: str | None,
    key_file: Path | None,
    workers: int,
    queue: int,
    time_limit: float,
    grace: float,
) -> None:
    """Serve the webhook of a GitHub App at /webhook: pull requests are reviewed, commands in comments carried out.

    Secrets come from files or the environment. Without an app, GITHUB_TOKEN and GITHUB_REPOSITORY serve one repository.
    GITHUB_API_URL and GITHUB_SERVER_URL name a GitHub of one's own. SIGTERM ends it; what is left is done at the next
    start. docs/webhook-server.md says how to install it.
    """
    try:
        from nootropic_bot.serve.server import Settings
    except ImportError as error:
        remedy = "pip install 'nootropic-bot[serve]'"
        raise EnvironmentFault(f"the server needs {error.name}, which is not installed", remedy) from error
    from nootropic_bot.github.runner import Runner
    from nootropic_bot.serve.settings import credentials, state_home, webhook_secret

    runner = Runner.from_environment(os.environ)
    settings = Settings(
        folder=(state_folder or state_home(os.environ)).absolute(),
        secret=webhook_secret(os.environ, secret_file),
        credentials=credentials(os.environ, runner, app_id, key_file),
        runner=runner,
        workers=workers,
        max_queued=queue,
        time_limit=time_limit,
        grace=grace,
    )
    threading.excepthook = _explain
    _serve(settings, host, port)


def _serve(settings: Settings, host: str, port: int) -> None:
    from nootropic_bot.serve.server import bind, open_door, serve

    with contextlib.closing(bind(host, port)) as listener, open_door(settings, _log) as door:
        name = f"[{host}]" if ":" in host else host
        _log(f"listening on http://{name}:{listener.getsockname()[1]}/webhook")
        # It gives the signal on when it has ended; here that is the end as it should be.
        with contextlib.suppress(KeyboardInterrupt):
            serve(door).run(sockets=[listener])


def _log(line: str) -> None:
    """One line on standard error; the journal or the container adds the time."""
    click.echo(line, err=True)


def _explain(failed: threading.ExceptHookArgs) -> None:
    """A bug ends the piece of work that it is in; it leaves a crash log, as everywhere."""
    from nootropic_bot.crash import write_crash_log

    if failed.exc_value is not None:
        _log(write_crash_log(failed.exc_value))
