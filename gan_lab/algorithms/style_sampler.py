"""Images from noise by a trained generator that has a style between them."""

from __future__ import annotations

from torch import Tensor, nn

from gan_lab.algorithms.latents import Latent
from gan_lab.algorithms.noise_sampler import NoiseSampler
from gan_lab.algorithms.style_space import StyleSpace
from gan_lab.engine.engine import Engine
from gan_lab.sampling.space import Space


class StyleSampler(NoiseSampler):
    """A request's `truncation` is psi: styles are moved towards their average, 1 not at all, 0 all the way, those of
    the first `cutoff` layers (null: of all). Latents stay as they are."""

    def __init__(self, generator: nn.Module, latent: Latent, engine: Engine, cutoff: int | None = None) -> None:
        super().__init__(generator, latent, engine)
        self.cutoff = cutoff

    def latents(self, n: int, seed: int, truncation: float | None = None, start: int = 0) -> Tensor:
        return self.latent.drawn(n, seed, start=start)

    def space(self, truncation: float | None = None) -> Space:
        return StyleSpace(self.network, self.latent, self.engine, truncation, self.cutoff, self.finished)

    def made(self, codes: Tensor, label: Tensor | None, truncation: float | None = None) -> Tensor:
        styles = self.styles(codes, label, truncation)
        return self.finished(self.network.synthesise(styles))  # type: ignore[operator]

    def styles(self, codes: Tensor, label: Tensor | None, psi: float | None = None) -> Tensor:
        """(N, num_ws, D) of codes `(N, latent_dim)`, truncated, on the device."""
        network = self.network.eval()
        styles: Tensor = network.style(codes.to(self.engine.device), label)  # type: ignore[operator]
        if psi is not None:
            styles = network.truncated(styles, psi, self.cutoff)  # type: ignore[operator]
        return styles
