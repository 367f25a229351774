"""Attribute accuracy: shares by hand, and a classifier that tells shapes apart."""

from __future__ import annotations

import math

import pytest
import torch

from gan_lab.data.dataset import build_dataset
from gan_lab.features.pixels import Pixels
from gan_lab.metrics.attribute_accuracy import AttributeAccuracy, accuracy
from gan_lab.metrics.base import Part
from gan_lab.metrics.reference import Reference
from tests.compose import composed


def test_rare_attributes_count_as_much_as_frequent_ones() -> None:
    """First: 1 of 1 found, 2 of 3 not there. Second: 1 of 2, 1 of 2. Third: asked of all, so it says nothing."""
    wanted = torch.tensor([[1, 1, 1], [0, 1, 1], [0, 0, 1], [0, 0, 1]])
    present = torch.tensor([[1, 1, 0], [0, 0, 0], [1, 1, 0], [0, 0, 0]]).bool()
    assert accuracy(present, wanted) == pytest.approx(((1 + 2 / 3) / 2 + 0.5) / 2)
    assert accuracy(wanted.bool(), wanted) == 1.0
    assert accuracy(~wanted.bool(), wanted) == 0.0
    assert math.isnan(accuracy(present[:, 2:], wanted[:, 2:]))


def test_shapes_are_told_apart() -> None:
    """Real images as generated ones have what they were asked for; asked for the opposite they have it not; the
    classifier is trained once, and leaves the global random numbers as they were."""
    data = build_dataset(composed("dataset=attributed_shapes", "dataset.source.count=300")["dataset"])
    reference, measure = Reference(data, Pixels()), AttributeAccuracy(steps=60)
    assert measure.why_not(reference) is None
    assert measure.settings_of(reference, 100)["steps"] == 60
    assert AttributeAccuracy().settings_of(reference, 100)["steps"] == 300
    state = torch.get_rng_state()
    network, ceiling = measure.classifier(reference)
    assert torch.equal(torch.get_rng_state(), state)
    assert measure.classifier(reference)[0] is network
    labels = reference.labels(300)
    assert labels is not None
    for asked, least, most in ((labels, 0.85, 1.0), (1 - labels, 0.0, 0.15)):
        accumulator = measure.begin(300)
        for part in (slice(0, 200), slice(200, 300)):
            accumulator.add(Part(reference.images(300)[part], torch.empty(0), None, asked[part]))
        values = {value.name: value for value in accumulator.values(reference)}
        assert least <= values["attribute_accuracy"].value <= most
        assert values["attribute_accuracy_real"].value == ceiling >= 0.75
        assert not any(value.lower_is_better for value in values.values())


def test_what_cannot_be() -> None:
    digits = Reference(build_dataset(composed("dataset=digits")["dataset"]), Pixels())
    assert AttributeAccuracy().why_not(digits) == "the data has no attributes"
