"""Normalisation of translation networks: over a batch in training, over each image by itself in use."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from gan_lab.errors import ConfigError
from gan_lab.layers.instance_norm import InstanceNorm2d, instance_norm


class BatchNormByImage(nn.BatchNorm2d):
    """BatchNorm without running statistics: in evaluation each image is normalised by its own, as if it were a batch of
    one, which is how pix2pix is used (Isola et al. 2016, arXiv:1611.07004, section 3.4)."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, track_running_stats=False)

    def forward(self, features: Tensor) -> Tensor:
        if self.training:
            return super().forward(features)
        return instance_norm(features, self.weight, self.bias, self.eps)


NORMALIZATIONS: dict[str, Callable[[int], nn.Module]] = {
    "batch": BatchNormByImage,
    "instance": InstanceNorm2d,  # no weights and no running statistics
    "none": lambda channels: nn.Identity(),
}


def normalization_of(name: str) -> Callable[[int], nn.Module]:
    """What normalises so many channels. Raises ConfigError for a name that is not one of NORMALIZATIONS."""
    if name not in NORMALIZATIONS:
        raise ConfigError(f"normalization must be one of {', '.join(NORMALIZATIONS)}, not {name!r}")
    return NORMALIZATIONS[name]
