"""What pictures of edits have in common."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from gan_lab.errors import ConfigError
from gan_lab.pictures.grid import synthetic_note
from gan_lab.sampling.trained import Trained


def require_pictures(trained: Trained) -> None:
    """Raise ConfigError for a run whose images have latents and are no pictures: points in the plane."""
    shape = trained.config["dataset"].get("image_shape") or (3,)
    if shape[0] not in (1, 3):
        raise ConfigError(f"run: makes no pictures but tensors of {shape[0]} channels; gan-lab sample shows them")


def classes_of(trained: Trained, n: int, label: Any) -> Tensor | None:
    """The classes `(n,)` of images that are asked for: `label` names one, or some that take turns, None or "all" is
    each in turn; None where there are no classes. Raises ConfigError for one that there is not."""
    if label is None or (label == "all" and trained.classes):
        return trained.sampler.each_in_turn(n)
    return trained.request(n, label=label).label


def note_of(trained: Trained, how: str, seed: int = 0) -> dict[str, str]:
    """What a PNG says of itself: that it is synthetic, what made it, and how."""
    return {**synthetic_note(trained.folder, trained.step, seed), "gan-lab:edit": how}
