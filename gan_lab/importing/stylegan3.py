"""What settings of `model=stylegan3` a published StyleGAN3 has: read from the names and shapes of its weights.

R, too, becomes `model=stylegan3`, with `radial`: the blur of `model=stylegan3_r` is for the beginning of a training.
"""

from __future__ import annotations

import math
import re
from typing import Any

from gan_lab.errors import GanLabError
from gan_lab.importing.stylegan2 import HALF_LIFE, MOST, Shapes, discriminator_settings, mapping_settings
from gan_lab.models.stylegan3 import LAYERS, SMALLEST, signals
from gan_lab.models.stylegan3_names import layer_names
from gan_lab.storage.network_pickle import Networks


def settings_of(found: Networks) -> dict[str, Any]:
    """Dotted keys of the configuration and their values. Raises GanLabError naming the tensor that is missing or of a
    shape that no StyleGAN3 has."""
    generator = found.of("generator")
    assert generator is not None
    shapes = Shapes(generator, f"{found.path}: {next(iter(found.weights))}", "StyleGAN3")
    kernels = [shapes.of(f"synthesis.{name}.weight", 4) for name in layer_names(generator)]
    if len(kernels) != LAYERS + 1:
        raise GanLabError(f"{shapes.where} has {len(kernels)} layers, not {LAYERS + 1} as a StyleGAN3")
    pixels = pixels_of(layer_names(generator)[-1], shapes.where)
    radial = kernels[0][2] == 1
    width, full = width_and_full([kernel[0] for kernel in kernels[:-1]], pixels, radial, shapes.where)
    return {
        "dataset.image_shape": [kernels[-1][0], pixels, pixels],
        "algorithm.ema.half_life": HALF_LIFE,
        "model.generator.width": width,
        "model.generator.full": full,
        "model.generator.style_dim": shapes.of("synthesis.input.affine.weight", 2)[1],
        "model.generator.radial": radial,
        **mapping_settings(shapes),
        **discriminator_settings(found),
    }


def pixels_of(layer: str, where: str) -> int:
    """Of a side of the image, by the name of the last layer."""
    pixels = int(re.split("_", layer)[1])
    if not SMALLEST <= pixels <= MOST or pixels & (pixels - 1):
        raise GanLabError(f"{where} makes images of {pixels} pixels ({layer}); here they are 16, 32, 64, ... {MOST}")
    return pixels


def width_and_full(channels: list[int], pixels: int, radial: bool, where: str) -> tuple[int, int]:
    """The settings that make so many channels, of each layer. Raises GanLabError where none do."""
    most = channels[0]
    width = most // (1 + radial)
    bands = [signal.band for signal in signals(pixels, 1, most, pixels)]
    pairs = list(zip(channels, bands, strict=False))
    least = max((count - 0.5) * 2 * band / most for count, band in pairs)
    near = 2 ** math.ceil(math.log2(max(least, 1)))
    for full in (near, math.ceil(least)):
        if width and [signal.channels for signal in signals(pixels, 1, width * (1 + radial), full)][:-1] == channels:
            return width, full
    raise GanLabError(f"{where} has {channels} channels, which do not shrink with the band as they do here")
