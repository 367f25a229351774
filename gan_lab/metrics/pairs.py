"""How near a picture is to the one it should be: for data of pairs."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from gan_lab.config import require_whole
from gan_lab.errors import GanLabError
from gan_lab.features.extractor import colours, identity_of
from gan_lab.features.lpips import Lpips
from gan_lab.layers.vgg import RANDOM
from gan_lab.metrics.base import Accumulator, Part
from gan_lab.metrics.figure import Value
from gan_lab.metrics.measures import Configured
from gan_lab.metrics.reference import Reference
from gan_lab.pictures.grid import to_bytes

WINDOW, SIGMA = 11, 1.5
LUMA = (65.481, 128.553, 24.966)  # of red, green and blue, over 255
AT_ONCE = 16  # images that LPIPS compares


def psnr(images: Tensor, targets: Tensor, data_range: float = 1.0) -> Tensor:
    """Peak signal-to-noise ratio in dB of each image `(N, C, H, W)`: 10 log10(range^2 / mean squared error); infinite
    where they are equal. `data_range` is the largest value there may be less the smallest: 2 for images in [-1, 1], 255
    for bytes. Raises ValueError for images of another shape than their targets'.
    """
    _alike(images, targets)
    errors = (images.double() - targets.double()).square().flatten(1).mean(1)
    return 10 * torch.log10(data_range**2 / errors)


def ssim(images: Tensor, targets: Tensor, data_range: float = 1.0) -> Tensor:
    """Structural similarity of each image (Wang et al. 2004, equation 13), up to 1: the mean over pixels and channels
    with a Gaussian window of 11 pixels and standard deviation 1.5, K1 = 0.01, K2 = 0.03. A border of 5 pixels is left
    out. Raises ValueError for images smaller than the window, or of another shape than their targets'.
    """
    _alike(images, targets)
    if min(images.shape[2:]) < WINDOW:
        raise ValueError(f"images of at least {WINDOW}x{WINDOW} pixels, not {tuple(images.shape[2:])}")
    x, y = images.double(), targets.double()
    mean_x, mean_y = _smooth(x), _smooth(y)
    variance_x, variance_y = _smooth(x * x) - mean_x**2, _smooth(y * y) - mean_y**2
    covariance = _smooth(x * y) - mean_x * mean_y
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    structure = (2 * covariance + c2) / (variance_x + variance_y + c2)
    return (luminance * structure).flatten(1).mean(1)


def y_channel(images: Tensor) -> Tensor:
    """The Y channel `(N, 1, H, W)` of uint8 images, whole numbers from 16 to 235, as float64 (ITU-R BT.601, in the form
    and with the rounding of MATLAB's rgb2ycbcr, which super-resolution is reported by). Gray images stay as they are.
    """
    if images.shape[1] == 1:
        return images.double()
    weights = images.new_tensor(LUMA, dtype=torch.float64).view(3, 1, 1) / 255
    return ((images[:, :3].double() * weights).sum(1, keepdim=True) + 16).round()


def _alike(images: Tensor, targets: Tensor) -> None:
    if images.shape != targets.shape or images.ndim != 4:
        raise ValueError(f"images and targets of one shape (N, C, H, W), not {images.shape} and {targets.shape}")


def _smooth(images: Tensor) -> Tensor:
    """Under the window, where it lies inside the image."""
    steps = torch.arange(WINDOW, dtype=images.dtype, device=images.device) - WINDOW // 2
    weights = torch.exp(-(steps**2) / (2 * SIGMA**2))
    row = (weights / weights.sum()).expand(images.shape[1], 1, 1, WINDOW)
    across = conv2d(images, row, groups=images.shape[1])
    return conv2d(across, row.transpose(2, 3), groups=images.shape[1])


@dataclass(frozen=True)
class Paired(Configured):
    """A measure of each made image and its target, whose mean over the images and its standard error are the figure.

    The first `border` pixels of every side are left out, as super-resolution leaves out its scale.
    """

    features = False
    paired = True
    lower_is_better: ClassVar[bool] = False
    name: ClassVar[str]
    least: ClassVar[int] = 1  # pixels that a side must have
    border: int = 0

    def __post_init__(self) -> None:
        require_whole(self.border, f"metrics.{self.name}.border", 0)

    def why_not(self, reference: Reference) -> str | None:
        if not reference.inputs.paired:
            return "the data has no pairs; choose a degradation (degradation=gray) or a dataset of pairs"
        if reference.data.store.dtype != "uint8":
            return "the data is points"
        side = min(reference.inputs.image_shape[1:]) - 2 * self.border
        if side < self.least:
            return f"of the images {max(side, 0)} pixels are left, {self.least} are needed"
        return None

    def about_of(self, reference: Reference) -> str:
        return self.seen(reference) + (f"-border{self.border}" if self.border else "")

    @abstractmethod
    def seen(self, reference: Reference) -> str:
        """What it looks at, as names say it."""

    def begin(self, n: int) -> Accumulator:
        return _Compared(self)

    def compare_beside(self, images: Tensor, targets: Tensor, input: Tensor | None) -> Tensor:
        """`compare`, for who needs what the images were made from."""
        return self.compare(images, targets)

    @abstractmethod
    def compare(self, images: Tensor, targets: Tensor) -> Tensor:
        """`(N,)` of uint8 images and targets `(N, C, H, W)` of one shape."""


class _Compared(Accumulator):
    def __init__(self, asked: Paired) -> None:
        self.asked = asked
        self._found: list[Tensor] = []

    def add(self, part: Part) -> None:
        if part.batch is None:
            return  # no image answers a sample of the data
        images, targets = part.images, to_bytes(part.batch.image)
        if images.shape != targets.shape:
            made, wanted = ("x".join(map(str, each.shape[1:])) for each in (images, targets))
            raise GanLabError(f"metrics.{self.asked.name}: the generator makes {made}, the data's images are {wanted}")
        inside = slice(self.asked.border, -self.asked.border or None)
        cut = (images[..., inside, inside], targets[..., inside, inside])
        input = part.batch.input
        self._found.append(self.asked.compare_beside(*cut, None if input is None else input[..., inside, inside]))

    def values(self, reference: Reference) -> list[Value]:
        if not self._found:
            return []
        found = torch.cat(self._found).double()
        known = len(found) > 1 and bool(found.isfinite().all())
        error = float(found.std()) / math.sqrt(len(found)) if known else None
        return [Value(self.asked.name, float(found.mean()), error, self.asked.lower_is_better)]


@dataclass(frozen=True)
class OfPixels(Paired):
    """Of all channels, or with `luma` of the Y channel alone."""

    luma: bool = False

    def seen(self, reference: Reference) -> str:
        return "gray" if reference.inputs.image_shape[0] == 1 else "luma" if self.luma else "rgb"

    def looked_at(self, images: Tensor) -> Tensor:
        """`(N, C, H, W)` in [0, 255]."""
        return y_channel(images) if self.luma else images


@dataclass(frozen=True)
class PeakSignalToNoise(OfPixels):
    """PSNR in dB of eight-bit images: higher is better. Super-resolution by `s` is reported with `luma` and a border of
    `s` pixels; of colour it comes out one to two dB lower."""

    name = "psnr"

    def compare(self, images: Tensor, targets: Tensor) -> Tensor:
        return psnr(self.looked_at(images), self.looked_at(targets), 255)


@dataclass(frozen=True)
class StructuralSimilarity(OfPixels):
    """SSIM (Wang et al. 2004, equation 13) of eight-bit images, up to 1: higher is better."""

    name = "ssim"
    least = WINDOW

    def compare(self, images: Tensor, targets: Tensor) -> Tensor:
        return ssim(self.looked_at(images), self.looked_at(targets), 255)


@dataclass(frozen=True)
class PerceptualSimilarity(Paired):
    """LPIPS (Zhang et al. 2018, arXiv:1801.03924) by `network`, alex or vgg: lower is better. `backbone` and `linear`
    are files of its weights; null takes those in the data root, else downloads them. With vgg `backbone` may be random,
    which its figures say. Gray images are seen as colour."""

    name = "lpips"
    lower_is_better = True
    least = 32
    network: str = "alex"
    backbone: str | None = None
    linear: str | None = None

    def seen(self, reference: Reference) -> str:
        return f"{self.network}-random" if self.backbone == RANDOM else self.network

    def settings_of(self, reference: Reference, n: int) -> dict[str, Any]:
        return {
            "network": self.seen(reference),
            "border": self.border,
            "weights": identity_of(self._loaded.state_dict()),
        }

    def why_not(self, reference: Reference) -> str | None:
        why = super().why_not(reference)
        if why is None:
            self._loaded.to(reference.device)
        return why

    @cached_property
    def _loaded(self) -> Lpips:
        try:
            return Lpips(self.network, self.backbone, self.linear)
        except GanLabError as error:
            raise type(error)(f"metrics.{error}") from error

    @torch.no_grad()
    def compare(self, images: Tensor, targets: Tensor) -> Tensor:
        found = []
        for some in zip(images.split(AT_ONCE), targets.split(AT_ONCE), strict=True):
            one, two = (colours(each).to(self._loaded.mean.device).float() / 127.5 - 1 for each in some)
            found.append(self._loaded(one, two).cpu())
        return torch.cat(found)
