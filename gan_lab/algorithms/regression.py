"""Images from images without a game: the generator alone, as near to the data as a distance asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from gan_lab.algorithms.base import Algorithm, Due, Metrics
from gan_lab.algorithms.game import Game
from gan_lab.algorithms.input_sampler import InputSampler
from gan_lab.algorithms.translation import PAIRED, input_of
from gan_lab.data.batch import Batch
from gan_lab.engine.engine import Engine, Terms
from gan_lab.errors import ConfigError
from gan_lab.losses.regularizers import Turn, penalties
from gan_lab.sampling.sampler import Sampler


class Regression(Algorithm):
    """The generator minimises what its regularizers say of the pair `target`: what it made of an input, and the image
    of the data. What super-resolution networks are trained by alone (EDSR, arXiv:1707.02921), or before a game.

    Raises ConfigError where no regularizer is paid from the first round on in every round.
    """

    pairs = ("target",)
    needs = ("generator",)
    data = PAIRED

    def __init__(self, game: Game) -> None:
        super().__init__(game)
        if not any(regularizer.begin == 0 and regularizer.every == 1 for regularizer in self.regularizers.values()):
            raise ConfigError(
                "loss.regularizers: without a game the generator has nothing to minimise; add one that it pays in "
                "every round, e.g. loss/regularizers=[l1]"
            )
        self.generator = self.networks["generator"]

    def train_step(self, batches: Sequence[Batch], due: Due) -> Metrics:
        return self.move("generator", batches[0], lambda piece: self.terms(piece, due))

    def terms(self, batch: Batch, due: Due) -> Terms:
        """What the generator pays for a batch."""
        source = input_of(batch)
        made = self.generator(source, batch.label).float()
        generator = self.engine.uncompiled(self.generator)  # for what differentiates twice
        turn = Turn(
            real=batch.image,
            fake=made,
            critic=_no_critic,
            labels=batch.label,
            latent=source,
            generator=lambda given: generator(given, batch.label).float(),
            mover=self.generator,
            pairs={"target": (made, batch.image)},
        )
        return penalties(self.regularizers, "generator", due, turn)

    @classmethod
    def sampler(cls, networks: Mapping[str, nn.Module], settings: Mapping[str, Any], engine: Engine) -> Sampler:
        return InputSampler(networks["generator"], engine)


def _no_critic(images: Tensor, condition: Tensor | None = None) -> Tensor:
    raise ConfigError("loss.regularizers: one of them asks a discriminator, and this model has none")
