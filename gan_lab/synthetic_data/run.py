"""From the keys of `gan-lab augment` to a folder of synthetic images, and to what they are worth."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from gan_lab.command_line.console import shown
from gan_lab.config import check_targets
from gan_lab.data.dataset import Dataset, build_dataset
from gan_lab.data.moved import of_run
from gan_lab.data.sources.listed import listed
from gan_lab.errors import ConfigError
from gan_lab.features.classifier import Classifier
from gan_lab.sampling.trained import Trained, load
from gan_lab.synthetic_data.making import Judge, Made, make
from gan_lab.synthetic_data.measuring import find_test, measure
from gan_lab.synthetic_data.plan import targets
from gan_lab.synthetic_data.writing import check_out, write_images

log = logging.getLogger(__name__)


def augment(config: Mapping[str, Any]) -> None:
    """Write the images that classes lack to `out`, and with `measure` say what they are worth. Raises ConfigError
    before anything is made where that cannot be."""
    out = Path(str(config["out"])).expanduser().absolute()
    check_out(out)
    trained = load(str(config["run"]), str(config["checkpoint"]), config["device"], list(config["trust"]))
    check_knows_classes(trained, str(config["run"]))
    data = dataset_of(trained, config)
    counts = images_by_class(data)
    wanted = targets(counts, config["balance"], config["classes"])
    labels = labels_of(trained, [name for name, target in wanted.items() if config["measure"] or target > counts[name]])
    test = find_test(data, trained, config["test"]) if config["measure"] else None
    device = next(trained.sampler.network.parameters()).device
    classifier = Classifier()
    if config["measure"] or config["confidence"] is not None:
        classifier.prepare(data, device)
    made = {}
    for name, label in labels.items():
        judge = None if config["confidence"] is None else judge_of(classifier, [*counts].index(name), data.name)
        number = wanted[name] if config["measure"] else wanted[name] - counts[name]
        settings = (config["seed"], config["truncation"], judge, config["confidence"] or 0.0)
        made[name] = make(trained.sampler, label, number, *settings)
        tell(name, made[name], number, counts[name])
    lacking = {name: first(some, wanted[name] - counts[name]) for name, some in made.items()}
    about = {"truncation": config["truncation"]}
    write_images(out, lacking, trained.path, trained.folder, trained.step, config["seed"], about)
    count = sum(len(each.images) for each in lacking.values())
    log.info("%d images in %s, and in synthetic.jsonl what made each", count, shown(out))
    if test is not None:
        measure(config, data, test, made, wanted, classifier, device, out)


def check_knows_classes(trained: Trained, run: str) -> None:
    """Raise ConfigError for a run that cannot be asked for an image of a class."""
    if trained.attributes:
        raise ConfigError(
            f"run={run}: knows attributes ({listed(trained.attributes)}), and what is filled up are classes"
        )
    if trained.sampler.needs:
        raise ConfigError(f"run={run}: makes images from {' and '.join(trained.sampler.needs)}, not of a class")
    if not trained.classes:
        raise ConfigError(
            f"run={run}: was trained without labels, so it cannot be asked for a class; train a conditional model "
            "(model=cdcgan), or a run for each class (dataset.classes=[NAME])"
        )


def dataset_of(trained: Trained, config: Mapping[str, Any]) -> Dataset:
    """The one that is named, else the run's own. Raises ConfigError where its images are not of the size that the run
    makes, and where they have no classes."""
    node = config.get("dataset")
    if node is None:
        check_targets({"dataset": trained.config["dataset"]}, list(config["trust"]))
        node = of_run(trained.config["dataset"], trained.stream, {})
    data = build_dataset(node)
    made = trained.config.get("shapes", {}).get("image")
    if made is not None and list(data.store.shape) != list(made):
        raise ConfigError(f"dataset.image_shape={list(data.store.shape)}: the run makes images of {list(made)}")
    if not data.store.classes or data.parts != 1 or data.store.dtype != "uint8":
        raise ConfigError(f"dataset: {data.name} has no pictures in classes to fill up")
    return data


def images_by_class(data: Dataset) -> dict[str, int]:
    """How many each has, by its name."""
    store = data.store
    assert store.labels is not None
    assert store.classes is not None
    counts = np.bincount(store.labels, minlength=len(store.classes)).tolist()
    return dict(zip(store.classes, counts, strict=True))


def labels_of(trained: Trained, names: list[str]) -> dict[str, int]:
    """What the generator calls each of these classes. Raises ConfigError for one that it does not know."""
    unknown = [name for name in names if name not in trained.classes]
    if unknown:
        raise ConfigError(
            f"dataset: the run does not know {listed(unknown)}; it was trained on {listed(trained.classes, 12)}; "
            "classes=[...] chooses others"
        )
    return {name: trained.classes.index(name) for name in names}


def judge_of(classifier: Classifier, place: int, name: str) -> Judge:
    """How likely a classifier holds images to be of the class at a place. Raises ConfigError where it knows nothing."""
    if not classifier.settled().knows_classes:
        raise ConfigError(
            f"confidence: the images of {name} are too few for a classifier that could judge; leave it null"
        )

    def judge(images: Tensor) -> Tensor:
        probabilities = classifier(images).probabilities
        assert probabilities is not None
        return probabilities[:, place]

    return judge


def tell(name: str, some: Made, wanted: int, real: int) -> None:
    """One line about a class, which warns where not all could be had."""
    kept = "" if some.confidence is None else f", {some.share:.1%} of those that were made were kept"
    log.info("class %s: %d real images, %d made%s", name, real, len(some.images), kept)
    if len(some.images) < wanted:
        log.warning("class %s: only %d of %d images were sure enough, of %d that were made", name, len(some.images),
                    wanted, some.tried)  # fmt: skip


def first(some: Made, count: int) -> Made:
    """So many of them."""
    sure = None if some.confidence is None else some.confidence[:count]
    return some._replace(images=some.images[:count], places=some.places[:count], confidence=sure)
