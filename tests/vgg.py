"""VGG's weights in torchvision's layout, drawn at random and narrow: what the published ones are to the tests."""

from __future__ import annotations

import os
from pathlib import Path

import torch
from torch import Tensor

FILES = {"vgg16": "vgg16-397923af.pth", "vgg19": "vgg19-dcbb9e9d.pth"}  # as they are called in the data root
CONVOLUTIONS = {
    "vgg16": (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28),
    "vgg19": (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34),
}  # their places among the layers


def random_state(architecture: str, width: int = 2) -> dict[str, Tensor]:
    """Kernels and biases, `width` of them in the first block."""
    generator, channels, state = torch.Generator().manual_seed(1), 3, {}
    for number, place in enumerate(CONVOLUTIONS[architecture]):
        wide = (
            width * (1, 1, 2, 2, 4, 4, 4, 4, *[8] * 8)[number if architecture == "vgg19" or number < 7 else number + 1]
        )
        state[f"features.{place}.weight"] = torch.randn(wide, channels, 3, 3, generator=generator) * 0.5
        state[f"features.{place}.bias"] = torch.randn(wide, generator=generator) * 0.1
        channels = wide
    return state


def write_narrow_weights(root: Path) -> None:
    """Put narrow ones where the published ones are looked for."""
    (root / "extractors").mkdir(parents=True, exist_ok=True)
    for architecture, file in FILES.items():
        whole = root / "extractors" / f"{file}.{os.getpid()}"  # other workers put the same there
        torch.save(random_state(architecture), whole)
        whole.replace(root / "extractors" / file)
