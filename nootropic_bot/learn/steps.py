"""The steps from the rule pack and the corpus to a model file, each leaving files for the next in one work folder.

corpus/            the packages of corpus.lock
train.jsonl  validation.jsonl        pairs
tokenizer.json  train.npz  validation.npz        the tokenizer and the pairs as tokens
checkpoint.pt  log.jsonl             the network
arms/              the trainings that `compare` makes
"""

from __future__ import annotations

import importlib.util
import math
import multiprocessing
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from nootropic_bot.errors import EnvironmentFault
from nootropic_bot.learn.corpus import Corpus, Split, fetch, packages, relock
from nootropic_bot.learn.expansion import Template
from nootropic_bot.learn.material import harvest
from nootropic_bot.learn.pairs import Ingredients, Pair, digest, from_json, generate, load_words
from nootropic_bot.learn.teachable import lessons, open_critic
from nootropic_bot.resources import bundled_rules
from nootropic_bot.rulefiles import find_rule_files, load_rules

_VALIDATION_PAIRS = 3000
_TOKENIZER_PAIRS = 40_000
_VOCABULARY = 4096
_PARTS = 16
_TRAINING = ("torch", "numpy", "tokenizers", "gguf")
# Short trainings get further with more and smaller steps.
_COMPARED_BATCH = 4096
# A network that was trained before is changed more gently.
_LATER_RATE = 0.6


@dataclass(frozen=True, slots=True)
class Plan:
    """What to make, and where. `minutes` None means as long as the steps take.

    `after`: the folder of a training whose network and tokenizer this one starts from, on pairs of its own.
    """

    work: Path
    corpus: Path
    pair_count: int
    step_count: int
    minutes: float | None
    seed: int
    after: Path | None = None

    def passes(self, count: int) -> Iterator[Plan]:
        """The plan as several, each in a folder of its own, with pairs of its own, and after the one before."""
        before: Path | None = None
        for number in range(1, count + 1):
            work = self.work / f"pass-{number}"
            yield replace(self, work=work, seed=self.seed + number - 1, after=before)
            before = work

    def lock(self) -> None:
        """Pin the wheels that lie in the corpus folder."""
        relock(self.corpus)

    def fetch(self) -> None:
        """Download and check the corpus."""
        fetch(self.corpus)

    def ingredients(self, split: Split, templates: Sequence[Template]) -> Ingredients:
        """What pairs of a split are made of."""
        files = list(Corpus(self.corpus).files(split))
        rules = load_rules(find_rule_files(bundled_rules()), None).by_id
        return Ingredients(templates, rules, files, harvest(files), load_words())

    def pairs(self) -> None:
        """Write the pairs of training and validation."""
        need_corpus(self.corpus)
        self.work.mkdir(parents=True, exist_ok=True)
        templates = [lesson.template for lesson in lessons(open_critic()) if lesson.template is not None]
        wanted: tuple[tuple[Split, int], ...] = (("validation", _VALIDATION_PAIRS), ("train", self.pair_count))
        for split, count in wanted:
            have = self.ingredients(split, templates)
            for stale in ("tokenizer.json", "train.npz", "validation.npz"):  # They belong to the pairs before.
                (self.work / stale).unlink(missing_ok=True)
            made = write_pairs(have, count, self.seed, self.work / f"{split}.jsonl")
            click.echo(f"{split}: {made} pairs from {len(have.files)} files", err=True)

    def train(self) -> None:
        """Train to the end of the schedule, from the last checkpoint on if there is one."""
        need_modules(*_TRAINING)
        import torch

        from nootropic_bot.learn.network import Shape
        from nootropic_bot.learn.pretrain import Recipe, Trainer

        examples = self._examples("train")
        recipe = Recipe(self.step_count, self.minutes * 60 if self.minutes else math.inf, seed=self.seed)
        start = None
        if self.after is not None:
            start = self.after / "checkpoint.pt"
            recipe = replace(recipe, rate=recipe.rate * _LATER_RATE)
        trainer = Trainer(self.work, Shape(vocabulary=_VOCABULARY), recipe, start)
        click.echo(f"{len(examples)} examples, {torch.get_num_threads()} threads, from step {trainer.step}", err=True)
        trainer.run(examples)

    def export(self, path: Path, version: str) -> None:
        """Write the model file: of the mean of both networks, where this training started from another's."""
        need_modules(*_TRAINING)
        from nootropic_bot.learn.export import export, load_network, mean_of
        from nootropic_bot.learn.tokenizer import load

        network = load_network(self.work / "checkpoint.pt")
        if self.after is not None:
            network = mean_of(load_network(self.after / "checkpoint.pt"), network)
        export(network, load(self.work / "tokenizer.json"), path, name="bundled", version=version)

    def evaluate(self, model: Path, split: Split, per_rule: int, natural: int | None) -> str:
        """The figures of a model file on a split, in Markdown; the results and a draw to read go to the work folder."""
        from nootropic_bot.learn import report
        from nootropic_bot.propose.calibration import load_calibration

        need_modules("llama_cpp")
        need_corpus(self.corpus)
        critic = open_critic()
        templates = [lesson.template for lesson in lessons(critic) if lesson.template is not None]
        self.work.mkdir(parents=True, exist_ok=True)
        draw = report.Draw(per_rule, natural, self.seed)
        measured = report.measure(self.ingredients(split, templates), critic, model, draw)
        report.write_all(measured, self.work, split, self.seed)
        return report.tables(measured, next(iter(load_calibration(model.parent).curves.values()), None))

    def calibrate(self, model: Path, per_rule: int) -> Path:
        """Fit the confidence of a model on the validation split, and write the curve beside it."""
        from nootropic_bot.learn import report
        from nootropic_bot.learn.calibrate import as_json
        from nootropic_bot.models.registry import BUNDLED, builtin

        need_modules("llama_cpp")
        need_corpus(self.corpus)
        critic = open_critic()
        templates = [lesson.template for lesson in lessons(critic) if lesson.template is not None]
        curve = report.calibrate(self.ingredients("validation", templates), critic, model, per_rule, self.seed)
        name = next(entry.full_name for entry in builtin() if entry.name == BUNDLED)
        target = model.with_suffix(".calibration.json")
        target.write_text(as_json(name, curve), encoding="utf-8")
        return target

    def compare(self) -> str:
        """What pays: small trainings that differ in one thing each, as a table in Markdown."""
        need_modules(*_TRAINING, "llama_cpp")
        need_corpus(self.corpus)
        from nootropic_bot.learn import comparison
        from nootropic_bot.learn.evaluate import natural
        from nootropic_bot.learn.pretrain import Recipe

        critic = open_critic()
        teachable = {lesson.template.rule.id for lesson in lessons(critic) if lesson.template is not None}
        files = list(Corpus(self.corpus).files("validation"))
        examples = {split: self._examples(split) for split in ("train", "validation")}
        sources = {split: [pair.source for pair in self._pairs(split)] for split in examples}
        questions = [each for each in natural(files, critic) if each.rule.id in teachable]
        data = comparison.Data(
            examples["train"], sources["train"], examples["validation"], sources["validation"], questions
        )
        recipe = Recipe(0, seed=self.seed, batch_tokens=_COMPARED_BATCH)
        outcomes = []
        for outcome in comparison.compare(self.work, comparison.arms(self.step_count), data, recipe):
            click.echo(str(outcome), err=True)
            outcomes.append(outcome)
        return comparison.table(outcomes)

    def _examples(self, split: Split) -> list[tuple[list[int], int]]:
        """The pairs of a split as tokens, in their order; made once."""
        import numpy as np

        from nootropic_bot.learn import tokenizer

        made = self.work / f"{split}.npz"
        if not made.is_file():
            saved = self.work / "tokenizer.json"
            if not saved.is_file() and self.after is not None:
                shutil.copyfile(self.after / "tokenizer.json", saved)
            if not saved.is_file():
                first = (pair for _number, pair in zip(range(_TOKENIZER_PAIRS), self._pairs("train"), strict=False))
                tokenizer.train((pair.prompt + pair.answer for pair in first), _VOCABULARY).save(str(saved))
            encode = tokenizer.Encoder(tokenizer.load(saved))
            tokens, lengths = [], []
            for chunk in _chunks(self._pairs(split), 5000):
                prompts, answers = encode([pair.prompt for pair in chunk]), encode([pair.answer for pair in chunk])
                for prompt, answer in zip(prompts, answers, strict=True):
                    tokens.append(np.array(prompt + answer, dtype=np.uint16))
                    lengths.append((len(prompt) + len(answer), len(prompt)))
            partial = made.with_suffix(".part.npz")
            np.savez(partial, ids=np.concatenate(tokens), lengths=np.array(lengths, dtype=np.int32))
            partial.replace(made)
        with np.load(made) as stored:
            return list(_split(stored["ids"], stored["lengths"]))

    def _pairs(self, split: str) -> Iterator[Pair]:
        path = self.work / f"{split}.jsonl"
        if not path.is_file():
            raise EnvironmentFault(f"there is no {path}", "run `python -m nootropic_bot.learn pairs` first")
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                yield from_json(line)


