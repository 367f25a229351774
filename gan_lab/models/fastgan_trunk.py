"""From latents to maps as FastGAN does (Liu et al. 2021, arXiv:2101.04775, section 3.1): few convolutions, gated linear
units, and small maps that say how much each channel of large ones counts. What generators of this kind share.

Every doubling is a block of one convolution, or of two with noise before their BatchNorm; a map is excited by the one
of a 16th of its sides. No convolution has a bias. `width` channels at 128 pixels, as many as 16 times that at 4.
With a `condition`, a vector for each sample, it says scale and shift of every BatchNorm but the first.
Deviation: images below 64 pixels have no map of a 16th, so their largest is excited by the smallest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from gan_lab.layers.conditional_norm import VectorNorm
from gan_lab.layers.first_map import first_map
from gan_lab.layers.latent_weights import of_layer
from gan_lab.layers.noise import Noise
from gan_lab.layers.skip_excitation import SkipExcitation

SHARES = (16, 8, 4, 2, 2, 1, 0.5, 0.25, 0.125)  # of `width`: the channels of 4, 8, 16, ..., 1024 pixels
REACH = 4  # doublings between a map and the one that excites it
EXCITED = 7  # doublings of the largest map that is: 512 pixels


class Trunk(nn.Module):
    """Latents (N, D) to the largest map: what generators of this kind share. `noisy` says of a doubling, from 1 on,
    whether it is two convolutions with noise; `condition_dim`: numbers of a condition, 0: there is none. Raises
    ValueError for an image size that does not halve down to a first map of 4 to 7 pixels, and for more than 8
    halvings."""

    def __init__(
        self,
        image_shape: Sequence[int],
        latent_dim: int,
        width: int,
        noisy: Callable[[int], bool],
        condition_dim: int = 0,
    ) -> None:
        super().__init__()
        doublings, rows, columns = first_map(image_shape)
        channels = channels_of(width, doublings)
        self.first = nn.Sequential(
            nn.ConvTranspose2d(latent_dim, 2 * channels[0], (rows, columns), bias=False),
            nn.BatchNorm2d(2 * channels[0]),
            nn.GLU(1),
        )
        self.blocks = nn.ModuleList(
            Block(channels[step - 1], channels[step], rows << step, columns << step, noisy(step), condition_dim)
            for step in range(1, doublings + 1)
        )
        self.reach = min(REACH, doublings)
        excited = range(self.reach, min(doublings, EXCITED) + 1)
        self.excitations = nn.ModuleDict(
            {str(step): SkipExcitation(channels[step - self.reach], channels[step]) for step in excited}
        )
        self.channels = channels[-1]

    def latent_weights(self) -> list[Tensor]:
        """See `gan_lab.layers.latent_weights`."""
        return [of_layer(*self.first[:2])]

    def largest(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        """The map (N, channels, H, W) of latents and conditions (N, condition_dim)."""
        maps: list[Tensor] = [self.first(latent[:, :, None, None])]
        for step, grow in enumerate(self.blocks, 1):
            grown = grow(maps[-1], condition)
            if str(step) in self.excitations:
                grown = self.excitations[str(step)](maps[step - self.reach], grown)
            maps.append(grown)
        return maps[-1]


def channels_of(width: int, doublings: int) -> list[int]:
    """The channels of the first map and after each doubling. Raises ValueError where that is further than is known."""
    if width < 1:
        raise ValueError(f"width must be at least 1, not {width}")
    if doublings >= len(SHARES):
        raise ValueError(f"an image of {doublings} doublings is larger than the largest known, of {len(SHARES) - 1}")
    return [max(int(width * share), 1) for share in SHARES[: doublings + 1]]


class Block(nn.Sequential):
    """Twice as large by nearest neighbours, then a convolution, or two with noise."""

    def __init__(
        self, channels: int, wanted: int, rows: int, columns: int, noisy: bool, condition_dim: int = 0
    ) -> None:
        layers: list[nn.Module] = [nn.Upsample(scale_factor=2.0, mode="nearest")]
        for given in (channels, wanted) if noisy else (channels,):
            layers.append(nn.Conv2d(given, 2 * wanted, 3, padding=1, bias=False))
            if noisy:
                layers.append(Noise(rows, columns))
            layers += [norm(2 * wanted, condition_dim), nn.GLU(1)]
        super().__init__(*layers)

    def forward(self, input: Tensor, condition: Tensor | None = None) -> Tensor:
        maps = input
        for layer in self:
            maps = layer(maps, condition) if isinstance(layer, VectorNorm) else layer(maps)
        return maps


def norm(channels: int, condition_dim: int) -> nn.Module:
    return VectorNorm(channels, condition_dim, bias=True) if condition_dim else nn.BatchNorm2d(channels)


def initialise(module: nn.Module) -> None:
    """Weights N(0, 0.02), BatchNorm's scales N(1, 0.02)."""
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d) and module.affine:
        nn.init.normal_(module.weight, 1.0, 0.02)
