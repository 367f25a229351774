"""What synthetic images are worth: five ways to train a classifier, on real test images; and memorisation by class."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from gan_lab.command_line.console import shown
from gan_lab.command_line.table import table, terminal_width
from gan_lab.data.dataset import Dataset, build_dataset
from gan_lab.data.held_out import as_classes_of, held_out, held_out_by_itself
from gan_lab.data.moved import of_run
from gan_lab.data.store import Store
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.features.classifier import Classifier
from gan_lab.features.fitting_classifier import Labelled, steps_for
from gan_lab.metrics.memorisation import memorisation
from gan_lab.sampling.trained import Trained
from gan_lab.storage.files import write_json
from gan_lab.synthetic_data.arms import ADDED, OVERSAMPLED, REAL, Outcome, arms, compare, flip_and_crop
from gan_lab.synthetic_data.comparison import Difference, Scores, difference, sentence
from gan_lab.synthetic_data.leakage import checksums_of, strangers
from gan_lab.synthetic_data.making import Made

MEASURED = "measurement.json"
MEASURE = {"accuracy": "accuracy", "balanced_accuracy": "balanced accuracy", "worst_recall": "worst class's recall"}
COPIES = -3.0  # a z-score of memorisation below which generated images lie suspiciously near to those of training
SIZE = 32  # pixels that the classifier sees

log = logging.getLogger(__name__)


class Compared(NamedTuple):
    """By how much an arm is better than another, of each measure."""

    arm: str
    base: str
    differences: dict[str, Difference]


class Unseen(NamedTuple):
    """Real images `(n, C, H, W)` that nobody was trained on, and their classes as the data numbers them."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]


def find_test(data: Dataset, trained: Trained, name: str | None) -> Unseen:
    """The images that `name` means (a split, or a path); null: the share that the data holds out, else its test split,
    else its validation split. Raises ConfigError where there are none, and where the generator has seen them."""
    found = others_of(data, name)
    if found.store.shape != data.store.shape:
        raise ConfigError(f"test: its images are {list(found.store.shape)}, those of training {list(data.store.shape)}")
    numbers = as_classes_of(data, found.store)
    seen, checksums = [data.store], checksums_of(trained.stream)
    if checksums - {data.store.sha256}:
        seen.append(store_of(trained))
    places = strangers(found.store, seen, checksums)
    assert found.store.labels is not None
    return Unseen(np.asarray(found.store.images[places]), numbers[found.store.labels[places]])


def others_of(data: Dataset, name: str | None) -> Dataset:
    """The data's images that are not trained on."""
    if name is not None:
        return held_out(data, name, "test")[0]
    if data.selection.held_out:
        return data.rest
    found = held_out_by_itself(data, "test")
    if found is None:
        raise ConfigError(
            f"test: {data.name} has no test split; name images that the generator has not seen (test=FOLDER), or train "
            "it with dataset.held_out=0.2"
        )
    return found[0]


def store_of(trained: Trained) -> Store:
    """What the run was trained on. Raises GanLabError where that is not here any more."""
    try:
        return build_dataset(of_run(trained.config["dataset"], trained.stream, {})).store
    except GanLabError as error:
        raise GanLabError(
            f"test: what the run was trained on is not here, so it may have seen them ({error})"
        ) from error


def measure(
    config: Mapping[str, Any],
    data: Dataset,
    test: Unseen,
    made: Mapping[str, Made],
    targets: Mapping[str, int],
    classifier: Classifier,
    device: torch.device,
    out: Path,
) -> None:
    """Train classifiers in five ways, print what each is worth and which classes the generator has memorised, and write
    both to `measurement.json`."""
    real, classes = data.store, [*targets]
    assert real.labels is not None
    fakes = [some.images.numpy() for some in made.values() if len(some.images)]
    of_fakes = np.repeat([classes.index(name) for name in made], [len(some.images) for some in made.values()])
    labels = np.concatenate([real.labels, of_fakes])
    images = np.concatenate([np.asarray(real.images), *fakes])
    steps = config["steps"] or steps_for(len(real))
    each = arms(labels, len(real), [*targets.values()], partial(flip_and_crop, flip=config["flip"]))
    each = [arm for arm in each if len(arm.places)]
    seeds = range(config["seed"], config["seed"] + config["seeds"])
    outcomes = compare(
        Labelled(images, labels, len(classes), 1, SIZE, device),
        Labelled(test.images, test.labels, len(classes), 1, SIZE, device),
        each, seeds, steps,
    )  # fmt: skip
    apart = differences(outcomes)
    known = memorised(data, test, made, classifier)
    for line in report(outcomes, apart, known, len(test.labels), steps, len(seeds)):
        log.info("%s", line)
    write_json(out / MEASURED, record(outcomes, apart, known, classes, steps, list(seeds), len(test.labels)))
    log.info("by seed and class in %s", shown(out / MEASURED))


