"""Gram matrices and moments in closed form."""

from __future__ import annotations

import torch
from torch.testing import assert_close

from gan_lab.losses.style import gram, moments


def test_gram_of_constants() -> None:
    """G_ij = c_i c_j / C, whatever the size."""
    levels = torch.tensor([1.0, -2.0, 3.0])
    for height, width in ((1, 1), (4, 6)):
        maps = levels.view(1, 3, 1, 1).expand(2, 3, height, width)
        assert_close(gram(maps), (levels[:, None] * levels / 3).expand(2, 3, 3))


def test_gram_knows_no_places() -> None:
    maps = torch.randn(1, 4, 3, 5, generator=torch.Generator().manual_seed(0))
    shuffled = maps.flatten(2)[..., torch.randperm(15, generator=torch.Generator().manual_seed(1))].view_as(maps)
    assert_close(gram(maps), gram(shuffled))
    assert_close(gram(maps)[0, 1, 2], (maps[0, 1] * maps[0, 2]).sum() / 60)


def test_gram_is_exact_in_a_coarser_round() -> None:
    maps = torch.full((1, 1, 1, 3), 1.001)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert_close(gram(maps), torch.full((1, 1, 1), 1.001**2))
        assert gram(maps.bfloat16()).dtype == torch.float32


def test_moments() -> None:
    maps = torch.tensor([[[[1.0, 3.0]], [[5.0, 5.0]]]])
    mean, deviation = moments(maps)
    assert mean.flatten().tolist() == [2.0, 5.0]
    assert_close(deviation.flatten(), torch.tensor([2.0**0.5, 0.0]))  # unbiased: over one less than there are
    assert_close(moments(maps, 0.25)[1].flatten(), torch.tensor([1.5, 0.5]))
