"""Images in few bits where they come out as numbers, and in more where they do not."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import torch
from torch import Tensor

from gan_lab.errors import NonFiniteError
from gan_lab.sampling.around import Around
from gan_lab.sampling.request import Request
from gan_lab.sampling.sampler import Sampler

log = logging.getLogger(__name__)


class Finite(Around):
    """A sampler around one, in `precision` fp32 or bf16 (autocast). What comes out of bf16 with numbers that are none
    is made again in fp32, and that is said once. Raises NonFiniteError where that does not help: such weights make
    black pictures, which nobody should have to find out by looking."""

    def __init__(self, sampler: Sampler, precision: str = "fp32") -> None:
        super().__init__(sampler)
        self.precision = precision
        self.told = False

    def drawn(self, request: Request) -> Iterator[Tensor]:
        device = next((parameter.device.type for parameter in self.network.parameters()), "cpu")
        if self.precision == "bf16":
            with torch.autocast(device, dtype=torch.bfloat16):
                made = list(self.sampler.images(request))
            if not any(bool(images.isnan().any()) for images in made):
                yield from made
                return
            if not self.told:
                log.warning("bf16 made numbers that are none; such pictures are made again in fp32")
            self.told = True
        for images in self.sampler.images(request):
            if bool(images.isnan().any()):
                raise NonFiniteError("this network makes numbers that are none (nan) of it, in fp32 too")
            yield images
