"""One evaluation: images from a sampler go through an extractor to every metric, a part at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from gan_lab.errors import ConfigError
from gan_lab.features.extractor import Extracted
from gan_lab.metrics.base import Measure, Part
from gan_lab.metrics.figure import Figure, Value
from gan_lab.metrics.reference import Reference
from gan_lab.pictures.grid import to_bytes
from gan_lab.sampling.request import Request
from gan_lab.sampling.sampler import Sampler

STANDARD = 50_000  # generated images of a published FID
NO_FEATURES = Extracted(torch.empty(0, 0))


def applicable(
    measures: Mapping[str, Measure], reference: Reference, sampler: Sampler | None = None
) -> tuple[dict[str, Measure], dict[str, str]]:
    """The measures that can be taken of this data (and of what this sampler makes), and why the others cannot."""
    refused = {}
    for name, measure in measures.items():
        unlabelled = measure.labels and sampler is not None and not sampler.num_classes
        why = "the generator takes no labels" if unlabelled else measure.why_not(reference)
        if why is not None:
            refused[name] = why
    return {name: measure for name, measure in measures.items() if name not in refused}, refused


def measure(
    sampler: Sampler,
    reference: Reference,
    measures: Mapping[str, Measure],
    n: int,
    seed: int,
    about: Mapping[str, Any],
    tell: Callable[[int], None] = lambda done: None,
) -> list[Figure]:
    """Take every measure of `n` images that `seed` asks of the sampler. `about` goes on the cards (step, averaged or
    not, precision); `tell` hears how many images are done. Draws nothing from the global random generators.
    """
    accumulators = {name: each.begin(n) for name, each in measures.items()}
    looks = any(each.features for each in measures.values())
    done = 0
    label = sampler.each_in_turn(n)
    for images in sampler.images(Request(n, seed, label=label)):
        labels = None if label is None else label[done : done + len(images)]
        if reference.data.store.dtype == "uint8":
            images = to_bytes(images)  # what a file would hold: eight bits
        extracted = reference.extractor(images) if looks else NO_FEATURES
        for accumulator in accumulators.values():
            accumulator.add(Part(images, extracted.features, extracted.probabilities, labels))
        done += len(images)
        tell(done)
    figures = []
    for name, accumulator in accumulators.items():
        for value in accumulator.values(reference):
            figures.append(figure(value, measures[name], reference, n, {**about, "seed": seed}))
    return figures


def figure(value: Value, measure: Measure, reference: Reference, n: int, about: Mapping[str, Any]) -> Figure:
    """A value with its name and its card."""
    extractor = reference.extractor
    used = measure.features and not measure.about_of(reference)
    tag = f"{extractor.name}-{extractor.resizer}" if used else measure.about_of(reference)
    name = f"{value.name}/{tag}-{n}"
    standard = used and extractor.standard and n == STANDARD and reference.split == "train"
    if standard and value.name == "fid":
        name = "fid"
    card = {
        "metric": value.name,
        "settings": measure.settings_of(reference, n),
        "reference": reference.card,
        "n": n,
        "extractor": extractor.name if used else measure.about_of(reference),
        "resizer": extractor.resizer if used else "native",
        "weights": extractor.identity if used else None,
        "accuracy": extractor.accuracy if used else None,
        **about,
    }
    return Figure(name, value.value, value.spread, value.lower_is_better, card)


def check_count(n: Any, key: str) -> int:
    """A number of images. Raises ConfigError."""
    if isinstance(n, bool) or not isinstance(n, int) or n < 2:
        raise ConfigError(f"{key}: {n!r} is not a whole number of at least 2")
    return n
