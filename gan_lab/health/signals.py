"""What the health of a run is judged by: a few numbers, taken now and then."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

NAN = math.nan


class Signals(NamedTuple):
    """One look at a run. What a game does not have is nan.

    - `epochs`: images seen over images there are.
    - `diversity`: mean distance between two generated images over that between two real ones, in pixels; of a
      generator that takes labels, between two images of the same class.
    - `accuracy`: share of pairs (real, generated) that the discriminator orders rightly: 0.5 is guessing. It is the
      area under the curve of hits against false alarms, so neither a loss's threshold nor its scale matters.
    - `score_gap`: mean score of real images minus that of generated ones; `score_size`: root mean square of all.
    - `real_sign`: mean sign of the real scores, r_t of Karras et al. 2020 (arXiv:2006.06676, equation 1).
    - `generator_pull`: sum over the scores of the size of the derivative of the generator's loss, what there is of its
      gradient before it enters the discriminator: 1 for a mean of scores, the mean of 1 - D for -log D, of D for
      log(1 - D). `discriminator_pull`: the same of the discriminator's loss, over that of one that scores everything 0:
      what is left for it to learn.
    - `gradient_generator`, `gradient_discriminator`: norms, of the round just played; `gradient_ratio`: the first over
      the second.
    - `update_generator`, `update_discriminator`: how far a round moved a network's matrices and kernels, over their
      norm; in that round or, at the first look, in the first few. `growth`: that norm over what it was when the run
      began; of the network that grew most.
    - `dead`: share of units behind rectifiers that are 0 for every image, of the network that has more of them.
    - `saturated`: share of generated values at the ends of [-1, 1] beyond the share of real ones.
    - `checkerboard`: how strong a pattern of period two is in generated images over that in real ones, or over half a
      gray level where those have less (see `gan_lab.health.checkerboard`).
    - Of a generator that makes images from others: `influence`: mean distance between images made of two inputs over
      that between two real ones. `input_distance`: mean distance of an image from its input, over that of the image
      that was wanted; where data are no pairs, over that of the nearest real one. `target_distance`: of pairs, mean
      distance of an image from what was wanted, over the input's. `input_correlation`: mean correlation of an image
      with its input; `target_correlation`: of what was wanted with it, or where data are no pairs of any real one.
    - `setback`: how many times worse the run's objective is than it was at best (1: as good), at both of its latest
      measurements; nan for less than its own uncertainty.
    - `finite`: 1, or 0 where one of these, or a weight, is not a number.
    """

    step: int
    epochs: float = NAN
    diversity: float = NAN
    accuracy: float = NAN
    score_gap: float = NAN
    score_size: float = NAN
    real_sign: float = NAN
    generator_pull: float = NAN
    discriminator_pull: float = NAN
    gradient_generator: float = NAN
    gradient_discriminator: float = NAN
    gradient_ratio: float = NAN
    update_generator: float = NAN
    update_discriminator: float = NAN
    growth: float = NAN
    dead: float = NAN
    saturated: float = NAN
    checkerboard: float = NAN
    influence: float = NAN
    input_distance: float = NAN
    target_distance: float = NAN
    input_correlation: float = NAN
    target_correlation: float = NAN
    setback: float = NAN
    finite: float = 1.0

    def scalars(self) -> dict[str, float]:
        """By the names under which loggers have them; without what this game does not have."""
        return {f"health/{name}": value for name, value in self._asdict().items() if name != "step" and value == value}

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Signals | None:
        """From a line of `metrics.jsonl`; None for one without signals."""
        named = {name: record.get(f"health/{name}") for name in cls._fields[1:]}
        found = {name: float(value) for name, value in named.items() if isinstance(value, (int, float))}
        return cls(int(record["step"]), **found) if found else None
