"""EDSR: sizes, the mean colour, and our light form that starts from the bicubic enlargement."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import interpolate
from torch.testing import assert_close

from gan_lab.models.edsr import Generator
from tests.models.super_resolution import receptive_field, shapes, size, zero


def test_sizes() -> None:
    assert size(lambda: Generator(*shapes(4))) == 1_517_571
    assert size(lambda: Generator(*shapes(2))) == 1_369_859
    assert size(lambda: Generator(*shapes(4), width=256, blocks=32, residual=0.1)) == 43_089_923
    assert size(lambda: Generator(*shapes(2), width=256, blocks=32, residual=0.1)) == 40_729_603
    assert size(lambda: Generator(*shapes(2), width=32, blocks=5, skip="bicubic", direct=True)) == 106_092


@pytest.mark.parametrize("direct", [False, True])
@pytest.mark.parametrize("scale", [1, 2, 3, 4, 8])
def test_without_its_last_layer(scale: int, direct: bool) -> None:
    """The mean colour of DIV2K everywhere; with a skip, what torch makes of the input by its bicubic kernel."""
    image, given = shapes(scale, side=6)
    images = torch.rand(2, 3, 6, 7) * 2 - 1
    generator = Generator(image, given, width=4, blocks=1, direct=direct)
    zero(generator.inner.conv_last)
    mean = torch.tensor([0.4488, 0.4371, 0.4040]).view(1, 3, 1, 1).expand(2, 3, 6 * scale, 7 * scale)
    assert_close((generator(images) + 1) / 2, mean)

    generator = Generator(image, given, width=4, blocks=1, skip="bicubic", direct=direct)
    zero(generator.inner.conv_last)
    expected = interpolate(images, scale_factor=float(scale), mode="bicubic", align_corners=False)
    assert_close(generator(images), expected, rtol=0, atol=1e-6)


def test_the_mean_is_taken_away_in_levels() -> None:
    """An image of the mean colour is zeros to the first layer, which sees levels of a file."""
    net = Generator(*shapes(2), width=4, blocks=1).inner
    seen = []
    net.conv_first.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    net(net.mean.expand(1, 3, 4, 4) + 1 / 255)
    assert_close(seen[0], torch.ones(1, 3, 4, 4), rtol=0, atol=1e-4)
    gray = Generator(*shapes(2, channels=1), width=4, blocks=1).inner
    assert_close(gray.mean, torch.full((1, 1, 1, 1), (0.4488 + 0.4371 + 0.4040) / 3))


def test_the_long_shortcut_goes_around_all_blocks() -> None:
    torch.manual_seed(0)
    net = Generator(*shapes(2), width=4, blocks=2, skip="bicubic", direct=True).inner
    images = torch.rand(1, 3, 6, 6)
    zero(net.conv_after_body)
    shallow = net.shuffle(net.conv_last(net.conv_first(images)))
    bicubic = interpolate(images, scale_factor=2.0, mode="bicubic", align_corners=False)
    assert_close(net(images), shallow + bicubic)


def test_the_light_form_begins_near_its_skip_and_without_a_checkerboard() -> None:
    torch.manual_seed(0)
    net = Generator(*shapes(2), width=4, blocks=2, skip="bicubic", direct=True).inner
    images = torch.rand(1, 3, 6, 6)
    added = net(images) - interpolate(images, scale_factor=2.0, mode="bicubic", align_corners=False)
    assert_close(added, interpolate(added[..., ::2, ::2], scale_factor=2.0), rtol=0, atol=1e-6)
    assert net.conv_last.weight.abs().max() <= 0.1 / (4 * 9) ** 0.5  # torch's bound, a tenth of it


def test_receptive_field() -> None:
    """Of the light form: two convolutions for each of n blocks, the first, the one behind, the last: 2 (2n + 3) + 1."""
    net = Generator(*shapes(2), width=2, blocks=2, direct=True).inner
    assert receptive_field(net, side=21, scale=2) == 2 * (2 * 2 + 3) + 1


def test_an_unknown_skip_is_refused() -> None:
    with pytest.raises(ValueError, match="skip must be null or bicubic, not 'nearest'"):
        Generator(*shapes(2), skip="nearest")
