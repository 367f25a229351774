"""DCGAN's networks with the label joined in."""

from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from gan_lab.models.cdcgan import Discriminator, Generator

SHAPES = [(1, 16, 16), (1, 28, 28), (3, 32, 32), (3, 96, 80)]


def test_the_one_hot_label_continues_the_latent() -> None:
    torch.manual_seed(0)
    generator = Generator((1, 16, 16), 6, width=8, num_classes=3).eval()
    latent, label = torch.randn(5, 6), torch.tensor([2, 0, 1, 1, 2])
    joined = torch.cat([latent, torch.eye(3)[label]], 1)
    assert_close(generator(latent, label), generator.network(joined))


def test_the_plane_of_the_class_is_a_channel() -> None:
    torch.manual_seed(0)
    discriminator = Discriminator((3, 24, 16), width=8, num_classes=3).eval()
    images, label = torch.randn(2, 3, 24, 16), torch.tensor([2, 0])
    joined = torch.cat([images, discriminator.of_label.weight[label].reshape(2, 1, 24, 16)], 1)
    assert_close(discriminator(images, label).scores, discriminator.network(joined).scores)
    assert_close(discriminator(images, label).features, discriminator.network(joined).features)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_label_reaches_both_players(shape: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    generator = Generator(shape, 10, width=8, num_classes=4).eval()
    discriminator = Discriminator(shape, width=8, num_classes=4).eval()
    images = generator(torch.randn(1, 10).expand(2, 10), torch.tensor([0, 3]))
    assert images.shape == (2, *shape)
    assert images.abs().max() <= 1
    assert (images[0] != images[1]).float().mean() > 0.9
    scores = discriminator(images[:1].expand(2, *shape), torch.tensor([0, 3])).scores
    assert scores.shape == (2,)
    assert scores[0] != scores[1]


@pytest.mark.parametrize("normalization", ["batch", "none"])
def test_every_parameter_learns(normalization: str) -> None:
    torch.manual_seed(0)
    generator = Generator((3, 16, 16), 6, width=8, num_classes=3)
    discriminator = Discriminator((3, 16, 16), width=8, num_classes=3, normalization=normalization)
    label = torch.arange(9) % 3
    discriminator(generator(torch.randn(9, 6), label), label).scores.square().sum().backward()
    for name, parameter in [*generator.named_parameters(), *discriminator.named_parameters()]:
        assert parameter.grad is not None, name
        assert parameter.grad.count_nonzero() > 0, name


@pytest.mark.parametrize("classes", [None, 0])
def test_data_without_classes_is_refused(classes: int | None) -> None:
    for make in (
        lambda: Generator((1, 16, 16), 6, num_classes=classes),
        lambda: Discriminator((1, 16, 16), num_classes=classes),
    ):
        with pytest.raises(ValueError, match="needs labels: choose a dataset with classes"):
            make()


def test_a_missing_label_is_refused() -> None:
    with pytest.raises(ValueError, match="call it with a label"):
        Generator((1, 16, 16), 6, 8, num_classes=3)(torch.randn(2, 6))
    with pytest.raises(ValueError, match="call it with a label"):
        Discriminator((1, 16, 16), 8, num_classes=3)(torch.randn(2, 1, 16, 16))
