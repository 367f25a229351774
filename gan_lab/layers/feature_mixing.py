"""Random projections that mix the maps of a frozen network (Sauer et al. 2021, arXiv:2111.01007, section 3.2)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn.functional import interpolate

from gan_lab.layers.frozen import freeze


class FeatureMixing(nn.Module):
    """Maps of the `channels`, largest first and each twice the next one's sides, to as many twice as large.

    Cross-channel mixing: a 1x1 convolution of each map, to `base` 2^i channels. Cross-scale mixing: from the deepest on
    a map is added to what came of the one below it, doubled bilinearly, and a 1x1 convolution halves its channels, but
    those of the largest. Both have their first, random weights for ever, with which a checkpoint brings them back:
    what a discriminator sees can no longer be looked at one channel or one scale at a time. `widths` of what is made.
    """

    def __init__(self, channels: Sequence[int], base: int = 64) -> None:
        super().__init__()
        if base < 1:
            raise ValueError(f"the mixed maps need at least one channel, not {base}")
        mixed = [base << level for level in range(len(channels))]
        self.widths = [mixed[0], *mixed[:-1]]
        self.across_channels = nn.ModuleList(nn.Conv2d(a, b, 1) for a, b in zip(channels, mixed, strict=True))
        self.across_scales = nn.ModuleList(nn.Conv2d(a, b, 1) for a, b in zip(mixed, self.widths, strict=True))
        freeze(self, stored=True)

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Maps in the order of `maps`."""
        found: list[Tensor] = []
        for level in reversed(range(len(maps))):
            mixed = self.across_channels[level](maps[level])
            if found:
                mixed = mixed + sized(found[-1], mixed)
            doubled = interpolate(mixed, scale_factor=2.0, mode="bilinear", align_corners=True)
            found.append(self.across_scales[level](doubled))
        return found[::-1]


def sized(maps: Tensor, like: Tensor) -> Tensor:
    """Maps of the size of `like`, which they have already where every stride divides the image."""
    return maps if maps.shape[2:] == like.shape[2:] else maps[..., : like.shape[2], : like.shape[3]]
