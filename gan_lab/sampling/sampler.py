"""What draws images from trained networks, whatever the game was."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar

import torch
from torch import Tensor, nn

from gan_lab.data.batch import Batch
from gan_lab.engine.seeding import generator_of
from gan_lab.errors import ConfigError
from gan_lab.sampling.detector import Detector
from gan_lab.sampling.label_space import Classes, LabelSpace
from gan_lab.sampling.request import Request
from gan_lab.sampling.space import Space

REFUSED = {
    "label": "was trained without labels, it makes what it likes",
    "caption": "does not read captions",
    "input": "makes images from nothing but its latents",
    "codes": "has no latents",
    "truncation": "has no latents that could be truncated",
}
MISSING = {
    "input": "makes each image from another: gan-lab translate run=RUN input=PICTURES out=FOLDER",
    "caption": "makes each image from a caption: gan-lab sample run=RUN text='a red heart'",
}


class Sampler(ABC):
    """`takes` names what a request may hold (`input` and `caption`, where they are in it, every request must hold),
    `network` is the module that makes the images, `label_space` the labels that can be asked for, `directions` the ways
    that it goes from inputs to images, its own first: the data's a and b. `detector` is there
    where the networks were trained to tell pictures from those of the data."""

    takes: frozenset[str] = frozenset()
    directions: tuple[str, ...] = ("a2b",)
    network: nn.Module
    label_space: LabelSpace = Classes()
    detector: Detector | None = None
    AT_ONCE: ClassVar[int] = 64  # images

    def images(self, request: Request) -> Iterator[Tensor]:
        """`(k, C, H, W)` in [-1, 1] on the CPU, some at a time, `n` in all; the same for the same request on every
        device. Raises ConfigError, in one line, for a request of what this network does not take, without what it
        cannot do without, and of another number of conditions than images, before anything is made.
        """
        asked = request.asked
        for name, value in asked.items():
            if name not in self.takes:
                raise ConfigError(f"{name}: this generator {REFUSED[name]}")
            if isinstance(value, Tensor) and len(value) != request.n:
                raise ConfigError(f"{name}: {len(value)} of them for n={request.n} images; there must be as many")
        for name in self.needs:
            if name not in asked:
                raise ConfigError(f"{name}: missing; this generator {MISSING[name]}")
        return self.drawn(request)

    @property
    def num_classes(self) -> int:
        """How many classes, or attributes, can be asked for; 0: it takes no labels."""
        return self.label_space.count

    def of(self, direction: str) -> Sampler:
        """What goes in one of its directions. Raises ConfigError for a way that it does not go."""
        if direction not in self.directions:
            raise ConfigError(f"direction={direction}: this run goes {' and '.join(self.directions)}")
        return self

    @property
    def needs(self) -> tuple[str, ...]:
        """What every request must hold: columns of the data."""
        return tuple(name for name in MISSING if name in self.takes)

    def request_for(self, batch: Batch, seed: int, codes: Tensor | None = None) -> Request:
        """A request for an image for each sample of a batch, by those of its columns that this network takes."""
        columns = {name: getattr(batch, name) for name in ("label", "caption", "input") if name in self.takes}
        return Request(len(batch.image), seed, codes=codes, **columns)

    @abstractmethod
    def drawn(self, request: Request) -> Iterator[Tensor]:
        """The images of a request that may be made."""

    @abstractmethod
    def codes(self, n: int, seed: int, truncation: float | None = None) -> Tensor:
        """What the network makes images from, `(n, D)` on the CPU: row i depends on the seed and i alone. Raises
        ConfigError where there is no such thing."""

    def codes_of_seed(self, n: int, seed: int, truncation: float | None = None) -> Tensor | None:
        """`codes` of a request that has none; None where a seed decides nothing."""
        return self.codes(n, seed, truncation) if "codes" in self.takes else None

    def space(self, truncation: float | None = None) -> Space:
        """Where what its images are made of can be moved, as a `truncation` leaves it. Raises ConfigError where there
        is no such thing."""
        raise ConfigError(f"run: this generator {REFUSED['codes']}: what it makes follows from what it is given")

    @abstractmethod
    def panel(self, shown: Batch, seed: int) -> dict[str, Tensor]:
        """Columns of images by name, `(rows, C, H, W)` each, that show what it does with a batch."""

    def each_in_turn(self, n: int) -> Tensor | None:
        """A label for each of `n` images; None where it takes none."""
        return self.label_space.in_turn(n)

    def labels_like(self, labels: Tensor | None, n: int, seed: int) -> Tensor | None:
        """A label for each of `n` images, drawn by `seed` from `labels` `(N,)` or `(N, A)` of the data, as StyleGAN's
        metrics do; each in its turn where there are no such labels. None where it takes none."""
        if labels is None or not self.label_space.fit(labels):
            return self.each_in_turn(n)
        return labels[torch.randint(len(labels), (n,), generator=generator_of(f"labels {seed}"))]


def all_images(sampler: Sampler, request: Request) -> Tensor:
    """The images of a request as one tensor `(n, C, H, W)`."""
    return torch.cat(list(sampler.images(request)))
