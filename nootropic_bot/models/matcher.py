"""Which model suits this machine, and why: four terms between 0 and 1, weighted by `[models.weights]`.

    accuracy      the measured fix rate (no command writes one yet); without it, the published share of HumanEval's
                  tasks that it solves (another task than ours: it orders models, it predicts nothing); without that,
                  an assumption (`_assumed`)
    throughput    t / (t + 20) for t tokens a second: 20 a second are worth one half. Measured, else estimated:
                  making a token reads all weights once, so t = memory bandwidth / bytes of the model (the roofline of a
                  batch of one; Williams et al., "Roofline", CACM 2009). The bandwidth is worked out from what was
                  measured with another model here, else from the chip's data sheet, else assumed.
    memory        the share of memory that stays free
    cost          1 / (1 + GiB still to be fetched / 4 + dollars for a million tokens); local tokens cost nothing

What does not fit is refused, not ranked. Needed are the weights, the key-value cache and the runtime's buffers:

    key-value cache = 2 · context · layers · kv_heads · head_size · 2 bytes   (keys and values, as 16-bit floats)
    buffers         = a quarter of the weights, at least 32 MiB and at most 320 MiB: the logits of 512 tokens over a
                      vocabulary of 152,000 take 297 MiB, and that is the largest of them
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from nootropic_bot.config import MatcherSettings
from nootropic_bot.models.figures import Figures
from nootropic_bot.models.hardware import Gpu, Hardware
from nootropic_bot.models.registry import Entry

Basis = Literal["measured", "published", "estimated", "known"]

DEFAULT_CONTEXT = 4096
_MIB, _GIB = 1 << 20, 1 << 30
_HALF_SPEED = 20.0
# Of the memory that is free now, so much may be taken: the review itself, and what else the user does, need some.
_SHARE = 0.9
# Data sheets, GB/s. The first name that the chip's name contains counts, so the longer names come first.
_BANDWIDTH = (
    *(("Apple M1 Ultra", 800), ("Apple M1 Max", 400), ("Apple M1 Pro", 200), ("Apple M1", 68)),
    *(("Apple M2 Ultra", 800), ("Apple M2 Max", 400), ("Apple M2 Pro", 200), ("Apple M2", 100)),
    *(("Apple M3 Ultra", 819), ("Apple M3 Max", 300), ("Apple M3 Pro", 150), ("Apple M3", 100)),
    *(("Apple M4 Max", 410), ("Apple M4 Pro", 273), ("Apple M4", 120)),
    *(("H200", 4800), ("H100 PCIe", 2000), ("H100", 3350), ("A100", 1555), ("L40", 864), ("L4", 300), ("T4", 320)),
    *(("RTX 4090", 1008), ("RTX 4080", 717), ("RTX 3090", 936), ("RTX 3080", 760), ("RTX 3060", 360)),
)
_UNKNOWN_GPU = 250.0
# A core streams less than the sockets together: assumed 8 GB/s a core, and two channels of DDR4 (40 GB/s) at most.
_CORE, _SOCKET = 8.0, 40.0
_EFFICIENCY = 0.6  # assumed: what is left of a data sheet's bandwidth


@dataclass(frozen=True, slots=True)
class Term:
    """One part of a score: `value` 0..1, and the figure behind it in words."""

    name: str
    weight: float
    value: float
    basis: Basis
    detail: str


@dataclass(frozen=True, slots=True)
class Match:
    """How well one model suits. `refused`: why it can't run here, else "". `place`: where its weights would lie."""

    entry: Entry
    score: float
    terms: tuple[Term, ...]
    needed: int
    place: Literal["metal", "cuda", "cpu"]
    refused: str = ""


def kv_cache_bytes(entry: Entry, context: int) -> int:
    """The key-value cache for `context` tokens, in bytes; 0 where the model's shape is unknown."""
    return 2 * context * entry.layers * entry.kv_heads * entry.head_size * 2


