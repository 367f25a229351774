"""One number that says how much a group varies."""

from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from gan_lab.wrappers.minibatch_stddev import MinibatchStandardDeviation, deviation
from tests.wrappers.stand_ins import Linear, factory

SHAPE = [2, 3, 4]


def test_two_features_by_hand() -> None:
    """Standard deviations 1 and 3 (of 0, 2 and of 0, 6): 2 on average."""
    features = torch.tensor([[0.0, 0.0], [2.0, 6.0]], dtype=torch.float64)
    assert_close(deviation(features, None), torch.full((2, 1), 2.0, dtype=torch.float64))


def test_groups_are_every_so_manieth_image() -> None:
    """8 images in groups of 4: 0 2 4 6 and 1 3 5 7."""
    features = torch.randn(8, 5, 3, 3, dtype=torch.float64)
    found = deviation(features, 4)
    for start in (0, 1):
        expected = (features[start::2].var(0, unbiased=False) + 1e-8).sqrt().mean()
        assert_close(found[start::2, 0], expected.expand(4))


def test_a_batch_that_does_not_divide_is_one_group() -> None:
    features = torch.randn(6, 5)
    assert_close(deviation(features, 4), deviation(features, None))
    assert_close(deviation(features[:1], 4), torch.full((1, 1), 1e-4))


def test_equal_images_have_a_finite_gradient() -> None:
    features = torch.ones(4, 3, requires_grad=True)
    (gradient,) = torch.autograd.grad(deviation(features, 4).sum(), features)
    assert_close(gradient, torch.zeros(4, 3))


@pytest.mark.parametrize(("keep_map", "shape"), [(True, (4, 3, 3, 4)), (False, (4, 25))])
def test_the_number_joins_the_features_and_the_score(keep_map: bool, shape: tuple[int, ...]) -> None:
    wrapper = MinibatchStandardDeviation(factory(Linear, SHAPE, keep_map=keep_map), SHAPE)
    images = torch.randn(4, *SHAPE)
    critique = wrapper(images)
    scores, features = critique.scores, critique.features
    number = deviation(images, 4)
    assert features.shape == shape
    assert_close(features[:, -1].reshape(4, -1)[:, :1], number)
    assert_close(features[:, -1].reshape(4, -1).var(1, unbiased=False), torch.zeros(4))
    assert_close(scores, wrapper.inside(images).scores + number[:, 0] * wrapper.to_score.weight[0, 0])


def test_derivatives_of_both_orders() -> None:
    wrapper = MinibatchStandardDeviation(factory(Linear, [1, 2, 2]), [1, 2, 2], group=2).double()
    images = torch.randn(4, 1, 2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda x: wrapper(x).scores, images)


def test_refusals() -> None:
    with pytest.raises(ValueError, match="group must be at least 2 images"):
        MinibatchStandardDeviation(factory(Linear, SHAPE), SHAPE, group=1)
