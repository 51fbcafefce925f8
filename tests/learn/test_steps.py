"""The steps of training as a whole: from pairs on the disk to tokens, and the commands that the help names."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

import nootropic_bot.learn.__main__ as command
from nootropic_bot.errors import EnvironmentFault
from nootropic_bot.learn.pairs import Pair, generate
from nootropic_bot.learn.steps import Plan, _chunks, write_pairs
from tests.learn.code import ingredients


def _plan(work: Path, **more: int) -> Plan:
    return Plan(work, work / "corpus", pair_count=40, step_count=more.get("steps", 2), minutes=None, seed=1)


def _written(work: Path, count: int) -> list[Pair]:
    pairs = list(generate(ingredients(), count, 1))
    (work / "train.jsonl").write_text("".join(pair.to_json() + "\n" for pair in pairs), encoding="utf-8")
    return pairs


def test_every_command_that_the_help_names_is_there() -> None:
    documented = re.findall(r"(?m)^    (\w+)  ", command.__doc__ or "")
    assert set(documented) == set(command.main.commands)
    result = CliRunner().invoke(command.main, ["--help"])
    assert result.exit_code == 0
    assert all(name in result.output for name in documented)


def test_without_pairs_there_is_nothing_to_train_on(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault) as caught:
        list(_plan(tmp_path)._pairs("train"))
    assert "train.jsonl" in str(caught.value)


@pytest.mark.parametrize("arguments", [["pairs"], ["compare"], ["evaluate", __file__], ["calibrate", __file__]])
def test_without_the_corpus_a_command_says_what_to_run_first(tmp_path: Path, arguments: list[str]) -> None:
    if arguments == ["compare"]:
        for name in ("torch", "tokenizers", "gguf", "llama_cpp"):
            pytest.importorskip(name)
    result = CliRunner().invoke(command.main, ["--work", str(tmp_path / "training"), *arguments])
    assert isinstance(result.exception, EnvironmentFault)
    assert re.fullmatch(rf"{re.escape(str(tmp_path))}/training/corpus/\S+\.whl is not there", result.exception.message)
    assert "nootropic_bot.learn fetch" in (result.exception.remedy or "")
    assert not (tmp_path / "training").exists()


def test_comparing_asks_for_what_it_measures_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without llama.cpp every answer would count as wrong, hours later."""
    found = {"torch", "numpy", "tokenizers", "gguf"}
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name if name in found else None)
    with pytest.raises(EnvironmentFault, match=r"not installed: llama_cpp$"):
        _plan(tmp_path).compare()


def test_pairs_are_read_in_chunks(tmp_path: Path) -> None:
    pairs = _written(tmp_path, 23)
    chunks = list(_chunks(_plan(tmp_path)._pairs("train"), 10))
    assert [len(chunk) for chunk in chunks] == [10, 10, 3]
    assert [pair for chunk in chunks for pair in chunk] == pairs


def test_tokens_are_made_once_and_are_those_of_the_pairs(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    pytest.importorskip("numpy")
    from nootropic_bot.learn import tokenizer

    pairs = _written(tmp_path, 60)
    examples = _plan(tmp_path)._examples("train")
    encoder = tokenizer.Encoder(tokenizer.load(tmp_path / "tokenizer.json"))
    expected = [
        (prompt + answer, len(prompt))
        for prompt, answer in zip(encoder([p.prompt for p in pairs]), encoder([p.answer for p in pairs]), strict=True)
    ]
    assert examples == expected
    (tmp_path / "train.jsonl").unlink()
    assert _plan(tmp_path)._examples("train") == expected


def test_a_later_pass_has_pairs_of_its_own_and_the_words_of_the_first(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    pytest.importorskip("numpy")
    first, second = _plan(tmp_path).passes(2)
    assert (first.after, second.after) == (None, first.work)
    assert first.seed != second.seed
    assert first.corpus == second.corpus
    for plan in (first, second):
        plan.work.mkdir()
        _written(plan.work, 60)
        assert plan._examples("train")
    (first.work / "tokenizer.json").write_text("something else", encoding="utf-8")
    (second.work / "train.npz").unlink()
    assert second._examples("train")


def test_from_pairs_to_a_model_file(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("gguf")
    pytest.importorskip("tokenizers")
    from nootropic_bot.learn.network import Shape
    from nootropic_bot.learn.pretrain import Recipe, Trainer

    torch.set_num_threads(1)
    _written(tmp_path, 60)
    plan = _plan(tmp_path)
    shape = Shape(vocabulary=4096, width=32, layers=1, heads=1, hidden=32)
    Trainer(tmp_path, shape, Recipe(steps=2, batch_tokens=384)).run(plan._examples("train"), compile=False)
    plan.export(tmp_path / "made.gguf", "3")
    assert (tmp_path / "made.gguf").read_bytes()[:4] == b"GGUF"


def test_pairs_made_in_parts_are_no_two_alike_and_the_same_each_time(tmp_path: Path) -> None:
    texts = []
    for name in ("one", "other"):
        count = write_pairs(ingredients(), 48, 1, tmp_path / name)
        texts.append((tmp_path / name).read_text(encoding="utf-8"))
        assert count == len(texts[-1].splitlines()) > 40
    assert texts[0] == texts[1]
    assert len(set(texts[0].splitlines())) == len(texts[0].splitlines())


def test_a_later_training_is_exported_as_the_mean_of_both(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("gguf")
    pytest.importorskip("tokenizers")
    from nootropic_bot.learn.export import load_network, mean_of
    from nootropic_bot.learn.network import Shape
    from nootropic_bot.learn.pretrain import Recipe, Trainer

    torch.set_num_threads(1)
    shape = Shape(vocabulary=4096, width=32, layers=1, heads=1, hidden=32)
    first, second = _plan(tmp_path).passes(2)
    for plan in (first, second):
        plan.work.mkdir()
        _written(plan.work, 60)
        start = plan.after / "checkpoint.pt" if plan.after else None
        Trainer(plan.work, shape, Recipe(steps=2, batch_tokens=384), start).run(plan._examples("train"), compile=False)
    one, other = (load_network(plan.work / "checkpoint.pt").state_dict() for plan in (first, second))
    assert any(not torch.equal(one[name], other[name]) for name in one)
    mean = mean_of(*(load_network(plan.work / "checkpoint.pt") for plan in (first, second))).state_dict()
    assert all(torch.allclose(mean[name], (one[name] + other[name]) / 2) for name in one)
    for plan, name in ((first, "one.gguf"), (second, "mean.gguf")):
        plan.export(tmp_path / name, "1")
    alone = replace(second, after=None)
    alone.export(tmp_path / "other.gguf", "1")
    assert len({(tmp_path / name).read_bytes() for name in ("one.gguf", "mean.gguf", "other.gguf")}) == 3
