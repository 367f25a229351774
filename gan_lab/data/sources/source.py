"""Where images come from: a source is made without touching disk or network and is opened when it is iterated."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gan_lab.errors import GanLabError

Label = int | tuple[int, ...]  # an index into the classes, or for each attribute 0 or 1
Sample = tuple[str, "Image.Image | NDArray[Any]", "Label | None"]


class Example(NamedTuple):
    """A sample with all that its source has of it: the picture that its image is made from, what is said of it."""

    name: str
    image: Image.Image | NDArray[Any]
    label: Label | None = None
    input: Image.Image | NDArray[Any] | None = None
    captions: Sequence[str] = ()


class DownloadError(GanLabError):
    """A source could not be fetched; the message is the reason, without the name of the dataset."""


class Source(ABC):
    """Yields `(name, image, label)`; the image is Pillow or uint8 `(C, H, W)`, the label an index into `classes`, or of
    a source with `attributes` a 1 for each that the image has and a 0 for each that it has not.

    A source with a `shape` of its own makes no pictures but float32 arrays of exactly that shape with values in
    [-1, 1], which are stored as they are. One that has more than images and labels tells it by `examples`.
    """

    classes: list[str] | None = None
    attributes: list[str] | None = None
    shape: tuple[int, int, int] | None = None
    sample_of: int | None = None  # how many images there are, where these are some that stand for all
    labels_key = "dataset.labels"  # where the user says none, to do without labels

    @property
    def channels(self) -> int:
        """1 if every image is gray, else 3. The images are read until one has colour."""
        if self.shape is not None:
            return self.shape[0]
        return 1 if all(has_one_channel(image) for _, image, _ in self) else 3

    def replaced_by(self, local: Source) -> Source:
        """What to read where the user has the images at `dataset.path` already: those, unless they are an ingredient.

        Raises ConfigError for a source that reads no images.
        """
        return local

    @property
    @abstractmethod
    def identity(self) -> str:
        """What tells these images from others; it decides where they are stored, so it must not change."""

    @abstractmethod
    def describe(self) -> str:
        """One phrase for the card of the store and for the user."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __iter__(self) -> Iterator[Sample]: ...

    def examples(self) -> Iterator[Example]:
        """The samples with every column that is to be packed."""
        return (Example(*sample) for sample in self)


class Joined(Source):
    """A source that tells of more than images and labels: what it yields is what `examples` has of them."""

    @abstractmethod
    def examples(self) -> Iterator[Example]: ...

    def __iter__(self) -> Iterator[Sample]:
        return ((example.name, example.image, example.label) for example in self.examples())


def has_one_channel(image: Image.Image | NDArray[Any]) -> bool:
    """Whether an image of a source has one channel, transparency aside."""
    if isinstance(image, np.ndarray):
        return len(image) == 1
    return image.mode in ("1", "L", "LA", "La") or image.mode.startswith("I")
