"""A map of waves for a generator to start from (Karras et al. 2021, arXiv:2106.12423, section 3.1 and appendix F)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from gan_lab.layers.equalized import EqualizedLinear


class FourierFeatures(nn.Module):
    """Styles (N, D) to maps (N, C, `size`, `size`), `rate` samples to the side of the image: C waves of fixed, drawn
    frequencies up to about `band` and phases, mixed by a learned matrix.

    The style turns and shifts the plane, by a linear layer that starts at none of it; `transform`, a buffer of 3x3,
    does so to all images, for whoever wants to see what moves with it: x, y in sides of the image, from its middle.
    """

    frequencies: Tensor
    phases: Tensor
    transform: Tensor
    positions: Tensor

    def __init__(self, channels: int, size: int, rate: float, band: float, style_dim: int) -> None:
        super().__init__()
        self.rate, self.band = rate, band
        drawn = torch.randn(channels, 2)
        radius = drawn.square().sum(1, keepdim=True)
        self.register_buffer("frequencies", band * drawn / radius.sqrt() * torch.exp(-radius / 4))
        self.register_buffer("phases", torch.rand(channels) - 0.5)
        self.register_buffer("transform", torch.eye(3))
        self.register_buffer("positions", (torch.arange(size) + 0.5 - size / 2) / rate, persistent=False)
        self.affine = EqualizedLinear(style_dim, 4, bias=1.0)
        with torch.no_grad():
            self.affine.weight.zero_()
            self.affine.bias.copy_(torch.tensor([1.0, 0.0, 0.0, 0.0]))  # type: ignore[union-attr]
        self.weight = nn.Parameter(torch.randn(channels, channels))

    def forward(self, style: Tensor) -> Tensor:
        with torch.autocast(style.device.type, enabled=False):
            plane = self.plane(style)
            frequencies = self.frequencies @ plane[:, :2, :2]  # (N, C, 2)
            phases = self.phases + (self.frequencies @ plane[:, :2, 2:])[..., 0]
            beyond = (frequencies.norm(dim=2) - self.band) / (self.rate / 2 - self.band)
            rows = frequencies[:, None, :, 1] * self.positions[:, None] + phases[:, None]  # (N, size, C)
            columns = frequencies[:, None, :, 0] * self.positions[:, None]
            waves = torch.sin(2 * math.pi * (rows[:, :, None] + columns[:, None]))
            waves = waves * (1 - beyond).clamp(0, 1)[:, None, None]
            mixed: Tensor = waves @ self.weight.T / math.sqrt(len(self.weight))
        return mixed.permute(0, 3, 1, 2)

    def plane(self, style: Tensor) -> Tensor:
        """What becomes of a place (x, y, 1), (N, 3, 3): first `transform`, then the style's shift, then its turn."""
        turn_shift: Tensor = self.affine(style)
        cosine, sine, x, y = (turn_shift / turn_shift[:, :2].norm(dim=1, keepdim=True)).unbind(1)
        one, zero = torch.ones_like(x), torch.zeros_like(x)
        turn = torch.stack([cosine, -sine, zero, sine, cosine, zero, zero, zero, one], 1).view(-1, 3, 3)
        shift = torch.stack([one, zero, -x, zero, one, -y, zero, zero, one], 1).view(-1, 3, 3)
        plane: Tensor = turn @ shift @ self.transform
        return plane
