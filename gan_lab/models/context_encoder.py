"""Context encoders (Pathak et al. 2016, arXiv:1604.07379, section 3.3 and figure 9): the middle of a picture from what
is around it, through a bottleneck.

The paper's images have 128 pixels; of others the sides are halved until they are 4. Weights from N(0, 0.02). As in the
authors' code (context-encoder, train.lua) the middle that is made is larger than the hole (`degradation.largest`): on
the band around, where it is known what is to be there, errors count ten times (`gan_lab.losses.distances.BandedMSE`).
Deviations: what is missing is gray, there it has the mean colour of the data; the discriminator sees the picture as it
is put together, with the known band, there what was made of all of the middle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import pad

from gan_lab.errors import ConfigError
from gan_lab.layers.critique import Critique
from gan_lab.layers.hole import Drafts, check_masked, filled, middle, parts
from gan_lab.models.dcgan import initialise

SMALLEST = 4  # pixels of the last map
WIDEST = 8  # times the width
MIDDLE = 0.5  # of a side


class Generator(nn.Module):
    """A picture with a hole and its mask `(N, C + 1, H, W)` to `(N, C, H, W)` in [-1, 1]; with `drafts` also the middle
    that was made, `(N, C, H / 2, W / 2)`. Of a hole that reaches further the rest stays missing; `hole` says what those
    of training are like (`kind`, `largest`, `centred`), where that is known. Raises ConfigError for inputs without a
    mask or of another size, for holes of training that reach further, and for images that are no squares of 16, 32, 64,
    128, ... pixels.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        input_shape: Sequence[int],
        width: int = 64,
        bottleneck: int = 4000,
        hole: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.sides = tuple(image_shape[1:])
        check_masked(image_shape, input_shape)
        check_hole(**(hole or {}))
        channels, halvings = image_shape[0], halvings_of(image_shape)
        down = [channels, width, *(width * min(2**level, WIDEST) for level in range(halvings - 1))]
        self.encoder = nn.Sequential(nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.2))
        for narrow, wide in pairwise(down[1:]):
            self.encoder.extend([nn.Conv2d(narrow, wide, 4, 2, 1), nn.BatchNorm2d(wide), nn.LeakyReLU(0.2)])
        self.encoder.extend([nn.Conv2d(down[-1], bottleneck, 4), nn.BatchNorm2d(bottleneck), nn.LeakyReLU(0.2)])
        up = [*down[:1:-1], channels]
        self.decoder = nn.Sequential(nn.ConvTranspose2d(bottleneck, up[0], 4), nn.BatchNorm2d(up[0]), nn.ReLU())
        for wide, narrow in pairwise(up[:-1]):
            self.decoder.extend([nn.ConvTranspose2d(wide, narrow, 4, 2, 1), nn.BatchNorm2d(narrow), nn.ReLU()])
        self.decoder.extend([nn.ConvTranspose2d(up[-2], channels, 4, 2, 1), nn.Tanh()])
        self.apply(initialise)

    def forward(self, input: Tensor, label: Tensor | None = None, drafts: bool = False) -> Tensor | Drafts:
        picture, hole = parts(input)
        if picture.shape[2:] != self.sides:
            height, width = self.sides
            raise ConfigError(
                f"input: {picture.shape[3]}x{picture.shape[2]} pixels, and this context encoder takes {width}x{height} "
                "alone: crop the picture to that, or make it so small"
            )
        made = self.decoder(self.encoder(picture))
        across, down = made.shape[3] // 2, made.shape[2] // 2
        around = (across, across, down, down)
        image = filled(picture, hole & pad(middle(hole, *made.shape[2:]), around), pad(made, around))
        return Drafts(image, made) if drafts else image


class Discriminator(nn.Module):
    """Images `(N, C, H, W)`, of which it sees the middle, to scores `(N, 1, 1, 1)`."""

    def __init__(self, image_shape: Sequence[int], width: int = 64) -> None:
        super().__init__()
        channels = [width * min(2**level, WIDEST) for level in range(halvings_of(image_shape) - 1)]
        self.layers = nn.Sequential(nn.Conv2d(image_shape[0], width, 4, 2, 1), nn.LeakyReLU(0.2))
        for narrow, wide in pairwise(channels):
            self.layers.extend([nn.Conv2d(narrow, wide, 4, 2, 1), nn.BatchNorm2d(wide), nn.LeakyReLU(0.2)])
        self.to_score = nn.Conv2d(channels[-1], 1, 4)
        self.apply(initialise)

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Critique:
        features = self.layers(middle(images, images.shape[2] // 2, images.shape[3] // 2))
        return Critique(self.to_score(features), features)


def check_hole(kind: str | None = None, largest: float | None = None, centred: bool | None = None) -> None:
    """Raise ConfigError for holes that may reach beyond the middle; what is None is not known."""
    if kind in (None, "box") and (largest is None or largest <= MIDDLE) and centred is not False:
        return
    told = f"{'centred' if centred else 'anywhere'}, of kind {kind}, up to {largest} of a side"
    raise ConfigError(
        f"degradation: a context encoder makes the middle, {MIDDLE} of a side, and holes {told} reach beyond it; "
        f"degradation.kind=box degradation.centred=true degradation.largest={MIDDLE} at most, or model=deepfill"
    )


def halvings_of(image_shape: Sequence[int]) -> int:
    """How often the sides halve down to 4. Raises ConfigError, as `Generator` says."""
    height, width = image_shape[1:]
    halvings = (height // SMALLEST).bit_length() - 1
    if height != width or halvings < 2 or SMALLEST << halvings != height:
        raise ConfigError(
            f"model.generator: images of {height}x{width}; a context encoder takes squares of 16, 32, 64, 128, ... "
            "pixels: choose dataset.image_shape or dataset.crop"
        )
    return halvings
