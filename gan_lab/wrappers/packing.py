"""Packing (PacGAN, Lin et al. 2017, arXiv:1712.04086)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from gan_lab.distributed.world import world
from gan_lab.errors import ConfigError
from gan_lab.layers.critique import Critique
from gan_lab.layers.first_map import check_image_shape
from gan_lab.wrappers.base import Build, Wrapper


class Packing(Wrapper):
    """The discriminator judges `size` images at once, stacked in their channels: lack of variety shows.

    N images make N / size scores; the images of a pack are neighbours in the batch. A gradient penalty still takes each
    image's own gradient: its norm is about 1 / sqrt(size) of the pack's. `batch_size` and `accumulation` of the trainer
    only serve to refuse a batch that `size` does not divide before the run begins.

    Raises ValueError for a `size` outside 2 to 4 (the paper's), packs of packs, a batch that does not divide and a
    discriminator that takes labels or inputs: a pack has none. An undivided batch in a run raises ConfigError.
    """

    def __init__(
        self,
        build: Build,
        image_shape: Sequence[int],
        size: int = 2,
        batch_size: int | None = None,
        accumulation: int = 1,
    ) -> None:
        if not 2 <= size <= 4:
            raise ValueError(f"size must be 2, 3 or 4 images, not {size}")
        if batch_size is not None and (batch_size // accumulation) % size:
            raise ValueError(_undivided(batch_size // accumulation, size))
        channels, height, width = check_image_shape(image_shape)
        super().__init__(build(image_shape=[size * channels, height, width]))
        if self.images_per_score > 1:
            raise ValueError("the discriminator inside packs its images already")
        if self.num_classes:
            raise ValueError("a pack of images has no label: packing needs a discriminator that takes none")
        if self.condition_shape is not None:
            raise ValueError(
                "a pack of images has no input of its own: packing needs a discriminator that is told none "
                "(condition=null)"
            )
        self.size = self.images_per_score = size

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Critique:
        n, channels, height, width = images.shape
        if n % self.size:
            raise ConfigError(_undivided(n, self.size))
        packed = images.reshape(n // self.size, self.size * channels, height, width)
        together = world()
        if together.size == 1:
            return super().forward(packed)
        with together.rows(together.piece // self.size):
            return super().forward(packed)


def _undivided(n: int, size: int) -> str:
    return (
        f"packs of {size} do not divide a batch of {n} images; "
        "choose another trainer.batch_size (over trainer.accumulation)"
    )
