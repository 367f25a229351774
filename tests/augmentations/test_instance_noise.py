"""Noise of the size that was asked for."""

from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from gan_lab.augmentations.instance_noise import InstanceNoise


def test_noise_is_std_times_a_normal_draw() -> None:
    images = torch.rand(3, 2, 1, 1)
    torch.manual_seed(7)
    noisy = InstanceNoise(0.3)(images)
    torch.manual_seed(7)
    assert_close(noisy, images + 0.3 * torch.randn(3, 2, 1, 1))


def test_no_noise_is_the_identity_and_std_is_read_where_it_lies() -> None:
    images, noise = torch.rand(2, 3, 4, 4), InstanceNoise(0.5)
    noise.std.fill_(0.0)
    assert torch.equal(noise(images), images)
    assert noise(images.bfloat16()).dtype == torch.bfloat16
    assert not noise.state_dict()


def test_refusals() -> None:
    for std in (-0.1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="std must be a finite number"):
            InstanceNoise(std)
