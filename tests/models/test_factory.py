"""From the configuration to models: orders, groups, what their identity depends on, and what is refused."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nootropic_bot import config as configuration
from nootropic_bot.config import BackendSettings, BudgetSettings, Config, ModelSettings
from nootropic_bot.errors import UsageError
from nootropic_bot.models.base import BudgetSpent, Message, ModelError, NotAllowed, Request, Unavailable
from nootropic_bot.models.budget import Spent, charge_of
from nootropic_bot.models.factory import Group, Place, groups, kind_of, local_only, open_model
from nootropic_bot.models.identity import identity
from nootropic_bot.models.llama_cpp import LlamaCpp
from nootropic_bot.models.lock import Lock, Pin, State, render
from nootropic_bot.models.openai_compatible import OpenAICompatible
from nootropic_bot.models.registry import BUNDLED, Entry, Kind, write_card
from tests.support.tiny_gguf import build_tiny_gguf

ASK = Request(messages=(Message("user", "x"),), max_tokens=4)
SERVER = BackendSettings(kind="openai_compatible", url="http://127.0.0.1:1/v1", model="m", version="1")
CLOUD = BackendSettings(kind="openai", model="gpt-x")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def env(home: Path) -> dict[str, str]:
    return {"NOOTROPIC_MODELS": str(home), "HOME": os.environ["HOME"]}


def install(home: Path, name: str, *, kind: Kind = "chat", seed: int = 0) -> Entry:
    """Install a very small model under a name."""
    made = build_tiny_gguf(home.parent / "made.gguf", seed=seed)
    body = made.read_bytes()
    digest = hashlib.sha256(body).hexdigest()
    folder = home / digest
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "m.gguf").write_bytes(body)
    entry = Entry(name, f"v{seed}", kind, "m.gguf", len(body), sha256=digest, chat_format="chatml")
    write_card(folder, entry, "a test", on_first_use=False)
    return entry


def settings(*order: str, backend: Mapping[str, BackendSettings] | None = None, **models: Any) -> Config:
    return Config(models=ModelSettings(order=order, **models), backend=backend or {})


def shape(made: list[Group]) -> list[tuple[str, str]]:
    return [(group.kind, group.router.name) for group in made]


# Groups.


def test_neighbours_that_are_asked_in_one_way_are_a_group(home: Path, env: dict[str, str]) -> None:
    install(home, "own-chat", seed=1)
    install(home, "own-fixer", kind="fixer", seed=2)
    backend = {"one": SERVER, "far": CLOUD}
    place = Place(env)
    assert shape(groups(settings(BUNDLED), place)) == [("fixer", "bundled")]
    order = (BUNDLED, "own-fixer", "one", "own-chat", "far")
    made = groups(settings(*order, backend=backend), place)
    assert shape(made) == [("fixer", "bundled > own-fixer"), ("chat", "one > own-chat > far")]
    assert shape(groups(settings("one", BUNDLED, "far", backend=backend), place)) == [
        ("chat", "one"),
        ("fixer", "bundled"),
        ("chat", "far"),
    ]
    assert groups(settings(), place) == []
    assert [group.router.is_local for group in made] == [True, False]
    assert shape(local_only(made)) == [("fixer", "bundled > own-fixer")]


def test_the_groups_of_a_run_share_one_budget(env: dict[str, str]) -> None:
    made = groups(settings("one", BUNDLED, "two", backend={"one": SERVER, "two": SERVER}), Place(env))
    assert len({id(group.router.budget) for group in made}) == 1


def test_tokens_limit_servers_not_what_runs_here(home: Path, env: dict[str, str]) -> None:
    install(home, "mine")
    asked = settings("mine", backend={"mine": BackendSettings(threads=1, context=512)})
    asked = replace(asked, models=replace(asked.models, budget=BudgetSettings(tokens_per_run=1)))
    (group,) = groups(asked, Place(env))
    for _ in range(3):
        assert group.router.generate(ASK).text
    assert len(group.router.budget.charges) == 3
    group.router.close()
    far = replace(asked, models=replace(asked.models, order=("one",)), backend={"one": SERVER})
    (group,) = groups(far, Place(env), spent=Spent(), answers=None)
    group.router.budget.charge(charge_of("one", "m@1", (1, 0), 0.1, (0, 0)))
    with pytest.raises(BudgetSpent):
        group.router.generate(ASK)


def test_a_backend_takes_the_kind_of_the_model_it_names(home: Path, env: dict[str, str]) -> None:
    install(home, "own-fixer", kind="fixer")
    place = Place(env)
    assert kind_of("mine", BackendSettings(model="own-fixer"), place) == "fixer"
    assert kind_of("own-fixer", BackendSettings(), place) == "fixer"
    assert kind_of("mine", BackendSettings(model=BUNDLED), place) == "fixer"
    assert kind_of("nobody-knows", BackendSettings(), place) == "chat"
    assert kind_of(BUNDLED, SERVER, place) == "chat"
    assert kind_of("qwen2.5-coder-1.5b", BackendSettings(), place) == "chat"


def test_a_model_that_only_continues_a_text_is_asked_in_a_group_of_its_own(home: Path, env: dict[str, str]) -> None:
    install(home, "continues", kind="completion", seed=1)
    install(home, "mine", seed=2)
    small = BackendSettings(threads=1, context=512)
    order = settings("continues", "mine", backend={"mine": small, "continues": small})
    one, other = groups(order, Place(env))
    assert (one.kind, other.kind) == ("completion", "chat")
    assert one.router.generate(Request(prompt=("The repair as JSON:\n",), max_tokens=8)).model == "continues@v1"
    assert other.router.generate(ASK).model == "mine@v2"
    assert not one.router.reasons()
    for group in (one, other):
        group.router.close()


# Opening.


def test_an_installed_model_answers(home: Path, env: dict[str, str]) -> None:
    entry = install(home, "mine")
    model = open_model("mine", Config(), env)
    assert isinstance(model, LlamaCpp)
    assert model.name == entry.full_name == "mine@v0"
    assert model.generate(ASK).text
    model.close()
    other = open_model(
        "alias", settings("alias", backend={"alias": BackendSettings(model="mine", threads=1, context=64)}), env
    )
    assert other.name == "mine@v0"
    assert other.generate(ASK).text
    other.close()


def test_the_settings_of_this_machine_reach_the_runtime(home: Path, env: dict[str, str]) -> None:
    from nootropic_bot.models.hardware import probe
    from nootropic_bot.models.profiles import profile_for

    entry = install(home, "mine")
    model = open_model("mine", Config(), env)
    assert isinstance(model, LlamaCpp)
    assert model._settings.batch == profile_for(probe(), entry).batch


def test_a_server_is_opened_with_its_settings(env: dict[str, str]) -> None:
    backend = {"one": replace(SERVER, key_env="NOOTROPIC_MY_KEY")}
    model = open_model("one", settings("one", backend=backend), {**env, "NOOTROPIC_MY_KEY": "sk-secret"})
    assert isinstance(model, OpenAICompatible)
    assert model.name == "one@1"
    assert model.is_local
    assert "sk-secret" not in repr(model) + str(vars(model))
    model.close()


@pytest.mark.parametrize("name", ["no-such-model", "", "../../etc/passwd", "a" * 500, "qwen2.5-coder-7b"])
def test_unknown_or_missing_models_are_a_reason(env: dict[str, str], name: str) -> None:
    with pytest.raises(Unavailable, match="not installed"):
        open_model(name, Config(), env)
    (group,) = groups(settings(name), Place(env))
    with pytest.raises(ModelError):
        group.router.generate(ASK)
    (reason,) = group.router.reasons()
    assert "models pull" in reason


@pytest.mark.parametrize("kind", ["openai", "anthropic", "huggingface"])
def test_a_cloud_is_refused_unless_all_is_allowed(env: dict[str, str], kind: Any) -> None:
    backend = {"far": BackendSettings(kind=kind, model="x", key_env="NOOTROPIC_MY_KEY")}
    keyed = {**env, "NOOTROPIC_MY_KEY": "sk-never-shown"}
    for order, environment in (
        (settings("far", backend=backend), keyed),
        (settings("far", backend=backend, allow_cloud=True), env),
    ):
        with pytest.raises((NotAllowed, Unavailable)) as error:
            open_model("far", order, environment).generate(ASK)
        assert "sk-never-shown" not in str(error.value)
    with pytest.raises(NotAllowed):
        open_model("far", settings("far", backend=backend), keyed).generate(ASK)


def test_a_server_elsewhere_is_a_cloud_to_the_router_and_to_itself(env: dict[str, str]) -> None:
    far = replace(SERVER, url="https://gpu.invalid/v1", key_env="NOOTROPIC_MY_KEY")
    keyed = {**env, "NOOTROPIC_MY_KEY": "sk-never-shown"}
    for allow, environment, order in (
        (False, keyed, "allow_cloud = true"),
        (True, env, "the environment variable NOOTROPIC_MY_KEY"),
    ):
        asked = settings("far", backend={"far": far}, allow_cloud=allow)
        (group,) = groups(asked, Place(environment))
        assert not group.router.is_local
        assert local_only([group]) == []
        model = open_model("far", asked, environment)
        assert not model.is_local
        for each in (model, group.router):
            with pytest.raises(NotAllowed, match=order) as error:
                each.generate(ASK)
            assert "gpu.invalid" in str(error.value)
            assert "sk-never-shown" not in str(error.value)
    unnamed = settings("far", backend={"far": replace(far, key_env="")}, allow_cloud=True)
    with pytest.raises(NotAllowed, match="NOOTROPIC_, and name that in `key_env`"):
        open_model("far", unnamed, keyed).generate(ASK)


def test_a_variable_that_the_configuration_may_not_name_is_not_read(env: dict[str, str]) -> None:
    """What an earlier version had checked is remembered, so this does not depend on the configuration's check."""
    taken = settings("one", backend={"one": replace(SERVER, key_env="GITHUB_TOKEN")}, allow_cloud=True)
    model = open_model("one", taken, {**env, "GITHUB_TOKEN": "sk-secret"})
    assert isinstance(model, OpenAICompatible)
    assert vars(vars(model)["_wire"])["_speaker"].key is None


