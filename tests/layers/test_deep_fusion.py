"""Maps that are told a condition channel by channel."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import leaky_relu
from torch.testing import assert_close

from gan_lab.layers.deep_fusion import Affine, DeepFusion

MAPS, CONDITION = torch.randn(3, 4, 2, 5, dtype=torch.float64), torch.randn(3, 6, dtype=torch.float64)


def test_it_begins_as_leaky_relu_twice_whatever_it_is_told() -> None:
    block = DeepFusion(4, 6, 8).double()
    assert_close(block(MAPS, CONDITION), leaky_relu(leaky_relu(MAPS, 0.2), 0.2), rtol=0, atol=0)
    assert_close(block(MAPS, -7 * CONDITION), block(MAPS, CONDITION), rtol=0, atol=0)


def test_its_last_layers_learn_at_once_and_then_what_it_is_told() -> None:
    """At 0 the last layers hide the condition, and have a gradient; after a step of theirs so has everything else."""
    block = DeepFusion(4, 6, 8).double()
    condition = CONDITION.clone().requires_grad_()
    block(MAPS, condition).square().sum().backward()
    assert condition.grad is not None
    assert not condition.grad.any()
    for affine in block.affines:
        for layers in (affine.gamma, affine.beta):  # type: ignore[union-attr]
            assert layers[2].weight.grad.any()  # type: ignore[index,union-attr]
    with torch.no_grad():
        for parameter in block.parameters():
            assert parameter.grad is not None
            parameter -= 1e-3 * parameter.grad
    block.zero_grad()
    block(MAPS, condition).square().sum().backward()
    assert bool(condition.grad.ne(0).all())
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in block.parameters())


def test_by_hand() -> None:
    """gamma(c) x + beta(c), each a number for a channel and a sample."""
    affine = Affine(4, 6, 8).double()
    for parameter in affine.parameters():
        nn.init.normal_(parameter)

    def said(layers: nn.Sequential) -> torch.Tensor:
        first, last = layers[0], layers[2]
        return torch.relu(CONDITION @ first.weight.T + first.bias) @ last.weight.T + last.bias  # type: ignore[operator]

    gamma, beta = said(affine.gamma), said(affine.beta)
    assert_close(affine(MAPS, CONDITION), gamma[:, :, None, None] * MAPS + beta[:, :, None, None])
