"""What one move of a game is played with."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Batch(NamedTuple):
    """A batch of samples, on the device. A column that the data does not have is None.

    - `image` `(N, C, H, W)`, float in [-1, 1]: what is to be made, or the target.
    - `label` `(N,)`, int64: classes; or `(N, A)`: attributes, 0 or 1.
    - `input` `(N, C', H', W')`, float in [-1, 1]: what the image is made from; of any size. A mask is a channel of it.
    - `caption` `(N, L)`, int64: tokens, 0 is padding.
    """

    image: Tensor
    label: Tensor | None = None
    input: Tensor | None = None
    caption: Tensor | None = None

    def part(self, where: slice) -> Batch:
        """The samples at `where`."""
        return Batch(*(None if column is None else column[where] for column in self))  # type: ignore[arg-type]

    def split(self, pieces: int) -> list[Batch]:
        """So many parts of equal size. Raises ValueError where `pieces` does not divide the batch."""
        if pieces == 1:
            return [self]
        size, rest = divmod(len(self.image), pieces)
        if rest:
            raise ValueError(f"{pieces} pieces do not divide a batch of {len(self.image)}")
        return [self.part(slice(start, start + size)) for start in range(0, len(self.image), size)]

    def repeated(self, times: int) -> Batch:
        """Every sample so many times, side by side."""
        if times == 1:
            return self
        columns = (None if column is None else torch.stack([column] * times, 1).flatten(0, 1) for column in self)
        return Batch(*columns)  # type: ignore[arg-type]
