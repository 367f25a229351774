"""Passes in there leave nothing behind."""

from __future__ import annotations

import torch
from torch import nn

from gan_lab.layers.spectral_norm import spectral_norm
from gan_lab.training.without_trace import without_trace
from tests.conftest import equal


def test_buffers_are_as_before() -> None:
    network = nn.Sequential(spectral_norm(nn.Linear(4, 4)), nn.BatchNorm1d(4), nn.Dropout(0.5))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with without_trace([network]):
        result = network(torch.randn(8, 4))
    assert not result.requires_grad
    assert equal(before, dict(network.state_dict()))
    network(torch.randn(8, 4))
    assert not equal(before, dict(network.state_dict()))
    assert network.training
