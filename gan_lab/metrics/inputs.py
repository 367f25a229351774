"""What a generator is asked by that makes images from others, or from captions: samples of the data."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

import torch
from numpy.typing import NDArray

from gan_lab.config import build
from gan_lab.data.batch import Batch
from gan_lab.data.dataset import Dataset
from gan_lab.data.store import Store
from gan_lab.data.stream import Stream
from gan_lab.degradations.base import Degradation


class Inputs:
    """The samples of a dataset, as a round has them. `degradation` is the configuration of what makes inputs of images,
    where the data has none; what it draws it draws alike every time. Where inputs are a dataset of their own, it is
    theirs that are counted, and the image beside one is any."""

    AT_ONCE: ClassVar[int] = 64  # samples that a generator is asked by
    one_size: ClassVar[bool] = True  # whether all samples have the shapes of the data

    def __init__(self, data: Dataset, split: str, degradation: Mapping[str, Any] | None = None) -> None:
        self.data = data
        self.split = split
        self.degradation = degradation

    def __len__(self) -> int:
        return len(self.store)

    @property
    def store(self) -> Store:
        """Of the inputs, where they have one of their own, else of the images."""
        return self.data.store if self.data.inputs is None else self.data.inputs.store

    @property
    def card(self) -> dict[str, Any]:
        """What tells these samples from others."""
        card = card_of(self.store, self.split)
        return {**card, "degradation": dict(self.degradation)} if self.degradation else card

    @property
    def paired(self) -> bool:
        """Whether each image has an input that it is to be made from."""
        return bool(self.degradation) or self.data.store.inputs is not None

    @cached_property
    def image_shape(self) -> tuple[int, int, int]:
        """`(C, H, W)` of an image."""
        return self.data.batch_shapes()[0]

    @property
    def masked(self) -> bool:
        """Whether an input is an image and, as one channel more, a mask of what is missing."""
        image, input = self.data.batch_shapes(self._degradation)
        return input is not None and input == (image[0] + 1, *image[1:])

    def batch(self, places: NDArray[Any]) -> Batch:
        """The samples at these places, on the CPU."""
        return self._samples.at(torch.from_numpy(places))

    def spread(self, n: int) -> Batch:
        """`n` samples, or as many as there are, spread evenly over them, on the CPU."""
        return self._samples.peek(min(n, len(self)))

    @cached_property
    def _samples(self) -> Stream:
        return self.data.samples(self._degradation)

    @cached_property
    def _degradation(self) -> Degradation | None:
        return build(self.degradation, "degradation") if self.degradation else None


def card_of(store: Store, split: str) -> dict[str, Any]:
    """What tells this data from other data."""
    shape = "x".join(map(str, store.shape))
    card = {"name": store.name, "split": split, "sha256": store.sha256[:16], "count": len(store), "shape": shape}
    whole = store.card.get("sample_of")
    return card if whole is None else {**card, "sample_of": whole}
