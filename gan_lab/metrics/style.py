"""How much of one image's style and of another's content there is in what was made: for style transfer."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gan_lab.errors import GanLabError
from gan_lab.losses.style import moments
from gan_lab.metrics.pairs import Paired, y_channel
from gan_lab.metrics.reference import Reference
from gan_lab.pictures.grid import to_bytes


@dataclass(frozen=True)
class OfStyles(Paired):
    """A measure of each made image beside its input, the content, and the image of the data, the style. They need not
    belong together: every data with inputs will do."""

    def why_not(self, reference: Reference) -> str | None:
        if reference.data.inputs is None:
            return super().why_not(reference)
        return "the data is points" if reference.data.store.dtype != "uint8" else None

    def seen(self, reference: Reference) -> str:
        return "gray" if reference.inputs.image_shape[0] == 1 else "rgb"


@dataclass(frozen=True)
class StyleDistance(OfStyles):
    """How far the colours of a made image are from those of its style: the root of the mean squared difference of
    channels' means and standard deviations, in levels of 255. Lower is better. Colours alone, of all that style is:
    every photo editor's colour transfer has 0 (Reinhard et al. 2001, doi:10.1109/38.946629)."""

    name = "style_distance"
    lower_is_better = True

    def compare(self, images: Tensor, targets: Tensor) -> Tensor:
        made, style = (torch.stack(moments(each.double())) for each in (images, targets))
        return (made - style).square().mean((0, 2, 3, 4)).sqrt()


@dataclass(frozen=True)
class ContentCorrelation(OfStyles):
    """The correlation over pixels of the brightness of a made image and of its input: 1 where every edge is still
    there, whatever the colours and the contrast are; around 0 of any other picture. Higher is better. An image of one
    colour has none, and does not count."""

    name = "content_correlation"

    def seen(self, reference: Reference) -> str:
        return "luma"

    def compare(self, images: Tensor, targets: Tensor) -> Tensor:
        raise GanLabError(f"metrics.{self.name}: the data has no inputs; choose dataset=unpaired")

    def compare_beside(self, images: Tensor, targets: Tensor, input: Tensor | None) -> Tensor:
        if input is None:
            return self.compare(images, targets)
        if images.shape[2:] != input.shape[2:]:
            given, beside = ("x".join(map(str, each.shape[1:])) for each in (input, images))
            raise GanLabError(f"metrics.{self.name}: inputs of {given} beside images of {beside}")
        made, content = (y_channel(each).flatten(1) for each in (images, to_bytes(input)))
        made, content = (each - each.mean(1, keepdim=True) for each in (made, content))
        norms = made.norm(dim=1) * content.norm(dim=1)
        found: Tensor = ((made * content).sum(1) / norms)[norms > 0]
        return found
