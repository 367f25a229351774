"""Convolutions that learn where to look (Yu et al. 2018, arXiv:1806.03589, equation 4)."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn.functional import elu, interpolate

Activation = Callable[[Tensor], Tensor]


class GatedConvolution(nn.Module):
    """activation(a) sigmoid(b), where a and b are the halves of what one convolution makes: the gate of every place and
    channel is learned, so that a hole is told from what is known. `(N, inputs, H, W)` to `(N, outputs, H / stride,
    W / stride)`, rounded up.

    `outputs` are counted after the gate; the authors count both halves (their 48 are 24 here). Without normalisation.
    Deviation: where the stride is 2 the border is padded alike on both sides, theirs on the right and below only.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 3,
        stride: int = 1,
        dilation: int = 1,
        activation: Activation = elu,
    ) -> None:
        super().__init__()
        padding = dilation * (kernel - 1) // 2
        self.conv = nn.Conv2d(inputs, 2 * outputs, kernel, stride, padding, dilation)
        self.activation = activation

    def forward(self, features: Tensor) -> Tensor:
        values, gate = self.conv(features).chunk(2, 1)
        gated: Tensor = self.activation(values) * gate.sigmoid()
        return gated


class GatedUpsampling(GatedConvolution):
    """Twice the size: every pixel twice along both sides, then a gated convolution."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs)

    def forward(self, features: Tensor) -> Tensor:
        return super().forward(interpolate(features, scale_factor=2.0))
