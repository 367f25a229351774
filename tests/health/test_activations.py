"""Dead units are counted behind every way of writing a rectifier."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from gan_lab.health.activations import DeadUnits

UNITS = torch.tensor([[1.0, -1.0, 0.0, -2.0], [-1.0, -3.0, -1.0, 5.0]])  # the second and the third never fire


@pytest.mark.parametrize(
    "rectify",
    [functional.relu, torch.relu, Tensor.relu, nn.ReLU(), nn.ReLU(inplace=True), lambda x: functional.relu(x, True)],
)
def test_a_layer(rectify: Callable[[Tensor], Tensor]) -> None:
    with DeadUnits() as dead:
        result = rectify(UNITS.clone())
    assert torch.equal(result, UNITS.clamp_min(0))
    assert dead.units == 4
    assert float(dead.share) == 0.5


def test_a_channel_is_dead_where_it_is_so_everywhere() -> None:
    images = -torch.ones(2, 3, 4, 4)
    images[1, 0, 2, 2] = 1.0
    with DeadUnits() as dead:
        functional.relu(images)
    torch.testing.assert_close(dead.share, torch.tensor(2 / 3))


def test_layers_add_up_and_leaks_do_not_count() -> None:
    with DeadUnits() as dead:
        torch.relu(UNITS)
        functional.leaky_relu(UNITS)
        torch.relu(-torch.ones(2, 12))
    assert float(dead.share) == 14 / 16
    with DeadUnits() as none:
        functional.leaky_relu(UNITS)
    assert float(none.share) == 0.0
