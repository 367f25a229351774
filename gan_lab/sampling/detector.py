"""What a trained run says of pictures: how unlike those it was trained on they are, and what it makes of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from gan_lab.engine.engine import Engine
from gan_lab.engine.tf32 import without_tf32


class Detected(NamedTuple):
    """Of pictures: `scores` `(n,)`, larger = more anomalous, and what the networks `made` of them `(n, C, H, W)` in
    [-1, 1]; on the CPU."""

    scores: Tensor
    made: Tensor


class Detector(ABC):
    """Networks in evaluation mode, so that a picture's score depends on the picture alone: BatchNorm has the statistics
    of training, not those of whatever is tested with it. (GANomaly's code leaves it in training mode, and its scores
    change with the order of the pictures.) Where a network looks at a batch as a whole, pictures go through it one by
    one."""

    AT_ONCE: ClassVar[int] = 64  # pictures

    def __init__(self, networks: Mapping[str, nn.Module], engine: Engine) -> None:
        self.networks, self.engine = networks, engine
        modules = [module for network in networks.values() for module in network.modules()]
        self.at_once = 1 if any(getattr(each, "couples_images", False) for each in modules) else self.AT_ONCE

    @abstractmethod
    def compare(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """The scores of some pictures, and what is made of them, on the device."""

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Detected:
        """Of pictures `(n, C, H, W)` in [-1, 1]."""
        for network in self.networks.values():
            network.eval()
        scores, made = [], []
        for part in images.split(self.at_once):
            with without_tf32():
                found = self.compare(part.to(self.engine.device))
            scores.append(found[0].float().cpu())
            made.append(found[1].float().cpu().contiguous().clamp(-1, 1))
        return Detected(torch.cat(scores), torch.cat(made))

    def panel(self, images: Tensor) -> dict[str, Tensor]:
        """Pictures, what is made of them, and where the two differ."""
        made = self(images).made
        return {"input": images.cpu(), "made": made, "residual": residual(images.cpu(), made)}


def residual(images: Tensor, made: Tensor) -> Tensor:
    """How far apart two pictures are at each place, the mean over channels, `(n, 1, H, W)` in [-1, 1]: -1 is equal, 1
    as black and white are."""
    return (images - made).abs().mean(1, keepdim=True) - 1
