"""Scales from shapes, pixel shuffles, and first weights without a checkerboard."""

from __future__ import annotations

import math
import re

import pytest
import torch
from torch import nn
from torch.nn.functional import conv2d, interpolate, pixel_shuffle, pixel_unshuffle
from torch.testing import assert_close

from gan_lab.layers.upscaling import scale_between, scaled, shuffled, steps_to, without_checkerboard


def test_the_scale_is_that_of_the_shapes() -> None:
    assert scale_between([3, 16, 20], [3, 64, 80], (2, 4)) == 4
    assert scale_between([1, 16, 16], [1, 16, 16], (1, 2)) == 1


@pytest.mark.parametrize(
    ("input_shape", "image_shape"),
    [
        ((3, 16, 16), (3, 48, 48)),  # 3 times, which is not offered
        ((3, 16, 16), (3, 32, 64)),  # one side more than the other
        ((3, 16, 16), (3, 33, 33)),  # no whole number
        ((1, 16, 16), (3, 32, 32)),  # other channels
        ((3, 32, 32), (3, 16, 16)),  # smaller
    ],
)
def test_other_shapes_are_refused(input_shape: tuple[int, int, int], image_shape: tuple[int, int, int]) -> None:
    given, wanted = ("x".join(map(str, shape)) for shape in (input_shape, image_shape))
    said = f"from inputs of {given} to images of {wanted}: this network enlarges both sides by 2, 4 and keeps"
    with pytest.raises(ValueError, match=re.escape(said)):
        scale_between(input_shape, image_shape, (2, 4))


def test_doublings_one_after_the_other_and_three_at_once() -> None:
    assert {scale: steps_to(scale) for scale in (1, 2, 3, 4, 8)} == {1: [], 2: [2], 3: [3], 4: [2, 2], 8: [2, 2, 2]}


def test_shuffled_layers() -> None:
    layers = shuffled(4, 4, nn.PReLU)
    assert [type(layer) for layer in layers] == 2 * [nn.Conv2d, nn.PixelShuffle, nn.PReLU]
    assert layers(torch.randn(2, 4, 5, 3)).shape == (2, 4, 20, 12)
    assert [layer.out_channels for layer in shuffled(4, 3) if isinstance(layer, nn.Conv2d)] == [36]
    assert len(shuffled(4, 1)) == 0


@pytest.mark.parametrize("scale", [2, 3])
def test_icnr_begins_as_nearest_neighbours_of_one_convolution(scale: int) -> None:
    torch.manual_seed(0)
    conv = without_checkerboard(nn.Conv2d(4, 5 * scale**2, 3, padding=1), scale)
    maps = torch.randn(2, 4, 6, 6)
    bias = conv.bias
    assert bias is not None
    one = conv2d(maps, conv.weight[:: scale**2], bias[:: scale**2], padding=1)
    enlarged = pixel_shuffle(conv(maps), scale)
    assert_close(enlarged, interpolate(one, scale_factor=float(scale)))
    assert enlarged.std() > 0.1
    assert_close(pixel_unshuffle(enlarged, scale), conv(maps))


def test_first_weights_are_a_part_of_kaimings() -> None:
    torch.manual_seed(0)
    conv = scaled(nn.Conv2d(64, 256, 3), 0.1)
    assert float(conv.weight.detach().std()) == pytest.approx(0.1 * math.sqrt(2 / (64 * 9)), rel=0.01)
    assert conv.bias is not None
    assert not conv.bias.any()
