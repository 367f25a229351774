from __future__ import annotations

import pytest
import torch
from torch.distributions import Normal, kl_divergence
from torch.testing import assert_close

from gan_lab.errors import ConfigError
from gan_lab.losses.conditioning import Conditioning, divergence
from gan_lab.losses.regularizers import Turn
from gan_lab.text.bag import BagOfTokens
from gan_lab.text.conditioning import ConditioningAugmentation
from gan_lab.text.encoder import CaptionReader


def test_it_is_the_divergence_from_a_standard_normal() -> None:
    mean, log_deviation = torch.randn(4, 3), torch.randn(4, 3)
    expected = kl_divergence(Normal(mean, log_deviation.exp()), Normal(0.0, 1.0))
    assert_close(divergence(mean, log_deviation), expected)
    assert_close(divergence(torch.tensor([2.0]), torch.tensor([0.0])), torch.tensor([2.0]))


def test_of_the_generators_captions() -> None:
    network = CaptionReader(ConditioningAugmentation(BagOfTokens(9, 8, 8)))
    images, tokens = torch.zeros(2, 1, 4, 4), torch.tensor([[1, 2], [3, 0]])
    found = Conditioning()(Turn(images, images, lambda x: x, mover=network, condition=tokens))
    assert_close(found, divergence(*network.encoder.distribution(tokens)).mean())  # type: ignore[operator]
    assert Conditioning().player == "generator"
    with pytest.raises(ConfigError, match="no conditioning augmentation"):
        Conditioning()(Turn(images, images, lambda x: x, mover=torch.nn.Identity(), condition=tokens))
