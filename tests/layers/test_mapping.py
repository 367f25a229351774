"""From latents to styles: what goes in, what is remembered, how styles are truncated."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import leaky_relu
from torch.testing import assert_close

from gan_lab.layers.mapping import Mapping
from gan_lab.layers.pixel_norm import pixel_norm


def test_one_layer_by_hand() -> None:
    torch.manual_seed(0)
    mapping = Mapping(6, 4, 1)
    layer, latent = mapping.layers[0], torch.randn(5, 6)
    nn.init.normal_(layer.bias)  # type: ignore[arg-type]
    weight, bias = layer.weight * 0.01 / math.sqrt(6), layer.bias * 0.01  # type: ignore[operator]
    expected = math.sqrt(2) * leaky_relu(pixel_norm(latent) @ weight.T + bias, 0.2)  # type: ignore[operator, union-attr]
    assert_close(mapping(latent), expected)
    assert_close(mapping(7 * latent), expected)  # the direction of a latent alone counts


def test_classes() -> None:
    """A class's vector is that of its one-hot vector, normalised apart from the latent; all zeros, it says nothing."""
    torch.manual_seed(0)
    mapping = Mapping(6, 4, 2, num_classes=3)
    latent, label = torch.randn(3, 6), torch.tensor([2, 0, 1])
    nn.init.normal_(mapping.of_label.bias)  # type: ignore[arg-type]
    assert_close(mapping.vectors(label), mapping.of_label(torch.eye(3)[label]))
    joined = torch.cat([pixel_norm(latent), pixel_norm(mapping.of_label(torch.eye(3)[label]))], 1)
    first, second = mapping.layers
    assert_close(mapping(latent, label), leaky_relu(second(leaky_relu(first(joined), 0.2)), 0.2))
    nn.init.zeros_(mapping.of_label.weight)  # type: ignore[arg-type]
    nn.init.zeros_(mapping.of_label.bias)  # type: ignore[arg-type]
    assert_close(mapping(latent, label), mapping(latent, torch.tensor([1, 1, 1])))
    with pytest.raises(ValueError, match="call it with a label"):
        mapping(latent)


def test_classes_alone() -> None:
    mapping = Mapping(0, 4, 8, num_classes=3, decay=None)
    assert mapping(None, torch.tensor([0, 1])).shape == (2, 4)
    assert not list(mapping.buffers())


def test_the_average_follows_in_training() -> None:
    torch.manual_seed(0)
    mapping, latent = Mapping(6, 4, 2, decay=0.5), torch.randn(5, 6)
    where = mapping.average.data_ptr()
    mean = mapping.eval()(latent).mean(0).detach()
    assert not mapping.average.any()
    mapping.train()(latent)
    mapping(latent)
    assert_close(mapping.average, 0.75 * mean)
    mapping(latent, follow=False)
    assert_close(mapping.average, 0.75 * mean)
    assert mapping.average.data_ptr() == where
    assert "average" in mapping.state_dict()


def test_truncation() -> None:
    mapping, style = Mapping(6, 4, 1), torch.randn(5, 4)
    mapping.average.copy_(torch.arange(4.0))
    assert torch.equal(mapping.truncated(style, 1.0), style)
    assert torch.equal(mapping.truncated(style, 0.0), torch.arange(4.0).expand(5, 4))
    assert_close(mapping.truncated(style, 0.25), 0.75 * torch.arange(4.0) + 0.25 * style)


def test_refusals() -> None:
    with pytest.raises(ValueError, match="needs latents or classes"):
        Mapping(0, 4, 2)
    with pytest.raises(ValueError, match="at least one layer"):
        Mapping(4, 4, 0)
