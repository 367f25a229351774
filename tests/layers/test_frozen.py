"""Weights that are buffers: no optimizer finds them, and a checkpoint holds them where it is to."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gan_lab.layers.frozen import freeze


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.Sequential(nn.BatchNorm2d(4), nn.Linear(4, 2, bias=False)))


@pytest.mark.parametrize("stored", [True, False])
def test_weights_are_buffers(stored: bool) -> None:
    frozen, before = network(), network().state_dict()
    freeze(frozen, stored)
    assert not list(frozen.parameters())
    assert {name for name, _ in frozen.named_buffers()} == before.keys()
    assert frozen.state_dict().keys() == (before.keys() if stored else set())
    assert all(not buffer.requires_grad for buffer in frozen.buffers())
    assert all(torch.equal(buffer, before[name]) for name, buffer in frozen.named_buffers())


def test_what_it_computes_is_the_same_and_gradients_pass() -> None:
    images = torch.randn(2, 3, 5, 5, requires_grad=True)
    one, other = network()[0], network()[0]  # type: ignore[index]
    freeze(other, stored=False)
    assert torch.equal(one(images), other(images))
    other(images).sum().backward()
    assert images.grad is not None
    assert images.grad.abs().sum() > 0
