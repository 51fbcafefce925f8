"""LoRA adapters (row A50): what may be loaded onto a model, and that it then changes the answers; hostile headers."""

from __future__ import annotations

import pickle
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

from nootropic_bot.models.adapters import MAX_RANK, check_adapter
from nootropic_bot.models.base import Request, Unavailable
from nootropic_bot.models.ggufheader import read_header
from nootropic_bot.models.llama_cpp import LlamaCpp
from tests.support.tiny_gguf import build_tiny_gguf

_QUERY = "blk.0.attn_q.weight"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_gguf(tmp_path_factory.mktemp("model") / "tiny.gguf")


def _matrices(rank: int = 4, *, inputs: int = 32, outputs: int = 32, scale: float = 1.0) -> dict[str, Any]:
    """A pair for the first block's queries, 32 × 32; numpy's order is the other way round than ggml's."""
    random = np.random.default_rng(5)
    return {
        f"{_QUERY}.lora_a": random.normal(0, scale, (rank, inputs)).astype(np.float32),
        f"{_QUERY}.lora_b": random.normal(0, scale, (outputs, rank)).astype(np.float32),
    }


def _adapter(
    path: Path,
    tensors: Mapping[str, Any],
    *,
    architecture: str = "llama",
    kind: str = "adapter",
    adapter_type: str = "lora",
) -> Path:
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_type(kind)
    writer.add_string("adapter.type", adapter_type)
    writer.add_float32("adapter.lora.alpha", 8.0)
    for name, values in tensors.items():
        writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _answer(model: Path, adapter: Path | None) -> str:
    runner = LlamaCpp(model, name="tiny", threads=1, adapter=adapter)
    try:
        return runner.generate(Request(("def load(data):",), max_tokens=24)).text
    finally:
        runner.close()


def test_an_adapter_that_fits_changes_the_answer(model: Path, tmp_path: Path) -> None:
    adapter = _adapter(tmp_path / "team.gguf", _matrices(scale=3.0))
    check_adapter(adapter, model)
    plain, adapted = _answer(model, None), _answer(model, adapter)
    assert plain != adapted
    assert _answer(model, adapter) == adapted


def test_an_adapter_of_zeros_changes_nothing(model: Path, tmp_path: Path) -> None:
    assert _answer(model, _adapter(tmp_path / "idle.gguf", _matrices(scale=0.0))) == _answer(model, None)


@pytest.mark.parametrize(
    ("tensors", "options", "said"),
    [
        ({}, {}, "holds no weights"),
        (_matrices(), {"kind": "model"}, "no LoRA adapter"),
        (_matrices(), {"adapter_type": "other"}, "no LoRA adapter"),
        (_matrices(), {"architecture": "qwen2"}, "another kind of model"),
        (_matrices() | {"blk.0.hook.weight": np.zeros((4, 32), np.float32)}, {}, "'blk.0.hook.weight'"),
        ({"blk.9.attn_q.weight.lora_a": np.zeros((4, 32), np.float32)}, {}, "'blk.9.attn_q.weight.lora_a'"),
        ({_QUERY: np.zeros((32, 32), np.float32)}, {}, f"'{_QUERY}'"),
        ({f"{_QUERY}.lora_a": np.zeros((4, 32), np.float32)}, {}, "don't fit"),
        (_matrices(inputs=64), {}, "don't fit"),
        (_matrices(outputs=64), {}, "don't fit"),
        (_matrices(MAX_RANK + 1), {}, "don't fit"),
        (_matrices(4) | {f"{_QUERY}.lora_b": np.zeros((32, 8), np.float32)}, {}, "don't fit"),
        (_matrices() | {"output_norm.weight.lora_a": np.zeros((4, 32), np.float32)}, {}, "don't fit"),
    ],
)
def test_an_adapter_with_anything_else_is_refused_before_it_is_loaded(
    model: Path, tmp_path: Path, tensors: Mapping[str, Any], options: Mapping[str, str], said: str
) -> None:
    adapter = _adapter(tmp_path / "bad.gguf", tensors, **options)
    with pytest.raises(Unavailable, match=r"bad\.gguf") as caught:
        _answer(model, adapter)
    assert said in str(caught.value)


class _Planted:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("is_zipped", [False, True])
def test_a_pickle_is_not_opened(model: Path, tmp_path: Path, is_zipped: bool) -> None:
    mark, adapter = tmp_path / "ran", tmp_path / "adapter_model.bin"
    data = pickle.dumps(_Planted(mark))
    adapter.write_bytes(data)
    if is_zipped:  # As `torch.save` writes them.
        with zipfile.ZipFile(adapter, "w") as archive:
            archive.writestr("archive/data.pkl", data)
    with pytest.raises(Unavailable, match="is a pickle"):
        _answer(model, adapter)
    assert not mark.exists()


def test_a_missing_or_foreign_file_is_no_adapter(model: Path, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="can't be read"):
        check_adapter(tmp_path / "none.gguf", model)
    text = tmp_path / "text.gguf"
    text.write_text("not a model", encoding="utf-8")
    with pytest.raises(Unavailable, match="no GGUF file"):
        check_adapter(text, model)


def _text(text: str) -> bytes:
    return struct.pack("<Q", len(text)) + text.encode()


def _header(tensors: int, entries: int, rest: bytes = b"") -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, tensors, entries) + rest


_HUGE = 2**60


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (_header(_HUGE, 0), "claims"),
        (_header(0, _HUGE), "claims"),
        (_header(0, 1, struct.pack("<Q", _HUGE)), "claims"),
        (_header(0, 1, _text("a") + struct.pack("<IQ", 8, _HUGE)), "claims"),
        (_header(0, 1, _text("a") + struct.pack("<IIQ", 9, 8, _HUGE)), "claims"),
        (_header(0, 1, _text("a") + struct.pack("<IIQ", 9, 9, 1)), "arrays of arrays"),
        (_header(0, 1, _text("a") + struct.pack("<I", 77)), "unknown type 77"),
        (_header(0, 2, 2 * (_text("a") + struct.pack("<IB", 0, 1))), "twice"),
        (_header(1, 0, _text("w") + struct.pack("<I", 5)), "not described rightly"),
        (_header(1, 0, _text("w") + struct.pack("<IQIQ", 1, 4, 0, _HUGE)), "outside the file"),
        (_header(1, 0, _text("w") + struct.pack("<I", 1)), "in the middle of its header"),
        (b"GGUF" + struct.pack("<IQ", 3, 0), "in the middle of its header"),
    ],
)
def test_a_hostile_header_is_refused_before_llama_cpp_reads_it(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "hostile.gguf"
    path.write_bytes(data)
    with pytest.raises(Unavailable) as caught:
        _answer(path, None)
    assert said in str(caught.value)


def test_the_header_of_a_model_is_read_as_the_library_wrote_it(model: Path) -> None:
    header, wanted = read_header(model), gguf.GGUFReader(model)
    assert {name: list(sizes) for name, sizes in header.tensors.items()} == {
        tensor.name: tensor.shape.tolist() for tensor in wanted.tensors
    }
    assert header.text("general.architecture") == "llama"
    assert header.metadata["llama.context_length"] == 256
    assert header.text("llama.context_length") == ""
