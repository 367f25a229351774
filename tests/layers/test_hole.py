from __future__ import annotations

import pytest
import torch

from gan_lab.errors import ConfigError
from gan_lab.layers.hole import check_masked, filled, middle, parts


def test_what_is_known_stays_bit_for_bit() -> None:
    torch.manual_seed(0)
    input = torch.cat((torch.randn(2, 3, 6, 6), (torch.rand(2, 1, 6, 6) < 0.4).float()), 1)
    picture, hole = parts(input)
    made = torch.randn(2, 3, 6, 6).bfloat16()
    image = filled(picture, hole, made)
    assert image.dtype == torch.float32
    assert torch.equal(image, torch.where(input[:, 3:] == 1, made.float(), input[:, :3]))


def test_the_middle() -> None:
    rows = torch.arange(8.0).view(1, 1, 8, 1).expand(1, 1, 8, 6)
    assert middle(rows, 4, 2).shape == (1, 1, 4, 2)
    assert middle(rows, 4, 2)[0, 0, :, 0].tolist() == [2, 3, 4, 5]
    assert middle(rows.mT, 2, 4)[0, 0, 0].tolist() == [2, 3, 4, 5]


def test_inputs_without_a_mask() -> None:
    check_masked([3, 8, 8], (4, 8, 8))
    for shape, shown in (([1, 8, 8], "1x8x8"), ([4, 4, 4], "4x4x4")):
        with pytest.raises(ConfigError, match=f"images and inputs of 3x8x8 and {shown}; .* degradation=mask$"):
            check_masked([3, 8, 8], shape)
