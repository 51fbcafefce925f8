"""What `models list` and `models probe` show: plain data for machines, and text for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from nootropic_bot.escape import one_line
from nootropic_bot.models.figures import Figures
from nootropic_bot.models.hardware import Hardware
from nootropic_bot.models.matcher import Match
from nootropic_bot.models.profiles import Profile
from nootropic_bot.models.registry import Installed

_MIB, _GIB = 1 << 20, 1 << 30
_METAL_BUILD = 'CMAKE_ARGS="-DGGML_METAL=on" pip install --force-reinstall --no-cache-dir llama-cpp-python'
_CUDA_BUILD = 'CMAKE_ARGS="-DGGML_CUDA=on" pip install --force-reinstall --no-cache-dir llama-cpp-python'


def size_text(count: int) -> str:
    """Bytes for people; "-" for an unknown number."""
    if not count:
        return "-"
    return f"{count / _GIB:.1f} GiB" if count >= _GIB // 2 else f"{count / _MIB:.1f} MiB"


def match_data(
    match: Match, model: Installed | None, figures: Figures | None, order: Sequence[str], locked: str | None
) -> dict[str, Any]:
    """One model, everything that is known of it."""
    entry = match.entry
    return {
        **asdict(entry),
        "installed": model is not None,
        "path": str(model.path) if model else None,
        "origin": model.origin if model else None,
        "trusted_on_first_use": model.on_first_use if model else None,
        "order": order.index(entry.name) + 1 if entry.name in order else None,
        "locked_sha256": locked,
        "needed_bytes": match.needed or None,
        "place": match.place,
        "refused": match.refused or None,
        "score": round(match.score, 4),
        "terms": [asdict(term) for term in match.terms],
        "measured": asdict(figures) if figures else None,
    }


def list_lines(models: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The table of `models list`."""
    rows = [("", "NAME", "VERSION", "QUANT", "SIZE", "LICENCE", "HERE", "TOKENS/S")]
    for model in models:
        measured = model["measured"]
        here = "installed" if model["installed"] else "not installed"
        if model["refused"] and model["size_bytes"]:
            here += ", too large"
        mark = f"{model['order']}." if model["order"] else ""
        speed = f"{measured['speed']:.3g}" if measured else "-"
        size = size_text(model["size_bytes"])
        quantization, licence = model["quantization"] or "-", model["licence"] or "unknown"
        rows.append((mark, model["name"], model["version"], quantization, size, licence, here, speed))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield one_line("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def why_lines(models: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """What `--why` adds: each term of each score."""
    for place, model in enumerate(models, 1):
        head = f"not possible: {model['refused']}" if model["refused"] else f"score {model['score']:.2f}"
        yield one_line(f"{place}. {model['name']}: {head}")
        for term in model["terms"]:
            basis = {"estimated": "estimate", "known": ""}.get(term["basis"], term["basis"])
            label = f" ({basis})" if basis else ""
            value = f"{term['name']:<10} {term['value']:.2f} × weight {term['weight']:g}"
            yield one_line(f"   {value}  {term['detail']}{label}")


def hardware_lines(hardware: Hardware) -> Iterator[str]:
    """The machine."""
    yield one_line(
        f"processor   {hardware.cpu} ({hardware.machine}), {hardware.cores} cores, {hardware.threads} threads"
    )
    yield f"memory      {size_text(hardware.memory)}, {size_text(hardware.available)} free"
    for gpu in hardware.gpus:
        yield one_line(f"GPU         {gpu.name} ({gpu.kind}), {size_text(gpu.memory)}, {size_text(gpu.free)} free")
    if not hardware.gpus:
        yield "GPU         none that is known (Metal, CUDA)"
    for note in hardware.notes:
        yield one_line(f"note        {note}")


def profile_lines(profile: Profile) -> Iterator[str]:
    """The settings, then why they are so."""
    layers = "all" if profile.gpu_layers == -1 else str(profile.gpu_layers)
    yield (
        f"profile     {profile.name}, {profile.threads} threads, {layers} layers on the GPU, "
        f"context {profile.context}, batch {profile.batch}, mmap {_on(profile.mmap)}, mlock {_on(profile.mlock)}"
    )
    for reason in profile.why:
        yield one_line(f"            {reason}")


def _on(value: bool) -> str:
    return "on" if value else "off"


def runtime() -> dict[str, Any]:
    """Whether llama-cpp-python is here, and whether it was built for a GPU. Loads it, which takes a moment."""
    try:
        import llama_cpp
    except ImportError:
        return {"installed": False, "version": None, "gpu_offload": None, "problem": None}
    except (OSError, RuntimeError) as error:
        # Its shared library does not fit this machine.
        return {"installed": False, "version": None, "gpu_offload": None, "problem": str(error)}
    offload = bool(llama_cpp.llama_supports_gpu_offload())
    return {"installed": True, "version": llama_cpp.__version__, "gpu_offload": offload, "problem": None}


def runtime_lines(found: Mapping[str, Any], hardware: Hardware) -> Iterator[str]:
    """The runtime, and the command that mends what is missing."""
    gpu = hardware.gpu
    if not found["installed"]:
        yield one_line(
            f"runtime     llama-cpp-python is missing{': ' if found['problem'] else ''}{found['problem'] or ''}"
        )
        yield "            → pip install 'nootropic-bot[local]'"
        return
    offload = "with" if found["gpu_offload"] else "without"
    yield f"runtime     llama-cpp-python {found['version']}, {offload} GPU support"
    if gpu and not found["gpu_offload"]:
        yield f"            → {_METAL_BUILD if gpu.kind == 'metal' else _CUDA_BUILD}"
