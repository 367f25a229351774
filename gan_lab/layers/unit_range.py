"""Networks that work on [0, 1], as the published ones of super-resolution do."""

from __future__ import annotations

from torch import Tensor, nn


class UnitRange(nn.Module):
    """`inner`, a network from [0, 1] to [0, 1], for images `(N, C, H, W)` in [-1, 1].

    Not the same as one trained on [-1, 1] and rescaled: what a convolution adds at the border is black here, there it
    would be gray. So `exported`, the inner network, is exactly what other programs load, under its published keys.
    """

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    @property
    def exported(self) -> nn.Module:
        """What is written for other programs: images in [0, 1] in and out."""
        return self.inner

    def forward(self, input: Tensor, label: Tensor | None = None) -> Tensor:
        made: Tensor = self.inner((input + 1) / 2)
        return 2 * made - 1
