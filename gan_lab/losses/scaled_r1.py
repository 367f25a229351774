"""R1 whose gamma follows the image and the batch (Karras et al. 2020, arXiv:2006.06676, code stylegan2-ada-pytorch)."""

from __future__ import annotations

from torch import Tensor

from gan_lab.losses.regularizers import R1, Turn


class ScaledR1(R1):
    """R1 with gamma = `weight` H W / `batch_size`: 0.0002 is what the authors' `auto` begins with, for any data.

    Raises ValueError for a `batch_size` that is no whole number of at least 1.
    """

    def __init__(self, batch_size: int, weight: float = 0.0002, every: int = 1) -> None:
        super().__init__(weight, every)
        if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
            raise ValueError(
                f"gamma follows the batch, which must be a number, not {batch_size} (trainer.batch_size=32); or say "
                "gamma yourself: loss/regularizers=[r1_lazy,path_length_style] loss.regularizers.r1.weight=1"
            )
        self.batch_size = batch_size

    def __call__(self, turn: Turn) -> Tensor:
        height, width = turn.real.shape[-2:]
        return super().__call__(turn) * (height * width / self.batch_size)
