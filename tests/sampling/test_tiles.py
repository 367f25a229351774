"""What is made of tiles is what would be made of the whole."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gan_lab.errors import ConfigError, GanLabError
from gan_lab.sampling.request import Request
from gan_lab.sampling.sampler import Sampler, all_images
from gan_lab.sampling.tiles import Tiled, mirrored, starts, windows_of
from tests.sampling.stand_ins import Converter, Noisy

RADIUS = 3  # pixels that each convolution stack below sees to every side
FIELD = 2 * RADIUS + 1
SIZES = [(37, 53), (24, 61), (25, 24), (9, 70), (5, 6), (1, 1), (1, 40)]


def stack(scale: int) -> nn.Module:
    """Three convolutions of 3x3, zeros at the border as everywhere, and `scale` times as many pixels at the end."""
    torch.manual_seed(0)
    convolutions = [nn.Conv2d(2, 8, 3, padding=1), nn.Tanh(), nn.Conv2d(8, 8, 3, padding=1), nn.Tanh()]
    return nn.Sequential(*convolutions, nn.Conv2d(8, 3 * scale**2, 3, padding=1), nn.PixelShuffle(scale)).eval()


class Strided(nn.Module):
    """Sees blocks of 4x4 pixels at once, and takes nothing whose sides are not multiples of 4."""

    def __init__(self, back: int) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.back = nn.PixelShuffle(back)
        self.convolution = nn.Conv2d(2 * 16, 3 * back**2, 3, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        return self.back(self.convolution(nn.functional.pixel_unshuffle(images, 4)))


def inputs(height: int, width: int, n: int = 1) -> Tensor:
    return torch.rand(n, 2, height, width, generator=torch.Generator().manual_seed(1)) * 2 - 1


def continued(images: Tensor, down: int, right: int) -> Tensor:
    """As NumPy continues it in a mirror."""
    return torch.from_numpy(np.pad(images.numpy(), ((0, 0), (0, 0), (0, down), (0, right)), mode="reflect"))


def differ(tiled: Sampler, whole: Sampler, height: int, width: int) -> float:
    """By how much at most the two differ, whose images must have one size."""
    asked = Request(2, seed=3, input=inputs(height, width, 2))
    one, two = all_images(tiled, asked), all_images(whole, asked)
    assert one.shape == two.shape
    return float((one - two).abs().max())


@pytest.mark.parametrize(("overlap", "blend"), [(FIELD, 0), (FIELD + 4, 4), (FIELD + 5, 5), (14, 0), (23, 6)])
@pytest.mark.parametrize("scale", [1, 2, 4])
def test_tiles_make_the_whole(scale: int, overlap: int, blend: int) -> None:
    """Wherever a pixel sees the same, it is the same, at every size: images smaller than a tile, of one more pixel, and
    of many tiles."""
    whole = Converter(stack(scale))
    for size in SIZES:
        tiled = Tiled(Converter(whole.network), tile=24, overlap=overlap, blend=blend, at_once=3)
        assert differ(tiled, whole, *size) < 2e-6


@pytest.mark.parametrize(("overlap", "blend"), [(0, 0), (FIELD - 3, 0), (FIELD, 6)])
def test_less_overlap_than_the_network_sees_is_another_picture(overlap: int, blend: int) -> None:
    """The test above would see it."""
    whole = Converter(stack(2))
    assert differ(Tiled(whole, tile=24, overlap=overlap, blend=blend), whole, 37, 53) > 1e-4


def test_no_tile_is_larger_than_it_may_be_and_so_many_are_made_at_once() -> None:
    sampler = Converter(stack(1))
    all_images(Tiled(sampler, tile=24, overlap=8, at_once=2), Request(1, input=inputs(40, 60)))
    assert sampler.asked == [(2, 2, 24, 24)] * 4  # 2 rows of 4 tiles
    sampler.asked.clear()
    all_images(Tiled(sampler, tile=24, overlap=8), Request(5, input=inputs(20, 24, 5)))
    assert sampler.asked == [(5, 2, 20, 24)]  # no image is cut: all at once


@pytest.mark.parametrize("back", [2, 4, 8])
def test_tiles_lie_on_multiples(back: int) -> None:
    """Of a network with strides, whose images are half as large, as large or twice as large. An input that is no
    multiple is the corner of one that is."""
    network = Strided(back)
    for height, width in ((36, 60), (37, 59), (6, 50), (1, 1)):
        rest = partial(continued, down=-height % 4, right=-width % 4)
        corner = -(-height * back // 4), -(-width * back // 4)

        def made(images: Tensor, rest: partial[Tensor] = rest, corner: tuple[int, int] = corner) -> Tensor:
            return network(rest(images))[:, :, : corner[0], : corner[1]]

        whole = Converter(nn.Module())
        whole.network = made  # type: ignore[assignment]
        tiled = Converter(network)
        assert differ(Tiled(tiled, tile=24, overlap=16, multiple=4), whole, height, width) < 2e-6
        assert all(side % 4 == 0 for shape in tiled.asked for side in shape[2:])


@pytest.mark.parametrize(("height", "width"), [(5, 7), (1, 3), (1, 1), (2, 2)])
def test_a_mirror_has_a_mirror(height: int, width: int) -> None:
    """However far it goes on."""
    for down, right in ((0, 0), (1, 0), (3, 9), (20, 31)):
        images = inputs(height, width)
        assert torch.equal(mirrored(images, down, right), continued(images, down, right))


def test_all_tiles_of_an_image_share_its_code() -> None:
    """Whether the seed gives it or the request; another image has another."""
    noisy = Noisy(stack(1))
    tiled = Tiled(noisy, tile=24, overlap=8, at_once=3)
    assert differ(tiled, Noisy(noisy.network), 37, 53) < 2e-6
    codes = torch.tensor([[0.1], [0.2]])
    asked = Request(2, input=torch.zeros(2, 2, 37, 53), codes=codes)
    without = all_images(Converter(noisy.network), Request(2, input=torch.zeros(2, 2, 37, 53)))
    added = (all_images(tiled, asked) - without).flatten(1)
    torch.testing.assert_close(added, codes.expand_as(added), rtol=0, atol=1e-6)


@pytest.mark.parametrize("blend", [0, 1, 4, 7])
def test_weights_sum_to_one(blend: int) -> None:
    for side in (10, 11, 17, 18, 40, 41):
        begin = starts(side, 10, 3)
        total = torch.zeros(side)
        for start, window in zip(begin, windows_of(begin, 10, blend), strict=True):
            assert 0 <= window.own.start < window.own.stop <= 10
            assert window.place.start == start + window.own.start
            assert (window.weights >= 0).all()
            total[window.place] += window.weights
        torch.testing.assert_close(total, torch.ones(side), rtol=0, atol=1e-6)


def test_a_blend_is_a_straight_line_over_so_many_pixels() -> None:
    first, second = windows_of([0, 6], 10, 4)
    assert first.weights.tolist() == pytest.approx([1, 1, 1, 1, 1, 1, 7 / 8, 5 / 8, 3 / 8, 1 / 8])
    assert second.weights.tolist() == pytest.approx([1 / 8, 3 / 8, 5 / 8, 7 / 8, 1, 1, 1, 1, 1, 1])
    assert second.place == slice(6, 16)


class Average(nn.Module):
    """The mean of what it sees, twice as large: no overlap makes tiles of it the whole."""

    def forward(self, images: Tensor) -> Tensor:
        return images.mean((2, 3), keepdim=True).expand(*images.shape[:2], 2 * images.shape[2], 2 * images.shape[3])


def test_a_blend_is_as_much_wider_as_the_images_are() -> None:
    image = torch.zeros(1, 1, 8, 12)
    image[..., 8:] = 0.8  # of the second of two tiles the right half
    made = all_images(Tiled(Converter(Average()), tile=8, overlap=4, blend=2), Request(1, input=image))
    expected = [0.0] * 10 + [0.05, 0.15, 0.25, 0.35] + [0.4] * 10
    torch.testing.assert_close(made, torch.tensor(expected).expand(1, 1, 16, 24))


def test_it_is_the_sampler_that_it_is_put_around() -> None:
    noisy = Noisy(stack(1))
    tiled = Tiled(noisy)
    assert (tiled.takes, tiled.network, tiled.num_classes) == (noisy.takes, noisy.network, 0)
    assert torch.equal(tiled.codes(3, 5), noisy.codes(3, 5))
    with pytest.raises(ConfigError, match="input: missing"):
        tiled.images(Request(1))


class Nothing(Converter):
    takes = frozenset()


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ({"tile": 100, "multiple": 16}, "tile: 100 is not a multiple of 16, as this network needs; e.g. 96"),
        ({"tile": 96, "overlap": 20, "multiple": 16}, "overlap: 20 is not a multiple of 16"),
        ({"tile": 32, "overlap": 32}, "overlap: 32 must lie between blend, 0, and tile, 32"),
        ({"tile": 32, "overlap": 4, "blend": 5}, "overlap: 4 must lie between blend, 5"),
    ],
)
def test_sizes_that_do_not_go_together(sizes: dict[str, int], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Tiled(Converter(nn.Identity()), **sizes)


def test_what_cannot_be_tiled() -> None:
    with pytest.raises(ConfigError, match="takes no input"):
        Tiled(Nothing(nn.Identity()))
    shrinking = Converter(nn.Conv2d(2, 3, 5))
    with pytest.raises(GanLabError, match="^tile: 24x24 becomes 20x20; one must be a whole multiple"):
        all_images(Tiled(shrinking, tile=24, overlap=8), Request(1, input=inputs(40, 40)))
    halving = Converter(nn.AvgPool2d(2))
    with pytest.raises(GanLabError, match="^multiple: 1 must be one of 2"):
        all_images(Tiled(halving, tile=24, overlap=9), Request(1, input=inputs(40, 40)))
