"""Images from noise by a trained generator."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor, nn

from gan_lab.algorithms.latent_space import LatentSpace
from gan_lab.algorithms.latents import Latent
from gan_lab.data.batch import Batch
from gan_lab.engine.engine import Engine
from gan_lab.engine.tf32 import without_tf32
from gan_lab.sampling.label_space import label_space
from gan_lab.sampling.request import Request
from gan_lab.sampling.sampler import Sampler, all_images
from gan_lab.sampling.space import Space
from gan_lab.sampling.standing_statistics import StandingStatistics

STANDING = -1  # a seed that nobody can ask for: statistics are not of the very images that are made


class NoiseSampler(Sampler):
    """A generator in evaluation mode. Where it takes labels and none are asked for, each class takes its turn, and
    attributes are there as often as in the data. With
    `standing` statistics of BatchNorm are those of latents of the truncation that is asked for, taken once for each."""

    COLUMNS = 10  # classes that a panel shows at most

    def __init__(
        self, generator: nn.Module, latent: Latent, engine: Engine, standing: StandingStatistics | None = None
    ) -> None:
        self.network = generator
        self.latent = latent
        self.engine = engine
        self.standing = standing
        self._ready: dict[float | None, nn.Module] = {}  # by truncation
        self.label_space = label_space(generator)
        self.takes = frozenset(("codes", "truncation", *(("label",) if self.num_classes else ())))

    def codes(self, n: int, seed: int, truncation: float | None = None) -> Tensor:
        return self.latents(n, seed, truncation)

    def latents(self, n: int, seed: int, truncation: float | None = None, start: int = 0) -> Tensor:
        """(n, D) on the CPU, the rows from `start` on, as a truncation leaves them."""
        return self.latent.drawn(n, seed, truncation, start)

    def space(self, truncation: float | None = None) -> Space:
        make = partial(self.made, truncation=truncation)
        return LatentSpace(self.ready(truncation), self.latent, self.engine, truncation, make)

    @torch.no_grad()
    def drawn(self, request: Request) -> Iterator[Tensor]:
        n, device = request.n, self.engine.device
        label = self.each_in_turn(n) if request.label is None else request.label
        for start in range(0, n, self.AT_ONCE):
            part = slice(start, min(start + self.AT_ONCE, n))
            if request.codes is None:  # of each part when it is made: a million of them need no room at once
                codes = self.latents(part.stop - start, request.seed, request.truncation, start)
            else:
                codes = request.codes[part]
            condition = None if label is None else label[part].to(device)
            with without_tf32():
                images = self.made(codes.to(device), condition, request.truncation)
            yield images.float().cpu().contiguous().clamp(-1, 1)

    def made(self, codes: Tensor, label: Tensor | None, truncation: float | None = None) -> Tensor:
        """(N, C, H, W) of latents (N, D) and labels on the device, as the network makes them; a gradient flows back."""
        return self.finished(self.ready(truncation)(codes, label))

    def finished(self, images: Tensor) -> Tensor:
        """What the network has made as images of the data's size."""
        return images

    def ready(self, truncation: float | None) -> nn.Module:
        """The generator as it makes images of latents of this truncation."""
        if self.standing is None:
            return self.network.eval()
        if truncation not in self._ready:

            def codes(n: int, start: int) -> Tensor:
                return self.latent.drawn(n, STANDING, truncation, start)

            with without_tf32():
                self._ready[truncation] = self.standing.of(self.network, codes, self.label_space, self.engine.device)
        return self._ready[truncation].eval()

    def panel(self, shown: Batch, seed: int) -> dict[str, Tensor]:
        """As many samples as are shown. Classes, or attributes, are columns, `COLUMNS` at most, and a row shares its
        latent."""
        count = len(shown.image)
        if not self.num_classes:
            return {"samples": all_images(self, Request(count, seed))}
        rows = -(-count // len(self.label_space.columns(1, self.COLUMNS)))
        codes = self.codes(rows, seed)
        return {
            name: all_images(self, Request(rows, seed, label=label, codes=codes))
            for name, label in self.label_space.columns(rows, self.COLUMNS).items()
        }
