"""Conditioning augmentation for a generator that was built without."""

from __future__ import annotations

from torch import nn

from gan_lab.text.conditioning import ConditioningAugmentation
from gan_lab.text.encoder import CaptionReader
from gan_lab.wrappers.base import Build


def draw_condition(build: Build) -> nn.Module:
    """The network that `build` makes, told draws from around its captions' embeddings
    (`gan_lab.text.conditioning.ConditioningAugmentation`). Raises ValueError for one that reads no captions."""
    network = build()
    if not isinstance(network, CaptionReader):
        raise ValueError("the network inside reads no captions (model=gan_cls)")
    network.encoder = ConditioningAugmentation(network.encoder)
    return network
