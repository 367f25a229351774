"""The paper's CIFAR-10 discriminator, its two readings, and the loss that trains the second."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, softplus
from torch.testing import assert_close

from gan_lab.config import build
from gan_lab.losses.regularizers import Turn
from gan_lab.models.acgan import Discriminator
from tests.compose import composed, tiny_run


def test_the_papers_layers_at_32_pixels() -> None:
    discriminator = Discriminator((3, 32, 32), num_classes=10)
    convolutions = [m for m in discriminator.layers if isinstance(m, nn.Conv2d)]
    assert [(m.in_channels, m.out_channels, m.stride[0]) for m in convolutions] == [
        (3, 16, 2),
        (16, 32, 1),
        (32, 64, 2),
        (64, 128, 1),
        (128, 256, 2),
        (256, 512, 1),
    ]
    assert {m.kernel_size for m in convolutions} == {(3, 3)}
    assert len([m for m in discriminator.layers if isinstance(m, nn.BatchNorm2d)]) == 5
    assert [m.p for m in discriminator.layers if isinstance(m, nn.Dropout)] == [0.5] * 6
    assert {m.negative_slope for m in discriminator.layers if isinstance(m, nn.LeakyReLU)} == {0.2}
    assert discriminator.to_classes.weight.shape == (10, 512 * 4 * 4)


def test_the_configured_generator_is_the_papers() -> None:
    generator = composed("model=acgan", "dataset=cifar10")["model"]["generator"]
    assert (generator["width"], generator["latent_dim"]) == (96, 100)
    network = build(generator).network.layers
    convolutions = [m for m in network if isinstance(m, nn.ConvTranspose2d)]
    assert [m.in_channels for m in convolutions] == [384, 192, 96]
    assert network[0].in_features == 110


@pytest.mark.parametrize("shape", [(1, 16, 16), (1, 28, 28), (3, 64, 64), (3, 96, 80)], ids=str)
def test_shapes(shape: tuple[int, int, int]) -> None:
    critique = Discriminator(shape, width=8, num_classes=7)(torch.randn(3, *shape))
    scores, features, class_logits = critique.scores, critique.features, critique.class_logits
    assert scores.shape == (3,)
    assert features.shape[:1] == (3,)
    assert features.shape[1] <= 32 * 8
    assert class_logits.shape == (3, 7)


def test_the_label_is_not_read() -> None:
    discriminator = Discriminator((1, 16, 16), width=8, num_classes=3).eval()
    images = torch.randn(2, 1, 16, 16)
    told, untold = discriminator(images, torch.tensor([0, 2])), discriminator(images)
    assert_close(told.scores, untold.scores)
    assert_close(told.class_logits, untold.class_logits)


def test_both_readings_are_linear_in_the_features() -> None:
    discriminator = Discriminator((1, 16, 16), width=4, num_classes=3).eval().double()
    critique = discriminator(torch.randn(5, 1, 16, 16, dtype=torch.float64))
    flat = critique.features.permute(0, 2, 3, 1).flatten(1)
    assert_close(critique.scores, flat @ discriminator.to_score.weight[0] + discriminator.to_score.bias)
    assert_close(critique.class_logits, discriminator.to_classes(critique.features.flatten(1)))


def test_the_game_of_the_paper(tmp_path: Path) -> None:
    """Equations 2 and 3: L_S and L_C for the discriminator on both kinds of images, for the generator on its own."""
    run = tiny_run(tmp_path, "model=acgan", "model.discriminator.dropout=0.0", "trainer.log_every=1")
    run.play()
    terms = set(run.metrics)
    assert {"loss/discriminator/adversarial", "loss/discriminator/classify_real"} <= terms
    assert {"loss/generator/adversarial", "loss/generator/classify_fake"} <= terms


def test_what_each_player_pays() -> None:
    torch.manual_seed(0)
    discriminator = Discriminator((1, 16, 16), width=4, num_classes=3).eval()
    real, fake, label = torch.randn(4, 1, 16, 16), torch.randn(4, 1, 16, 16), torch.tensor([0, 1, 2, 0])
    regularizers = composed("model=acgan")["loss"]["regularizers"]
    turn = Turn(
        real,
        fake,
        critic=lambda images: discriminator(images).scores,
        real_critique=discriminator(real),
        fake_critique=discriminator(fake),
        labels=label,
    )
    paid = {name: build(node)(turn) for name, node in regularizers.items()}
    on_real, on_fake = (cross_entropy(discriminator(images).class_logits, label) for images in (real, fake))
    assert_close(paid["classify_real"], on_real + on_fake)
    assert_close(paid["classify_fake"], on_fake)
    adversarial = build(composed("model=acgan")["loss"]["adversarial"])
    scores = discriminator(fake).scores
    assert_close(adversarial.generator(scores), softplus(-scores).mean())


def test_refusals() -> None:
    with pytest.raises(ValueError, match="needs labels: choose a dataset with classes"):
        Discriminator((1, 16, 16))
    with pytest.raises(ValueError, match=r"dropout must lie in \[0, 1\), not 1"):
        Discriminator((1, 16, 16), num_classes=3, dropout=1.0)
