"""The network of the courses, layer by layer, and what is different from the copies."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gan_lab.models.conv_gan import Discriminator, Generator


def table(network: nn.Module) -> list[tuple[object, ...]]:
    """What each layer is, in one line."""
    rows: list[tuple[object, ...]] = []
    for layer in network.layers:  # type: ignore[union-attr]
        if isinstance(layer, nn.Conv2d):
            rows.append((layer.in_channels, layer.out_channels, *layer.kernel_size, layer.stride[0], layer.padding[0]))
        elif isinstance(layer, nn.Linear):
            rows.append((layer.in_features, layer.out_features))
        else:
            rows.append((type(layer).__name__,))
    return rows


def test_layers_of_the_generator_at_32_pixels() -> None:
    assert table(Generator((3, 32, 32), 100)) == [
        (100, 128 * 8 * 8),
        ("ReLU",),
        ("Upsample",),
        (128, 128, 3, 3, 1, 1),
        ("BatchNorm2d",),
        ("ReLU",),
        ("Upsample",),
        (128, 64, 3, 3, 1, 1),
        ("BatchNorm2d",),
        ("ReLU",),
        (64, 3, 3, 3, 1, 1),
        ("Tanh",),
    ]


def test_layers_of_the_discriminator_at_32_pixels() -> None:
    discriminator = Discriminator((3, 32, 32))
    after = [("BatchNorm2d",), ("LeakyReLU",), ("Dropout2d",)]
    assert table(discriminator) == [
        *[(3, 32, 3, 3, 2, 1), *after[1:]],
        *[(32, 64, 3, 3, 2, 1), *after],
        *[(64, 128, 3, 3, 2, 1), *after],
        *[(128, 256, 3, 3, 1, 1), *after],
    ]
    assert discriminator.to_score.in_features == 256 * 4 * 4
    assert {m.negative_slope for m in discriminator.modules() if isinstance(m, nn.LeakyReLU)} == {0.2}
    assert {m.p for m in discriminator.modules() if isinstance(m, nn.Dropout2d)} == {0.25}


def test_sane_batch_norm() -> None:
    networks = Generator((3, 32, 32), 8, 4), Discriminator((3, 32, 32), 4)
    norms = [m for network in networks for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    assert {(norm.eps, norm.momentum) for norm in norms} == {(1e-5, 0.1)}


@pytest.mark.parametrize(
    ("shape", "first", "last", "channels"),
    [
        ((1, 16, 16), (4, 4), (2, 2), [32, 64, 128, 256]),
        ((1, 28, 28), (7, 7), (4, 4), [32, 64, 128, 256]),
        ((3, 64, 64), (8, 8), (4, 4), [32, 64, 128, 256, 256]),
        ((3, 96, 80), (12, 10), (6, 5), [32, 64, 128, 256, 256]),
    ],
)
def test_other_sizes(
    shape: tuple[int, int, int], first: tuple[int, int], last: tuple[int, int], channels: list[int]
) -> None:
    generator, discriminator = Generator(shape, 10), Discriminator(shape)
    assert generator.layers[0].map_shape == (*first, 128)
    convolutions = [m for m in discriminator.layers if isinstance(m, nn.Conv2d)]
    assert [m.out_channels for m in convolutions] == channels
    assert discriminator.to_score.in_features == channels[-1] * last[0] * last[1]


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 16, 16), (1, 28, 28), (3, 32, 32), (3, 96, 80)], ids=str)
def test_shapes_ranges_and_gradients(shape: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    generator, discriminator = Generator(shape, 10, width=8), Discriminator(shape, width=8)
    images = generator(10 * torch.randn(3, 10))
    assert images.shape == (3, *shape)
    assert images.abs().max() <= 1
    critique = discriminator(images)
    assert critique.scores.shape == (3,)
    assert critique.features.shape[0] == 3
    critique.scores.square().sum().backward()
    for name, parameter in [*generator.named_parameters(), *discriminator.named_parameters()]:
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


def test_without_dropout() -> None:
    assert not [m for m in Discriminator((1, 16, 16), dropout=0.0).modules() if isinstance(m, nn.Dropout2d)]
    with pytest.raises(ValueError, match=r"dropout must lie in \[0, 1\), not 1"):
        Discriminator((1, 16, 16), dropout=1.0)


def test_sizes_that_do_not_halve_are_refused() -> None:
    for make in (lambda: Generator((3, 89, 109), 8), lambda: Discriminator((3, 89, 109))):
        with pytest.raises(ValueError, match="nearest sizes that work"):
            make()
