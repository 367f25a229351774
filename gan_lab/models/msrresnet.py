"""MSRResNet: SRResNet (arXiv:1609.04802) without BatchNorm, as ESRGAN's authors train it for comparison (BasicSR).

A 3x3 convolution, residual blocks without normalisation and without a shortcut around all of them, a sub-pixel
convolution for every doubling (one for a scale of 3), two 3x3 convolutions; LeakyReLU 0.1. What comes out is added to
the bilinearly enlarged input. First weights: a tenth of Kaiming's normal ones (the convolutions before a pixel shuffle
and the two last, and the first, and those of the blocks). Keys are those of the published weights.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu, pixel_shuffle

from gan_lab.layers.plain_residual import PlainBlock
from gan_lab.layers.unit_range import UnitRange
from gan_lab.layers.upscaling import scale_between, scaled, steps_to

LEAK = 0.1


class MSRResNet(nn.Module):
    """(N, C, H, W) in [0, 1] to (N, C, scale * H, scale * W)."""

    def __init__(self, channels: int, scale: int, width: int, blocks: int) -> None:
        super().__init__()
        self.scale, self.factors = scale, steps_to(scale)
        self.conv_first = nn.Conv2d(channels, width, 3, padding=1)
        self.body = nn.Sequential(*(PlainBlock(width) for _ in range(blocks)))
        for number, factor in enumerate(self.factors, 1):
            self.add_module(f"upconv{number}", nn.Conv2d(width, width * factor**2, 3, padding=1))
        self.conv_hr = nn.Conv2d(width, width, 3, padding=1)
        self.conv_last = nn.Conv2d(width, channels, 3, padding=1)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                scaled(layer, 0.1)

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.body(leaky_relu(self.conv_first(images), LEAK, inplace=True))
        for number, factor in enumerate(self.factors, 1):
            widened: Tensor = self.get_submodule(f"upconv{number}")(features)
            features = leaky_relu(pixel_shuffle(widened, factor), LEAK, inplace=True)
        added: Tensor = self.conv_last(leaky_relu(self.conv_hr(features), LEAK, inplace=True))
        return added + interpolate(images, scale_factor=float(self.scale), mode="bilinear", align_corners=False)


class Generator(UnitRange):
    """Images (N, C, H, W) in [-1, 1] to larger ones. The shapes say by how much: 2, 3, 4 or 8, else ValueError."""

    def __init__(
        self, image_shape: Sequence[int], input_shape: Sequence[int], width: int = 64, blocks: int = 16
    ) -> None:
        scale = scale_between(input_shape, image_shape, (2, 3, 4, 8))
        super().__init__(MSRResNet(image_shape[0], scale, width, blocks))
