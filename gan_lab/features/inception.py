"""The Inception network of FID and the Inception Score: TensorFlow's graph of 2015-12-05, quirks and all.

Szegedy et al. 2015 (arXiv:1512.00567). Published figures are taken with this graph, which is not the Inception v3 of
the libraries: average pools do not count the padding, the last block pools by maximum, there are 1008 classes, images
come to 299x299 by TensorFlow 1's bilinear interpolation, and the Inception Score leaves out the last layer's bias.
Parameters are named as in the converted weights of pytorch-fid and torch-fidelity (`*-2015-12-05-6726825d.pth`).
"""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, max_pool2d

from gan_lab.errors import ConfigError

SIZE = 299
STANDARD = "inception-2015-12-05-6726825d.pth"  # how the name of the standard weights ends; the sha256 is its last part

Kernel = int | tuple[int, int]


class Unit(NamedTuple):
    """A convolution in a block: its name after the branch's, its width, its kernel and its stride."""

    name: str
    width: int
    kernel: Kernel = 1
    stride: int = 1


Step = Unit | tuple[Unit, ...]  # several units: side by side on the same input, joined
Branches = dict[str, tuple[Step, ...]]


class InceptionNetwork(nn.Module):
    """uint8 images `(N, 3, H, W)` of any size to features `(N, 2048)`, at least 0, and class probabilities `(N, 1008)`.

    Always in evaluation mode. Its weights are arbitrary until `load_weights`; making it draws no random numbers.
    """

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            self.Conv2d_1a_3x3 = Convolution(3, 32, 3, stride=2)
            self.Conv2d_2a_3x3 = Convolution(32, 32, 3)
            self.Conv2d_2b_3x3 = Convolution(32, 64, 3, padding=1)
            self.Conv2d_3b_1x1 = Convolution(64, 80, 1)
            self.Conv2d_4a_3x3 = Convolution(80, 192, 3)
            self.Mixed_5b = Block(192, _coarse(32), "mean")
            self.Mixed_5c = Block(256, _coarse(64), "mean")
            self.Mixed_5d = Block(288, _coarse(64), "mean")
            self.Mixed_6a = Block(288, SHRINK_TO_17, "shrink")
            self.Mixed_6b = Block(768, _factorised(128), "mean")
            self.Mixed_6c = Block(768, _factorised(160), "mean")
            self.Mixed_6d = Block(768, _factorised(160), "mean")
            self.Mixed_6e = Block(768, _factorised(192), "mean")
            self.Mixed_7a = Block(768, SHRINK_TO_8, "shrink")
            self.Mixed_7b = Block(1280, WIDE, "mean")
            self.Mixed_7c = Block(2048, WIDE, "maximum")
            self.fc = nn.Linear(2048, 1008)
        self.eval().requires_grad_(False)

    def train(self, mode: bool = True) -> InceptionNetwork:
        return super().train(False)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] != 3:
            raise ValueError(f"uint8 images (N, 3, H, W) are needed, not {images.dtype} {tuple(images.shape)}")
        with torch.autocast(images.device.type, enabled=False):
            maps = (resized_as_tensorflow(images.to(self.fc.weight.dtype), SIZE) - 128) / 128
            maps = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(maps)))  # (N, 64, 147, 147)
            maps = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(max_pool2d(maps, 3, 2)))  # (N, 192, 71, 71)
            maps = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(max_pool2d(maps, 3, 2))))  # (N, 288, 35, 35)
            maps = self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(maps)))
            maps = self.Mixed_6e(self.Mixed_6d(maps))  # (N, 768, 17, 17)
            maps = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(maps)))  # (N, 2048, 8, 8)
            features = maps.mean((2, 3))
            return features, (features @ self.fc.weight.T).softmax(1)  # no bias: the score was defined so


class Convolution(nn.Module):
    """Without a bias; then normalised by the statistics it was trained with, and rectified."""

    def __init__(self, channels: int, width: int, kernel: Kernel, stride: int = 1, padding: Kernel = 0) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, width, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(width, eps=1e-3)

    def forward(self, maps: Tensor) -> Tensor:
        normalised: Tensor = self.bn(self.conv(maps))
        return normalised.relu_()


class Block(nn.Module):
    """Branches side by side and a pool of the input, joined along the channels.

    `pool`: `mean` and `maximum` keep the size and have a convolution after them (`branch_pool`), `shrink` halves it.
    """

    def __init__(self, channels: int, branches: Branches, pool: str) -> None:
        super().__init__()
        self.branches, self.pool = branches, pool
        for branch, steps in branches.items():
            width = channels
            for step in steps:
                units = _units(step)
                for unit in units:
                    made = Convolution(width, unit.width, unit.kernel, unit.stride, _padding(unit))
                    self.add_module(branch + unit.name, made)
                width = sum(unit.width for unit in units)

    def forward(self, maps: Tensor) -> Tensor:
        found = []
        for branch, steps in self.branches.items():
            part = self._pooled(maps) if branch == "branch_pool" else maps
            for step in steps:
                part = torch.cat([self.get_submodule(branch + unit.name)(part) for unit in _units(step)], 1)
            found.append(part)
        if self.pool == "shrink":
            found.append(max_pool2d(maps, 3, 2))
        return torch.cat(found, 1)

    def _pooled(self, maps: Tensor) -> Tensor:
        if self.pool == "maximum":
            return max_pool2d(maps, 3, 1, 1)
        return avg_pool2d(maps, 3, 1, 1, count_include_pad=False)