def differences(outcomes: list[Outcome]) -> list[Compared]:
    """Of each arm to real images alone, and of generated images to repeated ones, of each measure, paired by seed."""
    known = {outcome.name: outcome for outcome in outcomes}
    pairs = [(name, REAL) for name in known if name != REAL] + [(ADDED, OVERSAMPLED)]
    return [
        Compared(one, other, {
            name: difference(
                [getattr(each, name) for each in known[one].scores],
                [getattr(each, name) for each in known[other].scores],
            )
            for name in Scores._fields
        })
        for one, other in pairs
    ]  # fmt: skip


def memorised(data: Dataset, test: Unseen, made: Mapping[str, Made], classifier: Classifier) -> dict[str, float | None]:
    """Of each class how its generated images lie to those of training, beside how its test images do (see
    `gan_lab.metrics.memorisation`), by the classifier's features; None of a class that has too few to tell."""
    store = data.store
    assert store.classes is not None
    assert store.labels is not None
    found: dict[str, float | None] = {}
    for name, some in made.items():
        number = store.classes.index(name)
        own = torch.from_numpy(np.array(store.images[store.labels == number]))
        others = torch.from_numpy(test.images[test.labels == number])
        if min(len(own), len(others), len(some.images)) < 2:
            found[name] = None
            continue
        features = [classifier(images).features for images in (own, others, some.images)]
        found[name] = memorisation(*features)
    return found


def report(
    outcomes: list[Outcome],
    apart: list[Compared],
    known: Mapping[str, float | None],
    test: int,
    steps: int,
    seeds: int,
) -> list[str]:
    """What is printed: means over seeds, then in words what is better or worse than what, then memorisation."""
    header = ("trained on", "images", *MEASURE.values())
    rows = [
        (
            outcome.name,
            str(outcome.images),
            *(_mean([getattr(each, name) for each in outcome.scores]) for name in MEASURE),
        )
        for outcome in outcomes
    ]
    lines = [f"on {test} test images, {steps} steps each, mean and standard deviation of {seeds} seeds, in %:"]
    lines += table(header, rows, terminal_width(), header[1:])
    lines.append("differences are paired by seed, with a 95% interval over seeds (of one generator and one test set):")
    for arm, base, each in apart:
        lines += [sentence(arm, base, words, each[name]) for name, words in MEASURE.items()]
    lines.append(
        "memorisation: z-score by class; 0: as near to the images of training as test images, below -3: copies"
    )
    for name, z in known.items():
        told = "too few images to tell" if z is None else f"{z:+.1f}{'  copies' if z < COPIES else ''}"
        lines.append(f"  {name}: {told}")
    return lines


def record(
    outcomes: list[Outcome],
    apart: list[Compared],
    known: Mapping[str, float | None],
    classes: list[str],
    steps: int,
    seeds: list[int],
    test: int,
) -> dict[str, Any]:
    """The same for machines."""
    return {
        "steps": steps,
        "seeds": seeds,
        "test_images": test,
        "arms": {
            outcome.name: {
                "images": outcome.images,
                "scores": [each._asdict() for each in outcome.scores],
                "recalls": dict(zip(classes, outcome.recalls, strict=True)),
                "differences": {
                    base: {name: each._asdict() for name, each in found.items()}
                    for arm, base, found in apart
                    if arm == outcome.name
                },
            }
            for outcome in outcomes
        },
        "memorisation": dict(known),
    }


def _mean(values: list[float]) -> str:
    return f"{100 * float(np.mean(values)):.1f} +- {100 * float(np.std(values, ddof=1)):.1f}"
