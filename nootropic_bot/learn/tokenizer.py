"""The tokenizer of the bundled model: byte-level BPE with the control tokens of `models/fixer.py`.

Trained by the `tokenizers` library. llama.cpp's "gpt-2" pre-tokenizer cuts text in the same way, so both give the same
ids (a test holds them to it).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from nootropic_bot.models.base import Prompt, Special
from nootropic_bot.models.fixer import SPECIALS


def train(prompts: Iterable[Prompt], vocabulary: int) -> Tokenizer:
    """A tokenizer over the text parts of these prompts."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[special.token for special in SPECIALS],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator((part for prompt in prompts for part in prompt if isinstance(part, str)), trainer)
    return tokenizer


class Encoder:
    """Prompts to token ids. Text never becomes a control token, whatever it spells."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        plain = json.loads(tokenizer.to_str())
        self.specials = {entry["content"]: entry["id"] for entry in plain["added_tokens"]}
        plain["added_tokens"] = []
        self._plain = Tokenizer.from_str(json.dumps(plain))
        self.size = tokenizer.get_vocab_size()

    def __call__(self, prompts: Sequence[Prompt]) -> list[list[int]]:
        """One list of ids a prompt."""
        texts = [part for prompt in prompts for part in prompt if isinstance(part, str)]
        encoded = iter(self._plain.encode_batch(texts, add_special_tokens=False))
        return [
            [
                token
                for part in prompt
                for token in ([self.specials[part.token]] if isinstance(part, Special) else next(encoded).ids)
            ]
            for prompt in prompts
        ]

    def text(self, ids: Sequence[int]) -> str:
        """Ids back to text, control tokens spelt out."""
        names = {number: name for name, number in self.specials.items()}
        out = ""
        run: list[int] = []
        for token in [*ids, -1]:
            if token in names or token == -1:
                out += self._plain.decode(run, skip_special_tokens=False) + names.get(token, "")
                run = []
            else:
                run.append(token)
        return out


def load(path: Path) -> Tokenizer:
    """A saved tokenizer."""
    return Tokenizer.from_file(str(path))
