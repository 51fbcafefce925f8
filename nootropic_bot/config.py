"""The configuration: `nootropic.toml`, or `[tool.nootropic]` of `pyproject.toml`, plus the environment.

The caller reads the files (from the base commit, the index or the work tree, see `pipeline.py`) and hands in
their bytes: this module opens no file of the reviewed repository. The result is frozen.

pydantic validates; it costs 160 ms to import, so what it accepted is remembered by the hash of the bytes,
and a repository without configuration never loads it.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from nootropic_bot import __version__
from nootropic_bot.cachefile import read_cached, write_cached
from nootropic_bot.constants import CONFIG_FILE, PYPROJECT_FILE, PYPROJECT_TABLE
from nootropic_bot.errors import UsageError
from nootropic_bot.records import Severity

FailOn = Literal["error", "warning", "info", "never"]

_APP = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}\[bot\]")
# A repository's configuration, which may be somebody else's, can send the value of a variable to a server by naming it.
# So it can name only what was set for the bot, or a cloud's usual one, which goes to that cloud (`models/leaving.py`).
KEY_NAME = re.compile(r"NOOTROPIC_[A-Z0-9_]+")
CLOUD_KEYS: Mapping[str, str] = {
    "openai": "OPENAI_API_KEY",
    "anthropic": "ANTHROPIC_API_KEY",
    "huggingface": "HF_TOKEN",
}


@dataclass(frozen=True)
class RuleSettings:
    """`[rule.<id>]`: what this repository thinks of one rule."""

    enabled: bool = True
    reason: str = ""
    severity: Severity | None = None


@dataclass(frozen=True)
class HookSettings:
    """`[hook]`: the commit hook. `apply_model_fixes`: whether `hook --fix` also writes what a model proposed."""

    budget_seconds: float = 5.0
    apply_model_fixes: bool = False


@dataclass(frozen=True)
class CritiqueSettings:
    """`[critique]`: the scanner. `timeout_seconds` is per rule and file; `jobs` 0 means one a core."""

    timeout_seconds: int = 10
    jobs: int = 0


@dataclass(frozen=True)
class StateSettings:
    """`[state]`: what the bot keeps in the repository (docs/state.md).

    `record`: whether `review` and the hook write down what they found. `remote`: the remote that `state sync` shares it
    with. `namespace`: where it lies there, below `refs/`; `heads/nootropic` where a server refuses other refs.
    """

    record: bool = True
    remote: str = "origin"
    namespace: str = "nootropic"


@dataclass(frozen=True)
class PublishSettings:
    """`[publish]`: reviews on pull requests.

    `accounts`: apps, as "my-app[bot]", with whose tokens the bot posts here as well: what they posted with its marker
    counts as there. Whoever can post as one of them can keep a finding from being shown.
    """

    accounts: tuple[str, ...] = ()


@dataclass(frozen=True)
class BudgetSettings:
    """`[models.budget]`: how much may be generated; 0 means without limit.

    Tokens count prompt and answer, of servers and clouds; models that run in this process are not limited by them.
    """

    tokens_per_run: int = 0
    tokens_per_day: int = 0
    tokens_per_month: int = 0
    dollars_per_run: float = 0.0
    dollars_per_day: float = 0.0
    dollars_per_month: float = 0.0


@dataclass(frozen=True)
class MatcherSettings:
    """`[models.weights]`: what counts how much when a model is chosen for this machine (`models/matcher.py`)."""

    accuracy: float = 1.0
    throughput: float = 0.5
    memory: float = 0.5
    cost: float = 0.25


@dataclass(frozen=True)
class ModelSettings:
    """`[models]`: who proposes fixes, and how sure one must be to show them.

    `order`: the names of backends, the first that answers wins: "bundled" is the model in the package, others are
    `[backend.<name>]` or an installed model of `models list`. `candidates`: of so many proposals a finding the proof
    may scan again.
    `min_confidence`: a model's proved fix below this is shown on demand only (`--unproved`). `timeout_seconds`: for one
    answer. `allow_cloud`: whether a backend may send code away from this machine; its key must be there as well.
    """

    order: tuple[str, ...] = ("bundled",)
    enabled: bool = True
    candidates: int = 3
    min_confidence: float = 0.8
    timeout_seconds: float = 20.0
    allow_cloud: bool = False
    budget: BudgetSettings = field(default_factory=BudgetSettings)
    weights: MatcherSettings = field(default_factory=MatcherSettings)


@dataclass(frozen=True)
class BackendSettings:
    """`[backend.<name>]`: one model to ask.

    `kind`: "llama_cpp" (a GGUF file: `model` is the name of an installed one), "openai_compatible" (a server of your
    own: `url`), or a cloud: "openai", "anthropic", "huggingface". `key_env`: the environment variable with the key,
    `NOOTROPIC_` and more capitals; of a cloud at its own address the usual one, if nothing is said.
    `context`, `threads`, `gpu_layers`: 0 and -1 mean what suits this machine. Prices in dollars for a million tokens.
    `latency_seconds`: slower answers count as failures. `version` says what stands behind a server's model name.
    """

    kind: Literal["llama_cpp", "openai_compatible", "openai", "anthropic", "huggingface"] = "llama_cpp"
    model: str = ""
    version: str = ""
    url: str = ""
    key_env: str = ""
    context: int = 0
    threads: int = 0
    gpu_layers: int = -1
    latency_seconds: float = 0.0
    prompt_price: float = 0.0
    answer_price: float = 0.0


@dataclass(frozen=True)
class Config:
    """All settings, with their defaults.

    `exclude`: patterns in `.gitignore` syntax; what they match is listed as not scanned.
    `rules`: rule files and folders of this repository, relative to its top.
    """

    exclude: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    bundled_rules: bool = True
    fail_on: FailOn = "error"
    hook: HookSettings = field(default_factory=HookSettings)
    critique: CritiqueSettings = field(default_factory=CritiqueSettings)
    state: StateSettings = field(default_factory=StateSettings)
    publish: PublishSettings = field(default_factory=PublishSettings)
    models: ModelSettings = field(default_factory=ModelSettings)
    backend: Mapping[str, BackendSettings] = field(default_factory=dict)
    rule: Mapping[str, RuleSettings] = field(default_factory=dict)

    def settings_of(self, rule_id: str) -> RuleSettings:
        """What `[rule.<id>]` says, or the defaults."""
        return self.rule.get(rule_id, RuleSettings())


def load(files: Mapping[str, bytes | None], env: Mapping[str, str], cache_dir: Path | None = None) -> Config:
    """The configuration from the bytes of `nootropic.toml` and `pyproject.toml` (None: not there).

    Raises:
        UsageError: a file is not TOML, a key is unknown or a value is wrong; or both files configure the bot.
    """
    present = {name: raw for name, raw in files.items() if raw is not None}
    if CONFIG_FILE not in present and b"nootropic" not in present.get(PYPROJECT_FILE, b""):
        return _with_environment(Config(), env)
    digest = hashlib.sha256(__version__.encode())
    for name in sorted(present):
        digest.update(b"\0" + name.encode() + b"\0" + present[name])
    cached = cache_dir / "config" / f"{digest.hexdigest()}.json" if cache_dir else None
    known = _remembered(cached)
    config = known or _validate(_table(present))
    if cached and known is None:
        write_cached(cached, json.dumps(asdict(config)))
    return _with_environment(config, env)


def _table(present: Mapping[str, bytes]) -> tuple[str, Mapping[str, Any]]:
    own = _parse(CONFIG_FILE, present[CONFIG_FILE]) if CONFIG_FILE in present else None
    project = _parse(PYPROJECT_FILE, present[PYPROJECT_FILE]) if PYPROJECT_FILE in present else {}
    tool = project.get("tool")
    table = tool.get(PYPROJECT_TABLE) if isinstance(tool, dict) else None
    if own is not None and table is not None:
        raise UsageError(
            f"both {CONFIG_FILE} and [tool.{PYPROJECT_TABLE}] of {PYPROJECT_FILE} configure the bot",
            "keep one of them",
        )
    if own is not None:
        return CONFIG_FILE, own
    return f"[tool.{PYPROJECT_TABLE}] of {PYPROJECT_FILE}", table if isinstance(table, dict) else {}


def _parse(name: str, raw: bytes) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return tomllib.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:  # A number of thousands of digits, arrays within arrays, too.
        raise UsageError(f"{name} is not valid TOML: {error}") from error


def _validate(where_and_table: tuple[str, Mapping[str, Any]]) -> Config:
    from pydantic import TypeAdapter, ValidationError

    where, table = where_and_table
    _refuse_unknown_keys(where, table)
    try:
        config = TypeAdapter(Config).validate_python(table)
    except ValidationError as error:
        raise UsageError(f"{where}: {_explain(error.errors())}") from error
    if not 0 < config.hook.budget_seconds <= 3600:
        raise UsageError(f"{where}: hook.budget_seconds must lie between 0 and 3600")
    if not 0 < config.critique.timeout_seconds <= 3600 or not 0 <= config.critique.jobs <= 512:
        raise UsageError(f"{where}: critique.timeout_seconds must lie in 1..3600 and critique.jobs in 0..512")
    if not re.fullmatch(r"(?:heads/)?[A-Za-z0-9][A-Za-z0-9_-]*", config.state.namespace):
        remedy = 'use "nootropic", or "heads/nootropic" where the server refuses other refs'
        raise UsageError(f"{where}: state.namespace {config.state.namespace!r} is no place for refs", remedy)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._/-]*", config.state.remote):
        raise UsageError(f"{where}: state.remote {config.state.remote!r} is not the name of a remote")
    for account in config.publish.accounts:
        if not _APP.fullmatch(account):
            remedy = 'an app is named as its comments are signed, "my-app[bot]"; people who may write need not be named'
            raise UsageError(f"{where}: publish.accounts: {account!r} is not the name of an app", remedy)
    _check_models(where, config)
    for rule_id, settings in config.rule.items():
        if not settings.enabled and not settings.reason.strip():
            raise UsageError(
                f"{where}: rule.{rule_id} is switched off without a reason",
                'say why: `reason = "…"`; it is shown beside what the rule would have said',
            )
    return config


def _check_models(where: str, config: Config) -> None:
    models = config.models
    if (
        not 1 <= models.candidates <= 16
        or not 0 <= models.min_confidence <= 1
        or not 0 < models.timeout_seconds <= 3600
    ):
        raise UsageError(
            f"{where}: models.candidates must lie in 1..16, models.min_confidence in 0..1, "
            "models.timeout_seconds between 0 and 3600"
        )
    if len(set(models.order)) != len(models.order):
        raise UsageError(f"{where}: models.order names a model twice")
    for value in (*asdict(models.budget).values(), *asdict(models.weights).values()):
        if not 0 <= value < float("inf"):
            raise UsageError(f"{where}: the numbers of models.budget and models.weights are 0 or more")
    for name, backend in config.backend.items():
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name):
            raise UsageError(f"{where}: backend.{name!r} is no name", "use letters, digits, `.`, `_` and `-`")
        if not all(0 <= figure < float("inf") for figure in (backend.prompt_price, backend.answer_price)):
            raise UsageError(f"{where}: the prices of backend.{name} are dollars for a million tokens, 0 or more")
        if not 0 <= backend.latency_seconds < float("inf"):
            raise UsageError(f"{where}: backend.{name}.latency_seconds is a number of seconds, 0 for no limit")
        if backend.key_env not in ("", CLOUD_KEYS.get(backend.kind)) and not KEY_NAME.fullmatch(backend.key_env):
            own = f"NOOTROPIC_{re.sub('[^A-Z0-9]+', '_', name.upper())}_KEY"
            raise UsageError(
                f"{where}: backend.{name}.key_env is {backend.key_env!r}: that variable was not set for this",
                f'put the key into a variable of the bot\'s own and name it: `key_env = "{own}"`',
            )
        if backend.kind == "openai_compatible" and not re.match(r"https?://", backend.url):
            raise UsageError(f"{where}: backend.{name} has no `url`", 'for example `url = "http://127.0.0.1:8080/v1"`')


_SECTIONS: Mapping[str, type] = {
    "hook": HookSettings,
    "critique": CritiqueSettings,
    "state": StateSettings,
    "publish": PublishSettings,
    "models": ModelSettings,
    "models.budget": BudgetSettings,
    "models.weights": MatcherSettings,
}


def _refuse_unknown_keys(where: str, table: Mapping[str, Any]) -> None:
    _check_keys(where, "", table, {f.name for f in fields(Config)})
    for name, settings in _SECTIONS.items():
        inner: Any = table
        for part in name.split("."):
            inner = inner.get(part) if isinstance(inner, dict) else None
        if isinstance(inner, dict):
            _check_keys(where, f"{name}.", inner, {f.name for f in fields(settings)})
    for section, settings in (("rule", RuleSettings), ("backend", BackendSettings)):
        entries = table.get(section)
        for name, values in entries.items() if isinstance(entries, dict) else ():
            if isinstance(values, dict):
                _check_keys(where, f"{section}.{name}.", values, {f.name for f in fields(settings)})


def _check_keys(where: str, prefix: str, table: Mapping[str, Any], known: set[str]) -> None:
    for key in table:
        if key not in known:
            close = difflib.get_close_matches(key, known, n=1)
            remedy = f"perhaps you meant `{prefix}{close[0]}`" if close else f"known keys: {', '.join(sorted(known))}"
            raise UsageError(f"{where}: unknown key `{prefix}{key}`", remedy)


def _explain(errors: list[Any]) -> str:
    first = errors[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"`{place}`: {first['msg'][:1].lower()}{first['msg'][1:]}"


def _remembered(entry: Path | None) -> Config | None:
    known = read_cached(entry) if entry else None
    try:
        return None if known is None else _rebuild(known)
    except (AttributeError, KeyError, TypeError):  # JSON, but not what we wrote.
        return None


def _rebuild(data: Mapping[str, Any]) -> Config:
    """A `Config` from what `asdict` gave; it was validated when it was written."""
    return Config(
        exclude=tuple(data["exclude"]),
        rules=tuple(data["rules"]),
        bundled_rules=data["bundled_rules"],
        fail_on=data["fail_on"],
        hook=HookSettings(**data["hook"]),
        critique=CritiqueSettings(**data["critique"]),
        state=StateSettings(**data["state"]),
        publish=PublishSettings(tuple(data["publish"]["accounts"])),
        models=_rebuild_models(data["models"]),
        backend={name: BackendSettings(**settings) for name, settings in data["backend"].items()},
        rule={rule_id: RuleSettings(**settings) for rule_id, settings in data["rule"].items()},
    )


def _rebuild_models(data: Mapping[str, Any]) -> ModelSettings:
    budget, weights = BudgetSettings(**data["budget"]), MatcherSettings(**data["weights"])
    return ModelSettings(**{**data, "order": tuple(data["order"]), "budget": budget, "weights": weights})


def _with_environment(config: Config, env: Mapping[str, str]) -> Config:
    """`NOOTROPIC_` and `FAIL_ON`, `HOOK_BUDGET_SECONDS`, `JOBS`, `RECORD` or `MODEL` win over the files."""
    fail_on = env.get("NOOTROPIC_FAIL_ON")
    if fail_on is not None:
        choices: tuple[FailOn, ...] = ("error", "warning", "info", "never")
        chosen = next((choice for choice in choices if choice == fail_on), None)
        if chosen is None:
            raise UsageError(f"NOOTROPIC_FAIL_ON is {fail_on!r}", f"use one of {', '.join(choices)}")
        config = replace(config, fail_on=chosen)
    if (budget := env.get("NOOTROPIC_HOOK_BUDGET_SECONDS")) is not None:
        config = replace(config, hook=replace(config.hook, budget_seconds=_number(budget, "HOOK_BUDGET_SECONDS")))
    if (jobs := env.get("NOOTROPIC_JOBS")) is not None:
        config = replace(config, critique=replace(config.critique, jobs=int(_number(jobs, "JOBS"))))
    if (record := _switch(env, "NOOTROPIC_RECORD")) is not None:
        config = replace(config, state=replace(config.state, record=record))
    if (model := _switch(env, "NOOTROPIC_MODEL")) is not None:
        config = replace(config, models=replace(config.models, enabled=model))
    return config


def _switch(env: Mapping[str, str], name: str) -> bool | None:
    value = env.get(name)
    if value not in (None, "0", "1"):
        raise UsageError(f"{name} is {value!r}", "use 0 or 1")
    return None if value is None else value == "1"


def _number(text: str, name: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 3600:
        raise UsageError(f"NOOTROPIC_{name} is {text!r}", "it must be a number above 0 and at most 3600")
    return value
