"""Whether generated images show what their captions say, as a matcher sees it that never trained the generator."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gan_lab.config import require_whole
from gan_lab.data.dataset import Dataset
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.metrics.base import Accumulator, Fewest, Measure, Part
from gan_lab.metrics.figure import Value
from gan_lab.metrics.matcher import VERSION, Matcher, fitted
from gan_lab.metrics.reference import Reference
from gan_lab.pictures.grid import to_bytes

OTHERS = 20  # captions of other images that the floor is the mean over, or as many as there are
LEAST = 20  # images to train a matcher on, and captions to choose from


class RPrecision(Measure):
    """R-precision (AttnGAN, Xu et al. 2017, arXiv:1711.10485, section 4): how often an image's own caption is the first
    among itself and 99 others, drawn from the captions that were asked for; higher is better.

    Deviations: AttnGAN's matcher is its loss as well, here it is trained for this alone, on images and captions of
    `trained_on` (a split, or what lies at a path, captions with it); null: on the real images of half of the samples
    that were asked for, and the other half is scored. Equal captions count as one, so that no gallery holds a caption
    twice; the mean over all galleries is taken exactly instead of by ten draws. With fewer than `gallery` captions the
    gallery is all of them.

    Beside it stand `r_precision_real`, what the real images of the same captions get (the ceiling: the matcher's own
    limit), and `r_precision_shuffled`, what generated images get for other images' captions (the floor).
    """

    features = False
    captions = True
    about = "matcher"

    def __init__(self, gallery: int = 100, steps: int = 800, seed: int = 0, trained_on: str | None = None) -> None:
        self.gallery = require_whole(gallery, "metrics.r_precision.gallery", 2)
        self.steps = require_whole(steps, "metrics.r_precision.steps")
        self.seed = require_whole(seed, "metrics.r_precision.seed", 0)
        self.trained_on = trained_on
        self._matchers: dict[str, Matcher] = {}  # by what it was trained on

    def settings_of(self, reference: Reference, n: int) -> dict[str, Any]:
        told = "half of the inputs" if self.trained_on is None else self.others(reference).card
        return {
            "gallery": min(self.gallery, len({said[0] for said in captions_of_each(reference.inputs.data)})),
            "steps": self.steps,
            "seed": self.seed,
            "version": VERSION,
            "matcher_trained_on": told,
        }

    def why_not(self, reference: Reference) -> str | None:
        if reference.data.store.words is None:
            return "the data has no captions"
        if reference.data.store.dtype != "uint8":
            return "the data is points"
        if self.trained_on is not None:
            self.others(reference)
        return None

    def fewest(self, reference: Reference) -> Fewest:
        least = LEAST if self.trained_on else 2 * LEAST
        return Fewest(least, least)

    def others(self, reference: Reference) -> Reference:
        """The images and captions to train on, opened. Raises GanLabError where they are not there or say nothing."""
        key = "metrics.r_precision.trained_on"
        assert self.trained_on is not None
        found = reference.held_out(self.trained_on, key)
        if found.data.store.words is None:
            raise ConfigError(f"{key}={self.trained_on}: these images have no captions")
        if found.data.store.sha256 == reference.inputs.data.store.sha256:
            raise ConfigError(f"{key}={self.trained_on}: these are the images that captions are asked of; name others")
        return found

    def matcher_of(self, reference: Reference) -> Matcher:
        """The matcher of `trained_on`, trained when it is first asked for."""
        others = self.others(reference)
        key = others.data.store.sha256
        if key not in self._matchers:
            images = others.images(len(others.data.store))
            self._matchers[key] = fitted(images, captions_of_each(others.data), self.steps, self.seed)
        return self._matchers[key]

    def begin(self, n: int) -> Accumulator:
        return _Asked(self)


class _Asked(Accumulator):
    """Keeps generated and real images, and the captions of both."""

    def __init__(self, asked: RPrecision) -> None:
        self.asked = asked
        self._made: list[Tensor] = []
        self._real: list[Tensor] = []
        self._tokens: list[Tensor] = []

    def add(self, part: Part) -> None:
        assert part.batch is not None
        assert part.batch.caption is not None
        self._made.append(part.images)
        self._real.append(to_bytes(part.batch.image))
        self._tokens.append(part.batch.caption)

    def values(self, reference: Reference) -> list[Value]:
        made, real = torch.cat(self._made), torch.cat(self._real)
        tokenizer = reference.inputs.data.known_words
        assert tokenizer is not None
        captions = [tokenizer.decode(row) for row in torch.cat(self._tokens)]
        if self.asked.trained_on is None:
            order = torch.randperm(len(made), generator=torch.Generator().manual_seed(self.asked.seed))
            taught, scored = order.chunk(2)
            said = [[captions[place]] for place in taught]
            matcher = fitted(real[taught], said, self.asked.steps, self.asked.seed)
            made, real, captions = made[scored], real[scored], [captions[place] for place in scored]
        else:
            matcher = self.asked.matcher_of(reference)
        return scores(matcher, made, real, captions, self.asked.gallery)


def scores(matcher: Matcher, made: Tensor, real: Tensor, captions: Sequence[str], gallery: int) -> list[Value]:
    """The figure, its ceiling and its floor: of generated and real uint8 images and the captions of both."""
    known = sorted(set(captions))
    if len(known) < 2:
        raise GanLabError("all captions that were asked for are the same")
    own = torch.tensor([known.index(caption) for caption in captions])
    shifts = range(1, len(known), max((len(known) - 1) // OTHERS, 1))
    of_made, of_real = (matcher.similarity(images, known) for images in (made, real))
    found = {
        "r_precision": r_precision(of_made, own, gallery),
        "r_precision_real": r_precision(of_real, own, gallery),
        "r_precision_shuffled": fmean(r_precision(of_made, (own + by) % len(known), gallery) for by in shifts),
    }
    return [Value(name, value, lower_is_better=False) for name, value in found.items()]


def r_precision(similarity: Tensor, own: Tensor, gallery: int = 100) -> float:
    """The share of (N, M) images whose own caption, the `own`-th of M different ones, is the first in a gallery of
    itself and `gallery` - 1 others: its mean over all galleries that there are, in [0, 1].

    Of a caption that r others match at least as well, that is C(M - 1 - r, g) / C(M - 1, g), g = min(`gallery`, M) - 1.
    """
    others = similarity.shape[1] - 1
    chosen = min(gallery - 1, others)
    better = (similarity >= similarity.gather(1, own[:, None])).sum(1) - 1
    left = others - torch.arange(others + 1, dtype=torch.float64)
    shares = ((left - chosen) / left.clamp(min=1)).clamp(min=0)[:-1].cumprod(0)
    first = torch.cat((torch.ones(1, dtype=torch.float64), shares))
    return float(first[better].mean())


def captions_of_each(data: Dataset) -> list[list[str]]:
    """All captions of each image, as words."""
    store, tokenizer = data.store, data.known_words
    assert store.captions is not None
    assert tokenizer is not None
    return [[tokenizer.decode(row) for row in rows if np.any(row)] for rows in store.captions]
