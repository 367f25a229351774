"""StyleGAN3 (Karras et al. 2021, arXiv:2106.12423), T and R: what the image shows moves with the image's contents, and
does not stick to pixels.

Styles scale the kernels as in StyleGAN2, but maps are signals: they start as waves (`fourier_features`), every layer
has a band that grows from the first to the last and a grid that holds it, a margin of samples beyond the image, and an
activation that makes no alias (`alias_free`). There is no noise, no mixing, and no path length. T convolves by
3x3 and follows shifts; R (`radial`) by 1x1 and, but in the last layers, with filters that are the same in all
directions, and follows turns as well; it has twice the channels. The discriminator is StyleGAN2's.

The maps of a layer whose band ends at f cycles have `width` channels, or `width * full / 2f` where those are fewer: 512
and 64 are the authors'. Square images of a power of two from 16 pixels on.

Deviations: scales and kernels are not normalised beforehand, which demodulation cancels and only fp16 needs; the
averages of what maps measure and of styles count both passes of a round, not the discriminator's alone, and are as much
slower; values are clamped in bf16 alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from gan_lab.distributed.world import world
from gan_lab.layers.alias_free import AliasFreeActivation, lowpass, radial_lowpass
from gan_lab.layers.fourier_features import FourierFeatures
from gan_lab.layers.mapping import Mapping
from gan_lab.layers.modulated_convolution import ModulatedConv2d
from gan_lab.layers.reduced_precision import precision_of
from gan_lab.models.style_generator import StyleGenerator
from gan_lab.models.stylegan2_names import Weights
from gan_lab.models.stylegan2_synthesis import GAIN, LEAK, clamped
from gan_lab.models.stylegan3_names import generator_names, require_layers

LAYERS, CRITICAL = 14, 2  # and of them those at the end whose band is all that the image can hold
MARGIN = 10  # samples on each side
FIRST_BAND, FIRST_STOP, LAST_STOP = 2.0, 2**2.1, 2**0.3  # cycles; cycles; of half the image's pixels
TAPS = 6  # of a filter, times the steps of the grid
LOUD = 0.25  # of the image
SMALLEST = 16


class Signal(NamedTuple):
    """What the maps behind a layer can hold: `band` cycles to the side of the image, fading over twice `half`, sampled
    `rate` times; `size` samples with the margin, `channels` maps."""

    band: float
    half: float
    rate: int
    size: int
    channels: int


def signals(pixels: int, channels: int, width: int, full: int) -> list[Signal]:
    """Of the 14 layers and the image (appendix C, and its figure of the layers)."""
    found = []
    for index in range(LAYERS + 1):
        share = min(index / (LAYERS - CRITICAL), 1)
        band = FIRST_BAND * (pixels / 2 / FIRST_BAND) ** share
        stop = FIRST_STOP * (pixels / 2 * LAST_STOP / FIRST_STOP) ** share
        rate = 2 ** math.ceil(math.log2(min(2 * stop, pixels)))
        size = pixels if index >= LAYERS - 1 else rate + 2 * MARGIN
        count = channels if index == LAYERS else max(round(min(width * full / 2 / band, width)), 1)
        found.append(Signal(band, max(stop, rate / 2) - band, rate, size, count))
    return found


class Layer(nn.Module):
    """From one signal to the next: the maps divided by what they measure on average, a modulated convolution, a bias,
    an activation without alias; `last`: 1x1 to the image, without demodulation and activation.

    The average of squares starts at 1 and is half forgotten after `half_life` images, in training.
    """

    magnitude: Tensor

    def __init__(
        self,
        before: Signal,
        after: Signal,
        style_dim: int,
        size: int,
        radial: bool,
        last: bool,
        reduced: bool,
        clamp: float | None,
        half_life: float,
    ) -> None:
        super().__init__()
        self.reduced, self.clamp, self.half_life = reduced, clamp, half_life
        self.conv = ModulatedConv2d(
            before.channels, after.channels, size, style_dim, demodulate=not last, padding=size - 1
        )
        self.bias = nn.Parameter(torch.zeros(after.channels))
        self.register_buffer("magnitude", torch.ones(()))
        self.activation = None if last else activation(before, after, before.size + size - 1, radial)

    def forward(self, maps: Tensor, style: Tensor) -> Tensor:
        with precision_of(maps.device, self.reduced):
            maps = maps if self.reduced else maps.to(style.dtype)
            if self.training:
                self._follow(maps.detach())
            gain, shift = self.magnitude.rsqrt(), self.bias[:, None, None]
            if self.activation is None:
                return clamped(self.conv(maps * gain.to(maps.dtype), style, shift), self.clamp)
            maps = self.activation(self.conv(maps, style, shift, gain))
            return clamped(maps, self.clamp)

    @torch.no_grad()
    def _follow(self, maps: Tensor) -> None:
        there = world().mean(maps.float().square().mean())
        self.magnitude.lerp_(there, 1 - 0.5 ** (len(maps) * world().size / self.half_life))


def activation(before: Signal, after: Signal, size: int, radial: bool) -> AliasFreeActivation:
    """At twice the higher of the two rates, between maps of `size` samples and those of the next layer."""
    up, down = steps(before, after)
    rise, fall = filters(before, after, radial)
    return AliasFreeActivation(size, after.size, up, rise, down, fall, LEAK, GAIN)


def steps(before: Signal, after: Signal) -> tuple[int, int]:
    """How many samples twice the higher rate has for one of each."""
    rate = 2 * max(before.rate, after.rate)
    return rate // before.rate, rate // after.rate


def filters(before: Signal, after: Signal, radial: bool) -> tuple[Tensor, Tensor]:
    """What maps are enlarged by, and what they are made smaller by, in all directions alike if `radial`."""
    rate = 2 * max(before.rate, after.rate)
    up, down = steps(before, after)
    design = radial_lowpass if radial else lowpass
    rise = lowpass(TAPS * up, before.band, 2 * before.half, rate)
    return rise, design(TAPS * down, after.band, 2 * after.half, rate)


def layers_of(found: Sequence[Signal], radial: bool) -> dict[str, tuple[Tensor, ...]]:
    """The authors' name of each layer, which tells its size and channels, and its two filters; the last has none."""
    called: dict[str, tuple[Tensor, ...]] = {}
    for index, after in enumerate(found):
        pair = filters(found[max(index - 1, 0)], after, radial and index < LAYERS - CRITICAL)
        called[f"L{index}_{after.size}_{after.channels}"] = pair if index < LAYERS else ()
    return called