def needed_bytes(entry: Entry, context: int = DEFAULT_CONTEXT) -> int:
    """The memory that a model takes with a context of so many tokens (at most the one it has)."""
    length = min(context, entry.context) if entry.context else context
    buffers = min(max(entry.size_bytes // 4, 32 * _MIB), 320 * _MIB)
    return entry.size_bytes + kv_cache_bytes(entry, length) + buffers


def rank(
    entries: Iterable[Entry],
    hardware: Hardware,
    weights: MatcherSettings,
    *,
    figures: Mapping[str, Figures],
    installed: Collection[str] = (),
    context: int = DEFAULT_CONTEXT,
    prices: Mapping[str, float] | None = None,
) -> tuple[Match, ...]:
    """The models, the most suitable first, those that can't run here last.

    Args:
        entries: what to choose from.
        hardware: this machine.
        weights: what counts how much; all 0 means that the names decide.
        figures: what was measured here, by SHA-256 of the file.
        installed: names that need no download.
        context: tokens that the key-value cache must hold.
        prices: dollars for a million tokens by name, where it is not 0.
    """
    entries = tuple(entries)
    bandwidth = _measured_bandwidth(entries, figures)
    matches = [
        _match(entry, hardware, weights, figures.get(entry.sha256 or ""), bandwidth, context)
        if entry.size_bytes
        else Match(entry, 0.0, (), 0, "cpu", "its size is unknown: it is not installed")
        for entry in entries
    ]
    scored = [_with_cost(match, weights, match.entry.name in installed, prices or {}) for match in matches]
    return tuple(sorted(scored, key=lambda match: (bool(match.refused), -match.score, match.entry.name)))


def _match(
    entry: Entry,
    hardware: Hardware,
    weights: MatcherSettings,
    measured: Figures | None,
    bandwidth: float | None,
    context: int,
) -> Match:
    needed = needed_bytes(entry, context)
    gpu = hardware.gpu
    on_gpu = gpu is not None and needed <= gpu.free * _SHARE
    room = gpu.free if gpu and on_gpu else hardware.available
    refused = ""
    if needed > room * _SHARE:
        refused = f"it needs {_size(needed)}, of {_size(room)} free memory {_size(int(room * _SHARE))} may be taken"
    terms = (
        _accuracy(entry, weights.accuracy, measured),
        _throughput(entry, weights.throughput, measured, bandwidth, hardware, gpu if on_gpu else None),
        Term(
            "memory",
            weights.memory,
            max(0.0, 1 - needed / room) if room else 0.0,
            "estimated",
            f"takes {_size(needed)} of {_size(room)}",
        ),
    )
    return Match(entry, 0.0, terms, needed, gpu.kind if gpu and on_gpu else "cpu", refused)


def _with_cost(match: Match, weights: MatcherSettings, is_here: bool, prices: Mapping[str, float]) -> Match:
    to_fetch = 0.0 if is_here else match.entry.size_bytes / _GIB
    price = prices.get(match.entry.name, 0.0)
    detail = "installed" if is_here else f"{_size(match.entry.size_bytes)} to fetch"
    if price:
        detail += f", {price:g} dollars for a million tokens"
    terms = (*match.terms, Term("cost", weights.cost, 1 / (1 + to_fetch / 4 + price), "known", detail))
    total = sum(term.weight for term in terms)
    score = sum(term.weight * term.value for term in terms) / total if total and match.terms else 0.0
    return Match(match.entry, score, terms, match.needed, match.place, match.refused)


def _accuracy(entry: Entry, weight: float, measured: Figures | None) -> Term:
    if measured and measured.fix_rate is not None:
        return Term("accuracy", weight, measured.fix_rate, "measured", f"fixed {measured.fix_rate:.0%} when evaluated")
    if entry.humaneval:
        return Term("accuracy", weight, entry.humaneval / 100, "published", f"HumanEval {entry.humaneval:g} %")
    return Term("accuracy", weight, *_assumed(entry))


def _assumed(entry: Entry) -> tuple[float, Basis, str]:
    """An assumption on the scale of HumanEval: a family's models get better with the logarithm of their size.

    0.4 at a tenth of a billion parameters, 0.2 more for each factor of ten. The bundled fixer was trained for this one
    task, and is counted like a chat model of some billions until its fix rate was measured here.
    """
    if entry.kind == "fixer":
        return 0.8, "estimated", "assumed: trained for exactly this task"
    if not entry.parameters:
        return 0.5, "estimated", "assumed: nothing is known of it"
    value = min(max(0.4 + 0.2 * (math.log10(entry.parameters) - 8), 0.1), 0.9)
    return value, "estimated", f"assumed from {entry.parameters / 1e9:.2g} billion parameters"


def _throughput(
    entry: Entry,
    weight: float,
    measured: Figures | None,
    bandwidth: float | None,
    hardware: Hardware,
    gpu: Gpu | None,
) -> Term:
    if measured:
        speed, basis, source = measured.speed, "measured", "measured here"
    elif bandwidth:
        speed, basis, source = bandwidth / entry.size_bytes, "estimated", "from what was measured with another model"
    else:
        sheet, source = _data_sheet(hardware, gpu)
        speed, basis = sheet * _EFFICIENCY * 1e9 / entry.size_bytes, "estimated"
    value = speed / (speed + _HALF_SPEED)
    shown = "measured" if basis == "measured" else "estimated"
    return Term("throughput", weight, value, shown, f"{speed:.3g} tokens a second, {source}")  # type: ignore[arg-type]


def _data_sheet(hardware: Hardware, gpu: Gpu | None) -> tuple[float, str]:
    """(GB/s, where that comes from)."""
    name = gpu.name if gpu else hardware.cpu
    found = next((speed for chip, speed in _BANDWIDTH if chip in name), None)
    if found:
        return float(found), f"from {found} GB/s of the data sheet"
    if gpu:
        return _UNKNOWN_GPU, f"assuming {_UNKNOWN_GPU:.0f} GB/s"
    assumed = min(hardware.cores * _CORE, _SOCKET)
    return assumed, f"assuming {assumed:.0f} GB/s"


def _measured_bandwidth(entries: Iterable[Entry], figures: Mapping[str, Figures]) -> float | None:
    """Bytes a second that models of some size read here. Small ones are bound by other things than memory."""
    known = [
        figures[entry.sha256].speed * entry.size_bytes
        for entry in entries
        if entry.sha256 in figures and entry.sha256 and entry.size_bytes > 256 * _MIB
    ]
    return statistics.median(known) if known else None


def _size(count: int) -> str:
    return f"{count / _GIB:.1f} GiB" if count >= _GIB // 10 else f"{count / _MIB:.0f} MiB"
