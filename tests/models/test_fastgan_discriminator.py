"""FastGAN's discriminator: the published size, its branches, and images made again from its maps."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate
from torch.nn.utils.parametrize import is_parametrized
from torch.testing import assert_close

from gan_lab.layers.critique import Critique
from gan_lab.models.fastgan_discriminator import Discriminator, Halving, decoder, quarter


def count(*networks: nn.Module | None) -> int:
    return sum(p.numel() for network in networks if network is not None for p in network.parameters())


@pytest.mark.parametrize(
    ("size", "published"), [(256, 11_526_160), pytest.param(1024, 11_528_192, marks=pytest.mark.whole)]
)
def test_the_size_is_the_authors(size: int, published: int) -> None:
    with torch.device("meta"):
        judge = Discriminator((3, size, size))
    assert count(judge) == published
    assert count(judge.decode, judge.decode_quadrant, judge.decode_small) == 3_139_488


SIZES: dict[tuple[int, int, int], tuple[int, list[int], dict[int, int], list[int]]] = {
    # image: scores; channels of the main maps; who is excited by whom; sides of what is made again
    (1, 8, 12): (1 * 2 + 23, [16], {}, [8]),
    (1, 16, 16): (25, [8, 16], {1: 0}, [16, 8]),
    (3, 28, 28): (121, [8, 16], {1: 0}, [28, 14]),
    (3, 32, 32): (50, [4, 8, 16], {2: 0}, [32, 16, 32]),
    (3, 64, 64): (50, [2, 4, 8, 16], {3: 0}, [64, 32, 64]),
}


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_images_of_every_size(size: tuple[int, int, int]) -> None:
    scores, channels, excited, sides = SIZES[size]
    judge = Discriminator(size, width=2)
    critique = judge(torch.rand(2, *size))
    rows, columns = (critique.maps[len(channels) - 1].shape[2 + side] - 3 for side in (0, 1))
    assert critique.scores.shape == (2, scores if size != (1, 8, 12) else rows * columns)
    assert [maps.shape[1] for maps in critique.maps[: len(channels)]] == channels
    assert {int(step): int(step) - judge.reach for step in judge.excitations} == excited
    made = judge.reconstructions(critique, torch.tensor([0, 3]))
    assert [each.shape[2] for each, _ in made] == sides
    assert all(each.shape == wanted.shape for each, wanted in made)


@torch.no_grad()
def test_both_branches() -> None:
    torch.manual_seed(0)
    judge = Discriminator((3, 32, 32), width=2).eval()
    images = torch.rand(2, 3, 32, 32)
    one, two, three = judge.stem(images), None, None
    two = judge.blocks[0](one)
    three = judge.excitations["2"](one, judge.blocks[1](two))
    assert judge.small is not None
    assert judge.small_to_scores is not None
    small = judge.small(images.unflatten(3, (16, 2)).unflatten(2, (16, 2)).mean((3, 5)))  # bilinear by half is a mean
    critique = judge(images)
    for found, expected in zip(critique.maps, (one, two, three, small), strict=True):
        assert_close(found, expected)
    expected = torch.cat((judge.to_scores(three).flatten(1), judge.small_to_scores(small).flatten(1)), 1)
    assert_close(critique.scores, expected)
    assert critique.features is critique.maps[2]
    assert critique.images is images


@torch.no_grad()
def test_what_is_to_be_made_again() -> None:
    """The image, its quadrant from the same quadrant of the map, and the image once more, at the size that is made."""
    torch.manual_seed(0)
    judge = Discriminator((1, 32, 32), width=2).eval()
    images, quadrant = torch.rand(2, 1, 32, 32), torch.tensor([1, 2])
    critique = judge(images)
    whole, part, small = judge.reconstructions(critique, quadrant)
    assert_close(whole[1], images)
    assert_close(small[1], images)
    assert_close(part[1], torch.stack((images[0, :, :16, 16:], images[1, :, 16:, :16])))
    seen = critique.maps[1]
    assert judge.decode_quadrant is not None
    assert_close(part[0], judge.decode_quadrant(torch.stack((seen[0, :, :8, 8:], seen[1, :, 8:, :8]))))
    assert_close(whole[0], judge.decode(critique.maps[2]))
    larger = Critique(critique.scores, maps=critique.maps, images=interpolate(images, (64, 64), mode="nearest"))
    assert_close(judge.reconstructions(larger, quadrant)[0][1], images)  # by nearest neighbours


def test_quarters_row_by_row() -> None:
    maps = torch.arange(16.0).view(1, 1, 4, 4).expand(4, 2, 4, 4)
    found: Sequence[Tensor] = quarter(maps, torch.arange(4))[:, 1]
    assert [each[0].tolist() for each in found] == [[0.0, 1.0], [2.0, 3.0], [8.0, 9.0], [10.0, 11.0]]


@torch.no_grad()
def test_a_halving_is_the_mean_of_its_two_ways() -> None:
    torch.manual_seed(0)
    halve, maps = Halving(3, 4), torch.randn(2, 3, 8, 8)
    assert_close(halve.eval()(maps), 0.5 * halve.main(maps) + 0.5 * halve.direct(maps))
    assert halve(maps).shape == (2, 4, 4, 4)


def test_a_decoder_ends_where_it_should() -> None:
    assert decoder(6, 3, 8, 3)(torch.randn(2, 6, 4, 5)).shape == (2, 3, 32, 40)
    assert decoder(6, 1, 8, 0)(torch.randn(2, 6, 4, 5)).shape == (2, 1, 4, 5)
    assert decoder(6, 1, 8, 1)(1e3 * torch.randn(2, 6, 4, 5)).abs().max() <= 1


def test_every_parameter_learns_and_every_convolution_has_spectral_norm() -> None:
    torch.manual_seed(0)
    judge = Discriminator((1, 32, 32), width=2)
    critique = judge(torch.rand(4, 1, 32, 32))
    made = judge.reconstructions(critique, torch.arange(4))
    (critique.scores.square().sum() + sum(each.square().sum() for each, _ in made)).backward()
    for name, parameter in judge.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.count_nonzero() > 0, name
    layers = [layer for layer in judge.modules() if isinstance(layer, nn.Conv2d)]
    assert all(is_parametrized(layer, "weight") and layer.bias is None for layer in layers)
    with pytest.raises(ValueError, match="width must be at least 1, not 0"):
        Discriminator((1, 32, 32), width=0)
