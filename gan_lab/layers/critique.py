"""What a discriminator says about images: always scores, sometimes more."""

from __future__ import annotations

from typing import Any, NamedTuple

from torch import Tensor


class Critique(NamedTuple):
    """`scores` `(N, ...)`: raw logits, larger = more real. `features` `(N, ...)`: what the last layer read, for feature
    matching and for the layers that look at a whole batch. `class_logits` `(N, num_classes)`: an auxiliary classifier.
    `maps`: what every layer gave, `(N, ...)` each, in whatever precision it was computed.
    """

    scores: Tensor
    features: Tensor | None = None
    class_logits: Tensor | None = None
    maps: tuple[Tensor, ...] = ()


def of(output: Any) -> Critique:
    """A critique from whatever a discriminator returned: plain scores are one without the rest."""
    return output if isinstance(output, Critique) else Critique(output)
