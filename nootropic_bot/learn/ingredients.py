"""What pairs are made of: templates and rules, real code and its pieces, and wordings of what is wrong."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nootropic_bot.learn.corpus import CodeFile
from nootropic_bot.learn.expansion import Template
from nootropic_bot.learn.material import Material
from nootropic_bot.records import Rule
from nootropic_bot.resources import read_toml
from nootropic_bot.templates import HoleType

PARAPHRASES = Path(__file__).with_name("paraphrases.toml")


@dataclass(frozen=True, slots=True)
class Words:
    """How weaknesses are worded. `held_out` serves evaluation only."""

    train: Mapping[str, Sequence[str]]
    held_out: Mapping[str, Sequence[str]]

    def draw(self, rule: Rule, random_: random.Random) -> str:
        """One wording for a training pair."""
        kind = random_.random()
        if kind < 0.45 and self.train.get(rule.id):
            return random_.choice(self.train[rule.id])
        sentences = re.split(r"(?<=[.!?]) ", rule.message)
        if kind < 0.55 and rule.cwe:
            return rule.cwe[0].partition(": ")[2]
        if kind < 0.7:
            return random_.choice(sentences)
        return "" if kind < 0.74 else rule.message


def load_words() -> Words:
    """The paraphrases of the pack's messages."""
    table = read_toml(PARAPHRASES)
    wordings = ({rule: entry[kind] for rule, entry in table.items()} for kind in ("train", "held_out"))
    return Words(*wordings)


@dataclass(frozen=True, slots=True)
class Ingredients:
    """What a generator of pairs needs: templates and rules, one split's code and pieces, and wordings."""

    templates: Sequence[Template]
    rules: Mapping[str, Rule]
    files: Sequence[CodeFile]
    material: Material
    words: Words


def hole_values(have: Ingredients, random_: random.Random) -> Mapping[HoleType, Callable[[], str]]:
    """How a hole of each type is filled: names more often than whole expressions, as people write."""
    material = have.material

    def expression() -> str:
        return random_.choice(material.names if random_.random() < 0.4 else material.expressions)

    def block() -> str:
        return "\n".join(line for statement in material.neighbours(random_, 2) for line in statement)

    return {
        "expr": expression,
        "name": lambda: random_.choice(material.names),
        "str": lambda: random_.choice(material.strings),
        "int": lambda: random_.choice(material.numbers),
        "block": block,
    }


def surroundings(have: Ingredients, random_: random.Random) -> tuple[list[str], list[str]]:
    """Real statements to stand before and after a snippet."""
    sides = []
    for most in (3, 2):
        statements = have.material.neighbours(random_, most) if random_.random() < 0.8 else []
        sides.append([line for statement in statements for line in statement])
    return sides[0], sides[1]
