"""What draws images from trained networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor


class Sampler(Protocol):
    """Draws images from trained networks."""

    num_classes: int  # 0 where there is nothing to choose

    def sample(
        self, n: int, seed: int = 0, labels: Sequence[int] | None = None, truncation: float | None = None
    ) -> Tensor:
        """`(n, C, H, W)` in [-1, 1] on the CPU; the same for the same seed on every device.

        `labels`: `n` classes (None: each in turn). `truncation`: no number of the latent beyond it.
        """
        ...

    def by_class(self, classes: Sequence[int], rows: int, seed: int = 0) -> Tensor:
        """`rows` images of each class, `(rows * len(classes), C, H, W)`: a row shares its latent."""
        ...
