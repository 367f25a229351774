"""Images from images, for data of pairs: the discriminator moves, then the generator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from gan_lab.algorithms.base import Algorithm, Due, Metrics
from gan_lab.algorithms.duel import Duel, Fake
from gan_lab.algorithms.game import Game
from gan_lab.algorithms.input_sampler import InputSampler
from gan_lab.data.batch import Batch
from gan_lab.engine.engine import Engine, Terms
from gan_lab.errors import ConfigError
from gan_lab.losses.regularizers import Pairs
from gan_lab.sampling.sampler import Sampler

Fakes = Callable[[Batch], Fake]
CONDITIONS = (None, "input")


class Translation(Algorithm):
    """A generator makes each image from its input, and pays for how far it is from the one of the data.

    `condition` is what the discriminator judges images beside: `input`, what they were made from (Isola et al. 2016,
    arXiv:1611.07004, equation 1), or null, nothing (Ledig et al. 2016, arXiv:1609.04802). Its move comes first, on the
    very images by which the generator moves then, as in the code of the former, so they are made once; where a batch
    is cut into pieces they are made twice, which differs where the generator draws (dropout). The pair is `target`: the
    image that was made and the one of the data. Raises ConfigError for another condition.
    """

    pairs: ClassVar[tuple[str, ...]] = ("target",)

    def __init__(self, game: Game, condition: str | None = "input") -> None:
        super().__init__(game)
        self.need("generator", "discriminator")
        if condition not in CONDITIONS:
            raise ConfigError(f"algorithm.condition: {condition!r} is neither input nor null")
        self.duel = self.add_duel(Duel(game, input_of, condition=condition))

    def train_step(self, batches: Sequence[Batch], due: Due) -> Metrics:
        batch = batches[0]
        make: Fakes = self.duel.fake
        metrics: Metrics = {}
        if "adversarial" in due:
            make = self.made_once(batch)
            metrics |= self.move_discriminator(batch, due, make)
        return metrics | self.move_generator(batch, due, make) | self.figures()

    def made_once(self, batch: Batch) -> Fakes:
        """The same images for both players, where the batch is in one piece."""
        if self.accumulation > 1:
            return self.duel.fake
        with self.engine.autocast():
            fake = self.duel.fake(batch)
        return lambda piece: fake

    def move_discriminator(self, batch: Batch, due: Due, make: Fakes | None = None) -> Metrics:
        """On what `make` has for each piece of the batch, or on fresh images."""
        make = make or self.duel.fake

        def terms(piece: Batch) -> Terms:
            with torch.no_grad():
                fake = make(piece)
            return self.duel.discriminator_terms(piece, fake, due)

        return self.move("discriminator", batch, terms)

    def move_generator(self, batch: Batch, due: Due, make: Fakes | None = None) -> Metrics:
        """On what `make` has for each piece of the batch, or on fresh images."""
        make = make or self.duel.fake

        def terms(piece: Batch) -> Terms:
            fake = make(piece)
            return self.duel.generator_terms(piece, fake, due, self.compared(piece, fake))

        return self.move("generator", batch, terms)

    def compared(self, batch: Batch, fake: Fake) -> Pairs:
        """What was made and what was wanted, by name."""
        return {"target": (fake.image, batch.image)}

    @classmethod
    def sampler(cls, networks: Mapping[str, nn.Module], settings: Mapping[str, Any], engine: Engine) -> Sampler:
        return InputSampler(networks["generator"], engine)


def input_of(batch: Batch, random: torch.Generator | None = None) -> Tensor:
    """What images are made from. Raises ConfigError for data without inputs."""
    if batch.input is None:
        raise ConfigError(
            "dataset: this model makes images from images, and the data has no inputs; choose a degradation "
            "(degradation=gray) or a dataset of pairs (dataset=paired)"
        )
    return batch.input
