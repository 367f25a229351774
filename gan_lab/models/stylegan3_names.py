"""What the weights of StyleGAN3's published networks are called here; they lie as they do here.

A layer's name tells its place, the samples of a side and the channels of its maps (`L3_52_512`), so that it also tells
whether margins and rates are those of this package. Filters are designed, not learned: they are compared with ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from gan_lab.models.stylegan2_names import OF_MAPPING, Weights, first_renamed

OF_GENERATOR = (
    *OF_MAPPING,
    (r"^mapping\.w_avg$", "mapping.average"),
    (r"^synthesis\.input\.freqs$", "synthesis.input.frequencies"),
    (r"^synthesis\.L(\d+)_\d+_\d+\.(weight|affine\.)", r"synthesis.layers.\1.conv.\2"),
    (r"^synthesis\.L(\d+)_\d+_\d+\.magnitude_ema$", r"synthesis.layers.\1.magnitude"),
    (r"^synthesis\.L(\d+)_\d+_\d+\.bias$", r"synthesis.layers.\1.bias"),
)
FILTERS = ("up_filter", "down_filter")


def generator_names(weights: Weights) -> dict[str, str]:
    """`{their name: ours}` of a generator; a name that neither has a meaning here nor is a filter is left as it is."""
    kept = [name for name in weights if name.rpartition(".")[2] not in FILTERS]
    return {name: re.sub(r"conv\.weight$", "conv.conv.weight", first_renamed(name, OF_GENERATOR)) for name in kept}


def layer_names(weights: Weights) -> list[str]:
    """`L0_36_512` and so on, in their order."""
    found = {match[1] for name in weights if (match := re.match(r"synthesis\.(L\d{1,3}_\d{1,5}_\d{1,5})\.", name))}
    return sorted(found, key=lambda name: int(name[1:].partition("_")[0]))


def require_layers(weights: Weights, wanted: Mapping[str, Sequence[Tensor]]) -> None:
    """Raise ValueError for layers of other names, or a filter that is not that of its layer."""
    there = layer_names(weights)
    for place, name in enumerate(wanted):
        if there[place : place + 1] != [name]:
            has = there[place] if place < len(there) else "no such layer"
            raise ValueError(f"has {has} where a StyleGAN3 of its size and channels has {name}")
    for layer, pair in wanted.items():
        for kind, ours in zip(FILTERS, pair, strict=False):
            theirs = weights.get(f"synthesis.{layer}.{kind}")
            if theirs is not None and not (
                theirs.shape == ours.shape and torch.allclose(theirs.float(), ours, atol=1e-4)
            ):
                raise ValueError(f"synthesis.{layer}.{kind} is not the filter that such a layer has here")
