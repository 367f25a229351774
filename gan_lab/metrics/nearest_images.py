"""The training images that are nearest to generated ones, to be looked at, and whether that is near."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gan_lab.metrics.frechet import Floats, as_floats
from gan_lab.metrics.neighbours import distances, radii
from gan_lab.metrics.reference import Reference
from gan_lab.pictures.grid import to_bytes

MOST = 20_000  # images of the data that are looked through
SHOWN = 3  # neighbours of an image


class Nearest(NamedTuple):
    """Of each of N generated images: `places` `(N, SHOWN)` of its neighbours among the data that was looked through,
    the nearest first; how far that one is, `(N,)`; and its `rank` `(N,)`: which share of real images has another real
    image nearer than that. 0 is nearer than any two real ones are, 0.5 as near as they usually are."""

    places: NDArray[np.int64]
    distance: Floats
    rank: Floats


def nearest(made: Floats, real: Floats, shown: int = SHOWN) -> Nearest:
    """Among features `(N, D)` of generated images and `(M, D)` of real ones."""
    places = np.empty((len(made), min(shown, len(real))), np.int64)
    apart = np.empty(len(made))
    for rows, found in distances(made, real):
        order = np.argsort(found, axis=1, kind="stable")[:, : places.shape[1]]
        places[rows] = order
        apart[rows] = np.take_along_axis(found, order[:, :1], 1)[:, 0]
    between = np.sort(radii(real, 1))
    return Nearest(places, apart, np.searchsorted(between, apart) / len(between))


def columns(reference: Reference, images: Tensor) -> tuple[dict[str, Tensor], Nearest]:
    """Generated images `(N, C, H, W)` in [-1, 1] beside their neighbours by what the extractor sees, and by pixels, as
    columns of a panel; and the numbers of the former. The data must have two images."""
    made = to_bytes(images)
    pixels = reference.images(MOST)
    seen = nearest(as_floats(reference.extractor(made).features), as_floats(reference.features(MOST)))
    by_pixels = nearest(as_floats(made.flatten(1).float()), as_floats(pixels.flatten(1).float()), 1)
    shown = {"made": images}
    for number, places in enumerate(seen.places.T, 1):
        shown[f"near {number}"] = as_images(pixels, places)
    return {**shown, "by pixels": as_images(pixels, by_pixels.places[:, 0])}, seen


def as_images(pixels: Tensor, places: NDArray[np.int64]) -> Tensor:
    return pixels[torch.from_numpy(places.copy())].float() / 127.5 - 1
