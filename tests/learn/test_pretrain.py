"""Training: a small network learns a small task, stops and goes on as if it had not stopped, and ends on time."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from nootropic_bot.errors import UsageError  # noqa: E402
from nootropic_bot.learn.network import Shape  # noqa: E402
from nootropic_bot.learn.pretrain import LENGTHS, Recipe, Trainer, batches  # noqa: E402

_SHAPE = Shape(vocabulary=64, width=64, layers=2, heads=2, hidden=96, context=128)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _copies(count: int, seed: int = 0) -> list[tuple[list[int], int]]:
    """The task: say the marked token of the prompt again, and end."""
    random_ = random.Random(seed)
    made = []
    for _example in range(count):
        word = random_.randrange(4, 64)
        prompt = [random_.randrange(4, 64) for _token in range(6)]
        made.append(([*prompt, 1, word, 2, word, 3], len(prompt) + 3))
    return made


def _recipe(steps: int, **more: Any) -> Recipe:
    return Recipe(**{"steps": steps, "batch_tokens": 96 * 16, "rate": 0.02, "warmup": 5, "save_every": 5, **more})


def _state(trainer: Trainer) -> dict[str, Any]:
    return {name: weight.clone() for name, weight in trainer.network.state_dict().items()}


def _are_equal(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def _log(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()]


def test_a_small_task_is_learnt(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path, _SHAPE, _recipe(120))
    trainer.run(_copies(400), compile=False)
    log = _log(tmp_path)
    assert [line["step"] for line in log] == list(range(20, 121, 20))
    assert log[-1]["answer_loss"] < log[0]["answer_loss"] / 4
    assert log[-1]["tokens_per_second"] > 0
    right = 0
    with torch.no_grad():
        for tokens, begin in _copies(50, seed=99):
            scores = trainer.network(torch.tensor([tokens[:begin]]))[0, -1]
            right += int(scores.argmax()) == tokens[begin]
    assert right >= 40


class _Interrupted(Sequence[tuple[list[int], int]]):
    """Examples that are read until somebody presses Ctrl-C."""

    def __init__(self, examples: Sequence[tuple[list[int], int]], reads: int) -> None:
        self._examples, self._left = examples, reads

    def __len__(self) -> int:
        return len(self._examples)

    def __getitem__(self, index: Any) -> Any:
        self._left -= 1
        if self._left < 0:
            raise KeyboardInterrupt
        return self._examples[index]

    def __iter__(self) -> Iterator[tuple[list[int], int]]:
        return iter(self._examples)


def test_an_interrupted_run_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    examples = _copies(64)
    through = Trainer(tmp_path, _SHAPE, _recipe(17))
    through.run(examples, compile=False)
    folder = tmp_path / "interrupted"
    folder.mkdir()
    first = Trainer(folder, _SHAPE, _recipe(17))
    with pytest.raises(KeyboardInterrupt):
        first.run(_Interrupted(examples, 16 * 8 + 3), compile=False)
    assert first.step == 8
    second = Trainer(folder, _SHAPE, _recipe(17))
    assert second.step == 5
    assert 0 < second.seconds < first.seconds
    second.run(examples, compile=False)
    assert second.step == through.step == 17
    assert _are_equal(_state(second), _state(through))


def test_the_same_seed_gives_the_same_weights_and_another_others(tmp_path: Path) -> None:
    states = []
    for number, seed in enumerate((1, 1, 2)):
        folder = tmp_path / str(number)
        folder.mkdir()
        trainer = Trainer(folder, _SHAPE, _recipe(4, seed=seed))
        trainer.run(_copies(64), compile=False)
        states.append(_state(trainer))
    assert _are_equal(states[0], states[1])
    assert not _are_equal(states[0], states[2])


def test_a_run_may_begin_with_the_network_of_another(tmp_path: Path) -> None:
    Trainer(tmp_path, _SHAPE, _recipe(4)).run(_copies(64), compile=False)
    folder = tmp_path / "later"
    folder.mkdir()
    later = Trainer(folder, _SHAPE, _recipe(2), tmp_path / "checkpoint.pt")
    assert later.step == 0
    before = _state(Trainer(tmp_path, _SHAPE, _recipe(4)))
    assert _are_equal(_state(later), before)
    later.run(_copies(64), compile=False)
    assert not _are_equal(_state(later), before)
    # What it reached itself counts for more than where it began.
    assert _are_equal(_state(Trainer(folder, _SHAPE, _recipe(2), tmp_path / "checkpoint.pt")), _state(later))


def test_a_finished_run_stays_finished(tmp_path: Path) -> None:
    Trainer(tmp_path, _SHAPE, _recipe(4)).run(_copies(64), compile=False)
    again = Trainer(tmp_path, _SHAPE, _recipe(4))
    before = _state(again)
    again.run(_copies(64), compile=False)
    assert again.step == 4
    assert _are_equal(_state(again), before)


def test_a_checkpoint_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path, _SHAPE, _recipe(2))
    trainer.run(_copies(64), compile=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint.pt"]
    before = (tmp_path / "checkpoint.pt").read_bytes()
    (tmp_path / "checkpoint.part").mkdir()  # Nothing can be written there.
    trainer.step = 1
    with pytest.raises((OSError, RuntimeError)):
        trainer.save()
    assert (tmp_path / "checkpoint.pt").read_bytes() == before
    assert Trainer(tmp_path, _SHAPE, _recipe(2)).step == 2


def test_a_torn_part_is_no_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.part").write_bytes(b"torn")
    trainer = Trainer(tmp_path, _SHAPE, _recipe(2))
    assert trainer.step == 0
    trainer.run(_copies(64), compile=False)
    assert not (tmp_path / "checkpoint.part").exists()


def test_a_checkpoint_of_another_shape_is_refused(tmp_path: Path) -> None:
    Trainer(tmp_path, _SHAPE, _recipe(1)).run(_copies(64), compile=False)
    with pytest.raises(RuntimeError, match="size mismatch"):
        Trainer(tmp_path, Shape(vocabulary=64, width=32, layers=2, heads=2, hidden=96, context=128), _recipe(1))


def test_the_schedule_ends_with_its_time(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path, _SHAPE, _recipe(10**6, seconds=0.4))
    trainer.run(_copies(64), compile=False)
    assert 0.4 <= trainer.seconds < 30
    assert 0 < trainer.step < 10**5
    rest = Trainer(tmp_path, _SHAPE, _recipe(10**6, seconds=0.4))
    rest.run(_copies(64), compile=False)
    assert rest.step == trainer.step


def test_the_rate_rises_and_falls(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path, _SHAPE, _recipe(100, rate=1.0, warmup=10))
    rates = []
    for trainer.step in range(101):
        trainer._set_rate()
        groups = [group["lr"] for optimizer in trainer._optimizers for group in optimizer.param_groups]
        assert groups[1] == pytest.approx(groups[0] / 2)
        rates.append(groups[0])
    assert rates[0] == pytest.approx(0.1, abs=0.01)
    assert max(rates) == max(rates[8:13])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] == pytest.approx(0.05)


def test_matrices_and_the_rest_have_different_optimizers(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path, _SHAPE, _recipe(1))
    hidden, rest = ([w for group in each.param_groups for w in group["params"]] for each in trainer._optimizers)
    assert len(hidden) == 7 * _SHAPE.layers
    assert len(hidden) + len(rest) == len(list(trainer.network.parameters()))
    assert any(weight is trainer.network.embedding.weight for weight in rest)


def _examples_of(*lengths: int) -> list[tuple[list[int], int]]:
    return [(list(range(1, length + 1)), length // 2) for length in lengths]


def test_batches_hold_one_length_class_and_fill_the_budget() -> None:
    examples = _examples_of(*([40] * 30), *([100] * 30), *([300] * 8), 500)
    recipe = Recipe(steps=1, batch_tokens=1024)
    for ids, weights in itertools.islice(batches(examples, recipe, 0), 40):
        assert ids.shape == weights.shape
        assert ids.shape[1] in LENGTHS
        assert ids.shape[0] == 1024 // ids.shape[1]
        assert int((ids > 0).sum(1).max()) == {96: 40, 128: 100, 320: 300}[ids.shape[1]]


def test_an_epoch_shows_no_example_twice() -> None:
    examples = [([number + 1] * 10, 5) for number in range(64)]
    recipe = Recipe(steps=1, batch_tokens=96 * 8)
    epochs = [
        [int(row[0]) for ids, _weights in itertools.islice(batches(examples, recipe, start), 8) for row in ids]
        for start in (0, 8)
    ]
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(1, 65))
    assert epochs[0] != epochs[1]


def test_batches_can_begin_in_the_middle() -> None:
    examples, recipe = _examples_of(*range(20, 90)), Recipe(steps=1, batch_tokens=96 * 8)
    whole = list(itertools.islice(batches(examples, recipe, 0), 30))
    rest = list(itertools.islice(batches(examples, recipe, 13), 17))
    for (ids, weights), (later, later_weights) in zip(whole[13:], rest, strict=True):
        assert torch.equal(ids, later)
        assert torch.equal(weights, later_weights)


def test_the_answer_weighs_fully_the_prompt_a_tenth_and_padding_nothing() -> None:
    """Of the prompt's tokens a quarter is drawn anew in each step: over 400 steps they weigh a tenth each."""
    stream = batches([([5, 6, 7, 8, 9], 3)], Recipe(steps=1, batch_tokens=96), 0)
    seen = [(ids[0, :6].tolist(), weights[0]) for ids, weights in itertools.islice(stream, 400)]
    assert all(ids == [5, 6, 7, 8, 9, 0] for ids, _weights in seen)
    mean = torch.stack([weights for _ids, weights in seen]).mean(0)
    assert mean[[0, 3, 4, 5]].tolist() == [0, 1, 1, 0]
    assert mean[1:3].tolist() == pytest.approx([0.1, 0.1], abs=0.03)  # Three standard errors.
    assert mean[5:].sum() == 0


def test_too_few_examples_are_said_to_be_too_few() -> None:
    with pytest.raises(UsageError, match="too few"):
        next(batches(_copies(3), _recipe(1), 0))
