"""Whether a classifier learns from generated images what it needs for real ones: the classification accuracy score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gan_lab.config import require_whole
from gan_lab.data.held_out import as_classes_of
from gan_lab.errors import ConfigError
from gan_lab.features.extractor import resized
from gan_lab.features.fitting_classifier import VERSION, Labelled, fitted, right, steps_for
from gan_lab.metrics.base import Accumulator, Part, joined
from gan_lab.metrics.figure import Value
from gan_lab.metrics.measures import Configured
from gan_lab.metrics.reference import Reference


def classification_accuracy(
    real: Tensor,
    real_labels: Tensor,
    fake: Tensor,
    fake_labels: Tensor,
    classes: int,
    parts: int = 1,
    steps: int | None = None,
    seed: int = 0,
    size: int = 32,
    device: torch.device | str = "cpu",
) -> float:
    """The share of real images that a network gets right which was trained on generated ones and the classes they were
    asked for (CAS, Ravuri & Vinyals 2019, arXiv:1905.10887, section 3), in [0, 1].

    Images are uint8 `(n, C, H, W)`, or float32 in [-1, 1] no larger than `size`, labels int64 `(n,)`. The network is
    the classifier's (`gan_lab.features.fitting_classifier`) in the place of the paper's ResNet-50, trained for `steps`
    batches of 128 (None: ten epochs, 300 to 1500). Of images that are made of `parts`, of `classes` each, all must be
    right. Draws nothing from the global random generators. Raises ValueError for labels that do not fit.
    """
    sets = []
    for images, labels in ((real, real_labels), (fake, fake_labels)):
        if len(images) != len(labels) or not len(labels):
            raise ValueError(f"{len(images)} images and {len(labels)} labels: there must be as many, and some")
        if labels.min() < 0 or labels.max() >= classes**parts:
            raise ValueError(f"labels {int(labels.min())} to {int(labels.max())} of {classes**parts} classes")
        sets.append(Labelled(images.numpy(), labels.long().numpy(), classes, parts, size, torch.device(device)))
    generator = torch.Generator().manual_seed(seed)
    network = fitted(sets[1], np.arange(len(fake)), steps or steps_for(len(fake)), seed, generator)
    return float(right(network, sets[0], np.arange(len(real))).all(1).double().mean())


@dataclass(frozen=True)
class ClassificationAccuracy(Configured):
    """CAS of generators that take labels: higher is better, and the classifier's own accuracy is what real images give.

    It is taken on at most `most` real images: `held_out`, a split of the dataset or a folder or zip that training never
    saw; null takes the data's own. Its card says which.
    """

    features = False
    labels = True
    about = "classifier"
    steps: int | None = None
    seed: int = 0
    most: int = 10_000
    size: int = 32
    held_out: str | None = None

    def __post_init__(self) -> None:
        for name in ("steps", "most", "size"):
            value = getattr(self, name)
            if value is not None or name != "steps":
                require_whole(value, f"metrics.cas.{name}")

    def settings_of(self, reference: Reference, n: int) -> dict[str, Any]:
        settings = {"steps": self.steps or steps_for(n), "seed": self.seed, "most": self.most, "size": self.size}
        tested_on = "the data" if self.held_out is None else self.real(reference).card
        return {**settings, "version": VERSION, "tested_on": tested_on}

    def why_not(self, reference: Reference) -> str | None:
        if reference.data.store.dtype != "uint8":
            return "the data is points"
        if reference.data.classes_of_part < 2:
            return "the data has no classes"
        self.labels_of(self.real(reference), reference)
        return None

    def real(self, reference: Reference) -> Reference:
        """The images to test on, opened. Raises GanLabError where they are not there."""
        return reference if self.held_out is None else reference.held_out(self.held_out, "metrics.cas.held_out")

    def labels_of(self, real: Reference, reference: Reference) -> Tensor:
        """Their classes, as the data numbers them. Raises ConfigError where they have others, or none."""
        try:
            numbers = torch.from_numpy(as_classes_of(reference.data, real.data.store))
        except ConfigError as error:
            raise ConfigError(f"metrics.cas.held_out={self.held_out}: {error}") from error
        labels = real.labels(self.most)
        assert labels is not None
        return numbers[labels]

    def begin(self, n: int) -> Accumulator:
        return _Asked(self)


class _Asked(Accumulator):
    """Keeps images, no larger than the network sees them, and the classes that they were asked for."""

    def __init__(self, asked: ClassificationAccuracy) -> None:
        self.asked = asked
        self._images: list[Tensor] = []
        self._labels: list[Tensor] = []

    def add(self, part: Part) -> None:
        if part.labels is None:
            return  # the generator takes no labels
        small = max(part.images.shape[2:]) <= self.asked.size
        self._images.append(part.images if small else resized(part.images, self.asked.size)[0])
        self._labels.append(part.labels)

    def values(self, reference: Reference) -> list[Value]:
        if not self._labels:
            return []
        asked, data = self.asked, reference.data
        real = asked.real(reference)
        found = classification_accuracy(
            real.images(asked.most), asked.labels_of(real, reference), joined(self._images), joined(self._labels),
            data.classes_of_part, data.parts, asked.steps, asked.seed, asked.size, reference.device,
        )  # fmt: skip
        return [Value("cas", found, lower_is_better=False)]
