"""How far two pictures are apart, to train by: LPIPS, or random features where its weights are not to be had."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, normalize

from gan_lab.errors import ConfigError
from gan_lab.features.lpips import Lpips, weights_are_there
from gan_lab.layers.vgg import RANDOM, VGG

log = logging.getLogger(__name__)

AUTO, LPIPS = "auto", "lpips"
MAPS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3")  # that LPIPS compares
SMALLEST = 16  # pixels, of which VGG16's last map has one


class PerceptualDistance(nn.Module):
    """Pictures `(N, C, H, W)` in [-1, 1], made and wanted, to distances `(N,)`, 0 for equal ones.

    `weights` `lpips`: LPIPS with VGG16 (Zhang et al. 2018, arXiv:1801.03924), whose published weights are downloaded
    where they are not in the data root. `random`: the same without the channels' weights, the mean over LPIPS's layers
    of the squared difference of unit vectors, by a VGG16 with random weights and `width` channels in its first block.
    `auto`: `lpips` where its weights are in the data root, else `random`; `chosen` tells which, and it is said. Gray
    pictures are seen in three channels; where there are other numbers of channels than 1 and 3, each is a gray picture.
    Pictures below 16 pixels are enlarged to nearest neighbours. `key` is what messages call `weights`. Raises
    ConfigError for other `weights`.
    """

    def __init__(self, weights: str = AUTO, width: int = 16, seed: int = 0, key: str = "weights") -> None:
        super().__init__()
        if weights not in (AUTO, LPIPS, RANDOM):
            raise ConfigError(f"{key}: {weights!r} is not one of {AUTO}, {LPIPS}, {RANDOM}")
        if weights == AUTO:
            weights = LPIPS if weights_are_there("vgg") else RANDOM
            told = (
                f"they are not in the data root; {key}={LPIPS} downloads them"
                if weights == RANDOM
                else "they are there"
            )
            log.info("pictures are compared by %s: of LPIPS's weights, %s", weights, told)
        self.chosen: Mapping[str, str] = {"weights": weights}
        self.network = Lpips("vgg") if weights == LPIPS else VGG(MAPS, "vgg16", RANDOM, width=width, seed=seed, key=key)

    def forward(self, made: Tensor, wanted: Tensor) -> Tensor:
        count = len(made)
        made, wanted = _prepared(made), _prepared(wanted)
        apart = self.network(made, wanted) if isinstance(self.network, Lpips) else self._apart(made, wanted)
        return apart.view(count, -1).mean(1)

    def _apart(self, made: Tensor, wanted: Tensor) -> Tensor:
        found = self.network(made)
        with torch.no_grad():
            meant = self.network(wanted)
        terms = [
            (normalize(maps.float(), dim=1) - normalize(meant[name].float(), dim=1)).square().sum(1).mean((1, 2))
            for name, maps in found.items()
        ]
        return torch.stack(terms).mean(0)


def _prepared(pictures: Tensor) -> Tensor:
    """In three channels and not too small: `(N C / 3 or N C, 3, H, W)`."""
    if pictures.shape[1] != 3:
        pictures = pictures.reshape(-1, 1, *pictures.shape[2:]).expand(-1, 3, -1, -1)
    size = [max(side, SMALLEST) for side in pictures.shape[2:]]
    return pictures if size == [*pictures.shape[2:]] else interpolate(pictures, size, mode="nearest")
