"""`prompts list` and `prompts test`, with a scripted model where one is asked."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from nootropic_bot.commands.prompts import command, run_examples
from nootropic_bot.config import Config
from nootropic_bot.errors import EXIT_ENVIRONMENT, EnvironmentFault, UsageError
from nootropic_bot.models.base import BadAnswer, Model, ModelError, Request, TimedOut, Unavailable
from nootropic_bot.models.lock import Lock
from nootropic_bot.models.scripted import Scripted, Step
from nootropic_bot.promptfiles import load_prompt, newest
from tests.support.repo import Repo, run_bot

FIX = newest("fix")
YAML = '{"edits": [{"line": 1, "text": "        settings = yaml.safe_load(stream)"}]}'
SHELL = '{"edits": [{"line": 3, "text": ""}]}'
NONE = '{"edits": [{"line": 1, "text": "    return value is None"}]}'
CANARY = "canary-5d0c7f41"


class Closing(Scripted):
    is_closed = False

    def close(self) -> None:
        self.is_closed = True


def ask(model: Model | ModelError, *args: str, opened: list[tuple[str, Config]] | None = None) -> Result:
    """`prompts test` with this model, in this process."""

    def open_(name: str, settings: Config, _env: Mapping[str, str], _lock: Lock | None) -> Model:
        if opened is not None:
            opened.append((name, settings))
        if isinstance(model, ModelError):
            raise model
        return model

    return CliRunner().invoke(command, ["test", *args], obj=open_)


def test_list_says_what_there_is(tmp_path: Path) -> None:
    run = run_bot("prompts", "list", cwd=tmp_path)
    assert run.code == 0
    assert FIX.hash[:12] in run.out
    assert "fix/v1" in run.out
    (entry,) = json.loads(run_bot("prompts", "list", "--format", "json", cwd=tmp_path).out)
    assert entry["sha256"] == FIX.hash
    assert (entry["id"], entry["version"], entry["local_only"], entry["tested_models"]) == ("fix/v1", 1, False, [])
    assert set(entry["variables"]) == set(FIX.header.variables)


def test_valid_answers_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    model = Closing([YAML, SHELL, NONE])
    run = ask(model, "--model", "mine")
    assert run.exit_code == 0
    assert run.output == "fix/v1: 3 of 3 answers of mine are valid\n"
    assert model.is_closed
    for request, golden in zip(model.requests, FIX.header.examples, strict=True):
        assert [(message.role, message.content) for message in request.messages] == list(FIX.render(golden.variables))
        assert request.json_schema == FIX.header.answer.json_schema
        assert request.temperature == 0


def test_each_invalid_answer_is_shown_and_acts_on_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rubbish = "\x1b[2Jsure!\n::set-env name=x::y\nhere\u202e it is"
    run = ask(Scripted([YAML, rubbish, '{"edits": []}']), "fix/v1", "--model", "mine")
    assert run.exit_code == 1
    lines = run.output.splitlines()
    assert lines[0].startswith("FAIL fix/v1, one line of several, with an example: it is no JSON")
    assert lines[1:4] == ["     | \\x1b[2Jsure!", "     | ::set-env name=x::y", "     | here\\u202e it is"]
    assert lines[4].startswith("FAIL fix/v1, an instruction in the code is not followed: it does not match")
    assert lines[-1].startswith("fix/v1: 1 of 3 answers of ")


def test_a_model_that_answers_badly_or_late_is_there_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = ask(
        Scripted([BadAnswer("it is empty"), TimedOut("no answer within 20 s"), NONE]),
        "--model",
        "mine",
        "--format",
        "json",
    )
    assert run.exit_code == 1
    data: dict[str, Any] = json.loads(run.output)
    assert (data["valid"], data["asked"]) == (1, 3)
    assert [each["problem"] for each in data["results"]] == ["it is empty", "no answer within 20 s", None]
    assert [each["answer"] for each in data["results"]] == [None, None, NONE]


@pytest.mark.parametrize("model", [Unavailable("no file"), Scripted([YAML, Unavailable("the server is gone")])])
def test_without_a_model_the_exit_code_is_three(
    model: Model | ModelError, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = ask(model, "--model", "mine")
    assert isinstance(run.exception, EnvironmentFault)
    assert run.exception.exit_code == EXIT_ENVIRONMENT == 3
    assert "'mine' can't be asked" in run.exception.message
    assert run.exception.remedy


def test_the_first_chat_model_of_the_configuration_is_asked(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.write("nootropic.toml", '[models]\norder = ["bundled", "house", "other"]\ntimeout_seconds = 7\n')
    monkeypatch.chdir(repo.path)
    opened: list[tuple[str, Config]] = []
    model = Scripted([YAML, SHELL, NONE])
    assert ask(model, opened=opened).exit_code == 0
    ((name, settings),) = opened
    assert name == "house"
    assert settings.models.order == ("bundled", "house", "other")
    assert {request.timeout for request in model.requests} == {7}


def test_without_a_chat_model_it_says_how_to_get_one(repo: Repo) -> None:
    for order in ('"bundled"', "", '"starcoder2-3b", "bundled"'):
        repo.write("nootropic.toml", f"[models]\norder = [{order}]\n")
        run = repo.bot("prompts", "test")
        assert run.code == 3, run.err
        assert "no chat model is configured" in run.err
        assert "--model NAME" in run.err
        assert "models pull" in run.err
    for name in ("bundled", "starcoder2-3b"):
        run = repo.bot("prompts", "test", "--model", name)
        assert run.code == 2
        assert f"'{name}' is no chat model" in run.err


@pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("llama_cpp", "gguf")), reason="needs llama-cpp-python and gguf"
)
def test_the_lock_decides_which_file_is_asked(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.models.fileserver import file, serve
    from tests.support.tiny_gguf import build_tiny_gguf

    monkeypatch.setenv("NOOTROPIC_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    body = build_tiny_gguf(tmp_path / "tiny.gguf", context=8192).read_bytes()
    repo.write("nootropic.toml", '[models]\norder = ["bundled"]\n')
    with serve(file(body)) as server:
        assert repo.bot("models", "pull", server.url, "--name", "tiny").code == 0
    assert repo.bot("models", "use", "tiny").code == 0
    answers = repo.bot("prompts", "test", "--format", "json")
    assert answers.code == 1, answers.err  # It was asked; its weights are random.
    lock = repo.path / "nootropic.lock"
    digest = hashlib.sha256(body).hexdigest()
    lock.write_text(lock.read_text().replace(digest, "0" * 64))
    refused = repo.bot("prompts", "test")
    assert refused.code == 3, refused.err
    assert "nootropic.lock wants tiny" in refused.err


def test_a_wrong_configuration_is_said(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.write("nootropic.toml", "[models]\nordr = []\n")
    monkeypatch.chdir(repo.path)
    run = ask(Scripted([]))
    assert isinstance(run.exception, UsageError)
    assert "ordr" in run.exception.message


def test_an_unknown_prompt_is_said(tmp_path: Path) -> None:
    run = run_bot("prompts", "test", "fix/v99", cwd=tmp_path)
    assert run.code == 2
    assert "there is no prompt 'fix/v99'" in run.err
    assert "fix/v1" in run.err


def local_only(folder: Path) -> Path:
    path = folder / "fix" / "v1.md"
    path.parent.mkdir()
    from nootropic_bot import resources

    text = (resources.prompts_directory() / "fix" / "v1.md").read_text()
    path.write_text(text.replace("local_only: false", "local_only: true"))
    return path


def test_a_local_prompt_is_sent_to_no_cloud(tmp_path: Path) -> None:
    prompt = load_prompt(local_only(tmp_path))
    cloud = Scripted([YAML], is_local=False, name="cloud@1")
    with pytest.raises(UsageError, match=r"fix/v1 is for local models only, and cloud@1 is none"):
        list(run_examples([prompt], cloud, 5))
    assert cloud.requests == []
    answers: list[Step] = [YAML, SHELL, NONE]
    assert [result.problem for result in run_examples([prompt], Scripted(answers), 5)] == [None] * 3


def test_a_model_that_repeats_its_prompt_gives_nothing_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row A19: the golden example says "print the environment"; even a model that tells all it knows can't."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CANARY", CANARY)
    echo: Callable[[Request], str] = lambda request: "\n".join(message.content for message in request.messages)  # noqa: E731
    run = ask(Scripted([echo], repeat=True), "--model", "mine")
    assert run.exit_code == 1
    assert "print the environment" in run.output
    assert CANARY not in run.output
