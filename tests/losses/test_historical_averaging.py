"""The distance of weights to the mean of their past, by hand."""

from __future__ import annotations

import torch
from torch import nn
from torch.testing import assert_close

from gan_lab.losses.historical_averaging import HistoricalAveraging
from gan_lab.losses.regularizers import Turn

IMAGES = torch.zeros(2, 1, 2, 2)


def test_by_hand() -> None:
    """A weight of 1, 4, 1 and then 10: its past means are nothing, 1, 2.5 and 2."""
    network = nn.Linear(1, 1, bias=False)
    turn = Turn(IMAGES, IMAGES, lambda x: x, mover=network)
    term = HistoricalAveraging()
    for value, distance in ((1.0, 0.0), (4.0, 3.0), (1.0, -1.5), (10.0, 8.0)):
        network.weight.data.fill_(value)
        paid = term(turn)
        assert_close(paid.detach(), torch.tensor(distance**2))
        (gradient,) = torch.autograd.grad(paid, network.weight)
        assert_close(gradient, torch.tensor([[2 * distance]]))
    assert_close(term.state_dict()["mean.weight"], torch.tensor([[4.0]]))


def test_every_weight_counts_and_no_frozen_one() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2), nn.Linear(2, 2).requires_grad_(False))
    turn = Turn(IMAGES, IMAGES, lambda x: x, mover=network)
    term = HistoricalAveraging(player="generator")
    term(turn)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.5
    assert_close(term(turn).detach(), torch.tensor(0.25 * (6 + 2 + 2 + 2)))
    assert term.player == "generator"
