"""The generator of ESRGAN (Wang et al. 2018, arXiv:1809.00219) and of Real-ESRGAN (arXiv:2107.10833).

A 3x3 convolution, residual-in-residual dense blocks (RRDB), one more, a shortcut around all of them; for every doubling
nearest-neighbour enlargement and a convolution; two convolutions to the image; LeakyReLU 0.2, no normalisation. First
weights of the dense blocks: a tenth of Kaiming's normal ones. For images two times as large, or as large as the input,
squares of 2 or 4 pixels become channels first, and the rest is the network for four times.

Keys are those of the published weights, and with `growth` 32, which other programs take for granted, they load what is
trained here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu, pixel_unshuffle

from gan_lab.layers.unit_range import UnitRange
from gan_lab.layers.upscaling import scale_between, scaled

LEAK, RESIDUAL = 0.2, 0.2
OLD = re.compile(r"model\.1\.sub\.(\d+)\.RDB(\d)\.conv(\d)\.0")  # of a dense block, in the first published files


class DenseBlock(nn.Module):
    """x + 0.2 * f(x): five 3x3 convolutions, each of which sees x and all before it. Keeps (N, C, H, W)."""

    def __init__(self, channels: int, growth: int) -> None:
        super().__init__()
        for number in range(1, 5):
            self.add_module(f"conv{number}", _conv(channels + (number - 1) * growth, growth))
        self.conv5 = _conv(channels + 4 * growth, channels)

    def forward(self, features: Tensor) -> Tensor:
        seen = features
        for number in range(1, 5):
            grown: Tensor = self.get_submodule(f"conv{number}")(seen)
            seen = torch.cat((seen, leaky_relu(grown, LEAK, inplace=True)), 1)
        residual: Tensor = self.conv5(seen)
        return features + RESIDUAL * residual


class ResidualInResidual(nn.Module):
    """x + 0.2 * f(x), f three dense blocks, which carry x themselves: with weights of 0 it is 1.2 * x."""

    def __init__(self, channels: int, growth: int) -> None:
        super().__init__()
        self.rdb1, self.rdb2, self.rdb3 = (DenseBlock(channels, growth) for _ in range(3))

    def forward(self, features: Tensor) -> Tensor:
        inner: Tensor = self.rdb3(self.rdb2(self.rdb1(features)))
        return features + RESIDUAL * inner


class RRDBNet(nn.Module):
    """(N, C, H, W) in [0, 1] to (N, C, scale * H, scale * W). Sides are multiples of 4 / scale, if that is whole."""

    def __init__(self, channels: int, scale: int, width: int, blocks: int, growth: int) -> None:
        super().__init__()
        self.unshuffle = max(4 // scale, 1)
        self.doublings = max(scale.bit_length() - 1, 2)
        self.conv_first = nn.Conv2d(channels * self.unshuffle**2, width, 3, padding=1)
        self.body = nn.Sequential(*(ResidualInResidual(width, growth) for _ in range(blocks)))
        self.conv_body = nn.Conv2d(width, width, 3, padding=1)
        for number in range(1, self.doublings + 1):
            self.add_module(f"conv_up{number}", nn.Conv2d(width, width, 3, padding=1))
        self.conv_hr = nn.Conv2d(width, width, 3, padding=1)
        self.conv_last = nn.Conv2d(width, channels, 3, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        shallow: Tensor = self.conv_first(pixel_unshuffle(images, self.unshuffle))
        features = shallow + self.conv_body(self.body(shallow))
        for number in range(1, self.doublings + 1):
            enlarged: Tensor = self.get_submodule(f"conv_up{number}")(interpolate(features, scale_factor=2.0))
            features = leaky_relu(enlarged, LEAK, inplace=True)
        made: Tensor = self.conv_last(leaky_relu(self.conv_hr(features), LEAK, inplace=True))
        return made

    def published_names(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Weights by the names that they have here, where they have those of the first published files (`model.0`,
        `model.1.sub.0.RDB1.conv1.0`)."""
        if "model.0.weight" not in weights:
            return dict(weights)
        ups = self.doublings
        places = {"model.0": "conv_first", f"model.{3 * ups + 2}": "conv_hr", f"model.{3 * ups + 4}": "conv_last"}
        places |= {f"model.{3 * number}": f"conv_up{number}" for number in range(1, ups + 1)}
        found = {}
        for name, value in weights.items():
            place, _, kind = name.rpartition(".")
            if dense := OLD.fullmatch(place):
                place = "body.{}.rdb{}.conv{}".format(*dense.groups())
            elif place.startswith("model.1.sub."):
                place = "conv_body"
            found[f"{places.get(place, place)}.{kind}"] = value
        return found


class Generator(UnitRange):
    """Images (N, C, H, W) in [-1, 1] to larger ones. The shapes say by how much: 1, 2, 4 or 8.

    Raises ValueError for another scale, and for inputs whose sides are no multiples of 4 / scale.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        input_shape: Sequence[int],
        width: int = 64,
        blocks: int = 23,
        growth: int = 32,
    ) -> None:
        scale = scale_between(input_shape, image_shape, (1, 2, 4, 8))
        inner = RRDBNet(image_shape[0], scale, width, blocks, growth)
        if any(side % inner.unshuffle for side in input_shape[1:]):
            raise ValueError(
                f"inputs of {input_shape[1]}x{input_shape[2]}: for {scale} times the size, both sides must be "
                f"multiples of {inner.unshuffle} (dataset.image_shape)"
            )
        super().__init__(inner)
        self.multiple = inner.unshuffle  # what the sides of any input must be multiples of


def _conv(before: int, after: int) -> nn.Conv2d:
    return scaled(nn.Conv2d(before, after, 3, padding=1), 0.1)
