"""What settings of `model=stylegan2` a published StyleGAN2 has: read from the shapes of its weights."""

from __future__ import annotations

import re
from typing import Any

from torch import Tensor

from gan_lab.errors import GanLabError
from gan_lab.layers.first_map import FirstMap, channels_of, first_map
from gan_lab.models.stylegan2_names import Weights, resolutions
from gan_lab.storage.network_pickle import Networks

MOST = 4096  # pixels of a side
HALF_LIFE = 10_000.0  # images: the average is there already, and need not forget its beginning quickly


def settings_of(found: Networks) -> dict[str, Any]:
    """Dotted keys of the configuration and their values. Raises GanLabError naming the tensor that is missing or of a
    shape that no StyleGAN2 has."""
    generator = found.of("generator")
    assert generator is not None
    shapes = Shapes(generator, f"{found.path}: {next(iter(found.weights))}")
    sizes = shapes.sizes("synthesis.b{}.conv1.weight")
    channels, start = shapes.first("synthesis.b{}.conv1.weight", sizes), shapes.of(f"synthesis.b{sizes[0]}.const", 3)
    last = shapes.of(f"synthesis.b{sizes[-1]}.torgb.weight", 4)
    image = [last[0], start[1] << len(sizes) - 1, start[2] << len(sizes) - 1]
    require_first_map(image, FirstMap(len(sizes) - 1, start[1], start[2]), shapes.where)
    width, full = width_and_full(channels, shapes.where)
    return {
        "dataset.image_shape": image,
        "algorithm.ema.half_life": HALF_LIFE,
        "model.generator.width": width,
        "model.generator.full": full,
        "model.generator.style_dim": shapes.of(f"synthesis.b{sizes[0]}.conv1.affine.weight", 2)[1],
        "model.generator.architecture": architecture(
            shapes, "synthesis.b{}.torgb.weight", "synthesis.b{}.skip.weight", sizes
        ),
        "model.generator.noise": "random" if any("noise_strength" in name for name in generator) else "none",
        **mapping_settings(shapes),
        **discriminator_settings(found),
    }


def mapping_settings(shapes: Shapes) -> dict[str, Any]:
    """Of a generator's mapping network, from latents and classes, if there are any."""
    classes = shapes.classes()
    embedded = shapes.of("mapping.embed.weight", 2)[0] if classes else 0
    return {
        "algorithm.latent.dim": shapes.of("mapping.fc0.weight", 2)[1] - embedded,
        "model.generator.depth": sum(bool(re.fullmatch(r"mapping\.fc\d+\.weight", name)) for name in shapes.weights),
        "model.generator.num_classes": classes,
        "model.discriminator.num_classes": classes,
        **({"dataset.num_classes": classes} if classes else {}),
    }


def discriminator_settings(found: Networks) -> dict[str, Any]:
    """The same of the discriminator; none where the file has no discriminator."""
    weights = found.of("discriminator")
    if weights is None:
        return {}
    shapes = Shapes(weights, f"{found.path}: D")
    sizes = resolutions(weights)
    blocks = shapes.sizes("b{}.conv0.weight")
    channels = [shapes.of(f"b{sizes[0]}.conv.weight", 4)[0], *shapes.first("b{}.conv0.weight", blocks)]
    width, full = width_and_full(channels, shapes.where)
    group = found.argument("D", "epilogue_kwargs", "mbstd_group_size")
    return {
        "model.discriminator.width": width,
        "model.discriminator.full": full,
        "model.discriminator.num_classes": shapes.classes(),
        "model.discriminator.architecture": architecture(shapes, "b{}.fromrgb.weight", "b{}.skip.weight", sizes),
        **({"model.discriminator.group": group} if type(group) is int and group > 1 else {}),
    }


class Shapes:
    """The shapes of a network's weights, and which network of which file it is, and what kind it is to be."""

    def __init__(self, weights: Weights, where: str, kind: str = "StyleGAN2") -> None:
        self.weights = weights
        self.where = where
        self.kind = kind

    def of(self, name: str, dims: int) -> tuple[int, ...]:
        """The shape of a tensor of so many dimensions. Raises GanLabError where there is none."""
        value: Tensor | None = self.weights.get(name)
        if value is None:
            raise GanLabError(f"{self.where} has no {name}, which a {self.kind} has")
        if value.dim() != dims or not value.numel():
            raise GanLabError(
                f"{self.where}: {name} is {'x'.join(map(str, value.shape)) or 'one number'}, not of a {self.kind}"
            )
        return tuple(value.shape)

    def sizes(self, pattern: str) -> list[int]:
        """The resolutions that have a tensor, smallest first. Raises GanLabError where each is not twice the one before
        it."""
        found = [size for size in resolutions(self.weights) if pattern.format(size) in self.weights]
        if not found or found[-1] > MOST or found != [found[0] << index for index in range(len(found))]:
            raise GanLabError(f"{self.where} has {pattern.format('N')} for N = {found or 'no size'}: no StyleGAN2")
        return found

    def first(self, pattern: str, sizes: list[int]) -> list[int]:
        """How many channels each of those tensors makes."""
        return [self.of(pattern.format(size), 4)[0] for size in sizes]

    def classes(self) -> int:
        """How many there are, 0 for a network that takes no labels."""
        return self.of("mapping.embed.weight", 2)[1] if "mapping.embed.weight" in self.weights else 0


def architecture(shapes: Shapes, image: str, shortcut: str, sizes: list[int]) -> str:
    """`skip` where every resolution has to do with the image, `resnet` where blocks have shortcuts, else `orig`."""
    if all(image.format(size) in shapes.weights for size in sizes):
        return "skip"
    return "resnet" if any(shortcut.format(size) in shapes.weights for size in sizes) else "orig"


def width_and_full(channels: list[int], where: str) -> tuple[int, int]:
    """The settings that make so many channels, of each resolution, smallest first. Raises GanLabError where none do."""
    first = FirstMap(len(channels) - 1, 4, 4)
    for full in (4 << index for index in range(len(channels))):
        for near in {full, *(count * (4 << index) // channels[0] for index, count in enumerate(channels))}:
            if near >= 1 and channels_of(first, channels[0], near) == channels:
                return channels[0], near
    raise GanLabError(f"{where} has {channels} channels, which do not halve with the resolution as they do here")


def require_first_map(image: list[int], wanted: FirstMap, where: str) -> None:
    """Raise GanLabError for a size that begins with another map here."""
    try:
        found = first_map(image)
    except ValueError as error:
        raise GanLabError(f"{where}: {error}") from error
    if found != wanted:
        raise GanLabError(
            f"{where} begins with {wanted.height}x{wanted.width}, images of {image} with another map here"
        )