class Synthesis(nn.Module):
    """Styles (N, num_ws, D) to images (N, C, H, H): the first style is the input's, the last the image's."""

    def __init__(
        self,
        found: Sequence[Signal],
        style_dim: int,
        radial: bool,
        reduced: int,
        clamp: float | None,
        half_life: float,
    ) -> None:
        super().__init__()
        first = found[0]
        self.input = FourierFeatures(first.channels, first.size, first.rate, first.band, style_dim)
        self.layers = nn.ModuleList(
            Layer(
                found[max(index - 1, 0)],
                after,
                style_dim,
                size=1 if radial or index == LAYERS else 3,
                radial=radial and index < LAYERS - CRITICAL,
                last=index == LAYERS,
                reduced=after.rate * 2**reduced > found[-1].size,
                clamp=clamp,
                half_life=half_life,
            )
            for index, after in enumerate(found)
        )
        self.num_ws = len(self.layers) + 1

    @property
    def recomputed(self) -> list[nn.Module]:
        """What `activation_checkpointing` computes again: the enlarged maps of a layer are most of the memory."""
        return list(self.layers)

    def style_weights(self) -> list[Tensor]:
        """Of each style `(rows, D)`: the waves' shift and turn, then the layers."""
        readers = [self.input, *(layer.conv for layer in self.layers)]
        return [reader.affine.matrix() for reader in readers]  # type: ignore[union-attr, operator]

    def forward(self, styles: Tensor) -> Tensor:
        maps = self.input(styles[:, 0])
        for layer, style in zip(self.layers, styles[:, 1:].unbind(1), strict=True):
            maps = layer(maps, style)
        images: Tensor = maps.to(styles.dtype) * LOUD
        return images


class Generator(StyleGenerator):
    """Latents (N, D) and labels (N,), if there are classes, to images (N, C, H, H): `synthesise(style(z, label))`.

    `depth`: layers of the mapping network. `style_decay`: of the average style. `reduced`: of how many of the highest
    rates layers may compute in bf16. `half_life`: images after which a layer has half forgotten what its maps measured.

    Raises ValueError for images that are not square with a power of two from 16 on, and for a `width` or a `full` below
    1.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        latent_dim: int,
        width: int = 512,
        full: int = 64,
        style_dim: int = 512,
        depth: int = 2,
        num_classes: int | None = None,
        radial: bool = False,
        reduced: int = 4,
        clamp: float | None = 256.0,
        style_decay: float = 0.999,
        half_life: float = 40_000.0,
    ) -> None:
        super().__init__()
        height, side = image_shape[1:]
        if height != side or side < SMALLEST or side & (side - 1):
            raise ValueError(
                f"images are {height}x{side}; StyleGAN3 makes squares of {SMALLEST}, 32, 64, ... pixels: choose "
                "another dataset.image_shape"
            )
        if width < 1 or full < 1:
            raise ValueError(f"width and full must be at least 1, not {width} and {full}")
        if half_life <= 0:
            raise ValueError(f"half_life must be above 0, not {half_life}")
        self.num_classes = num_classes or 0
        self.radial = radial
        self.mapping = Mapping(latent_dim, style_dim, depth, self.num_classes, decay=style_decay)
        self.signals = signals(image_shape[1], image_shape[0], width * (1 + radial), full)
        self.synthesis = Synthesis(self.signals, style_dim, radial, reduced, clamp, half_life)
        self.num_ws = self.synthesis.num_ws

    def style(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        """Styles (N, num_ws, style_dim), the same for each layer."""
        styles: Tensor = self.mapping(latent, label)
        return styles[:, None].expand(-1, self.num_ws, -1)

    def published_names(self, weights: Weights) -> Weights:
        """Weights by the names that they have here, where they have those of the authors' files. Raises ValueError for
        layers, or filters, that this network does not have."""
        if "synthesis.input.freqs" not in weights:
            return weights
        require_layers(weights, layers_of(self.signals, self.radial))
        return {ours: weights[theirs] for theirs, ours in generator_names(weights).items()}
