"""StyleGAN2's discriminator (`gan_lab.models.stylegan2`)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from gan_lab.layers.critique import Critique
from gan_lab.layers.equalized import EqualizedConv2d, EqualizedLinear
from gan_lab.layers.fir import Downsample, Smooth
from gan_lab.layers.first_map import channels_of, first_map
from gan_lab.layers.labels import require_label
from gan_lab.layers.mapping import Mapping
from gan_lab.layers.minibatch_deviation import MinibatchDeviation
from gan_lab.layers.reduced_precision import precision_of
from gan_lab.models.stylegan2_names import Weights, discriminator_weights
from gan_lab.models.stylegan2_synthesis import GAIN, HALF, LEAK, clamped, is_reduced, require_architecture

MAPPING_DEPTH = 8  # of labels, whatever the generator has


class Layer(nn.Module):
    """Convolution, bias, sqrt(2) leaky ReLU 0.2, clamped; with `down` the filter [1, 3, 3, 1] and a stride of 2."""

    def __init__(
        self, before: int, after: int, size: int, down: bool = False, gain: float = 1.0, clamp: float | None = None
    ) -> None:
        super().__init__()
        conv = EqualizedConv2d(before, after, size, 1 + down, 0 if down else None, gain=GAIN * gain)
        self.conv = nn.Sequential(Smooth(padding=(size + 1) // 2), conv) if down else conv
        self.gain, self.clamp = gain, clamp

    def forward(self, maps: Tensor) -> Tensor:
        return clamped(leaky_relu(self.conv(maps), LEAK, inplace=True), self.clamp, self.gain)


class Block(nn.Module):
    """One resolution, (N, C, H, W) to (N, O, H / 2, W / 2). The image goes through, halved, where it is seen at every
    resolution; `reduced`: this block may compute in bf16."""

    def __init__(
        self,
        image_channels: int,
        before: int,
        after: int,
        first: bool,
        architecture: str,
        reduced: bool,
        clamp: float | None,
    ) -> None:
        super().__init__()
        self.reduced = reduced
        sees = first or architecture == "skip"
        self.of_image = Layer(image_channels, before, 1, clamp=clamp) if sees else None
        self.halve = Downsample() if architecture == "skip" else None
        residual = architecture == "resnet"
        self.layer = Layer(before, before, 3, clamp=clamp)
        self.down = Layer(before, after, 3, down=True, gain=HALF if residual else 1.0, clamp=clamp)
        self.shortcut: nn.Module | None = None
        if residual:
            self.shortcut = nn.Sequential(Downsample(), EqualizedConv2d(before, after, 1, bias=False, gain=HALF))

    def forward(self, maps: Tensor | None, image: Tensor) -> tuple[Tensor, Tensor]:
        with precision_of(image.device, self.reduced):
            if self.of_image is not None:
                seen = self.of_image(image)
                maps = seen if maps is None else maps + seen
            assert maps is not None
            maps = maps if self.reduced else maps.to(image.dtype)
            residual = None if self.shortcut is None else self.shortcut(maps)
            maps = self.down(self.layer(maps))
            maps = maps if residual is None else maps + residual
        if self.halve is not None:
            with precision_of(image.device, reduced=False):
                image = self.halve(image)
        return maps, image


class Discriminator(nn.Module):
    """Images (N, C, H, W) and labels (N,), if there are classes, to scores (N,).

    `group`: images that are compared with one another, null: the whole batch; a batch that it does not divide is one
    group. Raises ValueError as the generator.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        width: int = 512,
        full: int = 64,
        num_classes: int | None = None,
        architecture: str = "resnet",
        group: int | None = 4,
        reduced: int = 4,
        clamp: float | None = 256.0,
    ) -> None:
        super().__init__()
        require_architecture(architecture)
        self.num_classes = num_classes or 0
        self.last_map = first = first_map(image_shape)
        channels = channels_of(first, width, full)
        settings = {"architecture": architecture, "clamp": clamp}
        self.blocks = nn.ModuleList(
            Block(
                image_shape[0],
                channels[index],
                channels[index - 1],
                first=index == first.blocks,
                reduced=is_reduced(index, first.blocks, reduced),
                **settings,  # type: ignore[arg-type]
            )
            for index in range(first.blocks, 0, -1)
        )
        last = channels[0]
        self.of_image = Layer(image_shape[0], last, 1, clamp=clamp) if architecture == "skip" else None
        self.deviation = MinibatchDeviation(group)
        self.layer = Layer(last + 1, last, 3, clamp=clamp)
        self.dense = EqualizedLinear(last * first.height * first.width, last, gain=GAIN)
        self.to_score = EqualizedLinear(last, last if self.num_classes else 1)
        if self.num_classes:
            self.mapping = Mapping(0, last, MAPPING_DEPTH, self.num_classes, decay=None)

    def forward(self, images: Tensor, label: Tensor | None = None) -> Critique:
        label = require_label(label, self.num_classes)
        maps, image = None, images
        for block in self.blocks:
            maps, image = block(maps, image)
        assert maps is not None
        with precision_of(images.device, reduced=False):
            maps = maps.to(images.dtype)
            if self.of_image is not None:
                maps = maps + self.of_image(image)
            rows = self.layer(self.deviation(maps)).permute(0, 2, 3, 1).flatten(1)
            features = leaky_relu(self.dense(rows), LEAK)
            scores: Tensor = self.to_score(features)
            if label is None:
                return Critique(scores.squeeze(1), features)
            return Critique((scores * self.mapping(None, label)).sum(1) / math.sqrt(scores.shape[1]), features)

    def published_names(self, weights: Weights) -> Weights:
        """Weights by the names that they have here, where they have those of StyleGAN2-ADA's files."""
        published = any(name.endswith(".fromrgb.weight") for name in weights)
        return discriminator_weights(weights, self.last_map.height, self.last_map.width) if published else weights
