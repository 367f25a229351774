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
SET_WORDS = (("domain",), ("set",), ("real",), ("fake",))
IMAGES = frozenset("image img picture pic".split())
BESIDE = frozenset(
    "label mask annotation anno ann segmentation seg segmap groundtruth truth depth edge sketch box bbox caption "
    "keypoint landmark thumbnail thumb preview condition conditioning control".split()
)
TARGETS = frozenset("masks labels annotations segmentations segmentation_masks groundtruth ground_truth".split())
MADE_FROM = frozenset("lr lq input source src blur blurred blurry noisy noise degraded damaged low before".split())
MADE = frozenset("hr hq gt sr output target tgt sharp clean clear high after".split())
MOST_WORDS = 4  # beside the word of a split and what all names have in common

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
    if len(parts) < 2:
        return None
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
    return _images_and_more(parts) or _inputs_and_outputs(parts)


def _images_and_more(parts: Sequence[Part]) -> Layout | None:
    """A folder called after images beside one called after what belongs to them, or nothing but one with such."""
    images = [part for part in parts if _is_among(part, IMAGES)]
    beside = [part for part in parts if _is_among(part, BESIDE) or (images and "gt" in part.words)]
    images = [part for part in images if part not in beside]
    if images and beside:
        return Layout({}, _first(beside), _first(images))
    targets = [part for part in parts if part.name.lower() in TARGETS]
    if targets and len(targets) == len(parts) - 1:
        return Layout({}, _first(targets), next(part.name for part in parts if part not in targets))
    return None


def _inputs_and_outputs(parts: Sequence[Part]) -> Layout | None:
    """All are called after something that images are made from, or after what is made; what all names share aside."""
    shared = set(parts[0].words).intersection(*(part.words for part in parts))
    own = [part._replace(words=tuple(word for word in part.words if word not in shared)) for part in parts]
    inputs, made = ([part for part in own if _is_among(part, words)] for words in (MADE_FROM | BESIDE, MADE | IMAGES))
    if inputs and made and len({*inputs, *made}) == len(own):
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
        and (part.words[:-1] in SET_WORDS or (len(part.words) == 1 and part.split is not None))
    )


def _is_among(part: Part, words: frozenset[str]) -> bool:
    return len(part.words) <= MOST_WORDS and any(word in words for word in part.words)


def _first(parts: Sequence[Part]) -> str:
    """Of several the one to train with."""
    return min(parts, key=lambda part: (part.split not in ("train", None), part.name)).name
