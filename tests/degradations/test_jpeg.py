"""JPEG by cosines against the library that everybody's files come from."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.testing import assert_close

from gan_lab.degradations.jpeg import CHROMINANCE, LUMINANCE, Jpeg, dct


def smooth(channels: int, height: int = 40, width: int = 56) -> Tensor:
    """A picture with gradients, edges and some texture, as levels `(C, H, W)`."""
    random = torch.Generator().manual_seed(0)
    small = torch.rand(1, channels, 6, 8, generator=random)
    picture = torch.nn.functional.interpolate(small, (height, width), mode="bicubic")[0]
    picture[:, 10:20, 15:30] += 0.3
    picture += 0.03 * torch.randn(picture.shape, generator=random)
    return (picture * 255).round().clamp(0, 255)


def through_a_file(levels: Tensor, quality: int) -> Tensor:
    array = levels.byte().permute(1, 2, 0).numpy()
    image = Image.fromarray(array[..., 0] if len(levels) == 1 else array)
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=quality, subsampling="4:2:0")
    found = np.array(Image.open(buffer))
    return torch.from_numpy(found[None] if found.ndim == 2 else found.transpose(2, 0, 1)).float()


@pytest.mark.parametrize("quality", [10, 30, 49, 50, 75, 95, 100])
@pytest.mark.parametrize("channels", [1, 3])
def test_as_libjpeg(channels: int, quality: int) -> None:
    """To a part of what the coding itself changes: libjpeg computes cosines and colours in whole numbers, and what lies
    between two multiples of a step may go to the other one. Gray, which has no such colours, is nearly the same."""
    levels = smooth(channels)
    ours = (Jpeg(quality)(levels[None] / 127.5 - 1)[0] + 1) * 127.5
    theirs = through_a_file(levels, quality)
    difference, changed = (ours - theirs).abs(), (theirs - levels).abs()
    if channels == 1:
        assert difference.mean() < 0.25
        assert (difference > 1.5).float().mean() < 0.04
    assert difference.mean() < 0.22 * changed.mean() + 0.1


def test_worse_quality_is_farther_away() -> None:
    levels = smooth(3)
    errors = [
        float((Jpeg(q)(levels[None] / 127.5 - 1)[0] + 1).mul(127.5).sub(levels).abs().mean()) for q in (95, 60, 20)
    ]
    assert errors == sorted(errors)
    assert errors[0] < errors[2] / 2


def test_a_block_of_one_level_stays_that() -> None:
    """128 is no coefficient at all; others are rounded to the first of the table, 16 / 8 levels at quality 50."""
    even = torch.full((1, 1, 8, 8), 128 / 127.5 - 1)
    assert_close(Jpeg(1)(even), even)
    found = (Jpeg(50)(torch.full((1, 1, 8, 8), 133 / 127.5 - 1)) + 1) * 127.5
    assert_close(found, torch.full((1, 1, 8, 8), 128.0 + 2 * round(5 * 8 / 16)))


def test_every_image_has_its_own_quality() -> None:
    torch.manual_seed(0)
    images = smooth(1)[None].repeat(30, 1, 1, 1) / 127.5 - 1
    found = Jpeg((10, 90))(images)
    assert len(found.flatten(1).unique(dim=0)) > 15


def test_cosines_are_orthonormal() -> None:
    cosines = dct(torch.device("cpu"), torch.float64)
    assert_close(cosines @ cosines.T, torch.eye(8, dtype=torch.float64))
    assert_close(cosines[0], torch.full((8,), 8**-0.5, dtype=torch.float64))
    assert (len(LUMINANCE), len(CHROMINANCE)) == (64, 64)
