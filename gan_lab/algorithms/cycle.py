"""Images from images of two sets that do not belong together one by one: there and back again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gan_lab.algorithms.base import Algorithm, Due, Metrics
from gan_lab.algorithms.duel import Duel, Fake, is_per_image
from gan_lab.algorithms.game import Game
from gan_lab.algorithms.image_pool import ImagePool
from gan_lab.algorithms.input_sampler import InputSampler
from gan_lab.algorithms.translation import UNPAIRED, input_of
from gan_lab.config import require_whole
from gan_lab.data.batch import Batch
from gan_lab.engine.engine import Engine, Terms
from gan_lab.sampling.request import Request
from gan_lab.sampling.sampler import Sampler, all_images

SIDES = ("ab", "ba")


class Cycle(Algorithm):
    """Two generators, from a (the batch's inputs) to b (its images) and from b to a, and a discriminator of each set
    (Zhu et al. 2017, arXiv:1703.10593). The discriminator `ab` judges b: that is what its generator makes.

    The generators move together, then the discriminators, on the same images as these, which first go through a pool
    of `pool` images a set (section 4 there; 0: none). The pairs are `cycle`, an image that went there and back and
    itself, and `identity`, an image of the wanted set, translated, and itself; what no regularizer is due for is not
    made. Deviation: with InstanceNorm both images that a generator is given at first go through it in one pass, which
    is the same to rounding.
    """

    pairs = ("cycle", "identity")
    needs = tuple(f"{kind}_{side}" for side in SIDES for kind in ("generator", "discriminator"))
    data = UNPAIRED

    def __init__(self, game: Game, pool: int = 50) -> None:
        super().__init__(game)
        for side in SIDES:
            self.add_duel(Duel(game, input_of, f"generator_{side}", f"discriminator_{side}", None, None, side))
        self.pools = {side: ImagePool(require_whole(pool, "algorithm.pool", 0)) for side in SIDES}
        self.memory |= self.pools
        self.together = {side: is_per_image(self.networks[f"generator_{side}"]) for side in SIDES}

    def views(self, batch: Batch) -> Mapping[str, Batch]:
        return {"ab": batch, "ba": Batch(input_of(batch), input=batch.image)}

    def train_step(self, batches: Sequence[Batch], due: Due) -> Metrics:
        fakes: list[dict[str, Fake]] = []
        metrics = self.move("generator", batches[0], lambda piece: self.generator_terms(piece, due, fakes.append))
        if "adversarial" in due:
            known = iter(fakes)
            metrics |= self.move("discriminator", batches[0], lambda piece: self.judged(piece, due, next(known)))
        return metrics | self.figures()

    def generator_terms(self, batch: Batch, due: Due, observe: Callable[[dict[str, Fake]], None]) -> Terms:
        """What both generators pay for a batch; `observe` hears of the images that they made."""
        wanted = {self.regularizers[name].pair for name in due if name in self.regularizers}
        views = self.views(batch)
        made = {side: self.made(side, view, "identity" in wanted) for side, view in views.items()}
        observe({side: fake._replace(image=fake.image.detach()) for side, (fake, _) in made.items()})
        terms: Terms = {}
        for (side, view), back in zip(views.items(), reversed(SIDES), strict=True):
            (fake, same), source = made[side], input_of(view)
            pairs = {} if same is None else {"identity": (same, view.image)}
            if "cycle" in wanted:
                pairs["cycle"] = (self.duels[back].make(fake.image, view).image, source)
            terms |= self.duels[side].generator_terms(view, fake, due, pairs)
        return terms

    def made(self, side: str, view: Batch, identity: bool) -> tuple[Fake, Tensor | None]:
        """What a generator makes of its inputs, and where `identity` is wanted of the images of the other set."""
        duel, source = self.duels[side], input_of(view)
        if not identity:
            return duel.make(source, view), None
        if not self.together[side] or source.shape != view.image.shape:
            return duel.make(source, view), duel.make(view.image, view).image
        fake, same = duel.make(torch.cat((source, view.image)), view).image.chunk(2)
        return Fake(fake, source), same

    def judged(self, batch: Batch, due: Due, fakes: Mapping[str, Fake]) -> Terms:
        """What both discriminators pay, on images out of the pools."""
        terms: Terms = {}
        for side, view in self.views(batch).items():
            fake = fakes[side]._replace(image=self.pools[side].exchange(fakes[side].image))
            terms |= self.duels[side].discriminator_terms(view, fake, due)
        return terms

    @classmethod
    def sampler(cls, networks: Mapping[str, nn.Module], settings: Mapping[str, Any], engine: Engine) -> Sampler:
        return CycleSampler(networks, engine)


class CycleSampler(InputSampler):
    """Translates from a to b, and shows the way back; `back` translates from b to a."""

    directions = ("a2b", "b2a")

    def __init__(self, networks: Mapping[str, nn.Module], engine: Engine) -> None:
        super().__init__(networks["generator_ab"], engine)
        self.back = InputSampler(networks["generator_ba"], engine)

    def of(self, direction: str) -> Sampler:
        return self.back if direction == "b2a" else super().of(direction)

    def panel(self, shown: Batch, seed: int) -> dict[str, Tensor]:
        """a, what was made of it, and that made a again."""
        there = super().panel(shown, seed)
        ab = there["made"]
        return {"a": there["input"], "ab": ab, "aba": all_images(self.back, Request(len(ab), seed, input=ab))}
