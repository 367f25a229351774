"""Images from noise by a generator that may not have grown to its whole size yet."""

from __future__ import annotations

from torch import Tensor

from gan_lab.algorithms.noise_sampler import NoiseSampler
from gan_lab.algorithms.style_sampler import StyleSampler
from gan_lab.layers.in_stages import InStages, enlarge


class EnlargedSampler(NoiseSampler):
    """`NoiseSampler`, whose images always have the size of the data: smaller ones with every pixel repeated, which is
    what a new size fades in from.

    So metrics of every stage compare with the same real images, at their whole size: a figure says how far the run is
    from those, falls as it grows, and is not interrupted where a stage ends.
    """

    def finished(self, images: Tensor) -> Tensor:
        part = next(part for part in self.network.modules() if isinstance(part, InStages))
        return enlarge(images, 2**part.behind)


class EnlargedStyleSampler(EnlargedSampler, StyleSampler):
    """The same of `StyleSampler`, of a generator with styles."""
