"""Progressive GAN's generator: the published counts, what a fade is made of, what learns in which stage."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, interpolate, leaky_relu, one_hot
from torch.testing import assert_close

from gan_lab.layers.in_stages import enlarge
from gan_lab.layers.pixel_norm import pixel_norm
from gan_lab.models.progressive import Generator
from gan_lab.models.progressive_discriminator import Discriminator

CIFAR = {"width": 128, "full": 64}
COUNTS: list[tuple[int, dict[str, int], int, int]] = [
    (32, {}, 20_719_628, 20_726_785),
    (64, {}, 22_490_383, 22_498_049),
    (256, {}, 23_044_309, 23_052_353),
    (1024, {}, 23_079_115, 23_087_249),
    (32, CIFAR, 1_296_908, 1_298_689),
]


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def small(shape: tuple[int, int, int] = (3, 16, 16), **more: Any) -> Generator:
    torch.manual_seed(0)
    return Generator(shape, 6, **{"width": 8, "full": 8, **more})


def at(generator: Generator, level: int) -> Generator:
    generator.grow(level, False)
    return generator


@pytest.mark.parametrize(("size", "settings", "ours", "theirs"), COUNTS)
def test_published_counts(size: int, settings: dict[str, int], ours: int, theirs: int) -> None:
    """Of the authors' networks, their smaller ones of CIFAR-10 among them."""
    with torch.device("meta"):
        generator = Generator((3, size, size), settings.get("width", 512), **settings)
        discriminator = Discriminator((3, size, size), **settings)
    assert (parameters(generator), parameters(discriminator)) == (ours, theirs)


@pytest.mark.parametrize(("shape", "first"), [((1, 28, 28), (7, 7)), ((4, 32, 64), (4, 8)), ((3, 24, 16), (6, 4))])
def test_sizes(shape: tuple[int, int, int], first: tuple[int, int]) -> None:
    generator = small(shape)
    for level in range(generator.first.blocks + 1):
        height, width = (side << level for side in first)
        assert at(generator, level)(torch.randn(2, 6)).shape == (2, shape[0], height, width)


@pytest.mark.parametrize("shape", [(3, 89, 109), (3, 4, 4), (3, 18, 18)])
def test_sizes_that_do_not_double_up(shape: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="does not halve down to a map of 4 to 7 pixels; nearest sizes that work"):
        small(shape)


def test_by_hand() -> None:
    """A first map whose numbers are those of a vector, one more layer, and two for each doubling."""
    generator = small((3, 8, 8)).double()
    for name, parameter in generator.named_parameters():
        if name.endswith("bias"):
            nn.init.normal_(parameter)
    latent, weights = torch.randn(2, 6, dtype=torch.float64), dict(generator.named_parameters())

    def layer(maps: Tensor, name: str) -> Tensor:
        weight = weights[f"{name}.conv.weight"]
        scaled = weight * (2 / (9 * weight.shape[1])) ** 0.5
        return pixel_norm(leaky_relu(conv2d(maps, scaled, weights[f"{name}.conv.bias"], padding=1), 0.2))

    vectors = pixel_norm(latent) @ weights["dense.weight"].T * (2 / 6) ** 0.5 / 4
    maps = vectors.view(2, 4, 4, 8).permute(0, 3, 1, 2) + weights["bias"][:, None, None]
    maps = layer(pixel_norm(leaky_relu(maps, 0.2)), "layer")
    maps = layer(layer(interpolate(maps, scale_factor=2.0), "blocks.0.0"), "blocks.0.1")
    assert maps.square().mean(1).sub(1).abs().max() < 1e-6
    expected = conv2d(maps, weights["to_image.1.weight"] / 8**0.5, weights["to_image.1.bias"])
    assert_close(generator(latent), expected.float())


def test_a_fade_begins_as_it_was_and_ends_without_it() -> None:
    generator, latent = small(), torch.randn(3, 6)
    before, after = at(generator, 1)(latent), at(generator, 2)(latent)
    generator.grow(2, True)
    generator.share.fill_(0.0)
    assert torch.equal(generator(latent), enlarge(before))
    generator.share.fill_(1.0)
    assert torch.equal(generator(latent), after)
    generator.share.fill_(0.25)
    assert_close(generator(latent), 0.75 * enlarge(before) + 0.25 * after)


@pytest.mark.parametrize(
    ("share", "still"), [(0.0, {"blocks.1.", "to_image.2."}), (0.5, set()), (1.0, {"to_image.1."})]
)
def test_what_learns_in_a_fade(share: float, still: set[str]) -> None:
    """Gradients of what does not count yet, or no longer, are exactly 0; larger layers have none."""
    generator = small((3, 32, 32))
    generator.grow(2, True)
    generator.share.fill_(share)
    generator(torch.randn(3, 6)).square().sum().backward()
    for name, parameter in generator.named_parameters():
        if name.startswith(("blocks.2.", "to_image.3.", "to_image.0.")):
            assert parameter.grad is None, name
        else:
            assert parameter.grad is not None, name
            assert bool(parameter.grad.any()) != name.startswith(tuple(still) or "-"), name


def test_labels_stand_beside_the_latent() -> None:
    generator, latent, label = small(num_classes=3), torch.randn(2, 6), torch.tensor([2, 0])
    plain = small()
    plain.dense = generator.dense
    plain.load_state_dict(generator.state_dict())
    assert_close(generator(latent, label), plain(torch.cat([latent, one_hot(label, 3).float()], 1)))
    with pytest.raises(ValueError, match="knows 3 classes"):
        generator(latent)


def test_images_are_not_squashed_and_kept_in_fp32() -> None:
    generator = small()
    nn.init.constant_(generator.to_image[2].bias, 7.0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        for fading in (False, True):
            generator.grow(2, fading)
            assert generator(torch.randn(2, 6)).dtype == torch.float32
    assert generator(torch.randn(9, 6)).mean() > 2
