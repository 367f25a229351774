"""How near a picture is to the one it should be: for paired tasks."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import conv2d

WINDOW, SIGMA = 11, 1.5


def psnr(images: Tensor, targets: Tensor, data_range: float = 1.0) -> Tensor:
    """Peak signal-to-noise ratio in dB of each image `(N, C, H, W)`: 10 log10(range^2 / mean squared error); infinite
    where they are equal. `data_range` is the largest value there may be less the smallest: 2 for images in [-1, 1], 255
    for bytes. Raises ValueError for images of another shape than their targets'.
    """
    _alike(images, targets)
    errors = (images.double() - targets.double()).square().flatten(1).mean(1)
    return 10 * torch.log10(data_range**2 / errors)


def ssim(images: Tensor, targets: Tensor, data_range: float = 1.0) -> Tensor:
    """Structural similarity of each image (Wang et al. 2004, equation 13), up to 1: the mean over pixels and channels
    with a Gaussian window of 11 pixels and standard deviation 1.5, K1 = 0.01, K2 = 0.03. A border of 5 pixels is left
    out. Raises ValueError for images smaller than the window, or of another shape than their targets'.
    """
    _alike(images, targets)
    if min(images.shape[2:]) < WINDOW:
        raise ValueError(f"images of at least {WINDOW}x{WINDOW} pixels, not {tuple(images.shape[2:])}")
    x, y = images.double(), targets.double()
    mean_x, mean_y = _smooth(x), _smooth(y)
    variance_x, variance_y = _smooth(x * x) - mean_x**2, _smooth(y * y) - mean_y**2
    covariance = _smooth(x * y) - mean_x * mean_y
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    structure = (2 * covariance + c2) / (variance_x + variance_y + c2)
    return (luminance * structure).flatten(1).mean(1)


def _alike(images: Tensor, targets: Tensor) -> None:
    if images.shape != targets.shape or images.ndim != 4:
        raise ValueError(f"images and targets of one shape (N, C, H, W), not {images.shape} and {targets.shape}")


def _smooth(images: Tensor) -> Tensor:
    """Under the window, where it lies inside the image."""
    steps = torch.arange(WINDOW, dtype=images.dtype, device=images.device) - WINDOW // 2
    weights = torch.exp(-(steps**2) / (2 * SIGMA**2))
    row = (weights / weights.sum()).expand(images.shape[1], 1, 1, WINDOW)
    across = conv2d(images, row, groups=images.shape[1])
    return conv2d(across, row.transpose(2, 3), groups=images.shape[1])
