"""What labels a generator takes: classes, or attributes, and which it gets where nobody says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gan_lab.engine.seeding import generator_of


@dataclass(frozen=True)
class Classes:
    """`count` classes, 0 where a generator takes no labels. Labels are int64 `(n,)`."""

    count: int = 0

    def in_turn(self, n: int) -> Tensor | None:
        """A class for each of `n` images, one after the other; None where there are none."""
        return torch.arange(n) % self.count if self.count else None

    def drawn(self, n: int, random: torch.Generator) -> Tensor | None:
        """Classes that are equally likely."""
        return torch.randint(self.count, (n,), generator=random) if self.count else None

    def fit(self, labels: Tensor) -> bool:
        """Whether labels of data are such."""
        return self.count > 0 and labels.dim() == 1 and int(labels.max()) < self.count

    def columns(self, rows: int, most: int) -> dict[str, Tensor]:
        """Labels of `rows` images for each of up to `most` columns of a panel: of each a class."""
        classes = torch.linspace(0, self.count - 1, min(self.count, most)).long().tolist()
        return {str(label): torch.full((rows,), label) for label in classes}


@dataclass(frozen=True)
class Attributes:
    """Attributes by their names, with the share of the data that has each. Labels are int64 `(n, A)` of 0 and 1."""

    shares: Mapping[str, float]

    @property
    def count(self) -> int:
        return len(self.shares)

    def in_turn(self, n: int) -> Tensor:
        """Attributes for each of `n` images, each present as often as in the data, whatever the others are: the same
        for the same place."""
        return self.drawn(n, generator_of("attributes in turn"))

    def drawn(self, n: int, random: torch.Generator) -> Tensor:
        """The same by a generator."""
        return (torch.rand(n, self.count, generator=random) < torch.tensor([*self.shares.values()])).long()

    def fit(self, labels: Tensor) -> bool:
        """Whether labels of data are such."""
        return labels.dim() == 2 and labels.shape[1] == self.count

    def columns(self, rows: int, most: int) -> dict[str, Tensor]:
        """Labels of `rows` images for each of up to `most` columns of a panel: with an attribute and without it, the
        others of a row as `in_turn` has them."""
        drawn, found = self.in_turn(rows), {}
        for place, name in enumerate(list(self.shares)[: most // 2]):
            for sign, value in (("", 1), ("-", 0)):
                found[sign + name] = drawn.clone()
                found[sign + name][:, place] = value
        return found


LabelSpace = Classes | Attributes


def label_space(generator: nn.Module) -> LabelSpace:
    """That of a network: by its `attributes`, where it was told any (`gan_lab.wrappers.build`), else by its
    `num_classes`."""
    count = int(getattr(generator, "num_classes", 0) or 0)
    shares = getattr(generator, "attributes", None)
    return Attributes(shares) if shares and count else Classes(count)