def test_a_cloud_needs_a_model(env: dict[str, str]) -> None:
    backend = {"far": BackendSettings(kind="openai")}
    with pytest.raises(Unavailable, match="names no `model`"):
        open_model("far", settings("far", backend=backend, allow_cloud=True), env)


# The lock.


def test_a_pin_decides_which_file_is_opened(home: Path, env: dict[str, str]) -> None:
    one, two = install(home, "mine", seed=1), install(home, "mine", seed=2)

    def pinned(entry: Entry) -> Lock:
        assert entry.sha256 is not None
        return Lock(State(("mine",), (Pin("mine", entry.version, "m.gguf", entry.size_bytes, entry.sha256),)))

    assert open_model("mine", Config(), env, pinned(one)).name == "mine@v1"
    assert open_model("mine", Config(), env, pinned(two)).name == "mine@v2"
    with pytest.raises(Unavailable, match=r"nootropic\.lock wants mine"):
        open_model("mine", Config(), env, pinned(replace(one, sha256="0" * 64)))
    (home / str(one.sha256) / "m.gguf").write_bytes(b"GGUF changed")
    with pytest.raises(Unavailable, match="models pull mine"):
        open_model("mine", Config(), env, pinned(one))
    (group,) = groups(settings("mine"), Place(env, pinned(one)))
    with pytest.raises(Unavailable):
        group.router.generate(ASK)


