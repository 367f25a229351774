"""Images of one class, by a trained generator: all of them, or those in which a classifier sees the class."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from gan_lab.pictures.grid import to_bytes
from gan_lab.sampling.request import Request
from gan_lab.sampling.sampler import Sampler

MOST_TRIES = 20  # images made for one that is kept, before it is given up

Judge = Callable[[Tensor], Tensor]  # images (n, C, H, W) uint8 to the probability (n,) that they are of the class


class Made(NamedTuple):
    """Images `(k, C, H, W)` uint8, at most as many as were wanted; the place `(k,)` of each among those that its seed
    gives; how likely of its class a judge held each; how many were made, and how many of these were kept."""

    images: Tensor
    places: Tensor
    confidence: Tensor | None
    tried: int
    kept: int

    @property
    def share(self) -> float:
        """Of the images that were made those that were kept."""
        return self.kept / max(self.tried, 1)


def make(
    sampler: Sampler,
    label: int,
    wanted: int,
    seed: int,
    truncation: float | None = None,
    judge: Judge | None = None,
    least: float = 0.0,
) -> Made:
    """`wanted` images of a class: the first ones of a seed that a judge holds to be of it with a probability of
    `least`; all, where nobody judges. What `gan-lab sample label=` makes of the same seed are the same images at the
    same places. Gives up after `MOST_TRIES` images for one that is wanted."""
    limit = wanted if judge is None else MOST_TRIES * wanted
    request = Request(limit, seed, label=torch.full((limit,), label), truncation=truncation)
    kept: list[tuple[Tensor, Tensor, Tensor]] = []
    tried = found = 0
    for images in sampler.images(request) if limit else ():
        pixels = to_bytes(images)
        places = torch.arange(tried, tried + len(pixels))
        likely = torch.ones(len(pixels)) if judge is None else judge(pixels)
        good = likely >= least
        kept.append((pixels[good], places[good], likely[good]))
        tried, found = tried + len(pixels), found + int(good.sum())
        if found >= wanted:
            break
    if not kept:
        empty = torch.empty(0)
        return Made(empty.byte(), empty.long(), None, 0, 0)
    images, places, likely = (torch.cat(each)[:wanted] for each in zip(*kept, strict=True))
    return Made(images, places, None if judge is None else likely, tried, found)
