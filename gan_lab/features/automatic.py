"""The extractor that fits the data: what `extractor=auto` means."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_lab.data.dataset import Dataset
from gan_lab.features.classifier import Classifier
from gan_lab.features.extractor import Extracted, Extractor
from gan_lab.features.pixels import Pixels
from gan_lab.features.random_convolutions import RandomConvolutions


class Automatic(Extractor):
    """Points are compared as they are, data with classes by a classifier trained on them, the rest by random features.

    None of them needs a download.
    """

    name = "auto"

    def prepare(self, data: Dataset, device: torch.device) -> None:
        self._chosen: Extractor
        if data.mixture is not None:
            self._chosen = Pixels()
        elif data.classes_of_part > 1:
            self._chosen = Classifier()
        else:
            self._chosen = RandomConvolutions()
        self._chosen.prepare(data, device)

    def settled(self) -> Extractor:
        return self._chosen.settled()

    def __call__(self, images: Tensor) -> Extracted:
        return self._chosen(images)
