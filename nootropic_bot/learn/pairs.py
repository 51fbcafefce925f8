"""Training pairs: a finding in its context, and the lines that a careful author would write instead.

From four sources, so that the model learns the weakness and not the sample:

template    the examples of the rules, their holes and local names filled from real code, between real statements
mutation    real code with a fix undone (`mutations.py`); the real text is the answer
synthetic   commands and queries written in the many ways people write them (`synthetic.py`)
negative    findings for which no fix is right, or which is none: the answer is empty

What is wrong is said in the rule's own words, in paraphrases (`paraphrases.toml`), in part, or not at all, and never by
the rule's id, so that findings of other people's rules are read the same way.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator, Mapping

from nootropic_bot.learn.ingredients import Ingredients, Words, hole_values, load_words, surroundings
from nootropic_bot.learn.pair import Pair, from_json
from nootropic_bot.learn.sources import from_mutations, from_nothing, from_template, from_written, moved

__all__ = [
    "Ingredients",
    "Pair",
    "Words",
    "digest",
    "from_json",
    "generate",
    "hole_values",
    "load_words",
    "moved",
    "surroundings",
]

_SHARES = {"template": 0.58, "mutation": 0.2, "synthetic": 0.17, "negative": 0.05}


def generate(have: Ingredients, count: int, seed: int) -> Iterator[Pair]:
    """`count` pairs, no two alike, the same for the same seed."""
    random_ = random.Random(seed)  # noqa: S311
    makers: Mapping[str, Callable[[], Iterator[Pair]]] = {
        "template": lambda: from_template(have, random_),
        "synthetic": lambda: from_written(have, random_),
        "mutation": lambda: from_mutations(have, random_, balance),
        "negative": lambda: from_nothing(have, random_),
    }
    balance: dict[str, int] = {}
    seen: set[bytes] = set()
    made = dict.fromkeys(makers, 0)
    total = 0
    while total < count:
        source = min(makers, key=lambda name: made[name] / _SHARES[name])
        made[source] += 1  # A maker that comes back empty-handed has had its turn.
        for pair in makers[source]():
            made[source] += 1
            key = digest(pair)
            if key not in seen and total < count:
                seen.add(key)
                total += 1
                yield pair


def digest(pair: Pair) -> bytes:
    """The same for pairs that are alike."""
    return hashlib.blake2b(repr((pair.prompt, pair.answer)).encode("utf-8", "replace"), digest_size=12).digest()
