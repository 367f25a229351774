"""The discriminator of the auxiliary classifier GAN (Odena et al. 2016, arXiv:1610.09585, CIFAR-10 table of the
appendix): it is not told the class, it says it.

3x3 convolutions of 16, 32, 64, 128, 256, 512 channels with strides 2, 1, 2, 1, 2, 1, each with BatchNorm (but the
first), LeakyReLU 0.2 and dropout 0.5; one linear layer to the score and one to the class logits. Weights N(0, 0.02).
The generator is `cdcgan.Generator` with a width of 96 (the paper: 384-192-96 channels).

Sized by the image: two convolutions per halving, 512 channels at most. Deviations: the paper tries Gaussian noise of
0, 0.1 and 0.2 on the discriminator's activations: none here. The generator's kernels are 4 rather than 5 wide and its
first map is normalised too.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from gan_lab.layers.critique import Critique
from gan_lab.layers.dropout import Dropout
from gan_lab.layers.first_map import first_map
from gan_lab.layers.projection import Readout
from gan_lab.models.cgan import known_classes
from gan_lab.models.dcgan import initialise


class Discriminator(nn.Module):
    """Images (N, C, H, W) to scores (N,) and class logits (N, K), for `auxiliary_classifier`; no label is read.

    Raises ValueError for data without classes, a `dropout` outside [0, 1), and an image size that does not halve down
    to a last map of 4 to 7 pixels.
    """

    def __init__(
        self, image_shape: Sequence[int], width: int = 16, num_classes: int | None = None, dropout: float = 0.5
    ) -> None:
        super().__init__()
        self.num_classes = known_classes(num_classes)
        if not 0.0 <= dropout < 1.0:
            raise ValueError(f"dropout must lie in [0, 1), not {dropout}")
        halvings, rows, columns = first_map(image_shape)
        layers: list[nn.Module] = []
        channels = image_shape[0]
        for level in range(2 * halvings):
            wider = width * min(2**level, 32)
            layers.append(nn.Conv2d(channels, wider, 3, stride=2 - level % 2, padding=1, bias=level == 0))
            if level:
                layers.append(nn.BatchNorm2d(wider))
            layers += [nn.LeakyReLU(0.2, inplace=True), Dropout(dropout)]
            channels = wider
        self.layers = nn.Sequential(*layers)
        self.to_score = Readout(channels, rows, columns, bias=True)
        self.to_classes = nn.Linear(rows * columns * channels, self.num_classes)
        self.apply(initialise)

    def forward(self, images: Tensor, label: Tensor | None = None) -> Critique:
        features: Tensor = self.layers(images)
        return Critique(self.to_score(features), features, self.to_classes(features.flatten(1)))
