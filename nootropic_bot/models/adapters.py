"""A LoRA adapter is looked at before llama.cpp loads it (row A50 of the attack corpus).

Only GGUF: no pickle is ever opened. Its base must be the architecture of the model, and it may hold nothing but pairs
of low-rank matrices for matrices that the model has, of the sizes that these demand.
"""

from __future__ import annotations

from pathlib import Path

from nootropic_bot.models.base import Unavailable
from nootropic_bot.models.ggufheader import read_header

MAX_RANK = 256
_PARTS = (".lora_a", ".lora_b")


def check_adapter(adapter: Path, model: Path) -> None:
    """Whether an adapter may be loaded onto a model.

    Raises:
        Unavailable: it is no adapter, belongs to another model, or holds what an adapter has no use for.
    """
    _refuse_other_formats(adapter)
    header, base = read_header(adapter), read_header(model)
    if header.text("general.type") != "adapter" or header.text("adapter.type") != "lora":
        raise Unavailable(f"{adapter.name} is no LoRA adapter")
    architecture = base.text("general.architecture")
    if header.text("general.architecture") != architecture:
        raise Unavailable(f"{adapter.name} was made for another kind of model than {architecture!r}")
    pairs: dict[str, dict[str, tuple[int, ...]]] = {}
    for name, sizes in header.tensors.items():
        part = next((part for part in _PARTS if name.endswith(part)), None)
        target = name[: -len(part)] if part else name
        if part is None or target not in base.tensors:
            raise Unavailable(f"{adapter.name} holds {name!r}, which the model has no place for")
        pairs.setdefault(target, {})[part] = sizes
    if not pairs:
        raise Unavailable(f"{adapter.name} holds no weights")
    for target, found in pairs.items():
        if not _fits(found, base.tensors[target]):
            raise Unavailable(f"{adapter.name}: the matrices for {target!r} don't fit the model")


def _fits(found: dict[str, tuple[int, ...]], target: tuple[int, ...]) -> bool:
    """`lora_a` is (inputs, rank), `lora_b` (rank, outputs), sizes in ggml's order."""
    one, other = found.get(_PARTS[0], ()), found.get(_PARTS[1], ())
    if len(target) != 2 or len(one) != 2 or len(other) != 2:
        return False
    return one[0] == target[0] and other[1] == target[1] and one[1] == other[0] and 1 <= one[1] <= MAX_RANK


def _refuse_other_formats(adapter: Path) -> None:
    try:
        with adapter.open("rb") as stream:
            head = stream.read(8)
    except OSError as error:
        raise Unavailable(f"the adapter {adapter.name} can't be read: {error.strerror}") from error
    if head[:2] == b"PK" or head[:1] == b"\x80":
        raise Unavailable(f"{adapter.name} is a pickle, which can run code when it is loaded; it is not opened")
