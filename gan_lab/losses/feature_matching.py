"""Generated images are to have, on average, the features of real ones (Salimans et al. 2016, arXiv:1606.03498)."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from gan_lab.distributed.world import world
from gan_lab.errors import ConfigError
from gan_lab.layers.critique import Critique
from gan_lab.losses.regularizers import Regularizer, Turn


class FeatureMatching(Regularizer):
    """||E f(x) - E f(G(z))||_2^2 / F (section 3.1), f being the F features (N, ...) that the discriminator gives.

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


def _mean(critique: Critique | None) -> Tensor:
    if critique is None or critique.features is None:
        raise ConfigError(
            "loss.regularizers: feature matching needs a discriminator that gives features: "
            "let its forward return gan_lab.layers.critique.Critique(scores, features)"
        )
    return world().mean(critique.features.mean(0))
