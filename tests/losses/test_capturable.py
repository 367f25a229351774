"""No term reads a number back from the device: a round with it can be captured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from gan_lab.layers.critique import Critique
from gan_lab.losses.adversarial import NonSaturating, Relativistic
from gan_lab.losses.auxiliary_classifier import AuxiliaryClassifier
from gan_lab.losses.consistency import Consistency
from gan_lab.losses.dragan import DRAGAN
from gan_lab.losses.feature_matching import FeatureMatching
from gan_lab.losses.flip_and_shift import FlipAndShift
from gan_lab.losses.historical_averaging import HistoricalAveraging
from gan_lab.losses.latent_consistency import LatentConsistency
from gan_lab.losses.lecam import LeCam
from gan_lab.losses.orthogonal import Orthogonal
from gan_lab.losses.path_length import PathLength
from gan_lab.losses.regularizers import Regularizer, Turn
from gan_lab.losses.several_discriminators import SeveralDiscriminators
from gan_lab.losses.top_k import TopK

SYNCHRONISING = {"_local_scalar_dense", "nonzero", "masked_select", "_unique2", "equal", "is_nonzero"}


class NoReading(TorchDispatchMode):
    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        assert func.overloadpacket.__name__ not in SYNCHRONISING, f"{func} waits for the device"
        return func(*args, **(kwargs or {}))


def turn() -> Turn:
    network = nn.Sequential(nn.Linear(3, 4), nn.Unflatten(1, (1, 2, 2)))
    critic = nn.Sequential(nn.Flatten(), nn.Linear(4, 1), nn.Flatten(0))
    latent = torch.randn(6, 3)
    real, fake = torch.randn(6, 1, 2, 2), network(latent)

    def critique(images: Tensor) -> Critique:
        return Critique(critic(images), images.flatten(1), images.flatten(1))

    return Turn(
        real,
        fake,
        critic,
        critique(real),
        critique(fake),
        labels=torch.arange(6) % 4,
        latent=latent,
        generator=network,
        mover=network,
    )


@pytest.mark.parametrize(
    "term",
    [
        AuxiliaryClassifier(),
        AuxiliaryClassifier(player="generator"),
        Consistency(FlipAndShift(1)),
        Consistency(FlipAndShift(1), images="fake"),
        DRAGAN(),
        FeatureMatching(),
        HistoricalAveraging(),
        LatentConsistency(1.0),
        LatentConsistency(1.0, player="generator"),
        LeCam(start=1),
        Orthogonal(),
        PathLength(),
    ],
    ids=lambda term: type(term).__name__,
)
def test_a_regularizer_reads_nothing_back(term: Regularizer) -> None:
    table = turn()
    with NoReading():
        for _ in range(3):
            value = term(table)
    assert value.shape == ()
    value.backward()


@pytest.mark.parametrize(
    "game",
    [
        lambda: TopK(Relativistic, 0.5),
        lambda: SeveralDiscriminators(NonSaturating, "softmax"),
        lambda: SeveralDiscriminators(lambda: TopK(Relativistic, 0.5), "max"),
    ],
)
def test_a_wrapped_loss_reads_nothing_back(game: Callable[[], Any]) -> None:
    real, fake = torch.randn(6, 2), torch.randn(6, 2, requires_grad=True)
    with NoReading():
        loss = game().generator(fake, real) + game().discriminator(real, fake)
    assert loss.shape == ()
    loss.backward()
    assert fake.grad is not None
    assert fake.grad.abs().sum() > 0


def test_reading_is_noticed() -> None:
    with NoReading(), pytest.raises(AssertionError, match="waits for the device"):
        torch.ones(()).item()
