"""Some of the images of a source: those of a few classes, and of these a share that is not trained on, or the rest."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from gan_lab.data.sources.listed import listed
from gan_lab.data.sources.source import Example, Sample, Source
from gan_lab.errors import ConfigError


@dataclass(frozen=True)
class Selection:
    """Images of `classes` (names, or their numbers; None: all), and of those all but the share `held_out`, or with
    `others` just that share. It is spread evenly over the images in their order, so the same ones are held out
    wherever they are packed, of every class alike where classes lie one behind the other.

    Raises ConfigError for an empty list of classes, and for a share that is not from 0 to below 1.
    """

    classes: tuple[str, ...] | None = None
    held_out: float = 0.0
    others: bool = False

    def __post_init__(self) -> None:
        if self.classes is not None and not (self.classes and len(set(self.classes)) == len(self.classes)):
            raise ConfigError(f"dataset.classes={list(self.classes)}: name one class or more, each once; null for all")
        if not 0 <= self.held_out < 1:
            raise ConfigError(f"dataset.held_out={self.held_out}: a share of the images, from 0 to below 1")

    @classmethod
    def of(cls, classes: Sequence[str | int] | str | int | None, held_out: float) -> Selection:
        """What the keys of a dataset say."""
        if isinstance(held_out, bool) or not isinstance(held_out, (int, float)):
            raise ConfigError(f"dataset.held_out={held_out}: a share of the images, from 0 to below 1")
        if isinstance(classes, (str, int)):
            classes = [classes]
        return cls(None if classes is None else tuple(map(str, classes)), float(held_out))

    @property
    def rest(self) -> Selection:
        """The share that this one leaves out."""
        return replace(self, others=not self.others)

    def holds(self, place: int) -> bool:
        """Whether the image at a place among those of the classes is in it."""
        before, behind = (math.floor(count * self.held_out + 1e-9) for count in (place, place + 1))
        return (behind > before) == self.others

    def __bool__(self) -> bool:
        """Whether it is another than all images."""
        return self.classes is not None or self.held_out > 0

    def __str__(self) -> str:
        words = [] if self.classes is None else [f"classes {', '.join(self.classes)}"]
        if self.held_out:
            words.append(f"{'the' if self.others else 'without the'} share {self.held_out:g} that is held out")
        return ", ".join(words)

    def of_source(self, source: Source) -> Source:
        """The source that has these images alone."""
        return Selected(source, self)


class Selected(Source):
    """The images of a source that are in a selection; labels count its classes alone, in the order in which they are
    named. What tells them from others is the source's `identity` and the selection. Raises ConfigError, when it is
    iterated, for a class that the source does not have, and for images without labels."""

    def __init__(self, source: Source, selection: Selection) -> None:
        self.source, self.selection = source, selection
        self.shape, self.labels_key = source.shape, source.labels_key
        self.classes = source.classes if selection.classes is None else None

    @property
    def attributes(self) -> list[str] | None:  # type: ignore[override]
        return self.source.attributes

    @property
    def channels(self) -> int:
        return self.source.channels

    @property
    def identity(self) -> str:
        return self.source.identity

    def describe(self) -> str:
        return f"{self.source.describe()}, {self.selection}"

    def __len__(self) -> int:
        """At most so many: which they are is known when they were read."""
        return len(self.source)

    def __iter__(self) -> Iterator[Sample]:
        return ((example.name, example.image, example.label) for example in self.examples())

    def examples(self) -> Iterator[Example]:
        places: dict[int, int] | None = None
        count = 0
        for example in self.source.examples():
            if self.selection.classes is not None:
                if places is None:
                    places = self._places(self.selection.classes)
                if not isinstance(example.label, int) or example.label not in places:
                    continue
                example = example._replace(label=places[example.label])
            if self.selection.holds(count):
                yield example
            count += 1
        if self.selection.classes is None:
            self.classes = self.source.classes
        if self.selection.others and not math.floor(count * self.selection.held_out + 1e-9):
            raise ConfigError(f"dataset.held_out={self.selection.held_out}: of {count} images that is none; take more")

    def _places(self, wanted: Sequence[str]) -> dict[int, int]:
        """For each class of the source that is wanted, by its number there, its number here."""
        known = self.source.classes
        if known is None:
            raise ConfigError(
                f"dataset.classes={list(wanted)}: the images have no labels; {self.labels_key} finds them"
            )
        numbers = [class_number(word, known, "dataset.classes") for word in wanted]
        if len(set(numbers)) < len(numbers):
            raise ConfigError(f"dataset.classes={list(wanted)}: two of them are the same class")
        self.classes = [known[number] for number in numbers]
        return {number: place for place, number in enumerate(numbers)}


def class_number(word: str, known: Sequence[str], key: str) -> int:
    """Which of the `known` classes a word means: a name first, and a number second. Raises ConfigError for none."""
    if word in known:
        return list(known).index(word)
    if word.isdecimal() and int(word) < len(known):
        return int(word)
    raise ConfigError(f"{key}: {word} is not one of the {len(known)} classes ({listed(list(known), 12)})")
