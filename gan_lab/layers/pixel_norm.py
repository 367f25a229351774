"""Vectors of one length (Karras et al. 2017, arXiv:1710.10196, section 4.2)."""

from __future__ import annotations

from torch import Tensor


def pixel_norm(features: Tensor) -> Tensor:
    """(N, C) or (N, C, H, W), divided by the root of the mean square over the channels, at each place."""
    return features * (features.square().mean(1, keepdim=True) + 1e-8).rsqrt()
