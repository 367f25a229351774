"""What a network that grows knows of where it stands, and what real images are there."""

from __future__ import annotations

import copy

import torch
from torch.nn.functional import avg_pool2d, interpolate
from torch.testing import assert_close

from gan_lab.layers.first_map import FirstMap
from gan_lab.layers.in_stages import InStages, enlarge


def standing(level: int, fading: bool = False, share: float = 1.0) -> InStages:
    part = InStages(FirstMap(3, 4, 4))
    part.grow(level, fading)
    part.share.fill_(share)
    return part


def test_it_begins_whole() -> None:
    part = InStages(FirstMap(3, 4, 4))
    assert (part.level, part.fading, part.behind) == (3, False, 0)


def test_where_it_stands_is_in_its_state() -> None:
    state = standing(1, True, 0.25).state_dict()
    assert all(isinstance(value, torch.Tensor) for value in state.values())
    other = InStages(FirstMap(3, 4, 4))
    other.load_state_dict(copy.deepcopy(state))
    assert (other.level, other.fading, float(other.share)) == (1, True, 0.25)
    other.grow(2, False)
    assert state["_extra_state"].tolist() == [1, 1]


def test_the_ends_of_a_fade_are_exact() -> None:
    old, new = torch.randn(2, 100).unbind()
    assert torch.equal(standing(1, True, 0.0).blend(old, new), old)
    assert torch.equal(standing(1, True, 1.0).blend(old, new), new)
    assert_close(standing(1, True, 0.25).blend(old, new), 0.75 * old + 0.25 * new)
    assert standing(1, True, 0.25).blend(old.bfloat16(), new.bfloat16()).dtype == torch.bfloat16


def test_real_images_of_a_stage() -> None:
    """Means of blocks; in a fade the finer half is mixed with what it was before."""
    images = torch.randn(2, 3, 32, 32)
    assert standing(3).view(images) is images
    assert_close(standing(1).view(images), avg_pool2d(images, 4))
    small = avg_pool2d(images, 2)
    coarse = interpolate(avg_pool2d(small, 2), scale_factor=2.0)
    assert torch.equal(standing(2, True, 0.0).view(images), coarse)
    assert torch.equal(standing(2, True, 1.0).view(images), small)
    assert_close(standing(2, True, 0.75).view(images), 0.25 * coarse + 0.75 * small)
    assert_close(standing(3, True, 0.5).view(images), 0.5 * images + 0.5 * enlarge(avg_pool2d(images, 2)))


def test_pixels_are_repeated() -> None:
    image = torch.tensor([[[[1.0, 2.0]]]])
    assert enlarge(image) is not image
    assert enlarge(image).tolist() == [[[[1, 1, 2, 2], [1, 1, 2, 2]]]]
    assert enlarge(image, 1) is image
    assert enlarge(image, 4).shape == (1, 1, 4, 8)
