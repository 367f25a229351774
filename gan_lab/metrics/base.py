"""What a metric is to whoever evaluates: it hears of generated images part by part, and then compares."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from torch import Tensor

from gan_lab.data.batch import Batch
from gan_lab.metrics.figure import Value

if TYPE_CHECKING:
    from gan_lab.metrics.reference import Reference


class Part(NamedTuple):
    """Some generated images: uint8 `(N, C, H, W)` (float32 in [-1, 1] where the data is points), their features
    `(N, D)` float32, class probabilities `(N, K)` where the extractor knows classes, the classes that were asked for
    where the generator takes labels, and the samples of the data that they answer where it was asked by those. All on
    the CPU."""

    images: Tensor
    features: Tensor
    probabilities: Tensor | None
    labels: Tensor | None
    batch: Batch | None = None


class Accumulator(ABC):
    """Keeps what one evaluation needs."""

    @abstractmethod
    def add(self, part: Part) -> None:
        """Hear of the next part."""

    @abstractmethod
    def values(self, reference: Reference) -> list[Value]:
        """Compare with the data, after the last part."""


class Fewest(NamedTuple):
    """The fewest images that a measure can be taken of: of the data, and generated."""

    real: int = 1
    generated: int = 1


class Measure(ABC):
    """A metric as the configuration names it. `settings` are what its card says beside the protocol.

    `why_not` tells in words why it cannot be taken of this data with this extractor (None: it can), and raises
    ConfigError where what the user asked for is not there; `fewest` how many images it needs. Both are asked before the
    first round. `caution` tells what a figure that can be taken suffers from.
    """

    features: ClassVar[bool] = True  # whether it looks at the extractor's features or probabilities
    labels: ClassVar[bool] = False  # whether it looks at the classes that were asked for
    paired: ClassVar[bool] = False  # whether it compares each image with the one of the sample that it answers
    captions: ClassVar[bool] = False  # whether it looks at the captions that were asked for
    about: ClassVar[str] = ""  # what its names say in the place of the extractor, where it uses none

    @property
    def settings(self) -> dict[str, Any]:
        return {}

    def settings_of(self, reference: Reference, n: int) -> dict[str, Any]:
        """The settings as they come out for this data and `n` generated images."""
        return self.settings

    def why_not(self, reference: Reference) -> str | None:
        return None

    def fewest(self, reference: Reference) -> Fewest:
        """The fewest images that it can be taken of."""
        return Fewest()

    def caution(self, reference: Reference, n: int) -> str | None:
        """What makes its figure of `n` generated images a bad one; None where nothing does."""
        return None

    def about_of(self, reference: Reference) -> str:
        """What its names say of this data in the place of the extractor; empty where they name the extractor."""
        return self.about

    @abstractmethod
    def begin(self, n: int) -> Accumulator:
        """Start an evaluation of `n` generated images."""


class Features(Accumulator):
    """For metrics that need all features: they are kept as they come, `(n, D)` float32."""

    def __init__(self) -> None:
        self._parts: list[Tensor] = []

    def add(self, part: Part) -> None:
        self._parts.append(part.features)

    @property
    def all(self) -> Tensor:
        return joined(self._parts)


def joined(parts: Sequence[Tensor]) -> Tensor:
    """One tensor of several along the first dimension."""
    import torch

    return parts[0] if len(parts) == 1 else torch.cat(list(parts))
