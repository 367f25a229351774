"""Photos from photos by a trained run: of any size, with all bits, transparency and holes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gan_lab.config import build
from gan_lab.data.photo import Photo
from gan_lab.degradations.base import Degradation
from gan_lab.degradations.gray import luma
from gan_lab.degradations.resize import resize
from gan_lab.errors import ConfigError
from gan_lab.sampling.any_size import AnySize
from gan_lab.sampling.bleed import bleed
from gan_lab.sampling.request import Request
from gan_lab.sampling.sampler import Sampler

TURNED = {"a2b": "b2a", "b2a": "a2b"}
ROWS = 256  # that become whole numbers at a time


def directions_of(sampler: Sampler, config: Mapping[str, Any]) -> tuple[str, ...]:
    """The ways that a run goes, in the words of its data: what was trained from b to a goes from b to a."""
    turned = config["dataset"].get("direction") == "b2a"
    return tuple(TURNED.get(way, way) if turned else way for way in sampler.directions)


class PhotoTranslator:
    """What a run makes of photos.

    Its configuration tells what its inputs are: the degradation that it was trained with says what a picture must go
    through (`gray`), and what it has gone through already (`downscale`). `direction` is one of the run's; `tile`,
    `overlap` and `precision` are those of `AnySize`. Raises ConfigError for what this run cannot.
    """

    def __init__(
        self,
        sampler: Sampler,
        config: Mapping[str, Any],
        direction: str | None = None,
        tile: int | None = None,
        overlap: int | None = None,
        precision: str = "fp32",
    ) -> None:
        if "caption" in sampler.takes or "input" not in sampler.takes:
            what = "captions" if "caption" in sampler.takes else "noise"
            raise ConfigError(
                f"run: makes images from {what} and takes no pictures; gan-lab sample shows what it makes"
            )
        ways = directions_of(sampler, config)
        if direction is not None and direction not in ways:
            raise ConfigError(f"direction={direction}: this run goes {' and '.join(ways)}")
        place = 0 if direction is None else ways.index(direction)
        shapes = config.get("shapes") or {}
        if not shapes.get("input"):
            raise ConfigError(
                "run: does not say what its inputs were; a step more writes it down: gan-lab train resume="
            )
        forth, back = tuple(shapes["input"]), tuple(shapes["image"])
        self.input, self.image = (back, forth) if place else (forth, back)
        node = None if place else config.get("degradation")
        self.degradation: Degradation | None = build(node, "degradation") if node else None
        self.sampler = AnySize(sampler.of(sampler.directions[place]), self.input, tile, overlap, precision)

    @property
    def takes_mask(self) -> bool:
        return self.degradation is not None and self.degradation.takes_mask

    @property
    def scale(self) -> float:
        """How much larger images are than what they are made of."""
        return float(self.image[1] / self.input[1])

    @property
    def restores(self) -> bool:
        """Whether an image is its input, only better: a gray one stays gray."""
        return self.scale > 1 if self.degradation is None else self.degradation.restores

    def __call__(
        self, photo: Photo, hole: NDArray[Any] | None = None, label: int | None = None, seed: int = 0
    ) -> Photo:
        """`hole` `(H, W)` is true where something is missing; what is not missing stays as it is, bit for bit. Raises
        ConfigError for a hole that is not wanted, or missing, or of another size, GanLabError for a picture that the
        network does not take."""
        self.check_hole(photo, hole)
        holes = None if hole is None else torch.from_numpy(hole)[None, None].float()
        made = self.images(photo_in_floats(photo), holes, label, seed)
        if photo.colours.shape[2] == 1 and self.restores:
            made = luma(made)
        colours = _whole_numbers(made[0], photo.colours.dtype)
        if hole is not None and colours.shape == photo.colours.shape:
            colours = np.where(hole[..., None], colours, photo.colours)
        alpha = photo.alpha
        if alpha is not None and alpha.shape != colours.shape[:2]:
            enlarged = resize(_floats(alpha[..., None], photo.white), *colours.shape[:2])
            alpha = _whole_numbers(enlarged, alpha.dtype)[..., 0]
        return Photo(colours, alpha, photo.profile if colours.shape[2] == photo.colours.shape[2] else None)

    def images(self, pictures: Tensor, hole: Tensor | None = None, label: int | None = None, seed: int = 0) -> Tensor:
        """The same of tensors: images of pictures `(1, C, H, W)` in [-1, 1], with holes `(1, 1, H, W)`."""
        wanted = self.input[0] if self.degradation is None else self.image[0]
        inputs = pictures if pictures.shape[1] == wanted else _in_channels(pictures, wanted)
        if self.degradation is not None:
            inputs = self.degradation.given(inputs, hole)
        labels = None if label is None else torch.tensor([label])
        return next(iter(self.sampler.images(Request(1, seed, label=labels, input=inputs))))

    def check_hole(self, photo: Photo, hole: NDArray[Any] | None) -> None:
        if hole is None and self.takes_mask:
            raise ConfigError("mask: missing; this run fills holes: mask=MASK.png, white where something is missing")
        if hole is not None and not self.takes_mask:
            raise ConfigError("mask: this run was not trained to fill holes (degradation=mask)")
        if hole is not None and hole.shape != photo.size:
            (height, width), (high, wide) = photo.size, hole.shape
            raise ConfigError(f"mask: is {wide}x{high}, and the picture {width}x{height}")


def photo_in_floats(photo: Photo) -> Tensor:
    """`(1, C, H, W)` in [-1, 1], what is transparent filled from around it."""
    colours = _floats(photo.colours, photo.white)
    if photo.alpha is None:
        return colours[None]
    return bleed(colours, _floats(photo.alpha[..., None], photo.white))[None]


def _in_channels(pictures: Tensor, channels: int) -> Tensor:
    """Gray of colours, or gray as colours."""
    if channels == 1:
        return luma(pictures)
    if pictures.shape[1] == 1 and channels == 3:
        return pictures.expand(-1, 3, -1, -1)
    raise ConfigError(f"input: a picture of {pictures.shape[1]} channels, and this run takes {channels}")


def _floats(values: NDArray[Any], white: int) -> Tensor:
    """`(H, W, C)` whole numbers to `(C, H, W)` in [-1, 1]."""
    return torch.from_numpy(values.astype(np.float32)).permute(2, 0, 1).mul_(2 / white).sub_(1)


def _whole_numbers(images: Tensor, dtype: np.dtype[Any]) -> NDArray[Any]:
    """`(C, H, W)` in [-1, 1] to `(H, W, C)`, rounded; some rows at a time."""
    white = int(np.iinfo(dtype).max)
    found = np.empty((*images.shape[1:], len(images)), dtype)
    for start in range(0, len(found), ROWS):
        rows = images[:, start : start + ROWS].permute(1, 2, 0)
        found[start : start + ROWS] = rows.add(1).mul_(white / 2).round_().clamp_(0, white).numpy()
    return found
