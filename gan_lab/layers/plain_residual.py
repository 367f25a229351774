"""The residual block of super-resolution without normalisation (EDSR: Lim et al. 2017, arXiv:1707.02921, figure 2)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import relu


class PlainBlock(nn.Module):
    """x + scale * conv(relu(conv(x))), 3x3. Keeps (N, C, H, W). `scale` 0.1 keeps wide networks from diverging."""

    def __init__(self, channels: int, scale: float = 1.0) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.scale = scale

    def forward(self, features: Tensor) -> Tensor:
        residual: Tensor = self.conv2(relu(self.conv1(features), inplace=True))
        return features + self.scale * residual
