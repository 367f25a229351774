"""What lies below transparent pixels."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate


def bleed(colours: Tensor, alpha: Tensor) -> Tensor:
    """Colours `(C, H, W)` where what nobody sees (`alpha` `(1, H, W)` is -1) has the colours around it, whatever the
    file says there: what a network makes of the rest does not depend on it. Averages of the seen among 2x2 pixels, of
    4x4 and so on; each gap takes the smallest square that has one."""
    seen = (alpha > -1).to(colours.dtype)
    if not seen.any() or seen.all():
        return colours
    return _filled((colours * seen)[None], seen[None])[0]


def _filled(colours: Tensor, seen: Tensor) -> Tensor:
    """`colours` are 0 where nothing is seen."""
    if bool(seen.all()):
        return colours
    size = colours.shape[2:]
    share = avg_pool2d(seen, 2, ceil_mode=True)
    mean = avg_pool2d(colours, 2, ceil_mode=True) / share.clamp(min=1e-6)
    coarse = _filled(mean * (share > 0), (share > 0).to(seen.dtype))
    around = interpolate(coarse, scale_factor=2.0, mode="nearest")[..., : size[0], : size[1]]
    return torch.where(seen > 0, colours, around)
