"""PSNR and SSIM against scikit-image and in closed form."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gan_lab.metrics.paired import psnr, ssim


def pair(channels: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    one = torch.rand(2, channels, 20, 24, generator=generator, dtype=torch.float64)
    return one, (one + 0.1 * torch.randn(one.shape, generator=generator, dtype=torch.float64)).clamp(0, 1)


def test_closed_form() -> None:
    black, gray = torch.zeros(1, 1, 16, 16), torch.full((1, 1, 16, 16), 0.1)
    assert psnr(black, gray).item() == pytest.approx(20.0, rel=1e-6)
    assert psnr(black * 2 - 1, gray * 2 - 1, data_range=2).item() == pytest.approx(20.0, rel=1e-6)
    assert psnr(black, black).item() == float("inf")
    assert ssim(gray, gray).item() == pytest.approx(1.0)
    assert ssim(black, gray).item() == pytest.approx(1e-4 / (0.01 + 1e-4), rel=1e-6)  # C1 / (mean^2 + C1)


@pytest.mark.parametrize("channels", [1, 3])
def test_scikit_image(channels: int) -> None:
    metrics = pytest.importorskip("skimage.metrics")
    one, two = pair(channels)
    for index, (value, similar) in enumerate(zip(psnr(two, one), ssim(two, one), strict=True)):
        a, b = (x[index].permute(1, 2, 0).numpy() for x in (one, two))
        assert value.item() == pytest.approx(metrics.peak_signal_noise_ratio(a, b, data_range=1.0), rel=1e-9)
        theirs = metrics.structural_similarity(
            a, b, data_range=1.0, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
        assert similar.item() == pytest.approx(float(np.mean(theirs)), rel=1e-6)


def test_what_is_refused() -> None:
    for metric in (psnr, ssim):
        with pytest.raises(ValueError, match="one shape"):
            metric(torch.zeros(1, 1, 16, 16), torch.zeros(1, 3, 16, 16))
    with pytest.raises(ValueError, match="11x11"):
        ssim(torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 8, 8))
