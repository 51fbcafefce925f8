"""How a model is run on a machine: threads, layers on the GPU, context, batch. Each setting says why it is so.

    Metal (M1 Max and its like)   all layers on the GPU, threads for the fast cores only, memory-mapped
    CUDA                          as many layers as fit into what is free, few threads when all of them do
    CPU                           one thread a physical core that may be used, memory-mapped

What a user sets (`[backend.<name>]`) wins over all of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from nootropic_bot.models.hardware import Gpu, Hardware
from nootropic_bot.models.matcher import kv_cache_bytes, needed_bytes
from nootropic_bot.models.registry import Entry

_MIB = 1 << 20
_SHARE = 0.9
# A model this small is done before a GPU has started: assumed, not measured.
_TOO_SMALL_FOR_GPU = 64 * _MIB
_CONTEXT = {"metal": 8192, "cuda": 8192, "cpu": 4096}
_MIN_CONTEXT = 512


@dataclass(frozen=True, slots=True)
class Profile:
    """Settings of a runtime. `gpu_layers` -1 means all. `why` has a sentence for each decision."""

    name: str
    threads: int
    gpu_layers: int
    context: int
    batch: int
    mmap: bool
    mlock: bool
    why: tuple[str, ...]


def profile_for(
    hardware: Hardware,
    entry: Entry,
    *,
    context: int = 0,
    threads: int = 0,
    gpu_layers: int = -1,
    has_offload: bool = True,
) -> Profile:
    """The settings for a model on this machine; `context`, `threads` 0 and `gpu_layers` -1 leave the choice to it.

    `has_offload`: whether llama.cpp was built for a GPU.
    """
    why: list[str] = []
    gpu = hardware.gpu if has_offload else None
    place = gpu.kind if gpu else "cpu"
    # A model answers nonsense beyond the context that it was trained for.
    wanted = min(context, entry.context) if entry.context else context
    length = wanted or _fitting_context(hardware, gpu, entry, _CONTEXT[place], why)
    if gpu is None and gpu_layers < 0:
        absent = "llama-cpp-python was built without support for it" if hardware.gpu else "there is none"
        why.append(f"no layers on a GPU: {absent}")
    layers = gpu_layers if gpu_layers >= 0 else _layers(gpu, entry, length, why)
    chosen = threads or _threads(hardware, gpu, layers, why)
    # llama.cpp reads prompts in pieces of 512; on one or two cores smaller pieces let a time-out stop it sooner.
    batch = 512 if layers or chosen > 2 else 128
    why.append("memory-mapped: a second run finds the weights in the page cache; not locked, which needs a privilege")
    return Profile(place if layers else "cpu", chosen, layers, length, batch, True, False, tuple(why))


def _fitting_context(hardware: Hardware, gpu: Gpu | None, entry: Entry, wanted: int, why: list[str]) -> int:
    length = min(wanted, entry.context) if entry.context else wanted
    room = int(max(hardware.available, gpu.free if gpu else 0) * _SHARE)
    while length > _MIN_CONTEXT and kv_cache_bytes(entry, length) and needed_bytes(entry, length) > room:
        length //= 2
    why.append(
        f"context {length}: of {entry.context or 'unknown'} that the model has, what a fix needs and memory allows"
    )
    return length


def _layers(gpu: Gpu | None, entry: Entry, context: int, why: list[str]) -> int:
    if gpu is None:
        return 0
    if 0 < entry.size_bytes < _TOO_SMALL_FOR_GPU:
        why.append("no layers on the GPU: the model is so small that the CPU is done sooner")
        return 0
    needed, room = needed_bytes(entry, context), int(gpu.free * _SHARE)
    if needed <= room or not entry.layers:
        why.append(f"all layers on the GPU ({gpu.name})")
        return -1
    if gpu.kind == "metal":
        # Metal shares the machine's memory: what does not fit there would not fit elsewhere, and halves are slow.
        why.append(f"no layers on the GPU: the model does not fit into what Metal may use of {gpu.name}")
        return 0
    a_layer = (entry.size_bytes + kv_cache_bytes(entry, context)) / entry.layers
    buffers = needed - entry.size_bytes - kv_cache_bytes(entry, context)
    count = max(0, min(entry.layers - 1, int((room - buffers) / a_layer)))
    why.append(f"{count} of {entry.layers} layers on the GPU: more do not fit into what is free of {gpu.name}")
    return count


def _threads(hardware: Hardware, gpu: Gpu | None, layers: int, why: list[str]) -> int:
    if gpu and gpu.kind == "cuda" and layers == -1:
        count = min(hardware.cores, 4)
        why.append(f"{count} threads: the GPU does the work")
        return count
    kind = "fast cores" if hardware.system == "Darwin" else "physical cores that may be used"
    why.append(f"{hardware.cores} threads: one for each of the {kind}")
    return max(hardware.cores, 1)
