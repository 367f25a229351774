"""Images from noise by a trained generator that has a style between them."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from gan_lab.algorithms.latents import Latent
from gan_lab.algorithms.noise_sampler import NoiseSampler
from gan_lab.engine.engine import Engine
from gan_lab.engine.tf32 import without_tf32
from gan_lab.sampling.request import Request


class StyleSampler(NoiseSampler):
    """A request's `truncation` is psi: styles are moved towards their average, 1 not at all, 0 all the way, those of
    the first `cutoff` layers (null: of all). Latents stay as they are."""

    def __init__(self, generator: nn.Module, latent: Latent, engine: Engine, cutoff: int | None = None) -> None:
        super().__init__(generator, latent, engine)
        self.cutoff = cutoff

    def codes(self, n: int, seed: int, truncation: float | None = None) -> Tensor:
        return self.latent.drawn(n, seed)

    @torch.no_grad()
    def drawn(self, request: Request) -> Iterator[Tensor]:
        label = self.each_in_turn(request.n) if request.label is None else request.label
        for start in range(0, request.n, self.AT_ONCE):
            part = slice(start, min(start + self.AT_ONCE, request.n))
            if request.codes is None:
                codes = self.latent.drawn(part.stop - start, request.seed, start=start)
            else:
                codes = request.codes[part]
            condition = None if label is None else label[part].to(self.engine.device)
            with without_tf32():
                images = self.network.synthesise(self.styles(codes, condition, request.truncation))  # type: ignore
            yield images.float().cpu().contiguous().clamp(-1, 1)

    @torch.no_grad()
    def styles(self, codes: Tensor, label: Tensor | None, psi: float | None = None) -> Tensor:
        """(N, num_ws, D) of codes `(N, latent_dim)`, truncated, on the device."""
        network = self.network.eval()
        styles: Tensor = network.style(codes.to(self.engine.device), label)  # type: ignore[operator]
        if psi is not None:
            styles = network.truncated(styles, psi, self.cutoff)  # type: ignore[operator]
        return styles
