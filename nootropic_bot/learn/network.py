"""The network of the bundled model: the LLaMA architecture, small, in plain PyTorch.

RMS norm before each block, rotary positions, SwiGLU, embeddings shared with the output (Touvron et al., 2023, "LLaMA:
Open and Efficient Foundation Language Models"). Rotary pairs are neighbours, as llama.cpp has them for this
architecture, so weights are exported without a permutation.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a network. `hidden`: width of the feed-forward layer."""

    vocabulary: int = 4096
    width: int = 256
    layers: int = 6
    heads: int = 4
    hidden: int = 768
    context: int = 512
    rope_base: float = 10_000.0
    epsilon: float = 1e-5

    def to_dict(self) -> dict[str, Any]:
        """As stored in checkpoints."""
        return asdict(self)


class _Attention(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.q = nn.Linear(shape.width, shape.width, bias=False)
        self.k = nn.Linear(shape.width, shape.width, bias=False)
        self.v = nn.Linear(shape.width, shape.width, bias=False)
        self.out = nn.Linear(shape.width, shape.width, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        batch, length, width = x.shape

        def split(y: Tensor) -> Tensor:
            return y.view(batch, length, self.heads, width // self.heads).transpose(1, 2)

        q, k = _rotate(split(self.q(x)), cos, sin), _rotate(split(self.k(x)), cos, sin)
        # Written out: PyTorch's fused kernel for CPUs is slower at these lengths (see docs/fixer.md).
        visible = torch.ones(length, length, dtype=torch.bool, device=x.device).tril()
        scores = torch.matmul(q, k.transpose(-1, -2)).float() / math.sqrt(q.shape[-1])
        shares = scores.masked_fill(~visible, -math.inf).softmax(-1).to(x.dtype)
        mixed = torch.matmul(shares, split(self.v(x)))
        out: Tensor = self.out(mixed.transpose(1, 2).reshape(batch, length, width))
        return out


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary positions over neighbouring pairs; `x` is (batch, heads, length, size of a head)."""
    pairs = x.reshape(*x.shape[:-1], -1, 2)
    one, other = pairs[..., 0], pairs[..., 1]
    cos, sin = cos[: x.shape[2]].to(x.dtype), sin[: x.shape[2]].to(x.dtype)
    return torch.stack((one * cos - other * sin, one * sin + other * cos), dim=-1).flatten(-2)


class _Block(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.attention_norm = nn.RMSNorm(shape.width, eps=shape.epsilon)
        self.attention = _Attention(shape)
        self.norm = nn.RMSNorm(shape.width, eps=shape.epsilon)
        self.gate = nn.Linear(shape.width, shape.hidden, bias=False)
        self.up = nn.Linear(shape.width, shape.hidden, bias=False)
        self.down = nn.Linear(shape.hidden, shape.width, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        x = x + self.attention(self.attention_norm(x), cos, sin)
        y = self.norm(x)
        out: Tensor = x + self.down(functional.silu(self.gate(y)) * self.up(y))
        return out


class Network(nn.Module):
    """Token ids (batch, length) to logits (batch, length, vocabulary)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(shape.vocabulary, shape.width)
        self.blocks = nn.ModuleList(_Block(shape) for _layer in range(shape.layers))
        self.norm = nn.RMSNorm(shape.width, eps=shape.epsilon)
        size = shape.width // shape.heads
        speeds = shape.rope_base ** (-torch.arange(0, size, 2).float() / size)
        angles = torch.outer(torch.arange(shape.context).float(), speeds)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)
        self._initialise()

    def _initialise(self) -> None:
        for name, weight in self.named_parameters():
            if weight.ndim == 2:
                is_last = name.endswith(("out.weight", "down.weight"))
                scale = 1 / math.sqrt(2 * self.shape.layers) if is_last else 1.0
                nn.init.normal_(weight, std=0.02 * scale)

    def forward(self, ids: Tensor) -> Tensor:
        """Logits for every position."""
        return self.logits(self.hidden(ids))

    def hidden(self, ids: Tensor) -> Tensor:
        """The last hidden states, normed: (batch, length, width)."""
        x: Tensor = self.embedding(ids)
        for block in self.blocks:
            x = block(x, self.cos, self.sin)
        y: Tensor = self.norm(x)
        return y

    def logits(self, hidden: Tensor) -> Tensor:
        """(..., width) to (..., vocabulary)."""
        return functional.linear(hidden, self.embedding.weight)
