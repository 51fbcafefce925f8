"""Models of a given shape with random weights, in a GGUF file: for measuring speed, which needs no real weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np

from tests.support.tiny_gguf import byte_alphabet


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of a model of the qwen2 architecture."""

    width: int
    layers: int
    heads: int
    key_heads: int
    inner: int
    vocabulary: int


# The published configuration of Qwen2.5-Coder-1.5B.
QWEN_1_5B = Shape(width=1536, layers=28, heads=12, key_heads=2, inner=8960, vocabulary=151_936)
SMALL = Shape(width=512, layers=8, heads=8, key_heads=2, inner=2048, vocabulary=8192)

_BLOCK = 32


def build_shaped_gguf(path: Path, shape: Shape, *, context: int = 4096, seed: int = 0) -> Path:
    """Write a model in Q8_0 to `path` and return `path`."""
    random = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(str(path), "qwen2")
    writer.add_name("shaped")
    writer.add_context_length(context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.inner)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.key_heads)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(1_000_000.0)
    _add_tokens(writer, shape.vocabulary)

    def matrix(name: str, rows: int, columns: int) -> None:
        kind = gguf.GGMLQuantizationType.Q8_0
        blocks = random.integers(-127, 128, (rows, columns // _BLOCK, _BLOCK + 2), dtype=np.int8).view(np.uint8)
        scale = np.float16(1 / 127 / np.sqrt(columns)).tobytes()
        blocks[:, :, 0], blocks[:, :, 1] = scale[0], scale[1]
        writer.add_tensor(name, blocks.reshape(rows, -1), raw_dtype=kind)

    def vector(name: str, size: int, value: float) -> None:
        writer.add_tensor(name, np.full(size, value, dtype=np.float32))

    keys = shape.width // shape.heads * shape.key_heads
    matrix("token_embd.weight", shape.vocabulary, shape.width)
    vector("output_norm.weight", shape.width, 1.0)
    for layer in range(shape.layers):
        block = f"blk.{layer}"
        vector(f"{block}.attn_norm.weight", shape.width, 1.0)
        vector(f"{block}.ffn_norm.weight", shape.width, 1.0)
        for name, size in (("q", shape.width), ("k", keys), ("v", keys)):
            matrix(f"{block}.attn_{name}.weight", size, shape.width)
            vector(f"{block}.attn_{name}.bias", size, 0.0)
        matrix(f"{block}.attn_output.weight", shape.width, shape.width)
        matrix(f"{block}.ffn_gate.weight", shape.inner, shape.width)
        matrix(f"{block}.ffn_up.weight", shape.inner, shape.width)
        matrix(f"{block}.ffn_down.weight", shape.width, shape.inner)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_tokens(writer: gguf.GGUFWriter, size: int) -> None:
    tokens = byte_alphabet()
    tokens += [f"word{number}" for number in range(size - len(tokens) - 1)] + ["<|end|>"]
    writer.add_vocab_size(size)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.NORMAL] * (size - 1) + [gguf.TokenType.CONTROL])
    writer.add_token_merges([f"{tokens[0]} {tokens[0]}"])
    writer.add_eos_token_id(size - 1)
    writer.add_add_bos_token(False)
