"""The loops that tutorials and authors' code have for images from images, to be measured against.

pix2pix: the images are made once, the discriminator takes real and made ones in two passes beside their inputs, then
rests (`requires_grad`) while the generator moves. CycleGAN: six generator passes, two of them for the identity, then
both discriminators on images out of pools that are Python lists. CUT: see `gan_lab.benchmark.cut`. Without a game: one
pass, one distance. Losses are torch's own, Adam as it comes, a DataLoader with two workers normalises images one by one
and makes their inputs, and `.item()` reads every loss at every step.
"""

from __future__ import annotations

import copy
import itertools
import random
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from gan_lab.algorithms.base import Algorithm
from gan_lab.algorithms.contrastive import Contrastive
from gan_lab.algorithms.cycle import SIDES, Cycle
from gan_lab.algorithms.regression import Regression
from gan_lab.algorithms.translation import Translation
from gan_lab.benchmark.cut import cut
from gan_lab.benchmark.players import DISTANCES, Batches, Players
from gan_lab.layers.critique import of
from gan_lab.losses.adversarial import LeastSquares, NonSaturating
from gan_lab.losses.patch_nce import PatchNCE
from gan_lab.losses.reconstruction import Reconstruction
from gan_lab.losses.regularizers import Regularizer
from gan_lab.training.run import Run

Step = Callable[[], tuple[float, float]]


class Pairs(Dataset[tuple[Tensor, Tensor]]):
    """A run's inputs and images, one at a time, as a dataset with ToTensor and Normalize gives them."""

    def __init__(self, run: Run) -> None:
        stream: Any = run.stream
        image, input = (stream.image, stream.input) if hasattr(stream, "image") else (stream, None)
        self.images = image.store.images
        self.inputs = image.store.inputs if input is None else input.store.images
        self.degradation = copy.deepcopy(image.degradation)
        if isinstance(self.degradation, nn.Module):
            self.degradation.cpu()

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        image = _normalised(self.images[index])
        if self.degradation is not None:
            with torch.no_grad():
                return self.degradation(image[None])[0], image
        return _normalised(self.inputs[index % len(self.inputs)]), image


def _normalised(pixels: Any) -> Tensor:
    return torch.from_numpy(pixels.copy()).float().div(255).sub(0.5).div(0.5)


def loader(run: Run) -> Batches:
    """Inputs and images for ever. Its shuffling has a generator of its own."""
    own = torch.Generator().manual_seed(0)
    size = run.plan.batch_size
    data = DataLoader(
        Pairs(run), size, shuffle=True, num_workers=2, drop_last=True, persistent_workers=True, generator=own
    )
    first = iter(data)  # starts the workers
    return itertools.chain(first, itertools.chain.from_iterable(itertools.repeat(data)))


def why_not(algorithm: Algorithm) -> str | None:
    """What of this game of images from images no tutorial has a loop with; None: they have one."""
    kind = type(algorithm.game.adversarial)
    wanted: dict[type, type | None] = {
        Translation: NonSaturating,
        Cycle: LeastSquares,
        Contrastive: LeastSquares,
        Regression: None,
    }
    if type(algorithm) not in wanted:
        return f"algorithm {type(algorithm).__name__}"
    for name, regularizer in algorithm.regularizers.items():
        if not is_known(regularizer, algorithm):
            return f"loss.regularizers.{name}"
    if list(algorithm.augmentation.children()):
        return "an augmentation"
    if wanted[type(algorithm)] not in (None, kind):
        return f"loss.adversarial {kind.__name__} in {type(algorithm).__name__}"
    return None


def is_known(regularizer: Regularizer, algorithm: Algorithm) -> bool:
    """Whether the loop of this game has the term: CUT's compares patches, all others have distances of pixels."""
    if isinstance(algorithm, Contrastive):
        return isinstance(regularizer, PatchNCE)
    return isinstance(regularizer, Reconstruction) and type(regularizer.distance) in DISTANCES


