"""Writes the trained network as a GGUF file that llama.cpp reads: matrices in Q8_0, norms in 32 bits."""

from __future__ import annotations

import json
from pathlib import Path

import gguf
import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from nootropic_bot.learn.network import Network, Shape
from nootropic_bot.models.fixer import END, FORMAT, PAD, SPECIALS

_NORMAL, _CONTROL = int(gguf.TokenType.NORMAL), int(gguf.TokenType.CONTROL)
_BLOCK_TENSORS = {
    "attn_norm": "attention_norm",
    "attn_q": "attention.q",
    "attn_k": "attention.k",
    "attn_v": "attention.v",
    "attn_output": "attention.out",
    "ffn_norm": "norm",
    "ffn_gate": "gate",
    "ffn_up": "up",
    "ffn_down": "down",
}


def load_network(checkpoint: Path) -> Network:
    """The network of a checkpoint that `pretrain.Trainer` wrote."""
    saved = torch.load(checkpoint, map_location="cpu", weights_only=True)
    network = Network(Shape(**saved["shape"]))
    network.load_state_dict(saved["network"])
    network.eval()
    return network


def mean_of(one: Network, other: Network) -> Network:
    """A network of the same shape with the mean of both networks' weights, where one was trained on from the other.

    Such a mean can do better on code unlike that of the training than either (Wortsman et al., 2022, "Model soups"); of
    ours it does (docs/fixer.md).
    """
    weights = other.state_dict()
    mean = Network(one.shape)
    mean.load_state_dict({name: (weight + weights[name]) / 2 for name, weight in one.state_dict().items()})
    mean.eval()
    return mean


def export(network: Network, tokenizer: Tokenizer, path: Path, *, name: str, version: str) -> None:
    """Write the model file, whole or not at all. The same network gives the same bytes."""
    partial = path.with_suffix(".part")
    writer = gguf.GGUFWriter(str(partial), "llama")
    shape = network.shape
    writer.add_name(name)
    writer.add_version(version)
    writer.add_license("Apache-2.0")
    writer.add_string("nootropic.format", FORMAT)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.hidden)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads)
    writer.add_layer_norm_rms_eps(shape.epsilon)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_vocab_size(shape.vocabulary)
    _add_tokenizer(writer, tokenizer, shape.vocabulary)
    weights = network.state_dict()
    _add(writer, "token_embd.weight", weights["embedding.weight"])
    _add(writer, "output_norm.weight", weights["norm.weight"])
    for layer in range(shape.layers):
        for ours, theirs in _BLOCK_TENSORS.items():
            _add(writer, f"blk.{layer}.{ours}.weight", weights[f"blocks.{layer}.{theirs}.weight"])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    partial.replace(path)


def _add_tokenizer(writer: gguf.GGUFWriter, tokenizer: Tokenizer, size: int) -> None:
    model = json.loads(tokenizer.to_str())["model"]
    controls = {special.token for special in SPECIALS}
    tokens = sorted(model["vocab"], key=model["vocab"].__getitem__)
    tokens += [f"<|unused{number}|>" for number in range(len(tokens), size)]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    is_control = [token in controls or token.startswith("<|unused") for token in tokens]
    writer.add_token_types([_CONTROL if each else _NORMAL for each in is_control])
    writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]])
    writer.add_eos_token_id(model["vocab"][END.token])
    writer.add_pad_token_id(model["vocab"][PAD.token])
    writer.add_add_bos_token(False)


def _add(writer: gguf.GGUFWriter, name: str, tensor: Tensor) -> None:
    values = tensor.float().numpy()
    if values.ndim == 2:
        kind = gguf.GGMLQuantizationType.Q8_0
        writer.add_tensor(name, gguf.quants.quantize(values, kind), raw_dtype=kind)
    else:
        writer.add_tensor(name, values.astype(np.float32))
