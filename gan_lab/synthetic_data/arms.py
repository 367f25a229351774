"""Five ways to train the same classifier on an unbalanced set, and what each is worth on real test images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

from gan_lab.features.fitting_classifier import Change, Labelled, fitted, right
from gan_lab.synthetic_data.comparison import Scores, recalls, scores

REAL, CHANGED, OVERSAMPLED, ADDED, ALONE = "real", "flips and crops", "oversampled", "real + GAN", "GAN alone"

Places = NDArray[np.int64]


class Arm(NamedTuple):
    """What a classifier is trained on: places among the images, real ones first; and what is done to each batch."""

    name: str
    places: Places
    change: Change | None = None


class Outcome(NamedTuple):
    """Of one arm: its scores by seed, and the mean recall of each class."""

    name: str
    images: int
    scores: list[Scores]
    recalls: list[float]


def arms(labels: Places, real: int, targets: Sequence[int], change: Change) -> list[Arm]:
    """The five of them. The first `real` of `labels` are those of real images, the others of generated ones; a class
    is filled up to its target by repeating its real images, or by the first generated ones of it. The generator alone
    has as many images of each class as it is to have."""
    own, made = np.arange(real), np.arange(real, len(labels))
    repeated, added, alone = [own], [own], []
    for number, target in enumerate(targets):
        mine, fakes = own[labels[:real] == number], made[labels[real:] == number]
        missing = max(target - len(mine), 0)
        if len(mine):
            repeated.append(np.resize(mine, missing))
        added.append(fakes[:missing])
        alone.append(fakes[:target])
    return [
        Arm(REAL, own),
        Arm(CHANGED, own, change),
        Arm(OVERSAMPLED, np.concatenate(repeated)),
        Arm(ADDED, np.concatenate(added)),
        Arm(ALONE, np.concatenate(alone)),
    ]


def compare(data: Labelled, test: Labelled, each: Sequence[Arm], seeds: Sequence[int], steps: int) -> list[Outcome]:
    """Train the classifier on every arm with every seed, `steps` batches each, and ask it about all test images. A seed
    gives all arms the same weights to begin with."""
    everything = np.arange(len(test.labels))
    found = []
    for arm in each:
        figures, shares = [], []
        for seed in seeds:
            network = fitted(data, arm.places, steps, seed, torch.Generator().manual_seed(seed), arm.change)
            answers = right(network, test, everything)[:, 0].numpy()
            figures.append(scores(answers, test.labels, data.classes))
            shares.append(recalls(answers, test.labels, data.classes))
        found.append(Outcome(arm.name, len(arm.places), figures, np.mean(shares, 0).tolist()))
    return found


def flip_and_crop(images: Tensor, random: torch.Generator, flip: bool = True) -> Tensor:
    """Images (N, C, H, W), each mirrored with probability 1/2 where `flip` is, and moved by up to an eighth of its size
    in both directions; what comes in at the border repeats it."""
    n, channels, height, width = images.shape
    down, across = max(height // 8, 1), max(width // 8, 1)
    wide = pad(images, (across, across, down, down), mode="replicate")
    rows = torch.randint(2 * down + 1, (n, 1), generator=random) + torch.arange(height)
    columns = torch.randint(2 * across + 1, (n, 1), generator=random) + torch.arange(width)
    mirrored = torch.rand(n, 1, generator=random) < 0.5
    if flip:
        columns = torch.where(mirrored, columns.flip(1), columns)
    at = torch.arange(n).view(-1, 1, 1, 1), torch.arange(channels).view(1, -1, 1, 1)
    return wide[at[0], at[1], rows[:, None, :, None], columns[:, None, None, :]]
