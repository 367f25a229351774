"""What is asked of a trained network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from torch import Tensor


class Request(NamedTuple):
    """`n` samples that `seed` decides: each depends on the seed and its own index alone.

    `label` `(n,)` int64, `caption` `(n, L)` int64 and `input` `(n, C, H, W)` in [-1, 1] are conditions, of as many
    samples. `codes` `(n, D)` take the place of those that the seed gives; `truncation` is the largest size of a code's
    numbers.
    """

    n: int
    seed: int = 0
    label: Tensor | None = None
    caption: Tensor | None = None
    input: Tensor | None = None
    codes: Tensor | None = None
    truncation: float | None = None

    @property
    def asked(self) -> Mapping[str, object]:
        """What is asked for beside a number of samples."""
        return {
            name: value for name, value in self._asdict().items() if name not in ("n", "seed") and value is not None
        }
