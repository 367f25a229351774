"""Each step against what the paper's numbers say, pixel by pixel."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from gan_lab.augmentations.diffaugment import (
    STEPS,
    DiffAugment,
    brightness,
    contrast,
    cutout,
    saturation,
    translation,
)


@pytest.fixture
def images() -> Tensor:
    torch.manual_seed(0)
    return torch.rand(64, 3, 12, 10, dtype=torch.float64) * 2 - 1


def per_image(values: Tensor) -> Tensor:
    """The one number that each image's entries share, (N,)."""
    values = values.flatten(1)
    assert_close(values, values[:, :1].expand_as(values), atol=1e-9, rtol=0)
    return values[:, 0]


def check_uniform(numbers: Tensor, low: float, high: float) -> None:
    """Within the bounds, all different, mean and variance within 5 standard errors of middle and width^2 / 12."""
    assert low <= numbers.min()
    assert numbers.max() < high
    assert len(numbers.unique()) == len(numbers)
    error = (high - low) / (12 * len(numbers)) ** 0.5
    assert_close(numbers.mean(), torch.tensor((low + high) / 2).to(numbers), atol=5 * error, rtol=0)
    variance = (high - low) ** 2 / 12
    error = variance * (0.8 / len(numbers)) ** 0.5  # the fourth moment is 9/5 of the variance squared
    assert_close(numbers.var(), torch.tensor(variance).to(numbers), atol=5 * error, rtol=0)


def test_brightness_adds_one_number(images: Tensor) -> None:
    check_uniform(per_image(brightness(images) - images), -0.5, 0.5)


def test_saturation_scales_the_distance_to_grey(images: Tensor) -> None:
    grey = images.mean(1, keepdim=True)
    check_uniform(per_image((saturation(images) - grey) / (images - grey)), 0.0, 2.0)
    assert_close(saturation(images[:, :1]), images[:, :1])


def test_contrast_scales_the_distance_to_the_mean(images: Tensor) -> None:
    mean = images.mean((1, 2, 3), keepdim=True)
    check_uniform(per_image((contrast(images) - mean) / (images - mean)), 0.5, 1.5)


def test_translation_moves_whole_pixels_and_brings_in_zeros(images: Tensor) -> None:
    """12 and 10 pixels: up to int(1.5 + 0.5) = 2 and int(1.25 + 0.5) = 1; every shift is one of the 5 x 3."""
    moved, seen = translation(images), set()
    for before, after in zip(images, moved, strict=True):
        found = [
            (dy, dx)
            for dy in range(-2, 3)
            for dx in range(-1, 2)
            if torch.equal(after, shifted_by_hand(before, dy, dx))
        ]
        assert len(found) == 1
        seen.update(found)
    assert len(seen) > 10


def shifted_by_hand(image: Tensor, dy: int, dx: int) -> Tensor:
    result = torch.zeros_like(image)
    _, height, width = image.shape
    for y in range(height):
        for x in range(width):
            if 0 <= y + dy < height and 0 <= x + dx < width:
                result[:, y, x] = image[:, y + dy, x + dx]
    return result


def test_cutout_is_a_rectangle_of_half_the_sides(images: Tensor) -> None:
    """6 x 5 pixels; the centre anywhere in 13 (even length) by 10 (odd length) places."""
    images = images.abs() + 1
    cut = cutout(images)
    rows, columns = set(), set()
    for before, after in zip(images, cut, strict=True):
        hole = after[0] == 0
        assert torch.equal(after, before * ~hole)
        ys, xs = hole.any(1).nonzero()[:, 0].tolist(), hole.any(0).nonzero()[:, 0].tolist()
        assert hole.sum() == len(ys) * len(xs)
        assert ys == list(range(ys[0], ys[-1] + 1))
        assert xs == list(range(xs[0], xs[-1] + 1))
        assert len(ys) == 6 or (3 <= len(ys) < 6 and (ys[0] == 0 or ys[-1] == 11))
        assert len(xs) == 5 or (3 <= len(xs) < 5 and (xs[0] == 0 or xs[-1] == 9))
        rows.add((ys[0], len(ys)))
        columns.add((xs[0], len(xs)))
    assert rows <= {(max(c - 3, 0), min(c + 3, 12) - max(c - 3, 0)) for c in range(13)}
    assert len(rows) > 8
    assert len(columns) > 6


def test_cutout_reaches_every_place_and_no_other() -> None:
    """One-pixel-wide odd case: a hole of 1 in 3 pixels lies on each with probability 1/3."""
    torch.manual_seed(0)
    cut = cutout(torch.ones(3000, 1, 3, 3), ratio=1 / 3)
    share = (cut == 0).float().mean(0)
    assert_close(share, torch.full((1, 3, 3), 1 / 9), atol=0.03, rtol=0)
    assert_close((cut == 0).sum((1, 2, 3)), torch.ones(3000, dtype=torch.int64))


@pytest.mark.parametrize("policy", [["color", "translation", "cutout"], *([name] for name in STEPS)])
def test_derivatives_of_both_orders(policy: list[str]) -> None:
    augment = DiffAugment((3, 4, 3), policy)

    def squared(images: Tensor) -> Tensor:
        torch.manual_seed(3)
        return augment(images).square()

    torch.manual_seed(0)
    images = torch.randn(1, 3, 4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(squared, images)
    assert torch.autograd.gradgradcheck(squared, images)


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 16, 24), (2, 7, 5)])
def test_shapes_types_and_fresh_numbers(shape: tuple[int, int, int]) -> None:
    augment = DiffAugment(shape)
    images = torch.rand(4, *shape)
    first, second = augment(images), augment(images)
    assert first.shape == images.shape
    assert not torch.equal(first, second)
    assert augment(images.bfloat16()).dtype == torch.bfloat16


def test_policy_in_its_order() -> None:
    assert DiffAugment((3, 8, 8), ["cutout", "brightness"]).policy == ["cutout", "brightness"]
    torch.manual_seed(0)
    filled = DiffAugment((1, 8, 8), ["cutout", "brightness"])(torch.ones(1, 1, 8, 8))
    assert len(filled.unique()) == 2
    assert 0 not in filled


def test_refusals() -> None:
    for policy in ("color", [], ["colour"]):
        with pytest.raises(ValueError, match="policy must be a list of color, brightness"):
            DiffAugment((3, 8, 8), policy)
    with pytest.raises(ValueError, match="too small to augment"):
        DiffAugment((2, 1, 1))
