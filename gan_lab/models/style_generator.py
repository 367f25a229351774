"""What generators with styles have in common: two halves, and images that are the second of the first."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from gan_lab.layers.mapping import Mapping


class StyleGenerator(nn.Module, ABC):
    """Latents (N, D) and labels (N,), if there are classes, to images (N, C, H, W): `synthesise(style(z, label))`.

    A subclass has a `mapping`, whose average style truncation moves towards, and a `synthesis`, whose `style_weights`
    are the matrices `(rows, style_dim)` that each layer reads its style by.
    """

    mapping: Mapping
    synthesis: nn.Module

    @abstractmethod
    def style(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        """Styles (N, num_ws, style_dim), one for each layer."""

    def synthesise(self, styles: Tensor) -> Tensor:
        """Images of styles (N, num_ws, style_dim)."""
        images: Tensor = self.synthesis(styles)
        return images

    def truncated(self, styles: Tensor, psi: float, cutoff: int | None = None) -> Tensor:
        """Styles moved towards their average: see `Mapping.truncated`."""
        return self.mapping.truncated(styles, psi, cutoff)

    def latent_weights(self) -> list[Tensor]:
        """See `gan_lab.layers.latent_weights`: of styles, in each layer."""
        weights: list[Tensor] = self.synthesis.style_weights()  # type: ignore[operator]
        return weights

    def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        return self.synthesise(self.style(latent, label))