def need_corpus(folder: Path) -> None:
    """Say what is missing before a minute is spent.

    Raises:
        EnvironmentFault: a package of the corpus was not downloaded.
    """
    for package in packages():
        if not (folder / package.file).is_file():
            remedy = "run `python -m nootropic_bot.learn fetch` first"
            raise EnvironmentFault(f"{folder / package.file} is not there", remedy)


def need_modules(*names: str) -> None:
    """The same of modules.

    Raises:
        EnvironmentFault: one of them is not installed.
    """
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        raise EnvironmentFault(f"not installed: {', '.join(missing)}", "pip install 'nootropic-bot[local,train]'")


def write_pairs(have: Ingredients, count: int, seed: int, path: Path) -> int:
    """Write up to `count` pairs, no two alike, made in parts on all processors; how many there are.

    The parts don't depend on the number of processors, so neither do the pairs.
    """
    sizes = [count // _PARTS + (number < count % _PARTS) for number in range(_PARTS)]
    seen: set[bytes] = set()
    tasks = [(size, seed * _PARTS + number) for number, size in enumerate(sizes)]
    # Forked, so that the harvest of the corpus is shared and not sent.
    workers = multiprocessing.get_context("fork").Pool(initializer=_share, initargs=(have,))
    with workers as pool, path.open("w", encoding="utf-8") as out:
        for part in pool.imap(_part, tasks):
            for key, line in part:
                if key not in seen:
                    seen.add(key)
                    out.write(line + "\n")
    return len(seen)


_shared: list[Ingredients] = []
"""In a worker of `write_pairs`: what its parts are made of."""


def _share(have: Ingredients) -> None:
    _shared[:] = [have]


def _part(wanted: tuple[int, int]) -> list[tuple[bytes, str]]:
    count, seed = wanted
    return [(digest(pair), pair.to_json()) for pair in generate(_shared[0], count, seed)]


def _chunks(pairs: Iterator[Pair], size: int) -> Iterator[list[Pair]]:
    chunk: list[Pair] = []
    for pair in pairs:
        chunk.append(pair)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _split(ids: Any, lengths: Any) -> Iterator[tuple[list[int], int]]:
    start = 0
    for length, begin in lengths.tolist():
        yield ids[start : start + length].tolist(), begin
        start += length
