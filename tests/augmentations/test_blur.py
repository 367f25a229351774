"""The blur of what the discriminator sees."""

from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from gan_lab.augmentations.blur import Blur


def test_the_kernel_is_half_as_high_a_sigma_away() -> None:
    image = torch.zeros(1, 2, 21, 21)
    image[:, :, 10, 10] = 1
    found = Blur(2.0)(image)
    assert_close(found[0, 0, 10, 12] / found[0, 0, 10, 10], torch.tensor(0.5))
    assert_close(found[0, 1, 14, 10] / found[0, 1, 10, 10], torch.tensor(2.0**-4))
    assert_close(found.sum((2, 3)), torch.ones(1, 2))
    assert found[0, 0, 10, 16] > 0 == found[0, 0, 10, 17]  # cut off at 3 sigma


def test_it_fades_to_nothing() -> None:
    blur, image = Blur(3.0), torch.randn(2, 3, 16, 16)
    blur.sigma.fill_(1.0)
    narrow = blur(image)
    assert_close(narrow, Blur(1.0)(image))
    blur.sigma.fill_(0.0)
    assert torch.equal(blur(image), image)
    assert torch.equal(Blur(0.0)(image), image)


@pytest.mark.parametrize("sigma", [-1.0, float("nan")])
def test_a_width_that_there_is_not(sigma: float) -> None:
    with pytest.raises(ValueError, match="sigma must be a finite number of at least 0"):
        Blur(sigma)
