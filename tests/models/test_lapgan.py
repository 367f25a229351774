"""LAPGAN's networks: sizes of the authors' code, and where noise, the coarser image and the class come in."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from gan_lab.models.lapgan import ClassPlane, CoarseDiscriminator, CoarseGenerator, Discriminator, Generator

CIFAR = (3, 32, 32)


def size(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_sizes_are_those_of_the_authors() -> None:
    assert size(CoarseGenerator(CIFAR, 100, 2)) == 1_792_992
    assert size(CoarseDiscriminator(CIFAR, 2)) == 477_001
    assert size(Generator(CIFAR, 0)) == size(Generator(CIFAR, 1)) == 218_179
    assert size(Discriminator(CIFAR, 0)) == 116_545
    assert size(Discriminator((3, 28, 28), 0)) == 113_729
    assert size(Discriminator((3, 28, 28), 1)) == 107_905
    assert size(Generator(CIFAR, 0, num_classes=10)) == 232_579
    assert size(Discriminator(CIFAR, 0, num_classes=10)) == 129_409


@torch.no_grad()
def test_a_fine_generator_adds_to_the_enlarged_image() -> None:
    """Of no weights nothing; and the noise is the plane behind the image's channels."""
    generator = Generator((3, 8, 12), 0, width=4)
    assert generator.latent_dim == 8 * 12
    source = torch.randn(2, 4, 8, 12)
    assert_close(generator(source), source[:, :3] + generator.layers(source))
    generator.layers[-1].weight.zero_()
    generator.layers[-1].bias.fill_(0.25)
    assert_close(generator(source), source[:, :3] + 0.25)


def test_levels_by_their_size() -> None:
    assert CoarseGenerator((1, 16, 24), 5, 2, width=4)(torch.randn(3, 5)).shape == (3, 1, 4, 6)
    for shape in ((3, 4, 4), (1, 8, 12), (3, 9, 9), (1, 14, 10)):
        judge = Discriminator(shape, 0, width=4)
        critique = judge(torch.zeros(2, *shape))
        assert critique.scores.shape == (2,)
        assert critique.features is not None
        assert critique.features.shape[1] == 4


def test_the_coarsest_level_stays_in_range() -> None:
    torch.manual_seed(0)
    assert CoarseGenerator((1, 8, 8), 5, 1, width=4)(1e4 * torch.randn(3, 5)).abs().max() == 1.0


def test_the_plane_of_a_class() -> None:
    plane = ClassPlane(3, (2, 4))
    with torch.no_grad():
        plane.to_plane.weight.copy_(torch.arange(24.0).view(8, 3) - 12)
        plane.to_plane.bias.fill_(0.5)
    expected = torch.tensor([1.0, 4.0, 7.0, 10.0]) + 0.5
    assert_close(plane(torch.tensor([1]))[0, 0], torch.stack((torch.zeros(4), expected - 0.0)))


def test_the_class_is_one_more_channel_or_goes_on_from_the_vector() -> None:
    torch.manual_seed(0)
    label = torch.tensor([2, 0])
    generator, judge = Generator(CIFAR, 2, 4, 3), Discriminator(CIFAR, 2, 4, 3, dropout=0.0)
    source = torch.randn(2, 4, 8, 8)
    assert generator.of_label is not None
    assert judge.of_label is not None
    made = generator.layers(torch.cat((source, generator.of_label(label)), 1))
    assert_close(generator(source, label), source[:, :3] + made)
    seen = judge.layers(torch.cat((source[:, :3], judge.of_label(label)), 1))
    assert_close(judge(source[:, :3], label).features, seen)
    coarse, critic = CoarseGenerator(CIFAR, 5, 2, 4, 3), CoarseDiscriminator(CIFAR, 2, 4, 3, dropout=0.0)
    latent, one_hot = torch.randn(2, 5), torch.eye(3)[label]
    images: Tensor = coarse(latent, label)
    assert_close(images.flatten(1), coarse.layers(torch.cat((latent, one_hot), 1)))
    assert_close(critic(images, label).features, critic.layers(torch.cat((images.flatten(1), one_hot), 1)))


@pytest.mark.parametrize("classes", [0, 3])
def test_every_parameter_learns(classes: int) -> None:
    torch.manual_seed(0)
    label = torch.arange(12) % 3
    coarse, judge_coarse = (
        CoarseGenerator((1, 16, 16), 6, 1, 8, classes),
        CoarseDiscriminator((1, 16, 16), 1, 8, classes),
    )
    fine, judge_fine = Generator((1, 16, 16), 0, 8, classes), Discriminator((1, 16, 16), 0, 8, classes)
    judge_coarse(coarse(torch.randn(12, 6), label), label).scores.square().sum().backward()
    judge_fine(fine(torch.randn(12, 2, 16, 16), label), label).scores.square().sum().backward()
    for network in (coarse, judge_coarse, fine, judge_fine):
        for name, parameter in network.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.count_nonzero() > 0, name


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="call it with a label"):
        Generator(CIFAR, 0, 4, 3)(torch.zeros(1, 4, 32, 32))
    with pytest.raises(ValueError, match="cannot be halved 3 times"):
        Discriminator((3, 36, 36), 3)
    with pytest.raises(ValueError, match="width must be at least 1, not 0"):
        CoarseGenerator(CIFAR, 5, 2, width=0)
    for make in (CoarseDiscriminator, Discriminator):
        with pytest.raises(ValueError, match=r"dropout must lie in \[0, 1\), not 1"):
            make(CIFAR, 0, dropout=1.0)
