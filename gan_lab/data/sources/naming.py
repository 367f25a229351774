"""Labels as a file writes them, numbers or words, to labels of ours: indices into a list of classes."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from gan_lab.command_line.printable import printable
from gan_lab.data.sources.listed import listed
from gan_lab.errors import ConfigError

NO_LABELS = "none"  # what one says for the labels to leave them out
NO_VALUES = frozenset("nan none null nil na n/a #n/a <na> undefined unknown ? -".split())
SHOWN = 5  # names in a message

_WHOLE = re.compile(r"[+-]?\d+(\.0*)?")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)

log = logging.getLogger(__name__)


class Labelled(NamedTuple):
    """The names of the classes, in order, and the class of each image; None where it has none."""

    classes: list[str]
    of_each: list[int | None]


class Column:
    """A column of labels: `key` begins its messages, and `setting` is the key that chooses another (or none)."""

    def __init__(self, key: str, setting: str = "dataset.labels", wanted: bool = False) -> None:
        self.key = key
        self.setting = setting
        self.wanted = wanted  # by name, so that every image must have one

    def read(self, values: Iterable[Any], noted: Sequence[str] | None = None) -> Labelled:
        """Every value as the index of its class. Where the classes are `noted`, values are their indices already, and
        others (-1) are no label; otherwise the distinct values, in order, are the classes (see `spell` and `in_order`).

        Raises ConfigError for values that are neither whole numbers nor words, and for images without a label where
        labels are `wanted`. A column that says nothing of any image is a warning.
        """
        if noted:
            classes = [str(name) for name in noted]
            of_each = [value if _is_index(value, len(classes)) else None for value in values]
        else:
            classes, of_each = self._told_apart(values)
        missing = [place for place, label in enumerate(of_each) if label is None]
        if missing and self.wanted:
            raise ConfigError(
                f"{self.key}: {without_label(len(missing), len(of_each), rows(missing))}; fill them in, take those "
                f"images away, or leave all labels out with {self.setting}={NO_LABELS}"
            )
        if of_each and len(missing) == len(of_each):
            log.warning("%s: none of the %d images has a label in it", self.key, len(of_each))
        return Labelled(classes, of_each)

    def _told_apart(self, values: Iterable[Any]) -> tuple[list[str], list[int | None]]:
        spelt = list(self._spelt(values))
        current = whole(spelt)
        if current is None:
            fraction = next(text for text in spelt if text and not _WHOLE.fullmatch(text))
            raise self._refused(spelt.index(fraction), fraction)
        names = in_order(current[text] for text in set(spelt) if text)
        index = {name: place for place, name in enumerate(names)}
        return names, [index[current[text]] if text else None for text in spelt]

    def _spelt(self, values: Iterable[Any]) -> Iterator[str]:
        known: dict[Any, str] = {}
        for place, value in enumerate(values):
            try:
                text = known.get((type(value), value))
            except TypeError:
                text = None
            if text is None:
                text = spell(value)
                if text is None:
                    raise self._refused(place, value)
                known[type(value), value] = text
            yield text

    def _refused(self, place: int, value: Any) -> ConfigError:
        return ConfigError(
            f"{self.key}: labels are whole numbers or words, one of each image; row {place} has "
            f"{printable(str(value))[:40]} ({type(value).__name__}); name another with {self.setting}=NAME, or leave "
            f"them out with {self.setting}={NO_LABELS}"
        )


def spell(value: Any) -> str | None:
    """A label as text, empty where there is none (null, not-a-number, blank); None for what cannot be one. A whole
    number is one however it is written: pandas turns 4 into 4.0 where a row is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return "" if value != value else str(int(value)) if value.is_integer() else None
    if isinstance(value, bytes):
        return value.decode(errors="replace").strip()
    return str(value).strip() if isinstance(value, (int, str)) else None


def whole(labels: Iterable[str]) -> dict[str, str] | None:
    """What each of the labels (as `spell` has them) is called: where all are whole numbers, `4.0` is `4`. None where
    all are numbers but not whole: those are measurements, and no classes."""
    once = {text for text in labels if text}
    if all(_WHOLE.fullmatch(text) for text in once):
        pointed = any("." in text for text in once)
        return {text: str(int(text.partition(".")[0])) if pointed else text for text in once}
    if all(_NUMBER.fullmatch(text) for text in once):
        return None
    return {text: text for text in once}


def in_order(names: Iterable[str]) -> list[str]:
    """Each of the names once, sorted; by number if all are whole numbers."""
    once = sorted(set(names))
    if not all(_WHOLE.fullmatch(name) for name in once):
        return once
    return sorted(once, key=lambda name: int(name.partition(".")[0]))


def doubts(classes: Sequence[str]) -> Iterator[str]:
    """What classes look like mistakes: some that mean "no label", and some that differ in case or spaces alone."""
    nothing = [name for name in classes if name.strip().lower() in NO_VALUES or not name.strip()]
    if "-1" in classes and all(name == "-1" or name.isdecimal() for name in classes):
        nothing.append("-1")
    if nothing:
        yield f"there are images of the class {listed(nothing)}; where that means no label, leave it empty or away"
    alike: dict[str, list[str]] = {}
    for name in classes:
        alike.setdefault(" ".join(unicodedata.normalize("NFKC", name).casefold().split()), []).append(name)
    for names in alike.values():
        if len(names) > 1:
            yield f"{' and '.join(map(printable, names))} are different classes; write them alike if they are one"


def without_label(count: int, total: int, names: Sequence[str]) -> str:
    return f"{count} of {total} images have no label ({listed(names, SHOWN)})"


def rows(places: Sequence[int]) -> list[str]:
    """The first few, as a message names them."""
    return [f"row {place}" for place in places[: SHOWN + 1]]


def _is_index(value: Any, count: int) -> bool:
    return isinstance(value, int) and 0 <= value < count
