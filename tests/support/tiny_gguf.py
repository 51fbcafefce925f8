"""A very small language model with random weights in a valid GGUF file, for tests of what runs models.

It knows the 256 bytes and four control tokens, and writes nonsense made of printable ASCII: the rows of the output matrix
that belong to other tokens are zero, so that those are next to never the likeliest. Its answers depend on all of the
prompt and on the seed. Built with the `gguf` package in a few milliseconds; nothing is downloaded.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import numpy as np

CONTROL_TOKENS = ("<|im_start|>", "<|im_end|>", "<|fix|>", "<|end|>")

_WIDTH, _HEADS, _LAYERS, _INNER = 32, 2, 2, 64
_PRINTABLE = range(0x20, 0x7F)


def byte_alphabet() -> list[str]:
    """How a byte-level BPE vocabulary spells each of the 256 bytes.

    Printable bytes of Latin-1 stand for themselves; the others, in order, for U+0100 and up (the GPT-2 convention).
    """
    plain = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return [chr(byte) if byte in plain else chr(next(others)) for byte in range(256)]


def build_tiny_gguf(path: Path, *, seed: int = 0, context: int = 256, chat_template: str | None = None) -> Path:
    """Write the model to `path` and return `path`. Equal arguments give equal bytes.

    `context` is the longest prompt and answer in tokens, that is bytes. `chat_template` is put into the file as it is,
    for tests that it is never rendered.
    """
    tokens = [*byte_alphabet(), *CONTROL_TOKENS]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_context_length(context)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(_LAYERS)
    writer.add_feed_forward_length(_INNER)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv(_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(_WIDTH // _HEADS)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.NORMAL] * 256 + [gguf.TokenType.CONTROL] * len(CONTROL_TOKENS))
    # A byte-level vocabulary must name merges; one that never applies (no text holds U+0100 twice) keeps it at bytes.
    writer.add_token_merges([f"{tokens[0]} {tokens[0]}"])
    writer.add_eos_token_id(tokens.index("<|im_end|>"))
    writer.add_add_bos_token(False)
    if chat_template is not None:
        writer.add_chat_template(chat_template)
    for name, values in _weights(len(tokens), seed).items():
        writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _weights(vocabulary: int, seed: int) -> dict[str, Any]:
    random = np.random.default_rng(seed)

    def matrix(rows: int, columns: int) -> Any:
        return random.normal(0.0, columns**-0.5, (rows, columns)).astype(np.float32)

    output = np.zeros((vocabulary, _WIDTH), np.float32)
    output[list(_PRINTABLE)] = random.normal(0.0, 1.0, (len(_PRINTABLE), _WIDTH))
    ones = np.ones(_WIDTH, np.float32)
    weights = {
        "token_embd.weight": random.normal(0.0, 1.0, (vocabulary, _WIDTH)).astype(np.float32),
        "output_norm.weight": ones,
        "output.weight": output,
    }
    for layer in range(_LAYERS):
        block = f"blk.{layer}."
        weights |= {block + "attn_norm.weight": ones, block + "ffn_norm.weight": ones}
        weights |= {f"{block}attn_{part}.weight": matrix(_WIDTH, _WIDTH) for part in ("q", "k", "v", "output")}
        weights |= {f"{block}ffn_{part}.weight": matrix(_INNER, _WIDTH) for part in ("gate", "up")}
        weights[block + "ffn_down.weight"] = matrix(_WIDTH, _INNER)
    return weights
