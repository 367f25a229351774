"""How large the pictures are at one time of a run, and of how many a batch consists."""

from __future__ import annotations

from typing import NamedTuple


class Stage(NamedTuple):
    """A part of a run in which every round is of one size. `batch_size` None: the run's own; `image_size` None: that of
    the data. A stage is a pure function of the images shown, so nothing of it is in a checkpoint."""

    batch_size: int | None = None
    image_size: int | None = None
