"""Squared distance of mean features, by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from gan_lab.errors import ConfigError
from gan_lab.layers.critique import Critique
from gan_lab.losses.feature_matching import FeatureMatching, TargetFeatureMatching
from gan_lab.losses.regularizers import Turn

IMAGES = torch.zeros(2, 1, 2, 2)
REAL, FAKE = torch.tensor([[1.0, 2.0], [3.0, 6.0]]), torch.tensor([[0.0, 1.0], [2.0, 1.0]])  # means (2, 4), (1, 1)


def turn(real: Tensor | None, fake: Tensor | None) -> Turn:
    critiques = {"real_critique": Critique(torch.zeros(2), real), "fake_critique": Critique(torch.zeros(2), fake)}
    return Turn(IMAGES, IMAGES, lambda x: x, **critiques)


def test_by_hand() -> None:
    real, fake = REAL.clone().requires_grad_(), FAKE.clone().requires_grad_()
    value = FeatureMatching()(turn(real, fake))
    assert_close(value.detach(), torch.tensor((1.0 + 9.0) / 2))
    value.backward()
    assert_close(fake.grad, torch.tensor([[-0.5, -1.5], [-0.5, -1.5]]))  # -2 (real - fake) / (N F)
    assert real.grad is None


def test_of_targets_each_image_counts_for_itself() -> None:
    """Differences 1, 1, 1 and 5: squares of them, where the mean features have 1 and 3."""
    real, fake = REAL.clone().requires_grad_(), FAKE.clone().requires_grad_()
    value = TargetFeatureMatching()(turn(real, fake))
    assert_close(value.detach(), torch.tensor((1.0 + 1 + 1 + 25) / 4))
    value.backward()
    assert_close(fake.grad, -(REAL - FAKE) / 2)
    assert real.grad is None
    with pytest.raises(ConfigError, match="a discriminator that gives features"):
        TargetFeatureMatching()(turn(None, FAKE))


def test_features_of_any_shape() -> None:
    value = FeatureMatching()(turn(REAL.view(2, 1, 2, 1), FAKE.view(2, 1, 2, 1)))
    assert_close(value, torch.tensor(5.0))


def test_what_it_needs_is_said() -> None:
    assert FeatureMatching.needs_real
    assert FeatureMatching().player == "generator"
    for real, fake in ((None, FAKE), (REAL, None)):
        with pytest.raises(ConfigError, match="needs a discriminator that gives features"):
            FeatureMatching()(turn(real, fake))
