"""A pool of images: full before it gives back what is old, and where it was after a checkpoint."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor

from gan_lab.algorithms.image_pool import ImagePool


def numbered(first: int, n: int) -> Tensor:
    return torch.arange(first, first + n).float().view(n, 1, 1, 1)


def numbers(images: Tensor) -> list[int]:
    return [int(number) for number in images.flatten()]


def test_until_it_is_full_it_returns_what_comes() -> None:
    pool = ImagePool(6)
    for first in (1, 3, 5):
        assert numbers(pool.exchange(numbered(first, 2))) == [first, first + 1]
    assert sorted(numbers(pool.state_dict()["images"])) == [1, 2, 3, 4, 5, 6]


def test_then_half_of_what_it_returns_is_old() -> None:
    """What is returned was shown before or is new, never both times; what leaves the pool is gone."""
    torch.manual_seed(0)
    pool, old, seen = ImagePool(4), 0, set(range(1, 5))
    pool.exchange(numbered(1, 4))
    for first in range(5, 1005, 2):
        before = set(numbers(pool.state_dict()["images"]))
        given = numbers(pool.exchange(numbered(first, 2)))
        after = set(numbers(pool.state_dict()["images"]))
        assert len(after) == 4
        assert 0 not in after
        for place, image in enumerate(given):
            if image == first + place:
                continue
            old += 1
            assert image in before
            assert image not in after
            assert first + place in after
        seen |= {first, first + 1}
        assert after <= seen
    assert 400 < old < 600


def test_a_batch_that_fills_more_than_is_left_draws_only_what_is_there() -> None:
    torch.manual_seed(0)
    pool = ImagePool(10)
    pool.exchange(numbered(1, 8))
    for _ in range(50):
        assert 0 not in numbers(pool.exchange(numbered(100, 8)))


def test_it_goes_on_from_a_checkpoint() -> None:
    torch.manual_seed(0)
    pool, other = ImagePool(4), ImagePool(4)
    pool.exchange(numbered(1, 4))
    other.load_state_dict(copy.deepcopy(pool.state_dict()))
    for first in range(10, 30, 2):
        torch.manual_seed(first)
        expected = numbers(pool.exchange(numbered(first, 2)))
        torch.manual_seed(first)
        assert numbers(other.exchange(numbered(first, 2))) == expected


def test_no_gradient_passes_and_what_it_keeps_is_its_own() -> None:
    pool, images = ImagePool(2), numbered(1, 2).requires_grad_()
    assert not pool.exchange(images).requires_grad
    with torch.no_grad():
        images.zero_()
    assert numbers(pool.state_dict()["images"]) == [1, 2]


def test_a_pool_of_none_and_a_batch_too_large() -> None:
    images = numbered(1, 3)
    assert torch.equal(ImagePool(0).exchange(images), images)
    with pytest.raises(ValueError, match="a batch of 3 images does not fit a pool of 2"):
        ImagePool(2).exchange(images)


def test_half_is_old_and_an_old_image_has_waited_for_twice_the_size() -> None:
    """Each of its places is taken with probability 1 / 2N by each image."""
    torch.manual_seed(0)
    pool, ages = ImagePool(10), []
    for number in range(4000):
        (given,) = numbers(pool.exchange(numbered(number, 1)))
        assert number >= 10 or given == number
        ages += [number - given] if given != number else []
    assert 0.47 < len(ages) / 3990 < 0.53
    assert 18.5 < sum(ages) / len(ages) < 21.5
