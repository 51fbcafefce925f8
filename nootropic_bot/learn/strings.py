"""Strings built from parts, and the statements that pass them on: what commands and queries have in common."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Written:
    """A statement in both forms; `safe` equals `unsafe` where no fix is right.

    `start`..`end`: what is flagged, as 0-based (line, column).
    """

    rule_id: str
    unsafe: str
    safe: str
    imports: tuple[str, ...]
    start: tuple[int, int]
    end: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Hole:
    """A value. `is_text`: it is made text by `str` where strings are added up."""

    text: str
    is_text: bool = True


Part = str | Hole


@dataclass(frozen=True, slots=True)
class Draw:
    """Random choices, and real expressions and names to choose from."""

    random_: random.Random
    expressions: Sequence[str]
    names: Sequence[str]

    def expression(self) -> str:
        """A value that can stand in any kind of string."""
        simple = self.random_.random() < 0.5
        for _attempt in range(50):
            text = self.random_.choice(self.names if simple else self.expressions)
            if not re.search(r"[\"'{}\\%#]|lambda|await|yield|:=", text):
                return text
        return "value"

    def hole(self) -> Hole:
        """A value in a hole."""
        return Hole(self.expression(), self.chance(0.7))

    def word(self, words: Sequence[str]) -> str:
        """One of these."""
        return self.random_.choice(words)

    def chance(self, probability: float) -> bool:
        """Whether something of this probability happens."""
        return self.random_.random() < probability

    def name(self) -> str:
        """A name of a variable."""
        return self.random_.choice(self.names)


WAYS = ("f", "f", "f", "%", "format", "+")


def joined(way: str, parts: Sequence[Part], quote: str, wrap: str = "{}") -> str:
    """The parts as one string expression, in one of the ways strings are built, with `wrap` around each value."""
    values = [wrap.format(part.text) for part in parts if isinstance(part, Hole)]
    if way == "f":
        return (
            "f" + quote + "".join(p if isinstance(p, str) else "{" + wrap.format(p.text) + "}" for p in parts) + quote
        )
    if way == "%":
        text = "".join(p.replace("%", "%%") if isinstance(p, str) else "%s" for p in parts)
        first = next(part.text for part in parts if isinstance(part, Hole))
        is_bare = len(values) == 1 and re.fullmatch(r"[\w.]+", first)
        return f"{quote}{text}{quote} % " + (values[0] if is_bare else tuple_of(values))
    if way == "format":
        return (
            quote + "".join(p if isinstance(p, str) else "{}" for p in parts) + quote + f".format({', '.join(values)})"
        )
    return " + ".join(quote + p + quote if isinstance(p, str) else wrap.format(as_text(p)) for p in parts)


def as_text(hole: Hole) -> str:
    """The value as it is added to text."""
    return hole.text if hole.is_text else f"str({hole.text})"


def tuple_of(values: Sequence[str]) -> str:
    """A tuple of these expressions."""
    return "(" + ", ".join(values) + "," * (len(values) == 1) + ")"


def merged(parts: Sequence[Part]) -> list[Part]:
    """Without empty parts, and neighbouring texts as one."""
    out: list[Part] = []
    for part in parts:
        if isinstance(part, str) and out and isinstance(out[-1], str):
            out[-1] = out[-1] + part
        elif part != "":
            out.append(part)
    return out


def call(
    draw: Draw,
    rule_id: str,
    called: tuple[str, str],
    unsafe: Sequence[str],
    safe: Sequence[str],
    imports: tuple[str, ...],
) -> Written:
    """A statement that makes the call, on one line or on several; `called`: what the bad and the good one call."""
    prefix = draw.word(("", "", f"{draw.name()} = ", "return ", f"self.{draw.name()} = "))
    is_long = sum(map(len, unsafe)) > 70
    wide = draw.chance(0.6 if is_long else 0.12)

    def write(function: str, arguments: Sequence[str]) -> str:
        if not wide:
            return f"{prefix}{function}({', '.join(arguments)})"
        return "\n".join([f"{prefix}{function}(", *(f"    {argument}," for argument in arguments), ")"])

    bad = write(called[0], unsafe)
    lines = bad.split("\n")
    start, end = (0, len(prefix)), (len(lines) - 1, len(lines[-1]))
    if draw.chance(0.75):  # Rules about tainted text flag the text, others the whole call.
        inner = len("text(") if unsafe[0].startswith("text(") else 0
        column = (4 if wide else len(prefix) + len(called[0]) + 1) + inner
        start, end = (int(wide), column), (int(wide), column + len(unsafe[0]) - inner - bool(inner))
    return Written(rule_id, bad, write(called[1], safe), imports, start, end)


def words(text: str) -> tuple[str, ...]:
    """A list of words, written as one text."""
    return tuple(text.split())
