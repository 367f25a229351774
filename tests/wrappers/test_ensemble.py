"""Members side by side."""

from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from gan_lab.wrappers.ensemble import DiscriminatorEnsemble
from tests.wrappers.stand_ins import Linear, Plain, factory

SHAPE = [2, 3, 4]


def test_a_column_for_each_member() -> None:
    ensemble = DiscriminatorEnsemble(factory(Linear, SHAPE, num_classes=2), count=3)
    images, label = torch.randn(5, *SHAPE), torch.zeros(5, dtype=torch.int64)
    critique = ensemble(images, label)
    scores, features, class_logits = critique.scores, critique.features, critique.class_logits
    each = [member(images, label) for member in ensemble.members]
    assert (scores.shape, features.shape, ensemble.num_classes) == ((5, 3), (5, 72), 2)
    for column, its in enumerate(each):
        assert_close(scores[:, column], its.scores)
    assert_close(class_logits, sum(its.class_logits for its in each) / 3)


def test_members_start_apart() -> None:
    first, second = DiscriminatorEnsemble(factory(Linear, SHAPE), count=2).members
    assert not torch.equal(first.to_score.weight, second.to_score.weight)  # type: ignore[union-attr]


def test_maps_of_scores_count_as_their_means() -> None:
    ensemble = DiscriminatorEnsemble(factory(Plain, SHAPE), count=2)
    images = torch.randn(5, *SHAPE)
    critique = ensemble(images)
    scores, features, class_logits = critique.scores, critique.features, critique.class_logits
    assert_close(scores[:, 1], ensemble.members[1](images).mean((1, 2, 3)))
    assert (features, class_logits, ensemble.num_classes) == (None, None, 0)


def test_refusals() -> None:
    with pytest.raises(ValueError, match="count must be at least 1 discriminator"):
        DiscriminatorEnsemble(factory(Linear, SHAPE), count=0)
