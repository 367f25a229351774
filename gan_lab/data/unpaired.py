"""Two streams side by side: images that are to be made, and others that they are made from, but not one by one."""

from __future__ import annotations

from typing import Any, NamedTuple

from torch import Tensor

from gan_lab.data.batch import Batch
from gan_lab.data.stream import Drawn, Stream
from gan_lab.errors import ConfigError, GanLabError


class DrawnApart(NamedTuple):
    """What a batch of unpaired data is made of."""

    image: Drawn
    input: Drawn

    def clone(self) -> DrawnApart:
        return DrawnApart(self.image.clone(), self.input.clone())

    def copy_(self, other: DrawnApart) -> None:
        """Take over what `other`, of the same shapes, holds."""
        self.image.copy_(other.image)
        self.input.copy_(other.input)


class Unpaired:
    """The interface of a `Stream` over two of them, each of its own store, order and length: `image` and `label` of a
    batch are those of one, `input` is the image of the other, or its input where it has one (both are then streams of
    one store, and what `at` and `peek` show are its pairs). Raises ConfigError for a degradation of the images, which
    would make inputs of them."""

    def __init__(self, image: Stream, input: Stream) -> None:
        if image.degradation is not None:
            raise ConfigError(
                f"degradation: the inputs of {image.store.name} are images of their own; degradation=none"
            )
        self.image, self.input = image, input

    @property
    def batch_size(self) -> int:
        return self.image.batch_size

    @batch_size.setter
    def batch_size(self, size: int) -> None:
        self.image.batch_size = self.input.batch_size = size

    @property
    def resident(self) -> bool:
        """Whether both live on the device."""
        return self.image.resident and self.input.resident

    @property
    def waited(self) -> float:
        """The seconds for which the caller had to wait, for either."""
        return self.image.waited + self.input.waited

    @property
    def count(self) -> int:
        """How many images an epoch has."""
        return self.image.count

    def next(self) -> Batch:
        """The next batch, on the device."""
        return self.batch(self.draw())

    def draw(self) -> DrawnApart:
        """What the next batch is made of."""
        return DrawnApart(self.image.draw(), self.input.draw())

    def batch(self, drawn: DrawnApart) -> Batch:
        """The batch made of that."""
        return _together(self.image.batch(drawn.image), self.input.batch(drawn.input))

    def peek(self, n: int) -> Batch:
        """`n` samples of each, spread evenly over its store; nothing is drawn."""
        return _together(self.image.peek(n), self.input.peek(n))

    def at(self, indices: Tensor) -> Batch:
        """The inputs at these places `(n,)` of their store, each beside an image; nothing is drawn."""
        return _together(self.image.at(indices % len(self.image.store)), self.input.at(indices))

    def state_dict(self) -> dict[str, Any]:
        return {"image": self.image.state_dict(), "input": self.input.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from `state`. Raises GanLabError for a state of other data."""
        if not {"image", "input"} <= state.keys():
            raise GanLabError("the dataset changed: the checkpoint's is one of pairs, this one's images are unpaired")
        self.image.load_state_dict(state["image"])
        self.input.load_state_dict(state["input"])

    def close(self) -> None:
        """Stop the reading threads, if there are any."""
        self.image.close()
        self.input.close()


def _together(image: Batch, other: Batch) -> Batch:
    made_from: Tensor = other.image if other.input is None else other.input
    return image._replace(input=made_from)
