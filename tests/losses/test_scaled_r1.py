"""R1 of a linear critic, by the size of the image and of the batch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.testing import assert_close

from gan_lab.losses.regularizers import R1, Turn
from gan_lab.losses.scaled_r1 import ScaledR1


def test_gamma_follows_the_image_and_the_batch() -> None:
    """gamma = 0.0002 H W / batch: at 32 pixels and batches of 32 0.0064, whatever the batch that a turn shows."""
    images, w = torch.randn(3, 2, 32, 32), torch.randn(2, 32, 32)
    turn = Turn(images, images, lambda x: (x * w).flatten(1).sum(1))
    term = ScaledR1(batch_size=32, every=16)
    assert_close(term(turn) * term.weight, 0.0064 * R1()(turn))
    assert (term.weight, term.every, term.player) == (0.0002, 16, "discriminator")


@pytest.mark.parametrize("batch", ["auto", 0, True, 2.0])
def test_a_batch_that_is_no_number(batch: Any) -> None:
    with pytest.raises(ValueError, match="gamma follows the batch, which must be a number"):
        ScaledR1(batch)
