"""Images from images: which generator passes are taken, what is refused, a generator alone."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from gan_lab.algorithms.base import Algorithm
from gan_lab.algorithms.regression import Regression
from gan_lab.algorithms.translation import Translation
from gan_lab.data.batch import Batch
from gan_lab.errors import ConfigError
from gan_lab.layers.critique import Critique
from gan_lab.losses.distances import L1, MSE
from gan_lab.losses.feature_matching import LayerFeatureMatching
from gan_lab.losses.reconstruction import Reconstruction
from gan_lab.losses.regularizers import R1, Regularizer, Turn
from tests.algorithms.games import parts

SGD = partial(torch.optim.SGD, lr=0.5)
PLAYS = ("adversarial", "near")


class Scaled(nn.Module):
    """A generator of one number, which counts how often it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(3.0))
        self.asked = 0

    def forward(self, input: Tensor, label: Tensor | None = None) -> Tensor:
        self.asked += 1
        return self.factor * input


class Mean(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(1.0))

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.factor * images.mean((1, 2, 3))


def batch() -> Batch:
    return Batch(torch.full((4, 1, 2, 2), 5.0), input=torch.ones(4, 1, 2, 2))


def played(kind: Any, due: tuple[str, ...], distance: Any = None, **more: Any) -> tuple[Algorithm, Scaled]:
    generator = Scaled()
    networks = {"generator": generator} | ({} if kind is Regression else {"discriminator": Mean()})
    near = Reconstruction("target", distance or L1(), 1.0)
    algorithm = kind(parts(networks, optimizer=SGD, regularizers={"near": near}, **more))
    algorithm.train_step([batch()], due)
    return algorithm, generator


@pytest.mark.parametrize(("due", "pieces", "passes"), [(PLAYS, 1, 1), (("near",), 1, 1), (PLAYS, 2, 4)])
def test_images_are_made_once_for_both_players(due: tuple[str, ...], pieces: int, passes: int) -> None:
    assert played(Translation, due, accumulation=pieces)[1].asked == passes


def test_before_the_game_the_discriminator_rests() -> None:
    algorithm, _ = played(Translation, ("near",))
    assert algorithm.networks["discriminator"].factor.tolist() == 1.0  # type: ignore[operator, union-attr]


def test_the_generator_moves_by_the_images_from_before_the_discriminator_moved() -> None:
    """L1 alone: the gradient of |3 x - 5| at x = 1 is -1; the image is made before, the penalty taken after."""
    algorithm, generator = played(Translation, ("near",))
    assert generator.factor.tolist() == 3.5
    assert set(algorithm.duels) == {""}


def test_a_generator_alone_minimises_its_distance() -> None:
    """(3 - 5)^2: half a step of its gradient -4 leads to 5, which is the target."""
    algorithm, generator = played(Regression, ("near",), MSE())
    assert generator.factor.tolist() == 5.0
    assert not algorithm.duels


def test_a_generator_alone_takes_labels_along() -> None:
    class Labelled(Scaled):
        def forward(self, input: Tensor, label: Tensor | None = None) -> Tensor:
            assert label is not None
            return super().forward(input) * label.view(-1, 1, 1, 1)

    game = parts({"generator": Labelled()}, regularizers={"near": Reconstruction("target", L1(), 1.0)})
    terms = Regression(game).terms(batch()._replace(label=torch.ones(4)), ("near",))
    assert_close(terms["near"].detach(), torch.tensor(2.0))


def test_a_generator_alone_may_be_asked_about_other_inputs() -> None:
    class Elsewhere(Regularizer):
        player = "generator"

        def __call__(self, turn: Turn) -> Tensor:
            assert turn.generator is not None
            assert turn.latent is not None
            return turn.generator(turn.latent + 1).mean()

    terms = Regression(parts({"generator": Scaled()}, regularizers={"more": Elsewhere(1.0)})).terms(batch(), ("more",))
    assert_close(terms["more"].detach(), torch.tensor(6.0))


def test_a_generator_alone_needs_something_to_pay() -> None:
    late = Reconstruction("target", L1(), 1.0)
    late.begin = 5
    for regularizers in ({}, {"near": Reconstruction("target", L1(), 1.0, every=2)}, {"near": late}):
        with pytest.raises(ConfigError, match=r"^loss.regularizers: without a game .* loss/regularizers=\[l1\]"):
            Regression(parts({"generator": Scaled()}, regularizers=regularizers))


def test_a_discriminators_penalty_is_refused_without_one() -> None:
    with pytest.raises(ConfigError, match=r"r1: its player 'discriminator' is not in this game"):
        Regression(parts({"generator": Scaled()}, regularizers={"r1": R1(1.0)}))


class Mapping2(Mean):
    """Gives its map."""

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Critique:  # type: ignore[override]
        scores = super().forward(images)
        return Critique(scores, maps=(images, 2 * images))


def test_several_discriminators_are_paid_each_and_a_pair_once() -> None:
    networks = {"generator": Scaled(), "discriminator_0": Mapping2(), "discriminator_1": Mapping2()}
    regularizers = {"near": Reconstruction("target", L1(), 1.0), "layers": LayerFeatureMatching(10.0)}
    algorithm = Translation(parts(networks, optimizer=SGD, regularizers=regularizers))
    metrics = algorithm.train_step([batch()], ("adversarial", "near", "layers"))
    assert set(algorithm.duels) == {"0", "1"}
    assert_close(metrics["loss/generator/near_0"], torch.tensor(2.0))
    assert "loss/generator/near_1" not in metrics
    for side in "01":  # |5 - 3| and twice that: 10 times the mean over the two layers
        assert_close(metrics[f"loss/generator/layers_{side}"], torch.tensor(30.0))
        assert f"loss/discriminator/adversarial_{side}" in metrics
    assert networks["generator"].asked == 1  # type: ignore[union-attr]


def test_matching_layers_needs_maps() -> None:
    networks = {"generator": Scaled(), "discriminator": Mean()}
    algorithm = Translation(parts(networks, regularizers={"layers": LayerFeatureMatching()}))
    with pytest.raises(ConfigError, match=r"layer by layer needs a discriminator that gives its maps \(model=pix2pix"):
        algorithm.train_step([batch()], ("adversarial", "layers"))


def test_what_a_discriminator_may_be_told() -> None:
    networks = {"generator": Scaled(), "discriminator": Mean()}
    with pytest.raises(ConfigError, match=r"^algorithm.condition: 'label' is neither input nor null"):
        Translation(parts(networks), condition="label")


def test_data_without_inputs_are_refused() -> None:
    algorithm = Translation(parts({"generator": Scaled(), "discriminator": Mean()}))
    with pytest.raises(ConfigError, match=r"^dataset: .* has no inputs; choose a degradation"):
        algorithm.train_step([Batch(torch.ones(2, 1, 2, 2))], PLAYS)
