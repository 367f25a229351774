"""The content of one image in the style of any other, in one pass (Huang & Belongie 2017, arXiv:1703.06868)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from gan_lab.layers.vgg import VGG
from gan_lab.losses.style import moments

LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
DEEPEST = LAYERS[-1]
EPS = 1e-5  # of variances
KEY = "model.generator.weights"


class Generator(nn.Module):
    """Inputs `(N, 1 or 3, H, W)` in [-1, 1] of 16x16 pixels or more, and styles, to images `(N, C, H, W)`, which are
    not bounded.

    A style is the mean and standard deviation of each channel of VGG19's `relu4_1`, `(N, 2 c)`: what `style` makes of
    images; None is the input's own. `alpha` mixes features of the input (0) and those in the style (1; section 6.2).
    The encoder is VGG19 with reflected edges, frozen and in no checkpoint; `weights`, `width` and `seed` are those of
    `gan_lab.layers.vgg.VGG`. The decoder mirrors it: nearest neighbours instead of pooling, no normalisation, and
    nothing behind the last convolution. Inputs whose sides are no multiples of 8 are reflected up to them, and cut.
    """

    def __init__(self, image_shape: Sequence[int], weights: str | None = None, width: int = 64, seed: int = 0) -> None:
        super().__init__()
        self.encoder = VGG(LAYERS, "vgg19", weights, padding="reflect", width=width, seed=seed, key=KEY)
        self.decoder = decoder_of(self.encoder, image_shape[0])

    def forward(self, input: Tensor, style: Tensor | None = None, alpha: float = 1.0) -> Tensor:
        height, width = input.shape[2:]
        padded = pad(input, (0, -width % 8, 0, -height % 8), mode="reflect")
        maps = self.encoder(padded)[DEEPEST].float()
        if style is not None:
            maps = alpha * align(maps, *style_of_code(style)) + (1 - alpha) * maps
        images: Tensor = self.decoder(maps)
        return images[..., :height, :width]

    def style(self, images: Tensor) -> Tensor:
        """The styles of images, of any size from 16x16 on."""
        return torch.cat(moments(self.encoder(images)[DEEPEST], EPS), 1).flatten(1)


def align(content: Tensor, mean: Tensor, deviation: Tensor) -> Tensor:
    """AdaIN: maps `(N, C, H, W)` with another mean and standard deviation of each channel, `(N, C, 1, 1)` each:
    deviation (x - mean(x)) / deviation(x) + mean (equation 8)."""
    own_mean, own_deviation = moments(content, EPS)
    return (content.float() - own_mean) / own_deviation * deviation + mean


def style_of_code(style: Tensor) -> tuple[Tensor, Tensor]:
    """`(N, 2 C)` as mean and deviation, `(N, C, 1, 1)` each."""
    mean, deviation = style[..., None, None].chunk(2, 1)
    return mean, deviation


def decoder_of(encoder: VGG, channels: int) -> nn.Sequential:
    """The encoder backwards."""
    before = [channels, *encoder.widths]
    layers: list[nn.Module] = []
    for name in reversed(encoder.names):
        if name.startswith("conv"):
            wide = before.pop()
            layers += [nn.Conv2d(wide, before[-1], 3, padding=1, padding_mode="reflect"), nn.ReLU()]
        elif name.startswith("pool"):
            layers.append(nn.Upsample(scale_factor=2))
    return nn.Sequential(*layers[:-1])
