"""From a run and what was asked for to directions."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from gan_lab.config import check_targets
from gan_lab.data.dataset import build_dataset
from gan_lab.data.moved import of_run
from gan_lab.data.progress import Progress
from gan_lab.editing.attributes import extremes, independent_of, separating
from gan_lab.editing.directions import Directions, deviations
from gan_lab.editing.pca import features_of, mapped_back, principal, without_classes
from gan_lab.editing.sefa import sefa
from gan_lab.editing.shown import classes_of
from gan_lab.errors import ConfigError
from gan_lab.features.classifier import Classifier
from gan_lab.pictures.grid import to_bytes
from gan_lab.sampling.space import Space
from gan_lab.sampling.trained import Trained

log = logging.getLogger(__name__)

SMALLEST = 1e-6  # of what is left of an attribute that others explain
Found = tuple[list[str], Tensor, Tensor]  # names, unit vectors (K, dim), what each is worth (K,)


def find(trained: Trained, space: Space, asked: Mapping[str, Any]) -> Directions:
    """Directions by `asked["method"]`. Raises ConfigError for what this run cannot."""
    names, vectors, values = METHODS[asked["method"]](trained, space, asked)
    return Directions(
        names, vectors, values, deviations(space, vectors), space.name, asked["method"], asked.get("layers")
    )


def by_sefa(trained: Trained, space: Space, asked: Mapping[str, Any]) -> Found:
    """The first of them, by what they move the first features."""
    vectors, values = sefa(space.weights(asked["layers"]), asked["count"])
    return [f"sefa-{number}" for number in range(len(vectors))], vectors, values


def by_pca(trained: Trained, space: Space, asked: Mapping[str, Any]) -> Found:
    """Of styles themselves, or of what is made of latents, mapped back."""
    codes, label = sampled(trained, space, asked)
    if space.name == "w" and asked["layer"] is None:
        vectors, values = principal(space.vectors(codes), asked["count"])
    else:
        features = without_classes(features_of(space, codes, label, asked["layer"]), label)
        count = min(asked["count"], features.shape[1])
        vectors, values = mapped_back(space.vectors(codes), features, count)
    return [f"pca-{number}" for number in range(len(vectors))], vectors, values


def by_attribute(trained: Trained, space: Space, asked: Mapping[str, Any]) -> Found:
    """Of each attribute that was named, by the classes that codes know, or by what a classifier of the run's data sees
    in their images."""
    codes, label, classes, scores = scored(trained, space, asked)
    known = [str(each) for each in classes]
    others = [_place(known, each, "independent_of") for each in asked["independent_of"]]
    places = [_place(known, each, "attribute") for each in asked["attribute"] or known]
    vectors = {each: direction(codes, label, scores, each, asked["share"]) for each in {*places, *others}}
    found = []
    for place in places:
        vector, rest = vectors[place], [vectors[other] for other in others if other != place]
        if rest:
            left = independent_of(vector, torch.stack(rest))
            if float(left @ vector) < SMALLEST:
                raise ConfigError(f"independent_of: nothing of {known[place]} is left without them")
            vector = left
        found.append(vector)
    spread = torch.stack([(codes.double() @ vector).std() for vector in found])
    return [known[place] for place in places], torch.stack(found), spread


METHODS: dict[str, Callable[[Trained, Space, Mapping[str, Any]], Found]] = {
    "sefa": by_sefa,
    "pca": by_pca,
    "attribute": by_attribute,
}


def sampled(trained: Trained, space: Space, asked: Mapping[str, Any]) -> tuple[Tensor, Tensor | None]:
    """Codes, and the classes that images of them are to be asked for with; with the classes that were asked for, or all
    of them in turn."""
    n = asked["samples"]
    label = classes_of(trained, n, asked["label"])
    return space.codes(n, asked["seed"], label), label if space.num_classes else None


def scored(
    trained: Trained, space: Space, asked: Mapping[str, Any]
) -> tuple[Tensor, Tensor | None, list[str], Tensor | None]:
    """Codes `(N, dim)` with the classes that they know, or the scores `(N, K)` of their images; names of the K."""
    n = asked["samples"]
    if trained.attributes:
        raise ConfigError(
            "method=attribute: this generator is told attributes by name, so there is nothing to find: gan-lab sample "
            "attributes=[...]; method=sefa and pca find what else varies"
        )
    if trained.sampler.num_classes:
        if space.num_classes:
            raise ConfigError("method=attribute: this generator is told its classes beside its latents: label=")
        label = torch.arange(n) % trained.sampler.num_classes
        log.info("attributes are the classes that styles are made of")
        return space.vectors(space.codes(n, asked["seed"], label)), label, trained.classes, None
    classifier, classes = classifier_of(trained, asked)
    codes, scores = space.codes(n, asked["seed"]), []
    progress = Progress("classifying", n)
    for start in range(0, n, space.AT_ONCE):
        images = space.images(codes[start : start + space.AT_ONCE])
        probabilities = classifier(to_bytes(images)).probabilities
        assert probabilities is not None
        scores.append(torch.logit(probabilities.double().cpu(), eps=1e-9))
        progress.update(start + len(images))
    progress.close()
    log.info("attributes are classes of the data, by a classifier that is right in %.1f%% of held-out images",
             100 * (classifier.accuracy or 0))  # fmt: skip
    return space.vectors(codes), None, classes, torch.cat(scores)


def classifier_of(trained: Trained, asked: Mapping[str, Any]) -> tuple[Classifier, list[str]]:
    """Trained on the run's data, once. Raises ConfigError where that has no classes, or too few images."""
    check_targets({"dataset": trained.config["dataset"]}, asked["trust"])
    node = of_run(trained.config["dataset"], trained.stream, {})
    data = build_dataset(node)
    classifier, device = Classifier(), trained.sampler.space().engine.device
    known = data.store.labels is not None and data.classes_of_part > 1 and data.parts == 1
    if known:
        classifier.prepare(data, device)
    if not known or classifier.settled() is not classifier:
        raise ConfigError(f"method=attribute: {data.store.name} has no classes that a classifier could tell apart")
    names = data.store.classes or [str(number) for number in range(data.classes_of_part)]
    return classifier, [str(name) for name in names]


def direction(codes: Tensor, label: Tensor | None, scores: Tensor | None, place: int, share: float) -> Tensor:
    """The unit normal between codes of a class and those of others."""
    if label is not None:
        return separating(codes, label == place)
    assert scores is not None
    return separating(*extremes(codes, scores[:, place], share))


def _place(known: list[str], name: Any, key: str) -> int:
    if str(name) not in known:
        more = ", ..." if len(known) > 12 else ""
        raise ConfigError(f"{key}: {name!r} is not one of the {len(known)} classes ({', '.join(known[:12])}{more})")
    return known.index(str(name))
