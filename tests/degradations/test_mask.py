from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn.functional import conv2d, conv_transpose2d

from gan_lab.degradations.mask import KINDS, SPREAD, Mask, path, strokes
from gan_lab.errors import ConfigError

from .test_contract import made

MANY = 400
CPU = torch.device("cpu")


def masks(kind: str, **more: object) -> Tensor:
    torch.manual_seed(0)
    images = torch.rand(MANY, 3, 32, 48) + 0.5
    found = Mask(kind, **more)(images)  # type: ignore[arg-type]
    mask = found[:, 3:]
    assert torch.equal(mask.unique(), torch.tensor([0.0, 1.0]))
    assert torch.equal(found[:, :3], images * (1 - mask))
    return mask[:, 0].bool()


def test_a_box_is_a_rectangle_of_the_shares_that_are_asked() -> None:
    """Its rows and columns are whole, its sides as told, and it lies anywhere inside, at both edges too."""
    mask = masks("box", smallest=0.25, largest=0.5)
    rows, columns = mask.any(2), mask.any(1)
    assert torch.equal(mask, rows[:, :, None] & columns[:, None, :])
    heights, widths = rows.sum(1), columns.sum(1)
    assert (int(heights.min()), int(heights.max())) == (8, 16)
    assert (int(widths.min()), int(widths.max())) == (12, 24)
    assert all((along.int().diff(dim=1).abs().sum(1) <= 2).all() for along in (rows, columns))  # in one piece
    assert all(along[:, 0].any() and along[:, -1].any() for along in (rows, columns))
    assert mask.float().mean(0).argmax() // 48 in range(10, 22)  # the middle is missing most often


def test_a_centred_box_is_the_middle() -> None:
    mask = masks("box", smallest=0.5, largest=0.5, centred=True)
    expected = torch.zeros(32, 48, dtype=torch.bool)
    expected[8:24, 12:36] = True
    assert torch.equal(mask, expected.expand_as(mask))


def test_strokes_differ_and_cover_a_part() -> None:
    mask = masks("strokes")
    shares = mask.float().mean((1, 2))
    assert shares.min() > 0.005
    assert shares.max() < 0.9
    assert 0.1 < shares.mean() < 0.5
    assert len(mask.flatten(1).unique(dim=0)) == MANY
    per_pixel = mask.float().mean(0)
    assert per_pixel.min() > 0.05  # no part of the picture is spared


def test_a_stroke_goes_to_and_fro() -> None:
    """Two directions in a row add up to twice the stroke's own, to within what each varies."""
    torch.manual_seed(0)
    points = torch.stack([torch.stack(point, -1).view(MANY, 2) for point in path((MANY, 1, 1, 1), 64, 96, CPU)], 1)
    steps = points.diff(dim=1)
    inside = ((points > 0) & (points < torch.tensor([64, 96]))).all(2)
    angles = torch.atan2(steps[..., 0], steps[..., 1])
    sums = angles[:, 1:] + angles[:, :-1]
    moved = inside[:, :-1] & inside[:, 1:] & (steps.norm(dim=2) > 1e-3)  # neither stopped at the edge nor not at all
    free = moved[:, 1:] & moved[:, :-1]
    apart = torch.remainder(sums[:, 1:] - sums[:, :-1] + math.pi, 2 * math.pi) - math.pi
    assert apart[free[:, 1:] & free[:, :-1]].abs().max() < 4 * SPREAD
    lengths = steps.norm(dim=2)[inside[:, 1:]]
    reach = math.hypot(64, 96) / 8
    assert lengths.max() <= 2 * reach + 1e-3
    assert lengths.mean() == pytest.approx(reach, rel=0.1)
    assert points.shape == (MANY, 13, 2)


def test_a_stroke_is_as_wide_as_a_brush() -> None:
    """Of a picture of 128 from 6 to 20 pixels: a disc of 8 fits nearly wherever it went, one of 28 only where it
    crossed itself."""
    torch.manual_seed(1)
    hole = strokes(40, 128, 128, CPU)
    assert opened(hole, 4).sum() > 0.85 * hole.sum()
    assert opened(hole, 14).sum() < 0.25 * hole.sum()


def opened(hole: Tensor, radius: float) -> Tensor:
    """Where a disc goes that stays in the hole."""
    reach = torch.arange(-math.ceil(radius), math.ceil(radius) + 1).square()
    disc = ((reach[:, None] + reach) <= radius**2).float()[None, None]
    fits = conv2d(hole.float(), disc) == disc.sum()
    return conv_transpose2d(fits.float(), disc) > 0


def test_some_images_have_one_stroke_and_some_three() -> None:
    torch.manual_seed(0)
    shares = strokes(MANY, 48, 48, CPU).float().mean((1, 2, 3)).sort().values
    assert shares[: MANY // 4].mean() < 0.09
    assert shares[-MANY // 4 :].mean() > 0.2


def test_both_is_a_box_and_strokes() -> None:
    both, box = masks("both").float().mean(), masks("box").float().mean()
    assert both > box + 0.05


@pytest.mark.parametrize("more", [{"kind": "dots"}, {"smallest": 0.6}, {"largest": 1.2}])
def test_masks_that_cannot_be(more: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=r"^degradation \(gan_lab\.degradations\.mask\.Mask\): "):
        made("mask", **more)
    assert len(KINDS) == 3
