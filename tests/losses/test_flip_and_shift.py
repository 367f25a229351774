"""Every outcome of the transformation is the pad-flip-crop of the image, and all of them happen."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from gan_lab.losses.flip_and_shift import FlipAndShift


def outcomes(image: np.ndarray, pixels: int) -> dict[bytes, tuple[bool, int, int]]:
    """Every flip and shift of one (C, H, W) image by numpy: reflect at the edges and crop."""
    _, height, width = image.shape
    found = {}
    for flip in (False, True):
        turned = image[:, :, ::-1] if flip else image
        padded = np.pad(turned, ((0, 0), (pixels, pixels), (pixels, pixels)), mode="reflect")
        for down in range(2 * pixels + 1):
            for right in range(2 * pixels + 1):
                crop = np.ascontiguousarray(padded[:, down : down + height, right : right + width])
                found[crop.tobytes()] = (flip, down, right)
    return found


def test_each_sample_is_flipped_and_shifted_on_its_own() -> None:
    torch.manual_seed(0)
    image = torch.randn(2, 5, 6)
    moved = FlipAndShift(2)(image.expand(600, -1, -1, -1))
    assert moved.shape == (600, 2, 5, 6)
    known = outcomes(image.numpy(), 2)
    assert len(known) == 50
    happened = [known[np.ascontiguousarray(one.numpy()).tobytes()] for one in moved]  # a KeyError: not one of them
    assert set(happened) == set(known.values())


def test_it_is_differentiable() -> None:
    """Without a shift every pixel is used once, so the gradient of the sum of squares is 2x."""
    images = torch.randn(8, 1, 4, 4, dtype=torch.float64, requires_grad=True)
    FlipAndShift(0)(images).square().sum().backward()
    assert_close(images.grad, 2 * images.detach())


def test_small_images_move_within_their_side() -> None:
    torch.manual_seed(0)
    assert torch.equal(FlipAndShift(4)(torch.ones(3, 2, 1, 1)), torch.ones(3, 2, 1, 1))
    moved = FlipAndShift(4)(torch.arange(2.0).view(1, 1, 1, 2).expand(64, 1, 2, 2))
    assert set(map(tuple, moved[:, 0, 0].tolist())) == {(0.0, 1.0), (1.0, 0.0)}


def test_pixels_are_checked() -> None:
    with pytest.raises(ValueError, match="pixels must be at least 0, not -1"):
        FlipAndShift(-1)
