from __future__ import annotations

import pytest
import torch

from gan_lab.algorithms.mismatched import digest, mismatched


@pytest.mark.parametrize(
    ("captions", "next_ones"),
    [
        ([1, 2, 3], [2, 3, 1]),
        ([1, 1, 2, 2], [2, 2, 1, 1]),
        ([1, 2, 1, 1], [2, 1, 2, 2]),
        ([5, 5, 5, 4, 5], [4, 4, 4, 5, 4]),
    ],
)
def test_the_next_one_that_is_not_the_same(captions: list[int], next_ones: list[int]) -> None:
    tokens = torch.tensor(captions)[:, None].expand(-1, 3)
    found, there = mismatched(tokens)
    assert found[:, 0].tolist() == next_ones
    assert bool(there.all())


def test_a_batch_of_one_caption_has_none() -> None:
    assert not bool(mismatched(torch.ones(4, 2, dtype=torch.int64))[1].any())


def test_captions_that_share_all_but_the_order_or_the_length_differ() -> None:
    tokens = torch.tensor([[1, 2, 0], [2, 1, 0], [1, 2, 2], [0, 1, 2], [1, 2, 0]])
    keys = digest(tokens)
    assert len(keys.unique()) == 4
    assert keys[0] == keys[4]


def test_never_an_equal_one() -> None:
    tokens = torch.randint(0, 2, (200, 3), generator=torch.Generator().manual_seed(0))
    found, there = mismatched(tokens)
    assert bool(there.all())
    assert not bool((found == tokens).all(1).any())
