"""The projection score by hand."""

from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from gan_lab.layers.class_projection import ClassProjection


def test_score() -> None:
    torch.manual_seed(0)
    layer = ClassProjection(3, num_classes=4)
    features, labels = torch.randn(5, 3), torch.tensor([0, 3, 1, 1, 2])
    expected = []
    for h, y in zip(features, labels, strict=True):
        expected.append(layer.linear.weight[0] @ h + layer.linear.bias[0] + layer.embedding.weight[y] @ h)
    assert_close(layer(features, labels), torch.stack(expected))


def test_without_classes() -> None:
    layer, features = ClassProjection(3), torch.randn(5, 3)
    assert_close(layer(features, torch.zeros(5, dtype=torch.int64)), layer.linear(features)[:, 0])


def test_scores_stay_in_full_precision() -> None:
    layer, features = ClassProjection(3, 2), torch.randn(5, 3).bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert layer(features, torch.ones(5, dtype=torch.int64)).dtype == torch.float32


def test_labels_are_needed() -> None:
    with pytest.raises(ValueError, match="this network knows 4 classes: call it with a label"):
        ClassProjection(3, num_classes=4)(torch.randn(5, 3))
