"""Weights are put back within their bound, and nothing else is touched."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from gan_lab.losses.constraints import WeightClipping


def test_weights_are_clipped_in_place() -> None:
    network = nn.Linear(4, 1)
    network.weight.data.copy_(torch.tensor([[-5.0, -0.25, 0.25, 5.0]]))
    network.bias.data.fill_(0.75)
    before = network.weight.data_ptr()
    WeightClipping(bound=0.5)(network)
    assert_close(network.weight.detach(), torch.tensor([[-0.5, -0.25, 0.25, 0.5]]))
    assert_close(network.bias.detach(), torch.tensor([0.5]))
    assert network.weight.data_ptr() == before
    assert network.weight.requires_grad
    assert network.weight.grad is None


def test_against_the_formula_on_many_weights() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Linear(9, 9))
    expected = [torch.tensor(p.detach().numpy().clip(-0.01, 0.01)) for p in network.parameters()]
    WeightClipping()(network)
    for parameter, clipped in zip(network.parameters(), expected, strict=True):
        assert torch.equal(parameter.detach(), clipped)


def test_what_does_not_train_stays() -> None:
    network = nn.Sequential(nn.BatchNorm1d(2), nn.Linear(2, 2).requires_grad_(False))
    network[0].running_mean.fill_(3.0)
    frozen = network[1].weight.clone()
    WeightClipping(bound=0.01)(network)
    assert_close(network[0].running_mean, torch.full((2,), 3.0))
    assert_close(network[0].running_var, torch.ones(2))
    assert torch.equal(network[1].weight, frozen)


def test_settings() -> None:
    assert WeightClipping().player == "discriminator"
    assert WeightClipping(player="generator").player == "generator"
    with pytest.raises(ValueError, match="player must be one of generator, discriminator, not 'critic'"):
        WeightClipping(player="critic")
    for bound in (0.0, -0.01, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="bound must be a positive number"):
            WeightClipping(bound=bound)