# Identity.


def test_identity_depends_on_all_that_answers_depend_on(home: Path, env: dict[str, str]) -> None:
    install(home, "mine", seed=1)
    lock = render(Lock(State(("mine",)))).encode()
    base = settings("mine", "one", backend={"one": SERVER})
    others = [
        settings("one", "mine", backend={"one": SERVER}),
        settings("mine", backend={"one": SERVER}),
        settings("mine", "one", backend={"one": replace(SERVER, version="2")}),
        settings("mine", "one", backend={"one": replace(SERVER, url="http://127.0.0.1:2/v1")}),
        settings("mine", "one", backend={"one": replace(SERVER, model="n")}),
        settings("mine", "one", backend={"one": SERVER, "mine": BackendSettings(context=512)}),
        settings("mine", "one", backend={"one": SERVER}, candidates=5),
        settings("mine", "one", backend={"one": SERVER}, min_confidence=0.1),
        settings("mine", "one", backend={"one": SERVER}, timeout_seconds=1.0),
        settings("mine", "one", backend={"one": SERVER}, allow_cloud=True),
    ]
    found = {identity(each, env, None) for each in (base, *others)} | {identity(base, env, lock)}
    assert len(found) == 2 + len(others)
    assert all(len(each) == 64 for each in found)
    # Backends that are not in the order change nothing, nor does what may be spent.
    assert identity(settings("mine", "one", backend={"one": SERVER, "far": CLOUD}), env, None) == identity(
        base, env, None
    )
    spending = replace(base, models=replace(base.models, budget=BudgetSettings(tokens_per_run=5)))
    assert identity(spending, env, None) == identity(base, env, None)


