"""How near what was made in a hole is to what had been there: for inpainting."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gan_lab.errors import GanLabError
from gan_lab.metrics.pairs import Paired
from gan_lab.metrics.reference import Reference


@dataclass(frozen=True)
class HolePeakSignalToNoise(Paired):
    """PSNR in dB of the missing pixels alone, of eight-bit images: higher is better. (`psnr` is of the whole picture,
    whose known pixels are right whatever the network does.) An image without a hole does not count."""

    name = "psnr_hole"

    def why_not(self, reference: Reference) -> str | None:
        why = super().why_not(reference)
        if why is None and not reference.inputs.masked:
            return "the inputs have no mask; choose degradation=mask"
        return why

    def seen(self, reference: Reference) -> str:
        return "hole"

    def compare(self, images: Tensor, targets: Tensor) -> Tensor:
        raise GanLabError(f"metrics.{self.name}: without a mask nothing is missing; choose degradation=mask")

    def compare_beside(self, images: Tensor, targets: Tensor, input: Tensor | None) -> Tensor:
        if input is None or input.shape[1] != images.shape[1] + 1:
            return self.compare(images, targets)
        hole = (input[:, -1:] > 0.5).double()
        count = hole.flatten(1).sum(1) * images.shape[1]
        errors = ((images.double() - targets.double()).square() * hole).flatten(1).sum(1) / count
        return (10 * torch.log10(255**2 / errors))[count > 0]
