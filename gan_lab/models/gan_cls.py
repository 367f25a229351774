"""GAN-CLS (Reed et al. 2016, arXiv:1605.05396): DCGAN's networks, told a caption.

Generator: the caption's embedding, made smaller by a linear layer with LeakyReLU 0.2, continues the noise; residual
bottlenecks stand behind the first two maps. Discriminator: the same at its last map, and the caption, made smaller with
BatchNorm, lies beside every place of that; a 1x1 convolution joins them. Weights as DCGAN's.

Deviations: the text encoder is trained in its place, where the paper's is a character network pretrained on images and
frozen. Kernels, and where biases are, as in `gan_lab.models.dcgan`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, relu

from gan_lab.layers.critique import Critique
from gan_lab.layers.first_map import first_map
from gan_lab.layers.projection import Projection, Readout
from gan_lab.models.dcgan import initialise
from gan_lab.text.encoder import CaptionReader

LEAK = 0.2
BOTTLENECKS = 2  # maps of the generator, smallest first


class Generator(CaptionReader):
    """Latent (N, D) and captions, (N, L) tokens or (N, E) embeddings, to images (N, C, H, W) in [-1, 1].

    Raises ValueError for an image size that does not halve down to a first map of 4 to 7 pixels, and when called
    without captions.
    """

    def __init__(
        self, encoder: nn.Module, image_shape: Sequence[int], latent_dim: int, width: int = 128, text_dim: int = 128
    ) -> None:
        super().__init__(encoder)
        blocks, rows, columns = first_map(image_shape)
        channels = [width * 2**level for level in reversed(range(blocks))]
        self.reduce = nn.Linear(self.condition_shape[0], text_dim)
        self.project = Projection(latent_dim + text_dim, channels[0], rows, columns)
        layers: list[nn.Module] = [nn.BatchNorm2d(channels[0])]
        for level, (wide, narrow) in enumerate(pairwise(channels)):
            if level < BOTTLENECKS:
                layers.append(Bottleneck(wide, 0.0))
            layers += [
                nn.ReLU(inplace=True),
                nn.ConvTranspose2d(wide, narrow, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(narrow),
            ]
        layers += [nn.ReLU(inplace=True), nn.ConvTranspose2d(width, image_shape[0], 4, stride=2, padding=1, bias=False)]
        self.layers = nn.Sequential(*layers, nn.Tanh())
        for part in (self.reduce, self.project, self.layers):
            part.apply(initialise)

    def forward(self, latent: Tensor, caption: Tensor | None = None) -> Tensor:
        told = leaky_relu(self.reduce(self.embed(caption).to(latent.dtype)), LEAK)
        images: Tensor = self.layers(self.project(torch.cat((latent, told), 1)))
        return images


class Discriminator(CaptionReader):
    """Images (N, C, H, W) and captions, (N, L) tokens or (N, E) embeddings, to scores (N,). Raises ValueError as
    above."""

    def __init__(self, encoder: nn.Module, image_shape: Sequence[int], width: int = 64, text_dim: int = 128) -> None:
        super().__init__(encoder)
        blocks, rows, columns = first_map(image_shape)
        channels, layers = image_shape[0], list[nn.Module]()
        for level in range(blocks):
            wider = width * 2**level
            layers.append(nn.Conv2d(channels, wider, 4, stride=2, padding=1, bias=False))
            layers += [nn.BatchNorm2d(wider)] if level else []
            layers += [nn.LeakyReLU(LEAK, inplace=level < blocks - 1)]
            channels = wider
        self.layers = nn.Sequential(*layers, Bottleneck(channels, LEAK), nn.LeakyReLU(LEAK, inplace=True))
        self.reduce = nn.Sequential(nn.Linear(self.condition_shape[0], text_dim, bias=False), nn.BatchNorm1d(text_dim))
        self.join = nn.Sequential(nn.Conv2d(channels + text_dim, channels, 1, bias=False), nn.BatchNorm2d(channels))
        self.to_score = Readout(channels, rows, columns)
        for part in (self.layers, self.reduce, self.join, self.to_score):
            part.apply(initialise)

    def forward(self, images: Tensor, caption: Tensor | None = None) -> Critique:
        features = self.layers(images)
        told = leaky_relu(self.reduce(self.embed(caption).to(features.dtype)), LEAK)
        there = told[:, :, None, None].expand(-1, -1, *features.shape[2:])
        joined = leaky_relu(self.join(torch.cat((features, there), 1)), LEAK)
        return Critique(self.to_score(joined), joined)


class Bottleneck(nn.Module):
    """Plus a 1x1, a 3x3 and a 3x3 convolution of a quarter of the channels, with BatchNorm. (N, C, H, W)."""

    def __init__(self, channels: int, leak: float) -> None:
        super().__init__()
        inner = max(channels // 4, 1)
        self.leak = leak
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, after, size, padding=size // 2, bias=False)
            for before, after, size in ((channels, inner, 1), (inner, inner, 3), (inner, channels, 3))
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(after) for after in (inner, inner, channels))

    def forward(self, features: Tensor) -> Tensor:
        residual = features if self.leak else relu(features)
        for index, (convolution, norm) in enumerate(zip(self.convolutions, self.norms, strict=True)):
            residual = norm(convolution(leaky_relu(residual, self.leak) if index else residual))
        return features + residual
