"""Labels are passed on where there are classes, missed where they are missing, dropped where there are none."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from gan_lab.layers.class_projection import ClassProjection
from gan_lab.layers.labels import LabelTable, as_vectors, look_up, require_label
from gan_lab.layers.mapping import Mapping


def test_labels() -> None:
    label = torch.arange(3)
    assert require_label(label, 5) is label
    assert require_label(label, 0) is None
    assert require_label(None, 0) is None
    with pytest.raises(ValueError, match="knows 5 classes: call it with a label for every sample"):
        require_label(None, 5)


TABLE = torch.tensor([[1.0, 10.0], [2.0, 20.0], [4.0, 40.0], [8.0, 80.0]])
ATTRIBUTES = torch.tensor([[1, 0, 0, 1], [0, 0, 0, 0], [1, 1, 1, 1]])


def test_a_class_is_a_row_and_attributes_are_a_sum() -> None:
    """Four rows: divided by 2."""
    assert look_up(torch.tensor([2, 0]), TABLE).tolist() == [[4, 40], [1, 10]]
    expected = [[(1 - 2 - 4 + 8) / 2, 15.0], [-7.5, -75.0], [7.5, 75.0]]
    assert look_up(ATTRIBUTES, TABLE).tolist() == expected
    assert look_up(ATTRIBUTES, torch.ones(4, 2), 1.0).tolist() == [[1, 1]] * 3
    assert look_up(ATTRIBUTES, 1 + TABLE, 1.0).tolist() == [[1 + x, 1 + y] for x, y in expected]


def test_a_table_is_an_embedding_of_classes() -> None:
    table = LabelTable(4, 2, _weight=TABLE.clone())
    assert torch.equal(table(torch.tensor([3, 1])), nn.Embedding(4, 2, _weight=TABLE)(torch.tensor([3, 1])))
    with torch.autocast("cpu", torch.bfloat16):
        summed = table(ATTRIBUTES)
    assert summed.dtype == torch.float32
    summed[0].sum().backward()
    assert table.weight.grad is not None
    assert table.weight.grad.tolist() == [[0.5, 0.5], [-0.5, -0.5], [-0.5, -0.5], [0.5, 0.5]]


def test_vectors() -> None:
    assert as_vectors(torch.tensor([1, 0]), 3, torch.float64).tolist() == [[0, 1, 0], [1, 0, 0]]
    signs = as_vectors(ATTRIBUTES, 4, torch.float64)
    assert signs.dtype == torch.float64
    assert signs.tolist() == [[1, -1, -1, 1], [-1] * 4, [1] * 4]


def test_a_projection_on_attributes() -> None:
    torch.manual_seed(0)
    projection, features = ClassProjection(2, 4), torch.randn(3, 2)
    vectors = look_up(ATTRIBUTES, projection.embedding.weight)
    expected = projection.linear(features).squeeze(1) + (vectors * features).sum(1)
    assert_close(projection(features, ATTRIBUTES), expected)


def test_a_mapping_reads_attributes_by_the_layer_of_its_classes() -> None:
    torch.manual_seed(0)
    mapping = Mapping(0, 3, 1, num_classes=4, decay=None)
    layer = mapping.of_label
    expected = as_vectors(ATTRIBUTES, 4, torch.float32) / 2 @ layer.weight.T * layer.scale + layer.bias
    assert_close(mapping.vectors(ATTRIBUTES), expected)
