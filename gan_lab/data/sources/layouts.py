"""Folders that are no classes: splits, two sets of pictures, pictures and what belongs to each of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

SPLITS = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}
SPLIT_OF = {alias: split for split, aliases in SPLITS.items() for alias in aliases}

SETS = ("a", "b")  # of CycleGAN and pix2pix
IMAGES = frozenset("image img picture pic".split())
BESIDE = frozenset(
    "label mask annotation anno ann segmentation seg segmap groundtruth truth depth edge sketch box bbox caption "
    "keypoint landmark thumbnail thumb preview condition conditioning control".split()
)
MADE_FROM = frozenset("lr lq input source src blur blurred blurry noisy noise degraded damaged low before".split())
MADE = frozenset("hr hq gt sr output target tgt sharp clean clear high after".split())
MOST_WORDS = 2  # beside the word of a split and what all names have in common

_WORDS = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+(?![a-z])|\d+")


class Part(NamedTuple):
    """A folder by its name: the split that it is of, and its other words, in lower case and singular."""

    name: str
    split: str | None
    words: tuple[str, ...]


class Layout(NamedTuple):
    """What folders are: `splits` by the folder that holds each; or two sets, the inputs first; or images, after what
    lies beside them."""

    splits: dict[str, str]
    inputs: str | None = None
    images: str | None = None
    two_sets: bool = False


def recognise(names: Iterable[str]) -> Layout | None:
    """The layout that these folders, side by side, make; None where their names may be those of classes."""
    parts = [_read(name) for name in sorted(names)]
    letters = [part.words[-1] if _is_set(part) else "" for part in parts]
    if set(letters) == set(SETS):
        a, b = (_first([part for part in parts if part.words[-1] == letter]) for letter in SETS)
        return Layout({}, a, b, two_sets=True)
    splits: dict[tuple[str, ...], dict[str, str]] = {}
    for part in reversed(parts):
        if part.split is not None:
            splits.setdefault(part.words, {})[part.split] = part.name
    if len(splits) == 1 and len(only := next(iter(splits.values()))) > 1:
        return Layout(only)
    shared = set[str]().union(*(part.words for part in parts)).intersection(*(part.words for part in parts))
    return _of_kinds([part._replace(words=tuple(w for w in part.words if w not in shared)) for part in parts])


def _of_kinds(parts: Sequence[Part]) -> Layout | None:
    """Images and what belongs to each: where one folder is called after either, or all are called after some."""
    images = [part for part in parts if _is_among(part, IMAGES)]
    beside = [part for part in parts if _is_among(part, BESIDE)]
    if images and beside:
        return Layout({}, _first(beside), _first(images))
    inputs, made = ([part for part in parts if _is_among(part, words)] for words in (MADE_FROM, MADE))
    made += images
    inputs += beside
    if inputs and made and len({*inputs, *made}) == len(parts):
        return Layout({}, _first(inputs), _first(made))
    return None


def _read(name: str) -> Part:
    words = [word.lower() for word in _WORDS.findall(name)]
    if (found := re.fullmatch(r"(train|val|valid|test)([ab])", name, re.IGNORECASE)) is not None:
        words = [found[1].lower(), found[2].lower()]  # TRAINA
    split = next((SPLIT_OF[word] for word in words if word in SPLIT_OF), None)
    rest = (word for word in words if word not in SPLIT_OF)
    return Part(name, split, tuple(word.removesuffix("s") if len(word) > 3 else word for word in rest))


def _is_set(part: Part) -> bool:
    """trainA, test_b, domain A; a lone a or b may well be a class."""
    return part.name in ("A", "B") or (
        part.words[-1:] in (("a",), ("b",))
        and (part.words[:-1] == ("domain",) or (len(part.words) == 1 and part.split is not None))
    )


def _is_among(part: Part, words: frozenset[str]) -> bool:
    return len(part.words) <= MOST_WORDS and any(word in words for word in part.words)


def _first(parts: Sequence[Part]) -> str:
    """Of several the one to train with."""
    return min(parts, key=lambda part: (part.split not in ("train", None), part.name)).name
