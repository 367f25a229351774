"""Self-attention over the places of a feature map (Zhang et al. 2018, arXiv:1805.08318, section 3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d, softmax


class Attention(nn.Module):
    """x + gamma o(sum_i beta_ji h(x_i)), beta_j = softmax_i(f(x_i) . g(x_j)): (N, C, H, W) to the same.

    As in the authors' code: f (key) and g (query) are 1x1 convolutions to C/8 channels, h (value) to C/2, o back to C,
    without biases and, narrow as a network may be, to one channel at least; keys and values are max-pooled by 2, so
    that every place looks at a quarter of the places; gamma starts at 0. (The paper's text has C/8 for all and no
    pooling.)

    Plain products and a softmax: the fused kernels do not differentiate twice, as a gradient penalty must.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow, half = max(channels // 8, 1), max(channels // 2, 1)
        self.query = nn.Conv2d(channels, narrow, 1, bias=False)
        self.key = nn.Conv2d(channels, narrow, 1, bias=False)
        self.value = nn.Conv2d(channels, half, 1, bias=False)
        self.out = nn.Conv2d(half, channels, 1, bias=False)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, features: Tensor) -> Tensor:
        query = self.query(features).flatten(2)  # (N, C/8, HW)
        key = max_pool2d(self.key(features), 2).flatten(2)  # (N, C/8, HW/4)
        value = max_pool2d(self.value(features), 2).flatten(2)  # (N, C/2, HW/4)
        attention = softmax(query.transpose(1, 2) @ key, dim=-1)  # (N, HW, HW/4)
        seen = (value @ attention.transpose(1, 2)).unflatten(2, features.shape[2:])  # (N, C/2, H, W)
        return torch.addcmul(features, self.gamma, self.out(seen))


def doublings(rows: int, columns: int, most: int, largest: int) -> int:
    """Where attention goes: how often the first map (rows, columns) may double, at most `most` times, until its longer
    side passes `largest`. At least once, wherever `most` allows it."""
    fitting = [k for k in range(1, most + 1) if max(rows, columns) << k <= largest]
    return max(fitting, default=min(1, most))