def test_identity_changes_with_the_file_of_a_model(home: Path, env: dict[str, str]) -> None:
    asked = settings("mine")
    found = [identity(asked, env, None)]
    install(home, "mine", seed=1)
    found.append(identity(asked, env, None))
    assert identity(asked, env, None) == found[-1]
    install(home, "other", seed=3)
    assert identity(asked, env, None) == found[-1]
    assert len(set(found)) == 2


def test_identity_of_names_and_settings_does_not_run_together(env: dict[str, str]) -> None:
    assert identity(settings("a", "b"), env, None) != identity(settings("a b"), env, None)
    assert identity(settings("a"), env, b"") == identity(settings("a"), env, None)


# From the file of the configuration.


def test_an_order_as_it_stands_in_a_file(env: dict[str, str]) -> None:
    raw = (
        b'[models]\norder = ["bundled", "near"]\ncandidates = 2\n[models.budget]\ntokens_per_run = 9\n'
        b'[backend.near]\nkind = "openai_compatible"\nurl = "http://127.0.0.1:1/v1"\n'
    )
    made = groups(configuration.load({"nootropic.toml": raw}, {}), Place(env))
    assert shape(made) == [("fixer", "bundled"), ("chat", "near")]


@pytest.mark.parametrize(
    "text",
    [
        '[models]\norder = ["a", "a"]',
        "[models]\ncandidates = 0",
        "[models]\ncandidates = 17",
        "[models]\nmin_confidence = 1.5",
        "[models]\ntimeout_seconds = 0",
        "[models]\nordre = []",
        '[backend."a b"]\nmodel = "x"',
        '[backend.x]\nkind = "openai_compatible"',
        '[backend.x]\nkind = "openai_compatible"\nurl = "ftp://x"',
        '[backend.x]\nkind = "magic"',
        f"[models]\norder = {'[' * 100_000}",
        f"[models]\ncandidates = {'9' * 5000}",
        '[backend.x]\nkind = "openai"\nkey_env = "ANTHROPIC_API_KEY"',
        '[backend.x]\nkind = "openai"\nkey_env = "NOOTROPIC_"',
        "[backend.x]\nprompt_price = -1.0",
        "[backend.x]\nlatency_seconds = inf",
        "[models.budget]\ntokens_per_day = -1",
        "[models.weights]\ncost = nan",
    ],
)
def test_settings_that_are_wrong_are_said(text: str) -> None:
    with pytest.raises(UsageError, match=r"nootropic\.toml"):
        configuration.load({"nootropic.toml": text.encode()}, {})


@pytest.mark.parametrize("name", ["GITHUB_TOKEN", "PATH", "AWS_SECRET_ACCESS_KEY", "OPENAI_API_KEY", "nootropic_key"])
def test_a_repository_can_not_name_a_variable_that_was_not_set_for_the_bot(name: str) -> None:
    raw = f'[backend.my-box]\nkind = "openai_compatible"\nurl = "http://127.0.0.1:1/v1"\nkey_env = "{name}"\n'
    with pytest.raises(UsageError, match=rf"backend\.my-box\.key_env is '{name}'") as error:
        configuration.load({"nootropic.toml": raw.encode()}, {})
    assert error.value.remedy
    assert 'key_env = "NOOTROPIC_MY_BOX_KEY"' in error.value.remedy
    for kind, usual in configuration.CLOUD_KEYS.items():
        good = f'[backend.x]\nkind = "{kind}"\nkey_env = "{usual}"\n[backend.y]\nkey_env = "NOOTROPIC_Y2"\n'
        assert configuration.load({"nootropic.toml": good.encode()}, {}).backend["x"].key_env == usual
