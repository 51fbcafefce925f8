"""`models list|probe|pull|use|rollback|bench`: which models there are, which suits this machine, which one is used."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import click

from nootropic_bot.commands.modelplace import Place, entry_to_pull, pins_for, write_choice
from nootropic_bot.commands.shared import clear_progress, progress_reporter
from nootropic_bot.commands.state import show
from nootropic_bot.errors import EnvironmentFault, UsageError
from nootropic_bot.escape import one_line

_FORMAT = click.option(
    "--format", "format_", type=click.Choice(("text", "json", "yaml")), default="text", show_default=True
)


@click.group(short_help="List, fetch and choose models.")
def command() -> None:
    """List, fetch and choose models that run on this machine.

    Nothing is fetched but by `models pull`. Model files lie in the user's cache, or where NOOTROPIC_MODELS says.
    """


@command.command("list", short_help="List the models, the most suitable first.")
@click.option("--installed", "only_installed", is_flag=True, help="Only those whose file is here.")
@click.option("--why", is_flag=True, help="Explain the order: each term, measured or estimated.")
@_FORMAT
def list_(only_installed: bool, why: bool, format_: str) -> None:
    """List the models, those that suit this machine best first. The number before a name is its place in the order."""
    from nootropic_bot.commands.modelviews import list_lines, why_lines

    models = _matches(Place.here(), only_installed=only_installed)
    if format_ != "text":
        show(models, format_)
        return
    for line in list_lines(models):
        click.echo(line)
    if why:
        click.echo()
        for line in why_lines(models):
            click.echo(line)


def _matches(place: Place, *, only_installed: bool = False) -> list[dict[str, Any]]:
    from nootropic_bot.commands.modelviews import match_data
    from nootropic_bot.models.figures import read_figures
    from nootropic_bot.models.hardware import probe
    from nootropic_bot.models.matcher import rank
    from nootropic_bot.models.registry import installed_models, known_entries

    hardware = probe()
    here = {model.entry.name: model for model in reversed(installed_models(place.home))}
    entries = {**known_entries(place.home), **{name: model.entry for name, model in here.items()}}
    figures = read_figures(place.cache, hardware.key)
    ranked = rank(entries.values(), hardware, place.config.models.weights, figures=figures, installed=set(here))
    order = place.config.models.order
    rows = []
    for match in ranked:
        name = match.entry.name
        pin = place.lock.now.pin(name) if place.lock else None
        measured = figures.get(match.entry.sha256 or "")
        if name in here or not only_installed:
            rows.append(match_data(match, here.get(name), measured, order, pin.sha256 if pin else None))
    return rows


@command.command("probe", short_help="Look at this machine, and say which model suits it.")
@_FORMAT
def probe_(format_: str) -> None:
    """Look at processor, memory, Metal and CUDA, and say which model suits this machine, with which settings."""
    from nootropic_bot.commands.modelviews import hardware_lines, profile_lines, runtime, runtime_lines, why_lines
    from nootropic_bot.models.hardware import probe
    from nootropic_bot.models.profiles import profile_for
    from nootropic_bot.models.registry import entry_from

    hardware, found = probe(), runtime()
    models = [model for model in _matches(Place.here()) if not model["refused"]]
    # A licence with strings attached is for the user to choose, not for us to recommend.
    free = [model for model in models if not model["licence_note"]]
    best = next(iter(free or models), None)
    entry = entry_from(best) if best else None
    # Where the runtime is missing, the profile is for the one that `probe` says to install.
    profile = profile_for(hardware, entry, has_offload=found["gpu_offload"] is not False) if entry else None
    if format_ != "text":
        data = {"hardware": asdict(hardware), "runtime": found, "recommended": best}
        show({**data, "profile": asdict(profile) if profile else None}, format_)
        return
    for line in (*hardware_lines(hardware), *runtime_lines(found, hardware)):
        click.echo(line)
    if best is None or profile is None:
        click.echo("\nno known model fits into this machine's memory")
        return
    click.echo()
    for line in (*why_lines([best]), *profile_lines(profile)):
        click.echo(line)
    if not best["installed"]:
        click.echo(f"            → nootropic-bot models pull {best['name']}")


@command.command("pull", short_help="Fetch a model.")
@click.argument("what", metavar="NAME|URL")
@click.option("--name", metavar="NAME", help="With a URL: what to call it here.")
@click.option("--sha256", metavar="HASH", help="What the file's SHA-256 must be.")
@_FORMAT
def pull_(what: str, name: str | None, sha256: str | None, format_: str) -> None:
    """Fetch a model by name, from an https URL, or from Hugging Face as hf:owner/repo/file.gguf.

    An interrupted download goes on where it ended. The file is used only when its SHA-256 is right; where nothing says
    what it should be, the hash of what comes is pinned, and the output says so.
    """
    from nootropic_bot.models.pull import pull

    place = Place.here()
    entry = entry_to_pull(place, what, name, sha256)
    if entry.licence_note:
        click.echo(f"note: licence {entry.licence}: {entry.licence_note}", err=True)
    try:
        checking = _progress(f"checking {entry.name}")
        report = _progress(f"fetching {entry.name}")
        done = pull(entry, place.home, report=report, checking=checking, note=_note, cache=place.cache)
    except KeyboardInterrupt:
        clear_progress()
        click.echo("what came so far is kept: the same command goes on from there", err=True)
        raise
    finally:
        clear_progress()
    model = done.model
    if format_ != "text":
        data = {"model": asdict(model.entry), "path": str(model.path), "was_there": done.was_there}
        show({**data, "trusted_on_first_use": model.on_first_use}, format_)
        return
    verb = "is there already, whole:" if done.was_there else "installed:"
    click.echo(one_line(f"{model.entry.full_name} {verb} {model.path}"))
    if model.on_first_use and not done.was_there:
        digest = f"its SHA-256 {model.sha256} was not known before: it is trusted because it came first"
        click.echo(f"note: {digest}; compare it with what the publisher states", err=True)
    if place.repo and model.entry.name not in place.config.models.order:
        click.echo(f"to use it here: nootropic-bot models use {model.entry.name}")


def _progress(name: str) -> Callable[[int, int], None]:
    """Ten times a second at most: each piece that comes would be too often."""
    line = progress_reporter()
    last = 0.0

    def report(done: int, total: int) -> None:
        nonlocal last
        if (now := time.monotonic()) - last < 0.1:
            return
        last = now
        share = f" of {total / 1e6:.0f} MB, {done / total:.0%}" if total else " MB"
        line(f"{name}: {done / 1e6:.0f}{share}")

    return report


def _note(text: str) -> None:
    clear_progress()
    click.echo(f"note: {text}", err=True)


@command.command("use", short_help="Use a model in this repository, and pin it.")
@click.argument("name", metavar="NAME")
@_FORMAT
def use(name: str, format_: str) -> None:
    """Put an installed model first in this repository's order, and pin it in nootropic.lock.

    The models that were used before stay behind it, for when it fails. `models rollback` takes it back.
    """
    from nootropic_bot.models.lock import Lock

    place = Place.here(needs_repository=True)
    if name not in place.config.backend:
        place.known(name)
    before = place.config.models.order
    order = (name, *(each for each in before if each != name))
    lock = place.lock or Lock()
    changed = lock.use(order, pins_for(place, order, name), before)
    is_same = changed == place.lock and order == before
    said = f"{name} is used already: nothing to do" if is_same else f"{name} comes first; before: {', '.join(before)}"
    write_choice(place, changed, format_, said)


@command.command("rollback", short_help="Go back to the model that was used before.")
@_FORMAT
def rollback(format_: str) -> None:
    """Take the last `models use` back: the order and the pins that stood before."""
    place = Place.here(needs_repository=True)
    earlier = place.lock.rollback() if place.lock else None
    if earlier is None:
        raise UsageError("there is nothing to go back to", "`models use` has chosen nothing here yet")
    write_choice(place, earlier, format_, f"back to {', '.join(earlier.now.order)}")


@command.command("bench", short_help="Measure how fast a model is here.")
@click.argument("name", metavar="[NAME]", required=False)
@click.option("--rounds", type=click.IntRange(1, 50), default=5, show_default=True)
@_FORMAT
def bench(name: str | None, rounds: int, format_: str) -> None:
    """Measure how fast a model reads a prompt and makes tokens on this machine; `models list` uses the figures."""
    from datetime import datetime, timezone

    from nootropic_bot.commands.modelviews import runtime
    from nootropic_bot.models.base import ModelError
    from nootropic_bot.models.figures import measure, write_figures
    from nootropic_bot.models.hardware import probe
    from nootropic_bot.models.lock import locate
    from nootropic_bot.models.profiles import profile_for

    place = Place.here()
    chosen = name or next(iter(place.config.models.order), "")
    if not chosen:
        raise UsageError("no model is configured: `[models] order` is empty", "name the model to measure")
    place.known(chosen)
    hardware = probe()
    try:
        found = locate(chosen, home=place.home, lock=place.lock, cache=place.cache)
        has_offload = runtime()["gpu_offload"] is not False
        profile = profile_for(hardware, found.entry, has_offload=has_offload)
        settings = {"context": profile.context, "threads": profile.threads, "gpu_layers": profile.gpu_layers}
        from nootropic_bot.models.llama_cpp import LlamaCpp

        model = LlamaCpp(
            found.path,
            name=found.entry.full_name,
            sha256=found.sha256,
            context=profile.context,
            threads=profile.threads,
            gpu_layers=profile.gpu_layers,
            batch=profile.batch,
        )
        try:
            at = datetime.now(timezone.utc).isoformat(timespec="seconds")
            figures = measure(model, rounds=rounds, at=at, settings=settings)
        finally:
            model.close()
        write_figures(place.cache, hardware.key, found.sha256, figures)
    except ModelError as error:
        raise EnvironmentFault(str(error)) from error
    except OSError as error:
        raise EnvironmentFault(f"the figures can't be kept in {place.cache}: {error.strerror}") from error
    if format_ != "text":
        show({**asdict(figures), "machine": hardware.key, "sha256": found.sha256}, format_)
        return
    click.echo(f"{figures.model} on {hardware.cpu}: medians of {figures.rounds} rounds ({figures.settings})")
    click.echo(f"  reads a prompt at  {figures.prompt_speed:9.1f} tokens a second")
    click.echo(f"  makes              {figures.speed:9.1f} tokens a second")
    click.echo(f"  loaded and warm in {figures.load_seconds:9.2f} s")
