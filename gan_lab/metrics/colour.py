"""How near colours are to those that should be, lightness apart: for colorization."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from gan_lab.layers.lab import to_lab
from gan_lab.metrics.pairs import Paired
from gan_lab.metrics.reference import Reference


@dataclass(frozen=True)
class ColourError(Paired):
    """The root of the mean squared error of CIELAB's a and b, over pixels and both, of each image: lower is better. A
    picture that was left gray has that of the target's colours. Colours that are right on average but for hue cost as
    much as none, so look at the pictures too."""

    name = "ab_rmse"
    lower_is_better = True

    def why_not(self, reference: Reference) -> str | None:
        why = super().why_not(reference)
        if why is None and reference.inputs.image_shape[0] != 3:
            return "the images are gray"
        return why

    def seen(self, reference: Reference) -> str:
        return "ab"

    def compare(self, images: Tensor, targets: Tensor) -> Tensor:
        made, wanted = (to_lab(each.double() / 127.5 - 1)[:, 1:] for each in (images, targets))
        return (made - wanted).square().flatten(1).mean(1).sqrt()
