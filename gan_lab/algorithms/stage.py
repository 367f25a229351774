"""How large the pictures are at one time of a run, and of how many a batch consists at most."""

from __future__ import annotations

from typing import NamedTuple


class Stage(NamedTuple):
    """A part of a run in which every round is of one size. `batch_size`: the most images of a batch, None: as many as
    the run has; `image_size`: the height in pixels, None: that of the data; `fading`: what the latest size brought
    comes in little by little. A stage is a pure function of the images shown, so nothing of it is in a checkpoint."""

    batch_size: int | None = None
    image_size: int | None = None
    fading: bool = False
