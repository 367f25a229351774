from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch.testing import assert_close

from gan_lab.degradations.downscale import Downscale
from gan_lab.degradations.resize import cubic, resize, weights
from gan_lab.errors import ConfigError

CPU, DOUBLE = torch.device("cpu"), torch.float64


def test_the_kernel() -> None:
    """1 at 0, 0 at other whole numbers, Keys' -0.5: -1/16 in the middle between the first two zeros, 9/16 before."""
    x = torch.tensor([0, 0.5, -0.5, 1, 1.5, 2, 2.5], dtype=DOUBLE)
    assert_close(cubic(x), torch.tensor([1, 9 / 16, 9 / 16, 0, -1 / 16, 0, 0], dtype=DOUBLE))


@pytest.mark.parametrize(("size", "target"), [(12, 6), (12, 4), (12, 3), (12, 24), (12, 12), (13, 5), (1, 4), (2, 1)])
def test_rows_sum_to_one(size: int, target: int) -> None:
    matrix = weights(size, target, CPU, DOUBLE)
    assert matrix.shape == (target, size)
    assert_close(matrix.sum(1), torch.ones(target, dtype=DOUBLE))
    assert_close(matrix, matrix.flip(0, 1))  # neither end is the better one


def test_the_same_size_is_the_same_picture() -> None:
    assert_close(weights(7, 7, CPU, DOUBLE), torch.eye(7, dtype=DOUBLE))


def test_half_a_ramp_is_the_ramp_inside() -> None:
    """Pixel i of the smaller picture lies between the pixels 2 i and 2 i + 1."""
    ramp = torch.arange(32, dtype=DOUBLE).expand(4, 32)
    smaller = resize(ramp, 4, 16)
    assert_close(smaller[0, 3:-3], 2 * torch.arange(16, dtype=DOUBLE)[3:-3] + 0.5)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_as_two_other_libraries_inside(scale: int) -> None:
    """Pillow and torch leave taps beyond the edge out, where these files repeat it; inside all three agree."""
    random = np.random.default_rng(0)
    size = 24 * scale
    pixels = random.uniform(0, 255, (size, size)).astype(np.float32)
    ours = resize(torch.from_numpy(pixels).double(), 24, 24)[4:-4, 4:-4]
    pillow = np.array(Image.fromarray(pixels).resize((24, 24), Image.Resampling.BICUBIC))[4:-4, 4:-4]
    assert_close(ours, torch.from_numpy(pillow).double(), atol=1e-3, rtol=0)
    theirs = torch.nn.functional.interpolate(
        torch.from_numpy(pixels).double()[None, None], (24, 24), mode="bicubic", antialias=True
    )
    assert_close(ours, theirs[0, 0, 4:-4, 4:-4], atol=1e-3, rtol=0)


def test_the_edge_is_repeated() -> None:
    """By hand, a picture of 4 to 2: centres at 0.5 and 2.5, the kernel twice as wide, places -4 to 5 for the first."""
    places = torch.arange(-5, 7, dtype=DOUBLE)
    shares = cubic((0.5 - places) / 2)
    shares = shares / shares.sum()
    expected = torch.zeros(4, dtype=DOUBLE).scatter_add_(0, places.long().clamp(0, 3), shares)
    assert_close(weights(4, 2, CPU, DOUBLE)[0], expected)


def test_downscaling_is_in_levels_after_rows_and_after_columns() -> None:
    images = torch.randint(256, (2, 3, 8, 12), generator=torch.Generator().manual_seed(0))
    small = Downscale(4)(images / 127.5 - 1)
    rows = torch.einsum("ij,ncjw->nciw", weights(8, 2, CPU, DOUBLE), images.double()).add(0.5).floor().clamp(0, 255)
    both = torch.einsum("ij,nchj->nchi", weights(12, 3, CPU, DOUBLE), rows).add(0.5).floor().clamp(0, 255)
    assert torch.equal(((small.double() + 1) * 127.5).round(), both)
    halves = torch.tensor([[2.0, 3.0], [2.0, 3.0]])  # whose mean is 2.5: a level up, as the files have it
    assert_close(Downscale(2)(halves[None, None] / 127.5 - 1), torch.full((1, 1, 1, 1), 3 / 127.5 - 1))
    assert_close(Downscale(2)(torch.full((1, 1, 4, 4), 0.2)), torch.full((1, 1, 2, 2), 153 / 127.5 - 1))


def test_a_scale_must_divide_the_image() -> None:
    assert Downscale(4).shape((3, 32, 24)) == (3, 8, 6)
    with pytest.raises(ConfigError, match=r"^degradation\.scale=3: does not divide images of 32x24; "):
        Downscale(3).shape((3, 32, 24))
    with pytest.raises(ConfigError, match=r"^degradation\.scale: 1 is not a whole number of at least 2$"):
        Downscale(1)
