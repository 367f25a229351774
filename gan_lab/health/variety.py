"""Whether images differ from one another at all: what is said of their variety means nothing where they do not."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gan_lab.data.store import Store
from gan_lab.health.alarm import Alarm

LEAST = 0.5 / 127.5  # half a gray level, of images in [-1, 1]
LOOKED_AT = 128  # images


def distance(images: Tensor) -> Tensor:
    """The mean Euclidean distance between two of the images (N, ...), 0-d; 0 for a single one."""
    flat = images.flatten(1).float()
    n = len(flat)
    return torch.cdist(flat, flat, compute_mode="donot_use_mm_for_euclid_dist").sum() / max(n * (n - 1), 1)


def spread(images: Tensor, labels: Tensor | None = None) -> float:
    """The same as a number, of one class where labels are given and two images share one; 0 where images differ by less
    than `LEAST` a pixel."""
    least = LEAST * images[0].numel() ** 0.5
    if labels is not None:
        _, alike = labels.unique(dim=0, return_inverse=True)
        each = [(int((alike == which).sum()), distance(images[alike == which])) for which in alike.unique()]
        pairs = sum(n * (n - 1) for n, _ in each)
        if pairs and (mean := float(sum(n * (n - 1) * d for n, d in each)) / pairs) > least:
            return mean
    found = float(distance(images))
    return found if found > least else 0.0


def check_variety(store: Store, step: int = 0) -> Alarm | None:
    """`no_variety` where the images of the data are all the same; of many some are looked at."""
    count = min(len(store), LOOKED_AT)
    if count < 2 or spread(store.read(np.linspace(0, len(store) - 1, count).astype(np.int64))):
        return None
    which = f"all {count} images" if count == len(store) else f"{count} images out of all {len(store)}"
    saw = f"the data has no variety: {which} are the same"
    return Alarm("no_variety", step, 0, saw, "another dataset.path, and gan-lab data inspect to see what was read")
