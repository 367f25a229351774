"""What every wrapper passes on, and a probe that leaves no trace."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from gan_lab.wrappers.base import Wrapper, evaluating, probe
from tests.conftest import equal
from tests.wrappers.stand_ins import Linear, Plain, factory

SHAPE = [3, 4, 4]


def test_plain_scores_become_a_critique() -> None:
    inside = factory(Plain, SHAPE)()
    images = torch.randn(2, *SHAPE)
    critique = Wrapper(inside)(images)
    assert_close(critique.scores, inside(images))
    assert critique.features is None


def test_classes_and_labels_are_passed_on() -> None:
    wrapper = Wrapper(factory(Linear, SHAPE, num_classes=3)())
    assert (wrapper.num_classes, Wrapper(Plain(SHAPE)).num_classes) == (3, 0)
    assert wrapper(torch.randn(2, *SHAPE), torch.tensor([0, 2])).class_logits.shape == (2, 3)


def test_a_probe_shows_images_of_the_size_that_a_network_says() -> None:
    network = Plain([3, 2, 2])
    network.image_shape = (3, 2, 2)  # type: ignore[assignment]
    assert probe(network, SHAPE).scores.shape[2:] == (2, 2)


def test_a_probe_leaves_network_and_random_state_alone() -> None:
    network = Linear(SHAPE, num_classes=2).train()
    network.drop.eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = torch.get_rng_state()
    seen = probe(network, SHAPE)
    assert torch.equal(torch.get_rng_state(), state)
    assert equal(dict(network.state_dict()), before)
    assert (network.training, network.norm.training, network.drop.training) == (True, True, False)
    assert (seen.scores.shape, seen.scores.requires_grad) == ((1,), False)


def test_a_probe_of_the_wrong_shape_is_one_line() -> None:
    with pytest.raises(ValueError, match=r"does not take images of shape \[1, 4, 4\]: ") as refusal:
        probe(Linear(SHAPE), [1, 4, 4])
    assert "\n" not in str(refusal.value)


def test_modes_come_back_after_a_failure() -> None:
    network = nn.Sequential(nn.Dropout()).train()
    with pytest.raises(RuntimeError, match="stop"), evaluating(network):
        assert not network[0].training
        raise RuntimeError("stop")
    assert network[0].training
