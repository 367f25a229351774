"""The paper's units, maxout by hand, and labels that matter."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from gan_lab.models.cgan import Discriminator, Generator, maxout


def test_the_papers_units() -> None:
    discriminator = Discriminator((1, 28, 28), num_classes=10)
    assert discriminator.of_image.out_features == 240 * 5
    assert discriminator.of_label.weight.shape == (10, 50 * 5)
    assert (discriminator.joint.in_features, discriminator.joint.out_features) == (290, 240 * 4)
    assert discriminator.to_score.in_features == 240
    assert discriminator.dropout.p == 0.5


def test_the_vector_of_the_class_continues_the_latent() -> None:
    torch.manual_seed(0)
    generator = Generator((1, 28, 28), 6, num_classes=3).eval()
    latent, label = torch.randn(5, 6), torch.tensor([2, 0, 1, 1, 2])
    assert_close(generator(latent, label), generator.network(torch.cat([latent, generator.of_label.weight[label]], 1)))
    hidden = [m for m in generator.network.layers if isinstance(m, nn.Linear)]
    assert [(m.in_features, m.out_features) for m in hidden] == [(16, 128), (128, 256), (256, 512), (512, 784)]


def test_maxout() -> None:
    units = torch.tensor([[1.0, 5.0, -2.0, -3.0, -1.0, -7.0]])
    assert_close(maxout(units, 3), torch.tensor([[5.0, -1.0]]))
    assert_close(maxout(units, 2), torch.tensor([[5.0, -2.0, -1.0]]))


def test_a_looked_up_label_is_a_linear_layer_on_one_hot() -> None:
    table = Discriminator((1, 8, 8), width=24, num_classes=5).of_label
    label = torch.tensor([4, 0, 4])
    assert_close(table(label), nn.functional.one_hot(label, 5).float() @ table.weight)


def test_what_the_discriminator_computes() -> None:
    torch.manual_seed(0)
    network = Discriminator((1, 8, 8), width=24, num_classes=3).double().eval()
    images, label = torch.randn(4, 1, 8, 8, dtype=torch.float64), torch.tensor([0, 2, 1, 2])
    of_image = network.of_image(images.flatten(1)).view(4, 24, 5).max(2).values
    of_label = network.of_label.weight[label].view(4, 5, 5).max(2).values
    features = network.joint(torch.cat([of_image, of_label], 1)).view(4, 24, 4).max(2).values
    critique = network(images, label)
    assert_close(critique.features, features)
    assert_close(critique.scores, features @ network.to_score.weight[0] + network.to_score.bias)


@pytest.mark.parametrize("shape", [(1, 16, 16), (1, 28, 28), (3, 32, 32), (3, 96, 80)], ids=str)
def test_the_label_reaches_both_players(shape: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    generator = Generator(shape, 10, width=8, num_classes=4).eval()
    discriminator = Discriminator(shape, width=8, num_classes=4).eval()
    latent = torch.randn(1, 10).expand(2, 10)
    images = generator(latent, torch.tensor([0, 3]))
    assert images.shape == (2, *shape)
    assert images.abs().max() <= 1
    assert (images[0] - images[1]).abs().max() > 1e-3
    scores = discriminator(images[:1].expand(2, *shape), torch.tensor([0, 3])).scores
    assert scores.shape == (2,)
    assert (scores[0] - scores[1]).abs() > 1e-3


def test_every_parameter_learns() -> None:
    torch.manual_seed(0)
    generator = Generator((1, 16, 16), 6, width=8, num_classes=3)
    discriminator = Discriminator((1, 16, 16), width=8, num_classes=3)
    label = torch.arange(12) % 3
    discriminator(generator(torch.randn(12, 6), label), label).scores.square().sum().backward()
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


def test_bad_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match=r"dropout must lie in \[0, 1\), not 1"):
        Discriminator((1, 16, 16), 8, num_classes=3, dropout=1.0)
    with pytest.raises(ValueError, match="width must be at least 1, not 0"):
        Discriminator((1, 16, 16), 0, num_classes=3)
    with pytest.raises(ValueError, match="embedding_dim must be at least 1, not 0"):
        Generator((1, 16, 16), 6, 8, num_classes=3, embedding_dim=0)
