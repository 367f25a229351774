"""A discriminator that can make real images again from what it saw of them (FastGAN)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from gan_lab.errors import ConfigError
from gan_lab.losses.regularizers import Regularizer, Turn


class AutoEncoding(Regularizer):
    """E[sum_i d(decoder_i(f_i(x)), x_i)] over the maps f_i that a discriminator has of a real image x: all of it, and a
    quadrant of it that is drawn for each image (Liu et al. 2021, arXiv:2101.04775, section 3.2).

    x is the image as the augmentation left it. `distance` is a module from what was made and what was wanted
    `(N, C, H, W)` to `(N,)`. The authors' code draws one quadrant for a batch and sums over its 8 images, which is a
    `weight` of 8. Paid by the discriminator. Raises ConfigError for one that has no decoders.
    """

    def __init__(self, distance: nn.Module, weight: float = 8.0, every: int = 1) -> None:
        super().__init__(weight, every)
        self.distance = distance

    def place(self, placed: Callable[[nn.Module], nn.Module]) -> None:
        self.distance = placed(self.distance)

    def chosen(self) -> Mapping[str, Any]:
        chosen: Mapping[str, Any] = getattr(self.distance, "chosen", {})
        return {"distance": chosen} if chosen else {}

    def __call__(self, turn: Turn) -> torch.Tensor:
        critique, decoding = turn.real_critique, self._decoding(turn.mover)
        if critique is None or critique.images is None or decoding is None:
            raise ConfigError(
                "loss.regularizers: autoencoding needs one discriminator that makes images again from its maps "
                "(model=fastgan)"
            )
        quadrant = torch.randint(4, (len(critique.images),), device=critique.images.device)
        pairs = decoding.reconstructions(critique, quadrant)
        terms = [self.distance(made.float(), wanted.detach().float()).mean() for made, wanted in pairs]
        return torch.stack(terms).sum()

    @staticmethod
    def _decoding(discriminator: nn.Module | None) -> Any:
        """The network with decoders in what is wrapped around it; None where there is none."""
        modules = () if discriminator is None else discriminator.modules()
        return next((module for module in modules if hasattr(module, "reconstructions")), None)
