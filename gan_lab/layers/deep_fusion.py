"""Maps that are told a condition channel by channel, again and again (DF-GAN: Tao et al. 2020, arXiv:2008.05865)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

LEAK = 0.2


class Affine(nn.Module):
    """gamma(c) x + beta(c), a number for each channel of maps (N, C, H, W) out of a condition c (N, D); gamma and beta
    are two linear layers each with ReLU between, `hidden` wide.

    The last layers begin with weights of 0, gamma's with biases of 1: the identity, whatever the condition, while their
    gradients are not 0.
    """

    def __init__(self, channels: int, condition_dim: int, hidden: int = 256) -> None:
        super().__init__()
        self.gamma = _linear_twice(condition_dim, hidden, channels, 1.0)
        self.beta = _linear_twice(condition_dim, hidden, channels, 0.0)

    def forward(self, maps: Tensor, condition: Tensor) -> Tensor:
        gamma, beta = self.gamma(condition)[:, :, None, None], self.beta(condition)[:, :, None, None]
        return torch.addcmul(beta, gamma, maps)


class DeepFusion(nn.Module):
    """Affine, LeakyReLU 0.2, affine, LeakyReLU 0.2: DF-GAN's DFBLK. Keeps (N, C, H, W)."""

    def __init__(self, channels: int, condition_dim: int, hidden: int = 256) -> None:
        super().__init__()
        self.affines = nn.ModuleList(Affine(channels, condition_dim, hidden) for _ in range(2))

    def forward(self, maps: Tensor, condition: Tensor) -> Tensor:
        for affine in self.affines:
            maps = leaky_relu(affine(maps, condition), LEAK)
        return maps


def _linear_twice(inputs: int, hidden: int, outputs: int, bias: float) -> nn.Sequential:
    last = nn.Linear(hidden, outputs)
    nn.init.zeros_(last.weight)
    nn.init.constant_(last.bias, bias)
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(inplace=True), last)
