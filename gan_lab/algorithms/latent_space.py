"""The space that latents are drawn from."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from gan_lab.algorithms.latents import Latent
from gan_lab.engine.engine import Engine
from gan_lab.sampling.label_space import label_space
from gan_lab.sampling.space import Space


class LatentSpace(Space):
    """Latents z, `(N, dim)`. A network whose latent enters in several places says so by `chunks`, how many numbers each
    of them has. `make` is what makes images of codes and labels."""

    name = "z"

    def __init__(
        self,
        network: nn.Module,
        latent: Latent,
        engine: Engine,
        truncation: float | None,
        make: Callable[[Tensor, Tensor | None], Tensor],
    ) -> None:
        self.chunks: Sequence[int] = getattr(network, "chunks", None) or [latent.dim]
        super().__init__(network, engine, latent.dim, len(self.chunks), latent.curve, label_space(network).count)
        self.latent, self.truncation, self.make = latent, truncation, make

    def codes(self, n: int, seed: int, label: Tensor | None = None) -> Tensor:
        return self.latent.drawn(n, seed, self.truncation)

    def made(self, codes: Tensor, label: Tensor | None = None) -> Tensor:
        return self.make(codes, label)

    def beginnings(self, n: int, seed: int, label: Tensor | None = None) -> tuple[Tensor, float]:
        return self.codes(n, seed), 0.0

    def nearest(self, codes: Tensor) -> Tensor:
        return self.latent.nearest(codes)

    def whole(self, codes: Tensor) -> Tensor:
        return codes

    def swapped(self, codes: Tensor, others: Tensor, layers: Sequence[int]) -> Tensor:
        self.require_layers(layers)
        mine, theirs = codes.split(list(self.chunks), -1), others.split(list(self.chunks), -1)
        return torch.cat([theirs[at] if at in layers else part for at, part in enumerate(mine)], -1)
