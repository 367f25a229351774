"""What the weights of StyleGAN2-ADA's published networks are called here, and how they lie.

Both store every weight as N(0, 1), or N(0, 1/m^2) under a learning-rate multiplier m, and scale it when it is used: so
no number changes. The kernel of a doubling convolution is that of a transposed one, which has its inputs first; the
constant map has its channels last here, and so has what the discriminator's first dense layer sees.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

Weights = Mapping[str, Tensor]
BINOMIAL = (1.0, 3.0, 3.0, 1.0)
OF_MAPPING = (
    (r"mapping\.embed\.(weight|bias)", r"mapping.of_label.\1"),
    (r"mapping\.fc(\d+)\.(weight|bias)", r"mapping.layers.\1.\2"),
)
OF_GENERATOR = (
    *OF_MAPPING,
    (r"mapping\.w_avg", "mapping.average"),
    (r"synthesis\.b@\.const", "synthesis.start"),
    (r"synthesis\.b(@)\.conv0\.", r"synthesis.blocks.\1.up."),
    (r"synthesis\.b(@)\.conv1\.", r"synthesis.blocks.\1.layer."),
    (r"synthesis\.b(@)\.torgb\.", r"synthesis.blocks.\1.to_image."),
    (r"synthesis\.b(@)\.skip\.weight", r"synthesis.blocks.\1.shortcut.0.weight"),
)
OF_LAYER = (
    (r"\.(up|layer|to_image)\.weight", r".\1.conv.conv.weight"),
    (r"\.(up|layer|to_image)\.affine\.(weight|bias)", r".\1.conv.affine.\2"),
    (r"\.noise_strength", ".noise.strength"),
    (r"\.noise_const", ".noise.picture"),
)
OF_DISCRIMINATOR = (
    *OF_MAPPING,
    (r"b(@)\.fromrgb\.(weight|bias)", r"blocks.\1.of_image.conv.\2"),
    (r"b(@)\.conv0\.(weight|bias)", r"blocks.\1.layer.conv.\2"),
    (r"b(@)\.conv1\.(weight|bias)", r"blocks.\1.down.conv.1.\2"),
    (r"b(@)\.skip\.weight", r"blocks.\1.shortcut.1.weight"),
    (r"b\d+\.conv\.(weight|bias)", r"layer.conv.\1"),
    (r"b\d+\.fc\.(weight|bias)", r"dense.\1"),
    (r"b\d+\.out\.(weight|bias)", r"to_score.\1"),
)


def resolutions(weights: Weights) -> list[int]:
    """Of the blocks, smallest first."""
    found = (re.match(r"(?:synthesis\.)?b(\d{1,5})\.", name) for name in weights)
    return sorted({int(match[1]) for match in found if match})


def generator_names(weights: Weights) -> dict[str, str]:
    """`{their name: ours}` of a generator; a name that neither has a meaning here nor is a filter is left as it is."""
    places = {size: index for index, size in enumerate(resolutions(weights))}
    renamed = _renamed(weights, OF_GENERATOR, places)
    return {theirs: first_renamed(ours, OF_LAYER) for theirs, ours in renamed.items()}


def discriminator_names(weights: Weights) -> dict[str, str]:
    """The same of a discriminator, whose blocks begin with the largest; the last map sees the image too in `skip`."""
    sizes = resolutions(weights)
    places = {size: index for index, size in enumerate(reversed(sizes))}
    renamed = _renamed(weights, OF_DISCRIMINATOR, places)
    last = f"blocks.{len(sizes) - 1}.of_image."
    return {theirs: ours.replace(last, "of_image.") for theirs, ours in renamed.items()}


def _renamed(weights: Weights, rules: tuple[tuple[str, str], ...], places: Mapping[int, int]) -> dict[str, str]:
    renamed = {}
    for name, value in weights.items():
        if name.rpartition(".")[2] == "resample_filter":
            _require_binomial(name, value)
            continue
        placed = re.sub(r"\bb(\d{1,5})\.", lambda match: f"b{places[int(match[1])]}.", name, count=1)
        renamed[name] = first_renamed(placed, tuple((pattern.replace("@", r"\d+"), by) for pattern, by in rules))
    return renamed


def first_renamed(name: str, rules: tuple[tuple[str, str], ...]) -> str:
    """The name after the first rule that is for it."""
    return next((re.sub(pattern, by, name) for pattern, by in rules if re.search(pattern, name)), name)


def _require_binomial(name: str, kernel: Tensor) -> None:
    """Raise ValueError for another filter than [1, 3, 3, 1], which is the one that there is here."""
    line = torch.tensor(BINOMIAL) / sum(BINOMIAL)
    if kernel.shape != (4, 4) or not torch.allclose(kernel.float(), torch.outer(line, line), atol=1e-4):
        raise ValueError(f"{name} is not the filter [1, 3, 3, 1], the one that these networks resample by here")


def generator_weights(weights: Weights) -> dict[str, Tensor]:
    """Weights of a published generator by our names, as they lie here."""
    return {ours: _turned(ours, weights[theirs]) for theirs, ours in generator_names(weights).items()}


def discriminator_weights(weights: Weights, height: int, width: int) -> dict[str, Tensor]:
    """Weights of a published discriminator, whose last map has so many rows and columns."""
    named = {ours: weights[theirs] for theirs, ours in discriminator_names(weights).items()}
    dense = named.get("dense.weight")
    if dense is not None and dense.dim() == 2 and dense.shape[1] % (height * width) == 0:
        maps = dense.unflatten(1, (-1, height, width))
        named["dense.weight"] = maps.permute(0, 2, 3, 1).flatten(1)
    return named


def _turned(name: str, value: Tensor) -> Tensor:
    if name == "synthesis.start" and value.dim() == 3:
        return value.permute(1, 2, 0)
    if name.endswith(".up.conv.conv.weight") and value.dim() == 4:
        return value.transpose(0, 1)
    return value