def step_of(run: Run, batches: Batches | None = None) -> Step:
    """One round of the run's game as authors write it: the losses of discriminator and generator."""
    loops: dict[type, Callable[[Players], Step]] = {
        Translation: pix2pix,
        Cycle: cyclegan,
        Contrastive: cut,
        Regression: regression,
    }
    return loops[type(run.algorithm)](Players(run, loader(run) if batches is None else batches))


def pix2pix(players: Players) -> Step:
    """Isola et al.: binary cross-entropy on logits, and the distance to the target."""
    generator, discriminator = players.networks["generator"], players.networks["discriminator"]
    bce, conditional = nn.BCEWithLogitsLoss(), players.algorithm.duel.condition == "input"

    def scores(images: Tensor, inputs: Tensor) -> Tensor:
        return of(discriminator(images, inputs if conditional else None)).scores

    def step() -> tuple[float, float]:
        inputs, images = players.next()
        fake = generator(inputs)
        players.discriminate(True)
        players.optimizers["discriminator"].zero_grad()
        on_fake = scores(fake.detach(), inputs)
        on_real = scores(images, inputs)
        judged = bce(on_fake, torch.zeros_like(on_fake)) + bce(on_real, torch.ones_like(on_real))
        judged.backward()
        players.optimizers["discriminator"].step()
        players.discriminate(False)
        players.optimizers["generator"].zero_grad()
        on_fake = scores(fake, inputs)
        made = bce(on_fake, torch.ones_like(on_fake)) + players.distance("target", fake, images)
        made.backward()
        players.optimizers["generator"].step()
        return judged.item(), made.item()

    return step


def cyclegan(players: Players) -> Step:
    """Zhu et al.: least squares, cycle and identity; the generators first."""
    pools = {side: Pool(players.algorithm.pools[side].size) for side in SIDES}
    mse, pairs = nn.MSELoss(), {name for name, *_ in players.distances}
    g = {side: players.networks[f"generator_{side}"] for side in SIDES}
    d = {side: players.networks[f"discriminator_{side}"] for side in SIDES}

    def squares(images: Tensor, side: str, target: float) -> Tensor:
        scores = of(d[side](images)).scores
        loss: Tensor = 0.5 * mse(scores, torch.full_like(scores, target))
        return loss

    def step() -> tuple[float, float]:
        a, b = players.next()
        fakes = {"ab": g["ab"](a), "ba": g["ba"](b)}
        players.discriminate(False)
        players.optimizers["generator"].zero_grad()
        made = squares(fakes["ab"], "ab", 1.0) + squares(fakes["ba"], "ba", 1.0)
        if "identity" in pairs:
            made = made + players.distance("identity", g["ab"](b), b) + players.distance("identity", g["ba"](a), a)
        if "cycle" in pairs:
            made = made + players.distance("cycle", g["ba"](fakes["ab"]), a)
            made = made + players.distance("cycle", g["ab"](fakes["ba"]), b)
        made.backward()
        players.optimizers["generator"].step()
        players.discriminate(True)
        players.optimizers["discriminator"].zero_grad()
        told = 0.0
        for side, real in (("ab", b), ("ba", a)):
            judged = squares(real, side, 1.0) + squares(pools[side].query(fakes[side].detach()), side, 0.0)
            judged.backward()
            told += judged.item()
        players.optimizers["discriminator"].step()
        return told, made.item()

    return step


def regression(players: Players) -> Step:
    """One pass and one distance; a discriminator's loss of nothing."""
    generator = players.networks["generator"]

    def step() -> tuple[float, float]:
        inputs, images = players.next()
        players.optimizers["generator"].zero_grad()
        made = players.distance("target", generator(inputs), images)
        made.backward()
        players.optimizers["generator"].step()
        return 0.0, made.item()

    return step


class Pool:
    """Images of earlier rounds in a list (Shrivastava et al. 2016, arXiv:1612.07828), one by one."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.images: list[Tensor] = []

    def query(self, images: Tensor) -> Tensor:
        """As many, some of them from earlier rounds."""
        found = []
        for image in images:
            if len(self.images) < self.size:
                self.images.append(image)
            elif self.size and random.random() < 0.5:
                place = random.randrange(self.size)
                image, self.images[place] = self.images[place], image
            found.append(image)
        return torch.stack(found)
