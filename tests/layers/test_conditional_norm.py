"""Conditional BatchNorm against BatchNorm and a scale and shift picked sample by sample."""

from __future__ import annotations

import torch
from torch import nn
from torch.testing import assert_close

from gan_lab.layers.conditional_norm import ClassNorm, PlainNorm, VectorNorm


def test_class_norm_is_a_batch_norm_per_class() -> None:
    """The statistics are those of the whole batch; each sample has the affine part of its class."""
    torch.manual_seed(0)
    norm = ClassNorm(3, num_classes=4).double()
    nn.init.normal_(norm.scale)
    nn.init.normal_(norm.shift)
    features, labels = torch.randn(6, 3, 5, 4, dtype=torch.float64), torch.tensor([0, 3, 1, 1, 2, 0])
    for training in (True, False):
        norm.train(training)
        expected = torch.empty_like(features)
        for k in range(4):
            of_class = nn.BatchNorm2d(3).double()
            of_class.load_state_dict({"weight": norm.scale[k], "bias": norm.shift[k], **norm.norm.state_dict()})
            chosen = labels == k
            expected[chosen] = of_class.train(training)(features)[chosen].detach()
        assert_close(norm(features, labels), expected)


def test_class_norm_starts_as_a_batch_norm() -> None:
    features = torch.randn(6, 3, 5, 4)
    assert_close(ClassNorm(3, 10)(features, torch.arange(6)), nn.BatchNorm2d(3)(features))


def test_vector_norm() -> None:
    torch.manual_seed(0)
    norm = VectorNorm(3, condition_dim=5).double()
    features, condition = torch.randn(4, 3, 2, 2, dtype=torch.float64), torch.randn(4, 5, dtype=torch.float64)
    mean, variance = features.mean((0, 2, 3)), features.var((0, 2, 3), unbiased=False)
    expected = torch.empty_like(features)
    for n in range(4):
        scale, shift = 1 + norm.scale.weight @ condition[n], norm.shift.weight @ condition[n]
        for c in range(3):
            expected[n, c] = scale[c] * (features[n, c] - mean[c]) / (variance[c] + 1e-5).sqrt() + shift[c]
    assert_close(norm(features, condition), expected)


def test_plain_norm_does_not_read_the_condition() -> None:
    features = torch.randn(4, 3, 2, 2)
    assert_close(PlainNorm(3)(features, torch.arange(4)), nn.BatchNorm2d(3)(features))


def test_scale_and_shift_are_linear_in_attributes() -> None:
    torch.manual_seed(0)
    norm = ClassNorm(3, num_classes=2).double().eval()
    attributes, features = torch.tensor([[1, 0], [1, 1]]), torch.randn(2, 3, 2, 2, dtype=torch.float64)
    assert_close(norm(features, attributes), norm.norm(features))  # whichever there are, at the start
    nn.init.normal_(norm.scale)
    nn.init.normal_(norm.shift)
    apart, root = norm.scale - 1, 2**0.5
    scale = torch.stack([1 + (apart[0] - apart[1]) / root, 1 + (apart[0] + apart[1]) / root])
    shift = torch.stack([norm.shift[0] - norm.shift[1], norm.shift[0] + norm.shift[1]]) / root
    assert_close(norm(features, attributes), norm.norm(features) * scale[..., None, None] + shift[..., None, None])
