"""Skip-layer excitation: a map of one resolution says how much each channel of another counts."""

from __future__ import annotations

from torch import Tensor, nn


class SkipExcitation(nn.Module):
    """y = x sigmoid(W2 swish(W1 * pool(s))): maps x (N, C, H, W), each channel times a number in (0, 1) that maps s
    (N, C', H', W') of another resolution give (Liu et al. 2021 (FastGAN), arXiv:2101.04775, section 3.1).

    pool: means over 4x4 places; W1: a convolution of all of these; W2: 1x1. The paper's LeakyReLU is a swish in the
    authors' code, as here.
    """

    def __init__(self, channels_from: int, channels: int) -> None:
        super().__init__()
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(4),
            nn.Conv2d(channels_from, channels, 4, bias=False),
            nn.SiLU(),
            nn.Conv2d(channels, channels, 1, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, source: Tensor, maps: Tensor) -> Tensor:
        gated: Tensor = maps * self.gate(source)
        return gated
