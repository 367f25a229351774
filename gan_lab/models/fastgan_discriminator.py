"""FastGAN's discriminator (Liu et al. 2021, arXiv:2101.04775, section 3.2): a critic that is also the encoder of an
autoencoder, so that with few images it learns what they are made of and not them by heart.

The image is halved down to a last map of 8 to 14 pixels, the last five times by residual blocks, before that by strided
convolutions. A map is excited by the one of three halvings before. A small branch looks at the image made smaller. Both
end in maps of scores. Decoders make images of the last map, of the small branch's, and of a quadrant of the map before
the last; who asks for that is the regularizer `autoencoding`. All convolutions have spectral norm and no bias. The last
map has 8 `width` channels: `width=64` is the paper's.

Deviations: of images below 64 pixels the last map is excited by the first one; a decoder ends at the size of what it is
to make, and at most at 16 times its map: 128 pixels; the small branch sees half of the image, and at most 128 pixels,
and below 32 pixels there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from gan_lab.layers.critique import Critique
from gan_lab.layers.first_map import first_map
from gan_lab.layers.skip_excitation import SkipExcitation
from gan_lab.layers.spectral_norm import spectral_norm
from gan_lab.models.fastgan_trunk import initialise

RESIDUAL = 5  # halvings by residual blocks, from 256 to 8 pixels
REACH = 3  # halvings between a map and the one that excites it
SMALL = 4  # halvings of the small branch, from 128 to 8 pixels
DECODED = (2.0, 1.0, 1.0, 0.5)  # of `width`: the channels of a decoder after each doubling

Pair = tuple[Tensor, Tensor]


class Discriminator(nn.Module):
    """Images (N, C, H, W) to scores (N, K), the places of both branches' maps side by side. Its `maps` are those of the
    main branch, then the small one's last. Raises ValueError for an image size that does not halve down to a last map
    of 4 to 7 pixels."""

    def __init__(self, image_shape: Sequence[int], width: int = 64) -> None:
        super().__init__()
        if width < 1:
            raise ValueError(f"width must be at least 1, not {width}")
        colours = image_shape[0]
        halvings = first_map(image_shape).blocks - 1
        residual = min(halvings, RESIDUAL)
        channels = [max(8 * width >> back, 1) for back in reversed(range(residual + 1))]
        self.stem = stem(colours, channels[0], halvings - residual)
        self.blocks = nn.ModuleList(Halving(*pair) for pair in pairwise(channels))
        self.reach = min(REACH, residual)
        self.excitations = nn.ModuleDict(
            {
                str(step): SkipExcitation(channels[step - self.reach], channels[step])
                for step in range(max(self.reach, 1), residual + 1)
            }
        )
        last = channels[-1]
        self.to_scores = nn.Sequential(
            nn.Conv2d(last, 2 * last, 1, bias=False),
            nn.BatchNorm2d(2 * last),
            nn.LeakyReLU(0.2),
            nn.Conv2d(2 * last, 1, 4, bias=False),
        )
        doublings = min(halvings, len(DECODED))
        self.decode = decoder(last, colours, width, doublings)
        self.decode_quadrant = decoder(channels[-2], colours, width, min(halvings - 1, doublings)) if residual else None
        self.small = stem(colours, 4 * width, min(halvings - 1, SMALL)) if halvings > 1 else None
        self.decode_small = None if self.small is None else decoder(4 * width, colours, width, doublings)
        self.small_to_scores = None if self.small is None else nn.Conv2d(4 * width, 1, 4, bias=False)
        self.shrunk = 2 ** max(halvings - SMALL, 1)
        spectral_norm(self.apply(initialise))

    def forward(self, images: Tensor, label: Tensor | None = None) -> Critique:
        maps: list[Tensor] = [self.stem(images)]
        for step, halve in enumerate(self.blocks, 1):
            halved = halve(maps[-1])
            if str(step) in self.excitations:
                halved = self.excitations[str(step)](maps[step - self.reach], halved)
            maps.append(halved)
        scores, features = [self.to_scores(maps[-1]).flatten(1)], maps[-1]
        if self.small is not None and self.small_to_scores is not None:
            small = [side // self.shrunk for side in images.shape[2:]]
            maps.append(self.small(interpolate(images, small, mode="bilinear", align_corners=False)))
            scores.append(self.small_to_scores(maps[-1]).flatten(1))
        return Critique(torch.cat(scores, 1), features, maps=tuple(maps), images=images)

    def reconstructions(self, critique: Critique, quadrant: Tensor) -> list[Pair]:
        """What the decoders make of a critique's maps, and what they are to make: the images that it is of, and the
        quadrants (N,) of 0 to 3 of them."""
        assert critique.images is not None
        images, main = critique.images, critique.maps[: len(self.blocks) + 1]
        pairs = [(self.decode(main[-1]), images)]
        if self.decode_quadrant is not None:
            pairs.append((self.decode_quadrant(quarter(main[-2], quadrant)), quarter(images, quadrant)))
        if self.decode_small is not None:
            pairs.append((self.decode_small(critique.maps[-1]), images))
        return [(made, interpolate(wanted, made.shape[2:], mode="nearest")) for made, wanted in pairs]


class Halving(nn.Module):
    """Maps of half the size: the mean of two strided convolutions and of a mean with a 1x1 one."""

    def __init__(self, channels: int, wanted: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            *strided(channels, wanted),
            nn.Conv2d(wanted, wanted, 3, padding=1, bias=False),
            nn.BatchNorm2d(wanted),
            nn.LeakyReLU(0.2),
        )
        self.direct = nn.Sequential(
            nn.AvgPool2d(2), nn.Conv2d(channels, wanted, 1, bias=False), nn.BatchNorm2d(wanted), nn.LeakyReLU(0.2)
        )

    def forward(self, maps: Tensor) -> Tensor:
        halved: Tensor = (self.main(maps) + self.direct(maps)) / 2
        return halved


def strided(channels: int, wanted: int, normalised: bool = True) -> list[nn.Module]:
    """A 4x4 convolution that halves, with BatchNorm but for the first of a branch."""
    conv = nn.Conv2d(channels, wanted, 4, 2, 1, bias=False)
    return [conv, *([nn.BatchNorm2d(wanted)] if normalised else []), nn.LeakyReLU(0.2)]


def stem(colours: int, channels: int, halvings: int) -> nn.Sequential:
    """To `channels` by so many halvings, each of twice as many channels; by none, a 3x3 convolution."""
    if not halvings:
        return nn.Sequential(nn.Conv2d(colours, channels, 3, padding=1, bias=False), nn.LeakyReLU(0.2))
    widths = [colours, *(max(channels >> back, 1) for back in reversed(range(halvings)))]
    layers = (strided(widths[step], widths[step + 1], step > 0) for step in range(halvings))
    return nn.Sequential(*(layer for each in layers for layer in each))


def decoder(channels: int, colours: int, width: int, doublings: int) -> nn.Sequential:
    """Maps to images in [-1, 1] of 2^doublings times their size."""
    layers: list[nn.Module] = []
    for share in DECODED[:doublings]:
        wanted = max(int(width * share), 1)
        layers += [
            nn.Upsample(scale_factor=2.0, mode="nearest"),
            nn.Conv2d(channels, 2 * wanted, 3, padding=1, bias=False),
            nn.BatchNorm2d(2 * wanted),
            nn.GLU(1),
        ]
        channels = wanted
    return nn.Sequential(*layers, nn.Conv2d(channels, colours, 3, padding=1, bias=False), nn.Tanh())


def quarter(maps: Tensor, quadrant: Tensor) -> Tensor:
    """(N, C, H, W) to (N, C, H / 2, W / 2): of each the quadrant (N,), 0 to 3, row by row."""
    count, channels, height, width = maps.shape
    parts = maps.view(count, channels, 2, height // 2, 2, width // 2).permute(0, 2, 4, 1, 3, 5).flatten(1, 2)
    return parts[torch.arange(count, device=maps.device), quadrant]
