"""A rectangle of half of each side, anywhere: which pixels are gone."""

from __future__ import annotations

import torch
from torch.testing import assert_close

from gan_lab.augmentations.cutout import cut_out

ALWAYS, NEVER = torch.tensor(1.0), torch.tensor(0.0)


def test_half_of_each_side_goes_and_nothing_else() -> None:
    torch.manual_seed(0)
    kept = cut_out(torch.ones(4000, 2, 8, 12), torch.empty(4000), ALWAYS)
    assert torch.equal(kept[:, 0], kept[:, 1])
    assert set(kept.unique().tolist()) == {0.0, 1.0}
    gone = 1 - kept[:, 0]
    heights, widths = gone.amax(2).sum(1), gone.amax(1).sum(1)
    assert_close(gone.sum((1, 2)), heights * widths)  # a rectangle
    assert (heights.max(), widths.max()) == (4, 6)
    assert (heights.min(), widths.min()) == (2, 3)  # the centre is in the image: half of it, at least
    for corner in (gone[:, 0, 0], gone[:, 0, -1], gone[:, -1, 0], gone[:, -1, -1]):
        assert_close(corner.mean(), torch.tensor(0.3125 * 0.2917), rtol=0, atol=0.02)
    assert_close(gone[:, 4, 6].mean(), torch.tensor(1 / 4), rtol=0, atol=0.03)


def test_how_often() -> None:
    torch.manual_seed(0)
    images = torch.ones(4000, 1, 4, 4)
    changed = (cut_out(images, torch.empty(4000), torch.tensor(0.3)) != images).flatten(1).any(1)
    assert_close(changed.float().mean(), torch.tensor(0.3), rtol=0, atol=0.03)
    assert torch.equal(cut_out(images, torch.empty(4000), NEVER), images)
