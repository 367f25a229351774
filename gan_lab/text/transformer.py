"""Captions as sequences: a small transformer (Vaswani et al. 2017, arXiv:1706.03762)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention

from gan_lab.text.encoder import TextEncoder


class Transformer(TextEncoder):
    """Learned places, `depth` blocks of attention and two linear layers, normalised before (Xiong et al. 2020,
    arXiv:2002.04745), and the mean over the tokens that are no padding. `length` is that of the data's captions.

    Raises ValueError where `heads` does not divide `width`.
    """

    def __init__(
        self,
        num_tokens: int | None = None,
        caption_length: int | None = None,
        dim: int = 128,
        width: int = 128,
        depth: int = 2,
        heads: int = 4,
    ) -> None:
        super().__init__(num_tokens, dim)
        if not caption_length:
            raise ValueError("a text encoder needs data with captions (dataset=captioned)")
        if width % heads:
            raise ValueError(f"{heads} heads do not divide a width of {width}")
        self.embedding = nn.Embedding(self.num_tokens, width)
        self.places = nn.Parameter(torch.randn(caption_length, width) * 0.02)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.project = nn.Linear(width, dim)
        nn.init.normal_(self.embedding.weight, 0.0, 0.02)

    def read(self, tokens: Tensor) -> Tensor:
        said = tokens.ne(0)
        features = self.embedding(tokens) + self.places[: tokens.shape[1]]
        seen = said.clone()
        seen[:, 0] = True  # of a caption without a word, so that attention has something to look at
        for block in self.blocks:
            features = block(features, seen[:, None, None])
        weights = said.to(features.dtype).unsqueeze(2)
        mean = (self.norm(features) * weights).sum(1) / weights.sum(1).clamp(min=1)
        read: Tensor = self.project(mean)
        return read


class Block(nn.Module):
    """Features (N, L, D) and what of them may be looked at, (N, 1, 1, L)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attend = nn.Linear(width, 3 * width)
        self.join = nn.Linear(width, width)
        self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, features: Tensor, seen: Tensor) -> Tensor:
        count, length, width = features.shape
        split = self.attend(self.norm1(features)).view(count, length, 3, self.heads, -1)
        query, key, value = split.permute(2, 0, 3, 1, 4)  # (N, heads, L, D / heads)
        attended = scaled_dot_product_attention(query, key, value, attn_mask=seen)
        features = features + self.join(attended.transpose(1, 2).reshape(count, length, width))
        hidden: Tensor = self.narrow(gelu(self.widen(self.norm2(features))))
        return features + hidden
