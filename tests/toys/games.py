"""Games of other kinds, each as short as the contracts let it be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from gan_lab.algorithms.base import Algorithm, Due, Metrics
from gan_lab.algorithms.duel import Duel
from gan_lab.algorithms.game import Game
from gan_lab.algorithms.latents import Latent
from gan_lab.algorithms.noise_sampler import NoiseSampler
from gan_lab.algorithms.noise_to_image import NoiseToImage
from gan_lab.algorithms.stage import Stage
from gan_lab.config import build
from gan_lab.data.batch import Batch
from gan_lab.engine.engine import Engine, Terms
from gan_lab.sampling.sampler import Sampler


class Pyramid(Algorithm):
    """Coarse from noise, then what is finer than it; a duel a level."""

    def __init__(self, game: Game, latent: Latent) -> None:
        super().__init__(game)
        self.need(*(f"{kind}_{level}" for kind in ("generator", "discriminator") for level in "01"))
        noise = lambda batch, random: latent(len(batch.image), game.engine.device, random)  # noqa: E731
        for level, condition in (("0", None), ("1", "input")):
            names = (f"generator_{level}", f"discriminator_{level}")
            self.add_duel(Duel(game, noise, *names, condition, condition, level))

    def views(self, batch: Batch) -> Mapping[str, Batch]:
        coarse = avg_pool2d(batch.image, 2)
        enlarged = interpolate(coarse, scale_factor=2.0)
        return {"0": Batch(coarse), "1": Batch(batch.image - enlarged, input=enlarged)}

    def train_step(self, batches: Sequence[Batch], due: Due) -> Metrics:
        def of_each(terms: Callable[[Duel, Batch], Terms]) -> Callable[[Batch], Terms]:
            return lambda piece: {
                k: v for s, b in self.views(piece).items() for k, v in terms(self.duels[s], b).items()
            }

        judged = of_each(lambda duel, batch: duel.discriminator_terms(batch, None, due))
        made = of_each(lambda duel, batch: duel.generator_terms(batch, duel.fake(batch), due))
        return self.move("discriminator", batches[0], judged) | self.move("generator", batches[0], made)

    @classmethod
    def sampler(cls, networks: Mapping[str, nn.Module], settings: Mapping[str, Any], engine: Engine) -> Sampler:
        latent = build(settings["latent"], "algorithm.latent")
        return NoiseSampler(CoarseToFine(networks["generator_0"], networks["generator_1"]), latent, engine)


class CoarseToFine(nn.Module):
    """Both generators of a pyramid, one after the other."""

    def __init__(self, coarse: nn.Module, fine: nn.Module) -> None:
        super().__init__()
        self.coarse, self.fine = coarse, fine

    def forward(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        enlarged = interpolate(self.coarse(latent), scale_factor=2.0)
        return enlarged + self.fine(latent, enlarged)


class Growing(NoiseToImage):
    """Half the size until `grow_at` images were shown; the whole size fades in over `fade` more."""

    def __init__(self, game: Game, latent: Latent, grow_at: int, fade: int, size: int, batch_size: int) -> None:
        super().__init__(game, latent)
        self.grow_at, self.fade, self.first = grow_at, fade, Stage(batch_size, size)

    def stage(self, images: int) -> Stage:
        return self.first if images < self.grow_at else Stage()

    def advance(self, images: int) -> None:
        share = min(max((images - self.grow_at) / self.fade, 0.0), 1.0)
        for network in (*self.networks.values(), *(average.module for average in self.averages.values())):
            network.fade.fill_(share)  # type: ignore[operator, union-attr]

    def views(self, batch: Batch) -> Mapping[str, Batch]:
        grown = self.networks["discriminator"].grown
        return {"": batch if grown else batch._replace(image=avg_pool2d(batch.image, 2))}
