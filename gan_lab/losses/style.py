"""What a map of features says of an image's style: which channels go together, and how much there is of each."""

from __future__ import annotations

import torch
from torch import Tensor


def gram(maps: Tensor) -> Tensor:
    """G = F F^T / (C H W) of each image's features F `(C, H W)`: `(N, C, C)` from `(N, C, H, W)`, in fp32 whatever the
    precision. Gatys et al. 2015 (arXiv:1508.06576, equation 3) with the scale of Johnson et al. 2016
    (arXiv:1603.08155, equation 3), so that layers of any size weigh alike."""
    with torch.autocast(maps.device.type, enabled=False):
        features = maps.float().flatten(2)
        product: Tensor = features @ features.transpose(1, 2)
    return product / (features.shape[1] * features.shape[2])


def moments(maps: Tensor, eps: float = 0.0) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of every channel of every image over its places, `(N, C, 1, 1)` each from
    `(N, C, H, W)`, in fp32. The variance is unbiased and `eps` is added to it, as in the code of Huang & Belongie 2017
    (arXiv:1703.06868)."""
    variance, mean = torch.var_mean(maps.float(), (2, 3), keepdim=True)
    return mean, (variance + eps).sqrt()
