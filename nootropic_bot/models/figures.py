"""What was measured on this machine, and only that: speeds, by `models bench`.

A fix rate has its place here, but no command measures one yet.

Kept in the user's cache by kind of machine and hash of the file, so that nobody's figures stand in for another's:

    <cache>/figures/<machine>.json    {"<sha256>": {"model", "prompt_speed", "speed", …}}
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from nootropic_bot.cachefile import read_cached, write_atomically
from nootropic_bot.models.base import BadAnswer, Model, Request

_SENTENCE = (
    "def total(values):\n    result = 0\n    for value in values:\n        result += value\n    return result\n\n"
)
_AGAIN = 8


@dataclass(frozen=True, slots=True)
class Figures:
    """One model on one machine. Speeds in tokens a second, medians of `rounds`; `fix_rate` 0..1, None: not measured."""

    model: str
    prompt_speed: float
    speed: float
    load_seconds: float
    rounds: int
    at: str
    settings: str = ""
    fix_rate: float | None = None


def read_figures(cache: Path, machine: str) -> dict[str, Figures]:
    """All figures of this kind of machine, by SHA-256 of the model file; what is damaged is left out."""
    data = read_cached(cache / "figures" / f"{machine}.json")
    found = {}
    for digest, values in data.items() if isinstance(data, dict) else ():
        try:
            figures = Figures(**values)
            if figures.speed > 0 and figures.prompt_speed > 0:
                found[digest] = figures
        except TypeError:
            continue
    return found


def write_figures(cache: Path, machine: str, digest: str, figures: Figures) -> None:
    """Keep the figures of one model beside the others; a fix rate stays where the new ones have none.

    Raises:
        OSError: the cache can't be written.
    """
    path = cache / "figures" / f"{machine}.json"
    before = read_figures(cache, machine)
    if figures.fix_rate is None and digest in before:
        figures = replace(figures, fix_rate=before[digest].fix_rate)
    everything = {**before, digest: figures}
    path.parent.mkdir(parents=True, exist_ok=True)
    data = {key: asdict(value) for key, value in sorted(everything.items())}
    write_atomically(path, json.dumps(data, indent=2).encode() + b"\n")


def measure(model: Model, *, rounds: int, at: str, tokens: int = 64, settings: Mapping[str, object]) -> Figures:
    """Measure a model with a fixed prompt of about two hundred tokens.

    The first request loads it and is not counted. Each round asks twice, for one token and for `tokens`: the first
    tells how fast a prompt is read, the difference how fast tokens are made. Each prompt begins with another number, so
    that no state kept from the one before shortens it. A round that tells nothing (an answer that ended at once, a
    pause of the machine in the shorter request) is made again, up to `_AGAIN` times in all.

    Raises:
        ModelError: the model failed, or ended its answers at once; the machine was too busy to tell.
    """
    load_seconds = model.generate(_request(0, 1)).seconds
    prompts: list[float] = []
    speeds: list[float] = []
    longest = 0
    for number in range(1, 2 * (rounds + _AGAIN), 2):
        short = model.generate(_request(number, 1))
        long = model.generate(_request(number + 1, tokens))
        made = long.completion_tokens - short.completion_tokens
        longest = max(longest, made)
        seconds = long.seconds - short.seconds
        if made > 0 and seconds > 0:
            prompts.append(short.prompt_tokens / max(short.seconds, 1e-9))
            speeds.append(made / seconds)
        if len(speeds) == rounds:
            break
    if not speeds:
        why = "the machine is too busy to tell" if longest else "it ends its answers at once"
        raise BadAnswer(f"{model.name} can't be measured: {why}")
    given = ", ".join(f"{key} {value}" for key, value in settings.items())
    return Figures(
        model.name, statistics.median(prompts), statistics.median(speeds), load_seconds, len(speeds), at, given
    )


def _request(number: int, tokens: int) -> Request:
    text = f"# {number:04d}\n" + "".join(_SENTENCE.replace("total", f"total_{index}") for index in range(6))
    # Drawn at random: what is likeliest may be one line again and again, which ends an answer.
    return Request(prompt=(text,), max_tokens=tokens, temperature=1.0, seed=number, timeout=300.0)
