"""The classifier's cross-entropy on logits whose probabilities are plain fractions."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from gan_lab.errors import ConfigError
from gan_lab.layers.critique import Critique
from gan_lab.losses.auxiliary_classifier import AuxiliaryClassifier
from gan_lab.losses.regularizers import Turn

# rows of probabilities 1/2, 1/4, 1/4 and 1/8, 1/8, 3/4 (a constant added to a row changes nothing)
REAL = torch.tensor([[2.0, 1.0, 1.0], [1.0, 1.0, 6.0]], dtype=torch.float64).log()
FAKE = torch.tensor([[1.0, 1.0, 6.0], [2.0, 1.0, 1.0]], dtype=torch.float64).log()
LABELS = torch.tensor([0, 2])
IMAGES = torch.zeros(2, 1, 2, 2)


def turn(real: Tensor | None, fake: Tensor | None, labels: Tensor | None = LABELS) -> Turn:
    scores = torch.zeros(2)
    critiques: dict[str, Any] = {
        "real_critique": Critique(scores, None, real),
        "fake_critique": Critique(scores, None, fake),
    }
    return Turn(real=IMAGES, fake=IMAGES, critic=lambda x: x, labels=labels, **critiques)


def exactly(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)


def test_the_discriminator_pays_on_both_the_generator_on_its_own() -> None:
    real, fake = -0.5 * math.log(1 / 2 * 3 / 4), -0.5 * math.log(1 / 8 * 1 / 4)
    assert_close(AuxiliaryClassifier()(turn(REAL, FAKE)), exactly(real + fake))
    assert_close(AuxiliaryClassifier(player="generator")(turn(REAL, FAKE)), exactly(fake))
    assert AuxiliaryClassifier().player == "discriminator"
    assert not AuxiliaryClassifier.needs_real


def test_its_gradient_is_probability_minus_target() -> None:
    logits = FAKE.clone().requires_grad_()
    AuxiliaryClassifier(player="generator")(turn(None, logits)).backward()
    expected = (FAKE.softmax(1) - torch.eye(3, dtype=torch.float64)[LABELS]) / 2
    assert_close(logits.grad, expected)


@pytest.mark.parametrize("player", ["generator", "discriminator"])
def test_what_it_needs_is_said(player: str) -> None:
    term = AuxiliaryClassifier(player=player)
    with pytest.raises(ConfigError, match="needs a discriminator with class logits, e.g. model=acgan"):
        term(turn(None, None))
    with pytest.raises(ConfigError, match="needs labels"):
        term(turn(REAL, FAKE, labels=None))


def test_of_attributes_it_is_the_sum_of_their_cross_entropies() -> None:
    """Probabilities 1/2 and 1/4 of the first image's, 3/4 and 1/5 of the second's."""
    logits = torch.tensor([[1.0, 1 / 3], [3.0, 1 / 4]], dtype=torch.float64).log()
    attributes = torch.tensor([[1, 0], [1, 1]])
    expected = -0.5 * math.log(1 / 2 * 3 / 4 * 3 / 4 * 1 / 5)
    assert_close(AuxiliaryClassifier(player="generator")(turn(None, logits, attributes)), exactly(expected))
