"""What a generator says of itself so that directions can be read off its weights (Shen & Zhou 2020, arXiv:2007.06600).

`latent_weights()` is a list of matrices `(rows, D)`, one for each place where its latent, or its style, enters: there
features are A z + b, so a step n moves them by A n, and A^T A tells which steps move them most. Columns of labels are
left out. Where BatchNorm follows at once it is folded in: what comes after sees gamma / sigma A.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


def of_layer(layer: nn.Module, then: nn.Module | None = None) -> Tensor:
    """`(rows, D)` of a linear layer, or of a transposed convolution of a single pixel (rows are places by channels, the
    channels last), as what follows `then` sees it in evaluation, if that is a BatchNorm."""
    weight = layer.weight
    assert isinstance(weight, Tensor)
    if weight.dim() == 4:  # (D, C, H, W)
        weight = weight.permute(2, 3, 1, 0).flatten(0, 2)
    if not isinstance(then, _BatchNorm):
        return weight
    assert then.running_var is not None
    scale = (then.running_var + then.eps).rsqrt()
    if then.affine:
        scale = scale * then.weight
    return weight * scale.repeat(len(weight) // len(scale))[:, None]


def placed(weight: Tensor, start: int, total: int) -> Tensor:
    """Columns of a part of the latent, from number `start` on, among all `total`: `(rows, total)`, 0 elsewhere."""
    whole = torch.zeros(len(weight), total, dtype=weight.dtype, device=weight.device)
    whole[:, start : start + weight.shape[1]] = weight
    return whole
