"""Progressive GAN's discriminator (`gan_lab.models.progressive`), the generator's mirror image."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, leaky_relu

from gan_lab.layers.critique import Critique
from gan_lab.layers.equalized import EqualizedConv2d, EqualizedLinear
from gan_lab.layers.fir import Smooth
from gan_lab.layers.first_map import channels_of, first_map
from gan_lab.layers.in_stages import InStages
from gan_lab.layers.minibatch_deviation import MinibatchDeviation
from gan_lab.layers.scaled_convolution import HalvingConv2d
from gan_lab.models.progressive import GAIN, LEAK


class Layer(nn.Module):
    """A convolution, leaky ReLU 0.2."""

    def __init__(self, before: int, after: int, size: int) -> None:
        super().__init__()
        self.conv = EqualizedConv2d(before, after, size, gain=GAIN, bias_gain=1.0)

    def forward(self, maps: Tensor) -> Tensor:
        return leaky_relu(self.conv(maps), LEAK, inplace=True)


class Block(nn.Module):
    """One resolution, (N, C, H, W) to (N, O, H / 2, W / 2): two 3x3 convolutions with leaky ReLU 0.2, of which the
    second halves, behind a filter of `taps`, if there is one."""

    def __init__(self, before: int, after: int, taps: Sequence[float] | None = None) -> None:
        super().__init__()
        self.layer = Layer(before, before, 3)
        self.smooth = Smooth(padding=len(taps) // 2, taps=taps) if taps else nn.Identity()
        self.down = HalvingConv2d(before, after, gain=GAIN, bias_gain=1.0)

    def forward(self, maps: Tensor) -> Tensor:
        return leaky_relu(self.down(self.smooth(self.layer(maps))), LEAK, inplace=True)


class Trunk(InStages):
    """Images (N, C, H, W) of the size that it has grown to, to features (N, D). At every resolution images become maps
    by a 1x1 convolution of its own; the last map is told how much it varies over the batch."""

    def __init__(
        self,
        image_shape: Sequence[int],
        width: int = 512,
        full: int = 32,
        group: int | None = 4,
        taps: Sequence[float] | None = None,
    ) -> None:
        first = first_map(image_shape)
        super().__init__(first)
        channels = channels_of(first, width, full)
        self.of_image = nn.ModuleList(Layer(image_shape[0], each, 1) for each in channels)
        self.blocks = nn.ModuleList(Block(before, after, taps) for after, before in pairwise(channels))
        last = self.features = channels[0]
        self.deviation = MinibatchDeviation(group)
        self.layer = Layer(last + 1, last, 3)
        self.dense = EqualizedLinear(last * first.height * first.width, last, gain=GAIN, bias_gain=1.0)

    def forward(self, images: Tensor) -> Tensor:
        maps: Tensor = self.of_image[self.level](images)
        for index in range(self.level - 1, -1, -1):
            maps = self.blocks[index](maps)
            if self.fading and index == self.level - 1:
                maps = self.blend(self.of_image[index](avg_pool2d(images, 2)), maps)
        rows = self.layer(self.deviation(maps)).permute(0, 2, 3, 1).flatten(1)
        return leaky_relu(self.dense(rows), LEAK)


class Discriminator(nn.Module):
    """Images (N, C, H, W) to scores (N,), and to logits of the classes (N, K), if there are any: the label is not
    looked at, as in AC-GAN (arXiv:1610.09585).

    `group`: images that are compared with one another, null: the whole batch; a batch that it does not divide is one
    group. Raises ValueError as the generator.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        width: int = 512,
        full: int = 32,
        num_classes: int | None = None,
        group: int | None = 4,
    ) -> None:
        super().__init__()
        self.num_classes = num_classes or 0
        self.trunk = Trunk(image_shape, width, full, group)
        self.to_scores = EqualizedLinear(self.trunk.features, 1 + self.num_classes)

    def forward(self, images: Tensor, label: Tensor | None = None) -> Critique:
        features = self.trunk(images)
        scores: Tensor = self.to_scores(features)
        return Critique(scores[:, 0], features, scores[:, 1:] if self.num_classes else None)
