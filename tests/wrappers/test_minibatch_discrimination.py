"""The paper's sum, term by term."""

from __future__ import annotations

import math

import pytest
import torch
from torch.testing import assert_close

from gan_lab.wrappers.minibatch_discrimination import MinibatchDiscrimination, closeness
from tests.wrappers.stand_ins import Linear, factory

SHAPE = [2, 3, 4]


def test_closeness_of_three_rows_by_hand() -> None:
    """B = 1, C = 2: distances 1+1 = 2, 3 and 1."""
    rows = torch.tensor([[[0.0, 0.0]], [[1.0, 1.0]], [[1.0, 2.0]]])
    two, three, one = math.exp(-2), math.exp(-3), math.exp(-1)
    expected = torch.tensor([[1 + two + three], [1 + two + one], [1 + three + one]])
    assert_close(closeness(rows), expected)
    assert_close(closeness(rows[1:], rows), expected[1:])


def test_statistic_follows_the_paper() -> None:
    wrapper = MinibatchDiscrimination(factory(Linear, SHAPE, keep_map=True), SHAPE, kernels=4, dims=3)
    images = torch.randn(5, *SHAPE)
    tensor = wrapper.tensor.weight.detach().T.view(24, 4, 3)  # T, (A, B, C)
    critique = wrapper(images)
    scores, features = critique.scores, critique.features
    assert features.shape == (5, 28)
    for i in range(5):
        for b in range(4):
            rows = [torch.tensordot(image.flatten(), tensor, 1)[b] for image in images]
            expected = sum(torch.exp(-(rows[i] - row).abs().sum()) for row in rows)
            assert_close(features[i, 24 + b], expected)
    assert_close(scores, wrapper.inside(images).scores + (wrapper.to_score(features[:, 24:])).squeeze(1))


def test_equal_images_are_as_close_as_can_be() -> None:
    wrapper = MinibatchDiscrimination(factory(Linear, SHAPE), SHAPE, kernels=4)
    features = wrapper(torch.randn(1, *SHAPE).expand(6, -1, -1, -1)).features
    assert_close(features[:, 24:], torch.full((6, 4), 6.0))


def test_the_tensor_keeps_the_scale_of_the_features() -> None:
    torch.manual_seed(0)
    wrapper = MinibatchDiscrimination(factory(Linear, SHAPE), SHAPE, kernels=200)
    assert_close(wrapper.tensor(torch.ones(1, 24)).std(), torch.tensor(1.0), rtol=0.2, atol=0)


def test_derivatives_of_both_orders() -> None:
    wrapper = MinibatchDiscrimination(factory(Linear, [1, 2, 2]), [1, 2, 2], kernels=2, dims=2).double()
    images = torch.randn(3, 1, 2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda x: wrapper(x).scores, images)


def test_autocast_keeps_the_digits_of_differences() -> None:
    wrapper = MinibatchDiscrimination(factory(Linear, SHAPE), SHAPE, kernels=4)
    images = torch.randn(5, *SHAPE)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        features = wrapper(images).features
    assert_close(features, wrapper(images).features)


def test_refusals() -> None:
    for settings in ({"kernels": 0}, {"dims": 0}):
        with pytest.raises(ValueError, match="at least 1"):
            MinibatchDiscrimination(factory(Linear, SHAPE), SHAPE, **settings)
