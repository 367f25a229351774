"""Images from images, for data of pairs: the discriminator moves, then the generator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from gan_lab.algorithms.base import Algorithm, Due, Metrics
from gan_lab.algorithms.duel import Duel, Fake
from gan_lab.algorithms.game import Game, kind_of
from gan_lab.algorithms.input_sampler import InputSampler
from gan_lab.data.batch import Batch
from gan_lab.engine.engine import Engine, Terms
from gan_lab.errors import ConfigError
from gan_lab.losses.regularizers import Pairs
from gan_lab.sampling.sampler import Sampler

Fakes = Callable[[Batch], Fake]
CONDITIONS = (None, "input")
PAIRED = "pairs (dataset=paired, or a degradation)"
UNPAIRED = "two sets without pairs (dataset=unpaired)"


class Translation(Algorithm):
    """A generator makes each image from its input, and pays for how far it is from the one of the data.

    `condition` is what the discriminator judges images beside: `input`, what they were made from (Isola et al. 2016,
    arXiv:1611.07004, equation 1), or null, nothing (Ledig et al. 2016, arXiv:1609.04802). Its move comes first, on the
    very images by which the generator moves then, as in the code of the former, so they are made once; where a batch
    is cut into pieces they are made twice, which differs where the generator draws (dropout). The pair is `target`: the
    image that was made and the one of the data; what only compares those is paid once, all else in the duel with each
    discriminator, where there are several (`discriminator_0`, `discriminator_1`: scales, in Wang et al. 2017,
    arXiv:1711.11585, section 3.2). Raises ConfigError for another condition.
    """

    pairs: ClassVar[tuple[str, ...]] = ("target",)
    needs: ClassVar[tuple[str, ...]] = ("generator",)
    data = PAIRED

    def __init__(self, game: Game, condition: str | None = "input") -> None:
        super().__init__(game)
        judges = [role for role in self.networks if kind_of(role) == "discriminator"]
        self.need("generator", *(judges or ["discriminator"]))
        if condition not in CONDITIONS:
            raise ConfigError(f"algorithm.condition: {condition!r} is neither input nor null")
        for role in judges:
            self.add_duel(Duel(game, input_of, discriminator=role, condition=condition, suffix=role.partition("_")[2]))
        self.duel = next(iter(self.duels.values()))  # by which images are made

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
            judged = (duel.discriminator_terms(piece, fake, due) for duel in self.duels.values())
            return {name: term for terms in judged for name, term in terms.items()}

        return self.move("discriminator", batch, terms)

    def move_generator(self, batch: Batch, due: Due, make: Fakes | None = None) -> Metrics:
        """On what `make` has for each piece of the batch, or on fresh images."""
        make = make or self.duel.fake

        def terms(piece: Batch) -> Terms:
            fake = make(piece)
            found = self.duel.generator_terms(piece, fake, due, self.compared(piece, fake))
            for duel in self.duels.values():
                if duel is not self.duel:
                    found |= duel.generator_terms(piece, fake, self.without_pairs(due))
            return found

        return self.move("generator", batch, terms)

    def without_pairs(self, due: Due) -> Due:
        """What a round does in each duel: all but the regularizers that only compare what was made and wanted."""
        once = [name for name, each in self.regularizers.items() if each.pair and not each.needs_real]
        return tuple(name for name in due if name not in once)

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
