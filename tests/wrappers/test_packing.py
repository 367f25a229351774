"""Neighbours in the batch become the channels of one image."""

from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from gan_lab.errors import ConfigError
from gan_lab.wrappers.packing import Packing
from tests.wrappers.stand_ins import Linear, factory

SHAPE = [2, 3, 4]


@pytest.mark.parametrize("size", [2, 3, 4])
def test_packs_are_neighbours_in_channels(size: int) -> None:
    packing = Packing(factory(Linear, SHAPE), SHAPE, size=size)
    images = torch.randn(12, *SHAPE)
    stacked = torch.stack([torch.cat(list(images[start : start + size])) for start in range(0, 12, size)])
    for layout in (torch.contiguous_format, torch.channels_last):
        critique = packing(images.to(memory_format=layout))
        scores, features = critique.scores, critique.features
        assert scores.shape == (12 // size,)
        assert_close(scores, packing.inside(stacked).scores)
        assert_close(features, stacked.flatten(1))
    assert packing.images_per_score == size


def test_a_batch_that_does_not_divide_is_refused() -> None:
    with pytest.raises(ValueError, match="packs of 2 do not divide a batch of 3 images"):
        Packing(factory(Linear, SHAPE), SHAPE, batch_size=12, accumulation=4)
    packing = Packing(factory(Linear, SHAPE), SHAPE, batch_size=12, accumulation=3)
    with pytest.raises(ConfigError, match="packs of 2 do not divide a batch of 5 images"):
        packing(torch.randn(5, *SHAPE))


def test_refusals() -> None:
    with pytest.raises(ValueError, match="size must be 2, 3 or 4"):
        Packing(factory(Linear, SHAPE), SHAPE, size=5)
    with pytest.raises(ValueError, match="a pack of images has no label"):
        Packing(factory(Linear, SHAPE, num_classes=3), SHAPE)

    def twice(**changes: object) -> Packing:
        return Packing(factory(Linear, SHAPE), SHAPE)

    with pytest.raises(ValueError, match="packs its images already"):
        Packing(twice, SHAPE)

    class Told(Linear):
        condition_shape = (1, 3, 4)

    with pytest.raises(ValueError, match="a pack of images has no input of its own"):
        Packing(factory(Told, SHAPE), SHAPE)
