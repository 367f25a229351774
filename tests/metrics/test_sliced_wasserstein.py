"""The sliced Wasserstein distance: what must be 0, what must be larger, and its pyramid."""

from __future__ import annotations

import math

import pytest
import torch

from gan_lab.metrics.sliced_wasserstein import PATCHES, _distance, _patches, _pyramid, _up, sliced_wasserstein


def noise(seed: int, size: int = 32, channels: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(256, (24, channels, size, size), generator=generator, dtype=torch.uint8)


def test_equal_images_are_at_no_distance() -> None:
    assert sliced_wasserstein(noise(0), noise(0)) == {"32": 0.0, "16": 0.0, "mean": 0.0}


def test_the_pyramid_adds_up_to_the_image() -> None:
    fine, coarse = _pyramid(noise(0))
    torch.testing.assert_close(fine + _up(coarse, fine), noise(0).float())
    assert coarse.shape[2:] == (16, 16)
    flat = torch.full((1, 1, 32, 32), 7, dtype=torch.uint8)
    torch.testing.assert_close(_pyramid(flat)[1], torch.full((1, 1, 16, 16), 7.0))


def test_other_texture_is_far_and_the_same_kind_is_near() -> None:
    same = sliced_wasserstein(noise(0), noise(1))["mean"]
    smooth = torch.nn.functional.avg_pool2d(noise(1).float(), 5, 1, 2).to(torch.uint8)
    assert 2 * same < sliced_wasserstein(noise(0), smooth)["mean"]


def test_a_shift_in_one_dimension() -> None:
    """Along any direction the distance of a set from itself moved by v is |v . direction|; its mean over directions of
    a plane is 2 |v| / pi."""
    points = torch.randn(2000, 2, generator=torch.Generator().manual_seed(0))
    moved = points + torch.tensor([3.0, 4.0])
    found = _distance(points, moved, torch.Generator().manual_seed(1))
    assert found == pytest.approx(5 * 2 / torch.pi, rel=0.05)


def test_black_and_white_in_other_shares() -> None:
    """Patches of one gray c, normalised: -1 and 1 in halves against -sqrt(3) in a quarter and 1/sqrt(3). Along a
    direction u they lie at c s, s = u . (1, ..., 1), and E |s| = 7 E |u_1| in 49 dimensions; the figure is a thousand
    times that."""
    real, fake = (torch.zeros(40, 1, 8, 8, dtype=torch.uint8) for _ in range(2))
    real[20:], fake[10:] = 255, 255
    apart = (3**0.5 - 1) / 4 + (1 + 3**-0.5) / 4 + (1 - 3**-0.5) / 2
    size = 7 * math.exp(math.lgamma(24.5) - math.lgamma(25)) / math.pi**0.5
    assert sliced_wasserstein(real, fake)["mean"] == pytest.approx(1000 * apart * size, rel=0.08)


def test_patches_are_parts_of_the_images() -> None:
    """7x7, of all channels, from corner to corner; each channel of mean 0 and deviation 1, a flat one stays flat."""
    images = torch.randn(70, 2, 9, 8, generator=torch.Generator().manual_seed(0))
    images[:, 1] = 5.0
    places = torch.zeros(2, 70, PATCHES)
    places[:, :, 1] = 0.999
    patches = _patches(images, places).view(70, PATCHES, 2, 7, 7)
    assert patches[:, :, 0].mean().item() == pytest.approx(0, abs=1e-5)
    assert patches[:, :, 0].std(correction=0).item() == pytest.approx(1, rel=1e-4)
    assert not patches[:, :, 1].any()
    taken = images[:, 0, :7, :7].repeat(PATCHES - 1, 1, 1), images[:, 0, 2:, 1:]
    deviation, mean = torch.std_mean(torch.cat(taken), correction=0)
    for which, part in enumerate((images[:, 0, :7, :7], images[:, 0, 2:, 1:])):
        torch.testing.assert_close(patches[:, which, 0], (part - mean) / deviation, atol=1e-4, rtol=1e-4)


def test_small_and_gray_images_and_what_is_refused() -> None:
    assert set(sliced_wasserstein(noise(0, 8, 1), noise(1, 8, 1))) == {"8", "mean"}
    with pytest.raises(ValueError, match="one size"):
        sliced_wasserstein(noise(0), noise(0)[:3])