def _units(step: Step) -> tuple[Unit, ...]:
    return (step,) if isinstance(step, Unit) else step


def _padding(unit: Unit) -> Kernel:
    """What keeps the size; nothing where it shrinks."""
    if unit.stride > 1:
        return 0
    return unit.kernel // 2 if isinstance(unit.kernel, int) else (unit.kernel[0] // 2, unit.kernel[1] // 2)


def _coarse(pooled: int) -> Branches:
    """Figure 5 of the paper, with a 5x5 kernel left in one branch; `pooled` channels come from the pool."""
    return {
        "branch1x1": (Unit("", 64),),
        "branch5x5": (Unit("_1", 48), Unit("_2", 64, 5)),
        "branch3x3dbl": (Unit("_1", 64), Unit("_2", 96, 3), Unit("_3", 96, 3)),
        "branch_pool": (Unit("", pooled),),
    }


def _factorised(inner: int) -> Branches:
    """Figure 6: 7x7 kernels as rows and columns, `inner` channels between them."""
    row, column = (1, 7), (7, 1)
    return {
        "branch1x1": (Unit("", 192),),
        "branch7x7": (Unit("_1", inner), Unit("_2", inner, row), Unit("_3", 192, column)),
        "branch7x7dbl": (
            Unit("_1", inner),
            Unit("_2", inner, column),
            Unit("_3", inner, row),
            Unit("_4", inner, column),
            Unit("_5", 192, row),
        ),
        "branch_pool": (Unit("", 192),),
    }


SHRINK_TO_17: Branches = {  # figure 10
    "branch3x3": (Unit("", 384, 3, 2),),
    "branch3x3dbl": (Unit("_1", 64), Unit("_2", 96, 3), Unit("_3", 96, 3, 2)),
}
SHRINK_TO_8: Branches = {
    "branch3x3": (Unit("_1", 192), Unit("_2", 320, 3, 2)),
    "branch7x7x3": (Unit("_1", 192), Unit("_2", 192, (1, 7)), Unit("_3", 192, (7, 1)), Unit("_4", 192, 3, 2)),
}
WIDE: Branches = {  # figure 7: rows and columns side by side
    "branch1x1": (Unit("", 320),),
    "branch3x3": (Unit("_1", 384), (Unit("_2a", 384, (1, 3)), Unit("_2b", 384, (3, 1)))),
    "branch3x3dbl": (Unit("_1", 448), Unit("_2", 384, 3), (Unit("_3a", 384, (1, 3)), Unit("_3b", 384, (3, 1)))),
    "branch_pool": (Unit("", 192),),
}


def resized_as_tensorflow(images: Tensor, size: int) -> Tensor:
    """Float images `(N, C, H, W)` at `size` x `size` by the bilinear interpolation of TensorFlow 1 (align_corners off).

    Pixel i takes from the place i H / size, not (i + 1/2) H / size - 1/2 as elsewhere: the picture moves by part of a
    pixel. Nothing is smoothed before an image is made smaller.
    """
    for dimension in (3, 2):
        length = images.shape[dimension]
        scale = torch.tensor(length / size, dtype=torch.float32, device=images.device)  # TensorFlow's precision
        places = torch.arange(size, dtype=torch.float32, device=images.device) * scale
        low = places.long().clamp_(max=length - 1)
        share = (places - low).to(images.dtype)
        before, after = (
            images.index_select(dimension, low),
            images.index_select(dimension, (low + 1).clamp_(max=length - 1)),
        )
        images = before + (after - before) * (share if dimension == 3 else share[:, None])
    return images


def load_weights(network: InceptionNetwork, path: str | Path) -> str:
    """Load the file at `path`, every tensor of it and of the network, and give back the file's sha256.

    Raises ConfigError for a file by the name of the standard one with another content, one that cannot be read, and one
    whose tensors are not this network's.
    """
    path = Path(path)
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        expected = STANDARD.rpartition("-")[2].removesuffix(".pth")
        if path.name.endswith(STANDARD) and not digest.startswith(expected):
            raise ConfigError(
                f"extractor.weights: {path} is damaged or another file (its sha256 starts with {digest[:8]}, "
                f"not {expected}); delete it and get it again"
            )
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    except (OSError, EOFError, RuntimeError, TypeError, ValueError, KeyError, pickle.UnpicklingError) as error:
        reason = " ".join(str(error).split())[:120]
        raise ConfigError(
            f"extractor.weights: {path} holds no weights of the FID Inception network ({reason}); take {STANDARD}"
        ) from error
    return digest
