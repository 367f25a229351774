"""A batch and its parts."""

from __future__ import annotations

import pytest
import torch

from gan_lab.data.batch import Batch


def test_parts_keep_the_columns_together() -> None:
    n = torch.arange(6)
    batch = Batch(n.float().view(6, 1, 1, 1), n, n.float().view(6, 1, 1, 1) + 10, n.view(6, 1) + 20)
    parts = batch.split(3)
    assert [part.label.tolist() for part in parts if part.label is not None] == [[0, 1], [2, 3], [4, 5]]
    for part in parts:
        assert part.label is not None
        assert part.input is not None
        assert part.caption is not None
        assert torch.equal(part.image.flatten().long(), part.label)
        assert torch.equal(part.input.flatten().long(), part.label + 10)
        assert torch.equal(part.caption.flatten(), part.label + 20)


def test_an_absent_column_stays_absent() -> None:
    assert [part[1:] for part in Batch(torch.zeros(4, 1, 2, 2)).split(2)] == [(None, None, None)] * 2


def test_pieces_divide_the_batch() -> None:
    with pytest.raises(ValueError, match="3 pieces do not divide a batch of 4"):
        Batch(torch.zeros(4, 1, 2, 2)).split(3)


def test_samples_are_repeated_side_by_side() -> None:
    n = torch.arange(3)
    batch = Batch(n.float().view(3, 1, 1, 1).expand(3, 1, 2, 2), n, None, n.view(3, 1))
    image, label, input, caption = batch.repeated(2)
    assert image.shape == (6, 1, 2, 2)
    assert label is not None
    assert caption is not None
    assert image[:, 0, 0, 0].tolist() == label.tolist() == caption[:, 0].tolist() == [0, 0, 1, 1, 2, 2]
    assert input is None
    assert batch.repeated(1) is batch
