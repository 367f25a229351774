"""The length of what was normalised."""

from __future__ import annotations

import torch
from torch.testing import assert_close

from gan_lab.layers.pixel_norm import pixel_norm


def test_the_mean_square_over_the_channels_is_one() -> None:
    for shape in ((3, 8), (2, 5, 3, 4)):
        given = 7 * torch.randn(*shape, dtype=torch.float64)
        made = pixel_norm(given)
        mean = made.square().mean(1)
        assert_close(mean, torch.ones_like(mean), rtol=1e-6, atol=0)
        assert_close(made[:, 0] * given[:, 1], made[:, 1] * given[:, 0])  # the direction is kept
    assert_close(pixel_norm(torch.zeros(2, 3)), torch.zeros(2, 3))
    assert_close(pixel_norm(torch.full((1, 4), 1e-4)), torch.full((1, 4), 0.5**0.5))  # 1e-8 under the root
