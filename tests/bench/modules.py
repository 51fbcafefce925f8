"""Files for benches of pull requests."""

from __future__ import annotations

_FUNCTION = """\


def step_{number}(rows, limit):
    total = 0
    for row in rows[:limit]:
        total += row["size"] * {number}
    return total
"""


def module(number: int, start: str) -> str:
    """A module of some 200 lines that begins with `start` and has nothing else to find."""
    body = "".join(_FUNCTION.format(number=each) for each in range(30))
    return f'"""Module {number}."""\n\n{start}{body}'
