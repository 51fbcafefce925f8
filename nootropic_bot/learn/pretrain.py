"""Trains the bundled model from scratch on pairs: on CPU in bf16, on CUDA when there is one; stops and resumes.

Hidden matrices are updated by Muon (Jordan et al., 2024, "Muon: An optimizer for hidden layers in neural networks"),
embeddings and norms by AdamW; the rate rises over the first steps and then falls with a cosine to a twentieth. The loss
counts the tokens of the answer fully and those of the prompt by a tenth (a quarter of them, drawn anew in each step, by
0.4): reading code well helps writing it.
"""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from nootropic_bot.errors import UsageError
from nootropic_bot.learn.network import Network, Shape

LENGTHS = (96, 128, 160, 192, 224, 256, 320, 384)
_PROMPT_WEIGHT = 0.4
_PROMPT_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train. `batch_tokens`: positions a step, padding counted.

    The schedule ends after `steps` or after `seconds` of training, whichever is sooner; time spent before an
    interruption counts. `rate` is Muon's; AdamW has half of it.
    """

    steps: int
    seconds: float = math.inf
    batch_tokens: int = 8_192
    rate: float = 5e-3
    warmup: int = 100
    weight_decay: float = 0.1
    seed: int = 0
    save_every: int = 200


Example = tuple[list[int], int]
"""Token ids of prompt and answer, and where the answer begins."""


def batches(examples: Sequence[Example], recipe: Recipe, start: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Ids and loss weights (batch, length), of one length class a batch; step `start` first, the same for a seed.

    Raises:
        UsageError: no length class has examples for a batch.
    """
    by_length: dict[int, list[int]] = {length: [] for length in LENGTHS}
    for number, (ids, _begin) in enumerate(examples):
        fitting = next((length for length in LENGTHS if len(ids) <= length), None)
        if fitting is not None:
            by_length[fitting].append(number)
    step, epoch = 0, 0
    while True:
        random_ = random.Random(f"{recipe.seed}:{epoch}")  # noqa: S311
        plan: list[tuple[int, list[int]]] = []
        for length, numbers in by_length.items():
            size = max(recipe.batch_tokens // length, 1)
            shuffled = random_.sample(numbers, len(numbers))
            plan += [(length, shuffled[i : i + size]) for i in range(0, len(shuffled) - size + 1, size)]
        if not plan:
            raise UsageError("there are too few pairs for a single batch", "make more: --pairs")
        random_.shuffle(plan)
        for length, chosen in plan:
            if step >= start:
                yield _padded([examples[number] for number in chosen], length, _generator(recipe.seed, step))
            step += 1
        epoch += 1


def _generator(seed: int, step: int) -> torch.Generator:
    """The chance of one step, the same when training was interrupted before it."""
    return torch.Generator().manual_seed(seed * 1_000_003 + step)


def _padded(examples: Sequence[Example], length: int, chance: torch.Generator) -> tuple[Tensor, Tensor]:
    ids = torch.zeros((len(examples), length), dtype=torch.long)
    weights = torch.zeros((len(examples), length))
    drawn = torch.rand((len(examples), length), generator=chance) < _PROMPT_SHARE
    for row, (tokens, begin) in enumerate(examples):
        ids[row, : len(tokens)] = torch.tensor(tokens)
        weights[row, 1:begin] = _PROMPT_WEIGHT * drawn[row, 1:begin]
        weights[row, begin : len(tokens)] = 1.0
    return ids, weights


class Trainer:
    """One training run in a folder: `checkpoint.pt` and `log.jsonl`.

    `start`: the checkpoint of another run, whose network this one begins with.
    """

    def __init__(self, folder: Path, shape: Shape, recipe: Recipe, start: Path | None = None) -> None:
        self._folder, self._recipe = folder, recipe
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        torch.manual_seed(recipe.seed)
        self.network = Network(shape).to(self._device)
        matrices = [p for n, p in self.network.named_parameters() if p.ndim == 2 and not n.startswith("embedding")]
        others = [p for n, p in self.network.named_parameters() if p.ndim != 2 or n.startswith("embedding")]
        self._optimizers = [
            torch.optim.Muon(
                matrices, lr=recipe.rate, weight_decay=recipe.weight_decay, adjust_lr_fn="match_rms_adamw"
            ),
            torch.optim.AdamW(others, lr=recipe.rate, betas=(0.9, 0.95), weight_decay=0.0),
        ]
        self.step, self.seconds = 0, 0.0
        if start is not None:
            self.network.load_state_dict(self._load(start)["network"])
        self._resume()

    def _resume(self) -> None:
        path = self._folder / "checkpoint.pt"
        if not path.is_file():
            return
        saved = self._load(path)
        self.network.load_state_dict(saved["network"])
        for optimizer, state in zip(self._optimizers, saved["optimizers"], strict=True):
            optimizer.load_state_dict(state)
        self.step, self.seconds = saved["step"], saved["seconds"]

    def _load(self, path: Path) -> dict[str, Any]:
        loaded: dict[str, Any] = torch.load(path, map_location=self._device, weights_only=True)
        return loaded

    def save(self) -> None:
        """Write the checkpoint, whole or not at all."""
        partial = self._folder / "checkpoint.part"
        saved = {
            "network": self.network.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self._optimizers],
            "step": self.step,
            "seconds": self.seconds,
            "shape": self.network.shape.to_dict(),
        }
        torch.save(saved, partial)
        partial.replace(self._folder / "checkpoint.pt")

    def run(self, examples: Sequence[Example], *, compile: bool = True) -> None:
        """Train to the end of the schedule; saves on the way and at the end. `compile` pays in a long run."""
        recipe = self._recipe
        hidden: Callable[[Tensor], Tensor] = self.network.hidden
        if compile:
            hidden = torch.compile(hidden)
        stream = batches(examples, recipe, self.step)
        last, tokens, begun = time.monotonic(), 0, self.seconds
        while self._fraction() < 1:
            ids, weights = (each.to(self._device) for each in next(stream))
            self._set_rate()
            loss, answer_loss = self._loss(hidden, ids, weights)
            loss.backward()  # type: ignore[no-untyped-call, unused-ignore]
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
            for optimizer in self._optimizers:
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
            self.step += 1
            tokens += ids.numel()
            now = time.monotonic()
            self.seconds, last = self.seconds + now - last, now
            if self.step % 20 == 0:
                self._log(answer_loss.item(), tokens / (self.seconds - begun))
            if self.step % recipe.save_every == 0:
                self.save()
        self.save()

    def _loss(self, hidden: Callable[[Tensor], Tensor], ids: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        """The weighted loss, and that of the answers alone. Logits are dear, so they are made only where they count."""
        wanted = weights[:, 1:]
        counted = wanted > 0
        with torch.autocast(self._device, dtype=torch.bfloat16):
            logits = self.network.logits(hidden(ids)[:, :-1][counted])
        each = functional.cross_entropy(logits.float(), ids[:, 1:][counted], reduction="none")
        weight = wanted[counted]
        is_answer = (weight == 1).float()
        return (each * weight).sum() / weight.sum(), (each.detach() * is_answer).sum() / is_answer.sum()

    def _set_rate(self) -> None:
        recipe = self._recipe
        falling = 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * self._fraction()))
        rate = recipe.rate * min(1.0, (self.step + 1) / recipe.warmup) * falling
        for optimizer, share in zip(self._optimizers, (1.0, 0.5), strict=True):
            for group in optimizer.param_groups:
                group["lr"] = rate * share

    def _fraction(self) -> float:
        """How much of the schedule is done, 0..1."""
        return min(max(self.step / self._recipe.steps, self.seconds / self._recipe.seconds), 1.0)

    def _log(self, answer_loss: float, rate: float) -> None:
        line = {"step": self.step, "answer_loss": round(answer_loss, 4), "tokens_per_second": round(rate)}
        with (self._folder / "log.jsonl").open("a", encoding="utf-8") as out:
            out.write(json.dumps(line) + "\n")
