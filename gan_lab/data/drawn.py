"""What a stream hands to a round, from which it makes its batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor

from gan_lab.data.order import Places


class Drawn(NamedTuple):
    """What a batch is made of, on the device: `indices` (n,) of samples that lie there, or `images`, `inputs`, `labels`
    and `captions` as they were read; `flips`, `turns`, `corners` and `which` (caption) say how they are shown."""

    indices: Tensor | None = None
    images: Tensor | None = None
    labels: Tensor | None = None
    inputs: Tensor | None = None
    captions: Tensor | None = None
    flips: Tensor | None = None
    turns: Tensor | None = None
    corners: Tensor | None = None
    which: Tensor | None = None

    @classmethod
    def there(cls, places: Places) -> Drawn:
        """Of samples that live on the device."""
        indices, flips, turns, corners, which = places
        return cls(indices, flips=flips, turns=turns, corners=corners, which=which)

    def clone(self) -> Drawn:
        return self.each(Tensor.clone)

    def each(self, change: Callable[[Tensor], Tensor]) -> Drawn:
        """The same with every tensor changed."""
        return Drawn(*(None if part is None else change(part) for part in self))

    def copy_(self, other: Drawn) -> None:
        """Take over what `other`, of the same shapes, holds."""
        for mine, its in zip(self, other, strict=True):
            if mine is not None and its is not None:
                mine.copy_(its, non_blocking=True)


def pin(part: Tensor) -> Tensor:
    """In memory that a device can copy from while the host goes on."""
    return part if part.is_pinned() else part.pin_memory()
