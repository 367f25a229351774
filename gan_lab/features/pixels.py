"""The images themselves as features: needs no weights, sees colour and layout and nothing finer."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from gan_lab.config import require_whole
from gan_lab.data.dataset import Dataset
from gan_lab.features.extractor import Extracted, Extractor


class Pixels(Extractor):
    """Averages over `side` x `side` fields as a vector; points in the plane as they are. Values in [-1, 1]."""

    name = "pixels"

    def __init__(self, side: int = 8) -> None:
        require_whole(side, "extractor.side")
        self.side = side

    def prepare(self, data: Dataset, device: torch.device) -> None:
        small = max(data.store.shape[1:]) <= self.side
        self.resizer = "native" if small else f"area{self.side}"
        self.identity = hashlib.sha256(f"pixels {self.resizer}".encode()).hexdigest()[:12]

    def __call__(self, images: Tensor) -> Extracted:
        floats = images if images.is_floating_point() else images.float().div(127.5).sub(1)
        if self.resizer != "native":
            floats = adaptive_avg_pool2d(floats, self.side)
        return Extracted(floats.flatten(1).contiguous())
