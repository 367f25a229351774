"""From images to features: what two sets of images are compared by."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from gan_lab.data.dataset import Dataset

# What else may be done where weights are missing.
NO_DOWNLOAD = "say extractor.weights=FILE, or take extractor=classifier, random or pixels, which need no download"


class Extracted(NamedTuple):
    """Features `(N, D)`, and class probabilities `(N, K)` from an extractor that knows classes; float32, on the CPU."""

    features: Tensor
    probabilities: Tensor | None = None


class Extractor(ABC):
    """`prepare` makes it ready for some data, and is where missing weights are noticed; then it may be called.

    `resizer` says how images come to its size, `identity` (12 hexadecimal digits) tells its weights from others;
    both are part of every figure's card. Calls draw no random numbers and are independent of one another.
    """

    name: str
    resizer: str = "native"
    identity: str = ""
    accuracy: float | None = None  # on held-out images, where it was trained on this data
    knows_classes: bool = False  # the data's own: its probabilities are of them
    classes: int = 0  # how many classes it gives probabilities of
    standard: bool = False  # whether these are the weights and the resizer that published figures are taken with

    @abstractmethod
    def prepare(self, data: Dataset, device: torch.device) -> None:
        """Get ready. Raises GanLabError, in one line with the ways out, where that cannot be done."""

    @abstractmethod
    def __call__(self, images: Tensor) -> Extracted:
        """Of uint8 images `(N, C, H, W)`, or float32 points."""

    def settled(self) -> Extractor:
        """Itself, or the extractor that it has chosen."""
        return self


def identity_of(state: Mapping[str, Tensor]) -> str:
    """12 hexadecimal digits that depend on every number of a state dict."""
    digest = hashlib.sha256()
    for name in sorted(state):
        digest.update(name.encode())
        digest.update(state[name].detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:12]


def resized(images: Tensor, side: int) -> tuple[Tensor, str]:
    """uint8 images as float32 in [-1, 1], made smaller to `side` where they are larger: bilinear, antialiased, in
    floats. Also the resizer's name."""
    floats = images.float().div_(127.5).sub_(1)
    if max(images.shape[-2:]) <= side:
        return floats, "native"
    return interpolate(floats, (side, side), mode="bilinear", antialias=True, align_corners=False), f"bilinear{side}"


def colours(images: Tensor) -> Tensor:
    """Three channels of one or more: gray is repeated, a fourth dropped."""
    return images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images[:, :3]
