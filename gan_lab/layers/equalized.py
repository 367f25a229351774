"""Equalized learning rate (Karras et al. 2017, arXiv:1710.10196, section 4.1): weights are stored as N(0, 1) and scaled
whenever they are used, by what He's initialisation (arXiv:1502.01852) would have scaled them by once.

An optimizer that normalises its gradients, as Adam, then moves every weight by the same share of its size, whatever the
layer. With a learning-rate multiplier m (Karras et al. 2018, arXiv:1812.04948, appendix C: 0.01 in the mapping network)
weights are stored as N(0, 1/m^2) and weights and biases used m times: the function at the start is the same, a step m
times smaller.

The gain of the activation that follows may stand in the weights, and then in the bias too: leaky ReLU is homogeneous,
so `sqrt(2) lrelu(W x + b)` is `lrelu(sqrt(2) W x + sqrt(2) b)`, for less work than a pass over the maps. Networks that
have it in the weights alone (Progressive GAN, StyleGAN) say so by `bias_gain`.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class EqualizedLinear(nn.Module):
    """(N, inputs) to (N, outputs): gain (W x / sqrt(inputs) + b), W N(0, 1), b first `bias`, None: there is none.

    `multiplier`: of the learning rate. The bias is stored divided by it, too. `bias_gain`: of the bias, where it is
    another. Raises ValueError for a multiplier that is not above 0.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        bias: float | None = 0.0,
        gain: float = 1.0,
        multiplier: float = 1.0,
        bias_gain: float | None = None,
    ) -> None:
        super().__init__()
        if not (math.isfinite(multiplier) and multiplier > 0):
            raise ValueError(f"multiplier must be a number above 0, not {multiplier}")
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / multiplier)
        self.bias = None if bias is None else nn.Parameter(torch.full((outputs,), bias / multiplier))
        self.scale = gain * multiplier / math.sqrt(inputs)
        self.bias_scale = (gain if bias_gain is None else bias_gain) * multiplier

    def matrix(self) -> Tensor:
        """What vectors are multiplied by."""
        return self.weight * self.scale

    def forward(self, vectors: Tensor) -> Tensor:
        if self.bias is None:
            return vectors @ self.weight.T * self.scale
        return torch.addmm(self.bias, vectors, self.weight.T, beta=self.bias_scale, alpha=self.scale)


class EqualizedConv2d(nn.Conv2d):
    """(N, C, H, W) by W / sqrt(C k k), W N(0, 1), times `gain`; a bias that starts at 0, times `bias_gain` (None: times
    `gain` too)."""

    def __init__(
        self,
        before: int,
        after: int,
        size: int,
        stride: int = 1,
        padding: int | None = None,
        bias: bool = True,
        gain: float = 1.0,
        bias_gain: float | None = None,
    ) -> None:
        super().__init__(before, after, size, stride, size // 2 if padding is None else padding, bias=bias)
        nn.init.normal_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)
        self.bias_gain = gain if bias_gain is None else bias_gain
        self.scale = gain / math.sqrt(before * size * size)

    def kernel(self) -> Tensor:
        """What images are convolved by."""
        return self.weight * self.scale

    def forward(self, input: Tensor) -> Tensor:
        bias = self.bias if self.bias is None or self.bias_gain == 1 else self.bias * self.bias_gain
        maps: Tensor = self._conv_forward(input, self.kernel(), bias)
        return maps
