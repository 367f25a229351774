"""What a discriminator says about images: always scores, sometimes more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor


@dataclass(frozen=True, eq=False)
class Critique:
    """`scores` `(N, ...)`: raw logits, larger = more real. `features` `(N, ...)`: what the last layer read, for feature
    matching and for the layers that look at a whole batch. `class_logits` `(N, num_classes)`: an auxiliary classifier.
    `maps`: what every layer gave, `(N, ...)` each, in whatever precision it was computed. `images` `(N, ...)`: what the
    discriminator was shown, as an augmentation left it, of one that makes images again from its maps. It is asked for
    by these names, so that it can have more of them.
    """

    scores: Tensor
    features: Tensor | None = None
    class_logits: Tensor | None = None
    maps: tuple[Tensor, ...] = ()
    images: Tensor | None = None

    def of_images(self, part: slice) -> Critique:
        """The critique of some of the images."""
        return self._each(lambda tensor: tensor[part], tuple(each[part] for each in self.maps))

    def in_fp32(self) -> Critique:
        """Losses and penalties are taken in fp32 whatever the precision of the forward pass."""
        return self._each(lambda tensor: tensor.float(), self.maps)

    def _each(self, change: Callable[[Tensor], Tensor], maps: tuple[Tensor, ...]) -> Critique:
        rest = (self.features, self.class_logits, self.images)
        features, classes, images = (None if each is None else change(each) for each in rest)
        return Critique(change(self.scores), features, classes, maps, images)


def of(output: Any) -> Critique:
    """A critique from whatever a discriminator returned: plain scores are one without the rest."""
    return output if isinstance(output, Critique) else Critique(output)
