"""Free-form inpainting with gated convolutions (DeepFill v2, Yu et al. 2018, arXiv:1806.03589, figure 3).

The input is a picture with a hole, and as last channel its mask, 1 where something is missing. A coarse network fills
the hole; what it made there is put into the picture, which a second network refines: one branch of dilated
convolutions, one that looks at what is known elsewhere, both decoded together. What is known stays as it is, bit for
bit.

Layers as in the authors' code (generative_inpainting), which counts widths before a gate halves them: `width` is their
cnum. Weights Glorot uniform, biases 0. Deviations: borders are padded alike on all sides; the attention's are named in
`gan_lab/layers/contextual_attention.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, relu

from gan_lab.errors import ConfigError
from gan_lab.layers.contextual_attention import ContextualAttention
from gan_lab.layers.gated_convolution import GatedConvolution, GatedUpsampling
from gan_lab.layers.hole import Drafts, check_masked, filled, parts
from gan_lab.layers.spectral_norm import spectral_norm

STRIDE = 8  # what the sides must be divisible by: two halvings, and one more of the attention
CRITIC = (1, 2, 4, 4, 4, 4)  # widths of the discriminator's maps


class Layer(NamedTuple):
    """One gated convolution: its width, in halves of `width`, and what it looks at."""

    width: int
    kernel: int = 3
    stride: int = 1
    dilation: int = 1


DILATED = tuple(Layer(4, dilation=dilation) for dilation in (2, 4, 8, 16))
COARSE = (Layer(1, 5), Layer(2, 3, 2), Layer(2), Layer(4, 3, 2), Layer(4), Layer(4), *DILATED, Layer(4), Layer(4))
LOCAL = (Layer(1, 5), Layer(1, 3, 2), Layer(2), Layer(2, 3, 2), Layer(4), Layer(4), *DILATED)
ASKING = (Layer(1, 5), Layer(1, 3, 2), Layer(2), Layer(4, 3, 2), Layer(4))  # and one with a ReLU


class Generator(nn.Module):
    """A picture with a hole and its mask `(N, C + 1, H, W)` to `(N, C, H, W)` in [-1, 1]; with `drafts` also what both
    networks made of the whole picture. Raises ConfigError for inputs without a mask, for sides that 8 does not divide,
    and for a `width` that 4 does not."""

    def __init__(self, image_shape: Sequence[int], input_shape: Sequence[int], width: int = 48) -> None:
        super().__init__()
        check_masked(image_shape, input_shape)
        channels, *sides = image_shape
        if any(side % STRIDE for side in sides):
            raise ConfigError(
                f"model.generator: images of {sides[0]}x{sides[1]}; both sides must be multiples of {STRIDE}: choose "
                "dataset.image_shape or dataset.crop"
            )
        if width % 4:
            raise ConfigError(f"model.generator.width={width}: must be a multiple of 4")
        self.multiple = STRIDE
        half = width // 2
        self.coarse = nn.Sequential(*gated(channels + 2, COARSE, half), *decoder(half, channels))
        self.local = nn.Sequential(*gated(channels, LOCAL, half))
        last = GatedConvolution(4 * half, 4 * half, activation=relu)
        self.asking = nn.Sequential(*gated(channels, ASKING, half), last)
        self.attention = ContextualAttention()
        self.attended = nn.Sequential(*gated(4 * half, (Layer(4), Layer(4)), half))
        self.refined = nn.Sequential(*gated(8 * half, (Layer(4), Layer(4)), half), *decoder(half, channels))
        self.apply(initialise)

    def forward(self, input: Tensor, label: Tensor | None = None, drafts: bool = False) -> Tensor | Drafts:
        (picture, hole), mask = parts(input), input[:, -1:]
        coarse = self.coarse(torch.cat((picture, torch.ones_like(mask), mask), 1)).tanh()
        pasted = filled(picture, hole, coarse)
        attended = self.attended(self.attention(self.asking(pasted), mask))
        fine = self.refined(torch.cat((self.local(pasted), attended), 1)).tanh()
        image = filled(picture, hole, fine)
        return Drafts(image, fine, coarse) if drafts else image


class Discriminator(nn.Module):
    """Images `(N, C, H, W)` beside the inputs that they were made from, of which it sees the mask, to `(N, 4 width,
    H / 64, W / 64)`, rounded up: every number of the last map is a score (SN-PatchGAN, section 3.4). Spectrally
    normalised. As in the authors' code scores go through the last layer's LeakyReLU, too. Raises ConfigError where it
    is not told the input."""

    def __init__(self, image_shape: Sequence[int], width: int = 64) -> None:
        super().__init__()
        channels = [image_shape[0] + 1, *(factor * width for factor in CRITIC)]
        self.layers = nn.ModuleList(nn.Conv2d(one, two, 5, 2, 2) for one, two in pairwise(channels))
        spectral_norm(self.apply(initialise))

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        if condition is None:
            raise ConfigError("model.discriminator: is to be told the mask; leave algorithm.condition=input")
        features = torch.cat((images, condition[:, -1:]), 1)
        for layer in self.layers:
            features = leaky_relu(layer(features), 0.2)
        return features


def gated(inputs: int, layers: Sequence[Layer], half: int) -> Iterable[GatedConvolution]:
    """Gated convolutions, one after the other."""
    widths = [inputs, *(layer.width * half for layer in layers)]
    for layer, (one, two) in zip(layers, pairwise(widths), strict=True):
        yield GatedConvolution(one, two, layer.kernel, layer.stride, layer.dilation)


def decoder(half: int, channels: int) -> Iterable[nn.Module]:
    """Features `(N, 4 half, H, W)` to what tanh makes an image of, four times as large on each side."""
    yield GatedUpsampling(4 * half, 2 * half)
    yield GatedConvolution(2 * half, 2 * half)
    yield GatedUpsampling(2 * half, half)
    yield GatedConvolution(half, half // 2)
    yield nn.Conv2d(half // 2, channels, 3, padding=1)


def initialise(module: nn.Module) -> None:
    """Glorot uniform; biases 0."""
    if isinstance(module, nn.Conv2d):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
