"""Generated images are to have the features of real ones: on average, or each those of its target."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from gan_lab.distributed.world import world
from gan_lab.errors import ConfigError
from gan_lab.layers.critique import Critique
from gan_lab.losses.regularizers import Regularizer, Turn


class FeatureMatching(Regularizer):
    """||E f(x) - E f(G(z))||_2^2 / F (Salimans et al. 2016, arXiv:1606.03498, section 3.1), f being the F features
    (N, ...) that the discriminator gives.

    The expectations are batch means. The paper's sum over the features is their mean, as in the authors' code: so a
    weight means the same for every discriminator. The paper trains its generator on this alone; here it joins the
    adversarial loss. Raises ConfigError for a discriminator without features.
    """

    player = "generator"
    needs_real: ClassVar[bool] = True

    def __init__(self, weight: float = 1.0, every: int = 1) -> None:
        super().__init__(weight, every)

    def __call__(self, turn: Turn) -> Tensor:
        real, fake = _mean(turn.real_critique), _mean(turn.fake_critique)
        return (real.detach() - fake).square().mean()


class TargetFeatureMatching(Regularizer):
    """E (f(x) - f(G(x)))^2 of every image and its target, f being the features (N, ...) that the discriminator gives:
    the adversarial term of GANomaly (Akcay et al. 2018, arXiv:1805.06725, equation 1, as in the authors' code, which
    takes the mean of squares). Raises ConfigError for a discriminator without features."""

    player = "generator"
    needs_real: ClassVar[bool] = True

    def __init__(self, weight: float = 1.0, every: int = 1, pair: str = "target") -> None:
        super().__init__(weight, every)
        self.pair = pair

    def __call__(self, turn: Turn) -> Tensor:
        real, fake = _features(turn.real_critique), _features(turn.fake_critique)
        return (real.detach() - fake).square().mean()


class LayerFeatureMatching(Regularizer):
    """The mean over a discriminator's layers of E|f_i(x) - f_i(G(s))|, of every image and its target (Wang et al. 2017,
    arXiv:1711.11585, equation 4), f_i being the map of layer i, without the scores.

    The paper's sum over layers, mean over discriminators and lambda 10 come to a weight of 10 times the layers over the
    number of discriminators: 20 for two with four maps; beside our least squares, which have a factor of 1/2, 10. Where
    a game has several discriminators it is paid for each.
    Raises ConfigError for a discriminator that does not give its maps.
    """

    player = "generator"
    needs_real: ClassVar[bool] = True

    def __init__(self, weight: float = 10.0, every: int = 1, pair: str = "target") -> None:
        super().__init__(weight, every)
        self.pair = pair  # of a game in which no image has a target nothing is to be like another

    def __call__(self, turn: Turn) -> Tensor:
        real, fake = turn.real_critique, turn.fake_critique
        if real is None or fake is None or not fake.maps:
            raise ConfigError(
                "loss.regularizers: matching features layer by layer needs a discriminator that gives its maps "
                "(model=pix2pix, pix2pixhd): let its forward return Critique(scores, maps=(...))"
            )
        both = zip(real.maps, fake.maps, strict=True)
        return torch.stack([(made.float() - wanted.detach().float()).abs().mean() for wanted, made in both]).mean()


def _mean(critique: Critique | None) -> Tensor:
    return world().mean(_features(critique).mean(0))


def _features(critique: Critique | None) -> Tensor:
    if critique is None or critique.features is None:
        raise ConfigError(
            "loss.regularizers: feature matching needs a discriminator that gives features: "
            "let its forward return gan_lab.layers.critique.Critique(scores, features)"
        )
    return critique.features
