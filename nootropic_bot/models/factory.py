"""From the configuration to models: what stands behind each name in `[models] order`.

A name is a `[backend.<name>]` table, or a model of `models list`. Models that are asked in the same way form a group
with one router: within it the first that answers wins. A group is asked when those before it had nothing to offer, so
the small bundled model can lead, and a larger one behind it is asked only for what the small one can't do.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from nootropic_bot.config import BackendSettings, Config, ModelSettings
from nootropic_bot.models.answercache import AnswerCache
from nootropic_bot.models.asking import Pace
from nootropic_bot.models.base import Model, Unavailable
from nootropic_bot.models.budget import Budget, Spent
from nootropic_bot.models.lock import Lock, locate
from nootropic_bot.models.registry import BUNDLED, Kind, cache_home, known_entries, models_home
from nootropic_bot.models.router import Router
from nootropic_bot.models.routing import Backend


@dataclass(frozen=True, slots=True)
class Place:
    """Where models and what is known of them lie: installed files, the user's cache, the repository's lock."""

    env: Mapping[str, str]
    lock: Lock | None = None

    @property
    def home(self) -> Path:
        """The folder of installed models."""
        return models_home(self.env)

    @property
    def cache(self) -> Path:
        """The bot's folder in the user's cache."""
        return cache_home(self.env)


@dataclass(frozen=True, slots=True)
class Group:
    """Backends that are asked in the same way: `fixer` in the bundled model's own format, `chat` by prompts."""

    kind: Kind
    router: Router


def open_model(name: str, config: Config, env: Mapping[str, str], lock: Lock | None = None) -> Model:
    """The model of that name, not yet loaded.

    Raises:
        Unavailable: there is none, it is not installed, or its file is not the pinned one.
    """
    place = Place(env, lock)
    settings = _settings_of(name, config, place)
    return _open(name, settings, config.models, place)


def groups(
    config: Config, place: Place, *, answers: AnswerCache | None = None, spent: Spent | None = None
) -> list[Group]:
    """The groups of the configured order, with one budget and one cache of answers for all."""
    budget = Budget(config.models.budget, spent or Spent(), lambda: datetime.now(timezone.utc))
    named = [(name, _settings_of(name, config, place)) for name in config.models.order]
    made = []
    for kind, members in itertools.groupby(named, key=lambda each: kind_of(each[0], each[1], place)):
        backends = [_backend(name, settings, config.models, place) for name, settings in members]
        # The runs of a hook are short: one retry, quickly.
        made.append(Group(kind, Router(backends, budget=budget, cache=answers, pace=Pace(1, time.monotonic))))
    return made


def kind_of(name: str, settings: BackendSettings, place: Place) -> Kind:
    """How a backend is asked."""
    if settings.kind != "llama_cpp":
        return "chat"
    entry = known_entries(place.home).get(settings.model or name)
    return entry.kind if entry is not None else "chat"


def kind_of_name(name: str, config: Config, place: Place) -> Kind:
    """How the model of that name in the configuration is asked."""
    return kind_of(name, _settings_of(name, config, place), place)


def _settings_of(name: str, config: Config, place: Place) -> BackendSettings:
    if name in config.backend:
        return config.backend[name]
    return BackendSettings(kind="llama_cpp", model=name)


def _backend(name: str, settings: BackendSettings, models: ModelSettings, place: Place) -> Backend:
    entry = known_entries(place.home).get(settings.model or name) if settings.kind == "llama_cpp" else None
    return Backend(
        name,
        lambda: _open(name, settings, models, place),
        is_local=_is_local(settings),
        is_in_process=settings.kind == "llama_cpp",
        latency_seconds=settings.latency_seconds,
        prompt_price=settings.prompt_price,
        answer_price=settings.answer_price,
        size_bytes=entry.size_bytes if entry is not None else 0,
    )


def _is_local(settings: BackendSettings) -> bool:
    if settings.kind != "openai_compatible":
        return settings.kind == "llama_cpp"
    from nootropic_bot.models.serving.hosts import is_local_url

    return is_local_url(settings.url)


def _open(name: str, settings: BackendSettings, models: ModelSettings, place: Place) -> Model:
    if settings.kind == "llama_cpp":
        return _open_file(settings.model or name, settings, place)
    if settings.kind == "openai_compatible":
        return _open_server(name, settings, models, place)
    from nootropic_bot.models.cloud import CLOUDS

    if not settings.model:
        raise Unavailable(f"backend.{name} names no `model`")
    return CLOUDS[settings.kind](
        name,
        model=settings.model,
        allow=models.allow_cloud,
        env=place.env,
        version=settings.version,
        url=settings.url,
        key_env=settings.key_env,
        max_retries=0,
    )


def _open_server(name: str, settings: BackendSettings, models: ModelSettings, place: Place) -> Model:
    from nootropic_bot.models.leaving import find_key
    from nootropic_bot.models.openai_compatible import OpenAICompatible
    from nootropic_bot.models.serving.hosts import parse_address

    key, key_order = find_key(place.env, settings.key_env, parse_address(settings.url))
    return OpenAICompatible(
        name,
        url=settings.url,
        model=settings.model or name,
        version=settings.version,
        key=key or None,
        allow=models.allow_cloud,
        key_order=key_order,
        max_retries=0,
    )


def _open_file(name: str, settings: BackendSettings, place: Place) -> Model:
    from nootropic_bot.models.llama_cpp import LlamaCpp

    found = locate(name, home=place.home, lock=place.lock, cache=place.cache)
    context, threads, layers, batch = settings.context, settings.threads, settings.gpu_layers, 512
    if name == BUNDLED:  # So small that probing the machine would take longer than the work.
        # Beside other work (two cores, load 4) two threads wait for each other: 40 fixes took 89 ms on average and 24
        # in the median, with one thread 34 and 30.
        threads, layers = threads or 1, max(layers, 0)
    else:
        from nootropic_bot.models.hardware import probe
        from nootropic_bot.models.llama_library import supports_gpu
        from nootropic_bot.models.profiles import profile_for

        hardware = probe()
        profile = profile_for(
            hardware,
            found.entry,
            context=context,
            threads=threads,
            gpu_layers=layers,
            has_offload=hardware.gpu is None or supports_gpu(),
        )
        context, threads, layers, batch = profile.context, profile.threads, profile.gpu_layers, profile.batch
    return LlamaCpp(
        found.path,
        name=found.entry.full_name,
        sha256=found.sha256,
        context=context,
        threads=threads,
        gpu_layers=layers,
        batch=batch,
        chat_format=found.entry.chat_format or "chatml",
    )


def local_only(made: Sequence[Group]) -> list[Group]:
    """The groups whose every backend is local."""
    return [group for group in made if group.router.is_local]
