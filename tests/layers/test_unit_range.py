"""[0, 1] inside, [-1, 1] outside."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.testing import assert_close

from gan_lab.layers.unit_range import UnitRange


class Seen(nn.Module):
    """Darkens, and remembers what it was given."""

    def forward(self, images: Tensor) -> Tensor:
        self.images = images
        return images * 0.5


def test_black_is_zero_inside_and_white_is_one() -> None:
    inner = Seen()
    network = UnitRange(inner)
    images = torch.tensor([-1.0, 0.0, 1.0]).view(1, 1, 1, 3)
    made = network(images, None)
    assert_close(inner.images, torch.tensor([0.0, 0.5, 1.0]).view(1, 1, 1, 3))
    assert_close(made, torch.tensor([-1.0, -0.5, 0.0]).view(1, 1, 1, 3))
    assert network.exported is inner
