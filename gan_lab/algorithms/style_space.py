"""The space of styles, of generators that have one between latents and images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gan_lab.algorithms.latents import Latent
from gan_lab.engine.engine import Engine
from gan_lab.sampling.label_space import label_space
from gan_lab.sampling.space import Space

AVERAGED = 10_000  # styles


class StyleSpace(Space):
    """Styles w, `(N, layers, dim)`, the same in all layers where nobody has mixed them. A style knows its class."""

    name = "w"

    def __init__(
        self,
        network: nn.Module,
        latent: Latent,
        engine: Engine,
        truncation: float | None,
        cutoff: int | None,
        finish: Callable[[Tensor], Tensor],
    ) -> None:
        self.generator: Any = network.eval()
        _, layers, dim = self._style(latent, engine).shape
        super().__init__(network, engine, dim, layers, "lerp", 0)
        self.latent, self.truncation, self.cutoff, self.finish = latent, truncation, cutoff, finish
        self._averages: dict[int | None, tuple[Tensor, float]] = {}

    @torch.no_grad()
    def codes(self, n: int, seed: int, label: Tensor | None = None) -> Tensor:
        device = self.engine.device
        label = label_space(self.network).in_turn(n) if label is None else label
        condition = None if label is None else label.to(device)
        styles: Tensor = self.generator.style(self.latent.drawn(n, seed).to(device), condition)
        if self.truncation is not None:
            styles = self.generator.truncated(styles, self.truncation, self.cutoff)
        return styles.cpu().contiguous()

    def made(self, codes: Tensor, label: Tensor | None = None) -> Tensor:
        return self.finish(self.generator.synthesise(codes))

    def beginnings(self, n: int, seed: int, label: Tensor | None = None) -> tuple[Tensor, float]:
        """The average of 10,000 styles, of each code's class where there are classes, one for all layers; and the root
        of the mean squared distance from there (Karras et al. 2019, arXiv:1912.04958, appendix D). No seed decides."""
        averages = [
            self._average(None if label is None else int(each)) for each in (range(n) if label is None else label)
        ]
        return torch.stack([average for average, _ in averages])[:, None], sum(far for _, far in averages) / n

    def _average(self, label: int | None) -> tuple[Tensor, float]:
        """Of one class, `(dim,)`; taken once."""
        if label not in self._averages:
            classes = None if label is None else torch.full((AVERAGED,), label)
            styles = self.vectors(self.codes(AVERAGED, 0, classes))
            average = styles.mean(0)
            self._averages[label] = average, float((styles - average).square().sum(1).mean().sqrt())
        return self._averages[label]

    def nearest(self, codes: Tensor) -> Tensor:
        return codes

    def whole(self, codes: Tensor) -> Tensor:
        return codes.expand(-1, self.layers, -1)

    def swapped(self, codes: Tensor, others: Tensor, layers: Sequence[int]) -> Tensor:
        self.require_layers(layers)
        chosen = torch.isin(torch.arange(self.layers), torch.tensor(layers)).to(codes.device)
        return torch.where(chosen[:, None], others, codes)

    def _style(self, latent: Latent, engine: Engine) -> Tensor:
        """One, for its size."""
        label = label_space(self.generator).in_turn(1)
        condition = None if label is None else label.to(engine.device)
        with torch.no_grad():
            style: Tensor = self.generator.style(latent.drawn(1, 0).to(engine.device), condition)
        return style
