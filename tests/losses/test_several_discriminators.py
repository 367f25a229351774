"""Scores of several discriminators in the last dimension: the mean, the maximum and the softmax by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from gan_lab.losses.adversarial import AdversarialLoss, NonSaturating, Relativistic, Wasserstein
from gan_lab.losses.several_discriminators import SeveralDiscriminators

# two discriminators; the Wasserstein generator's losses are -mean: ln 3 and 0
FAKE = torch.tensor([[-math.log(3), -1.0], [-math.log(3), 1.0]], dtype=torch.float64)
REAL = torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=torch.float64)


def exactly(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)


@pytest.mark.parametrize(
    ("aggregate", "temperature", "expected"),
    [
        ("mean", 1.0, math.log(3) / 2),
        ("max", 1.0, math.log(3)),
        ("softmax", 0.0, math.log(3) / 2),
        ("softmax", 1.0, 3 / 4 * math.log(3)),  # weights 3 : 1
        ("softmax", 2.0, 9 / 10 * math.log(3)),  # weights 9 : 1
        ("softmax", 1000.0, math.log(3)),
    ],
)
def test_the_generators_losses_become_one(aggregate: str, temperature: float, expected: float) -> None:
    assert_close(SeveralDiscriminators(Wasserstein, aggregate, temperature).generator(FAKE), exactly(expected))


def test_the_weights_carry_gradient() -> None:
    """d/dl_k sum w_i l_i = w_k (1 + lambda (l_k - sum w_i l_i)); l = (ln 3, 0), w = (3/4, 1/4)."""
    fake = FAKE.clone().requires_grad_()
    SeveralDiscriminators(Wasserstein, "softmax").generator(fake).backward()
    by_loss = exactly(0.75 * (1 + math.log(3) / 4)), exactly(0.25 * (1 - 0.75 * math.log(3)))
    assert_close(fake.grad, -torch.stack(by_loss).expand(2, 2) / 2)  # the loss is minus the mean of two scores


@pytest.mark.parametrize("loss", [NonSaturating, Wasserstein, Relativistic])
def test_the_discriminators_are_averaged(loss: type[AdversarialLoss]) -> None:
    real, fake = torch.randn(2, 5, 3, 3, 4, generator=torch.Generator().manual_seed(0))
    several, alone = SeveralDiscriminators(loss), loss()
    expected = torch.stack([alone.discriminator(real[..., k], fake[..., k]) for k in range(4)]).mean()
    assert_close(several.discriminator(real, fake), expected)
    expected = torch.stack([alone.generator(fake[..., k], real[..., k]) for k in range(4)]).mean()
    assert_close(several.generator(fake, real), expected)
    assert several.needs_real == loss.needs_real


def test_a_single_discriminator_is_itself() -> None:
    for aggregate in ("mean", "max", "softmax"):
        several = SeveralDiscriminators(NonSaturating, aggregate)
        assert_close(several.generator(FAKE[:, :1]), NonSaturating().generator(FAKE[:, 0]))
        assert_close(
            several.discriminator(REAL[:, :1], FAKE[:, :1]), NonSaturating().discriminator(REAL[:, 0], FAKE[:, 0])
        )


def test_mistakes_are_said() -> None:
    with pytest.raises(ValueError, match="aggregate must be one of mean, max, softmax, not 'median'"):
        SeveralDiscriminators(Wasserstein, "median")
    with pytest.raises(ValueError, match="temperature must be"):
        SeveralDiscriminators(Wasserstein, "softmax", -1.0)
    with pytest.raises(ValueError, match=r"scores \(N, ..., K\), not \(4,\)"):
        SeveralDiscriminators(Wasserstein).generator(torch.zeros(4))
