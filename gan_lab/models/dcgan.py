"""Deep convolutional GAN (Radford et al. 2015, arXiv:1511.06434), sized by the image.

The paper's guidelines (section 3): strided convolutions instead of pooling, no hidden fully connected layer, BatchNorm
everywhere but at the generator's output and the discriminator's input, ReLU in the generator with Tanh at the end,
LeakyReLU 0.2 in the discriminator, weights from N(0, 0.02). One block per doubling of the resolution; channels halve
while the resolution doubles. At 64 pixels the paper's generator (1024-512-256-128) is `width=128`.

Deviations: kernels of 4 rather than 5 (an even kernel of stride 2 covers every pixel equally often); no sigmoid, the
score is a logit; BatchNorm's scale starts at N(1, 0.02), as in the authors' code. No layer but BatchNorm has a bias;
with `normalization="none"` every convolution of the discriminator has one instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from gan_lab.layers.critique import Critique
from gan_lab.layers.first_map import first_map
from gan_lab.layers.latent_weights import of_layer
from gan_lab.layers.projection import Projection, Readout


class Generator(nn.Module):
    """Latent (N, D) to images (N, C, H, W) in [-1, 1]; `width` channels before the output, twice as many per halving.

    Raises ValueError for an image size that does not halve down to a first map of 4 to 7 pixels.
    """

    def __init__(self, image_shape: Sequence[int], latent_dim: int, width: int = 64) -> None:
        super().__init__()
        blocks, rows, columns = first_map(image_shape)
        channels = [width * 2**level for level in reversed(range(blocks))]  # 64 px, width 64: 512-256-128-64
        layers: list[nn.Module] = [
            Projection(latent_dim, channels[0], rows, columns),
            nn.BatchNorm2d(channels[0]),
            nn.ReLU(inplace=True),
        ]
        for wide, narrow in pairwise(channels):
            layers += [
                nn.ConvTranspose2d(wide, narrow, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(narrow),
                nn.ReLU(inplace=True),
            ]
        layers += [nn.ConvTranspose2d(width, image_shape[0], 4, stride=2, padding=1, bias=False), nn.Tanh()]
        self.layers = nn.Sequential(*layers)
        self.apply(initialise)

    def latent_weights(self) -> list[Tensor]:
        """See `gan_lab.layers.latent_weights`."""
        return [of_layer(*self.layers[:2])]

    def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        images: Tensor = self.layers(latent)
        return images


class Discriminator(nn.Module):
    """Images (N, C, H, W) to scores (N,); `width` channels after the first convolution, twice as many per halving.

    `normalization` is "batch" (the paper) or "none" (the critic of WGAN-GP). Raises ValueError for another one and for
    an image size that does not halve down to a last map of 4 to 7 pixels.
    """

    def __init__(self, image_shape: Sequence[int], width: int = 64, normalization: str = "batch") -> None:
        super().__init__()
        if normalization not in ("batch", "none"):
            raise ValueError(f'normalization must be "batch" or "none", not "{normalization}"')
        blocks, rows, columns = first_map(image_shape)
        bias = normalization == "none"
        layers: list[nn.Module] = []
        channels = image_shape[0]
        for level in range(blocks):
            wider = width * 2**level
            layers.append(nn.Conv2d(channels, wider, 4, stride=2, padding=1, bias=bias))
            if level > 0 and normalization == "batch":
                layers.append(nn.BatchNorm2d(wider))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
            channels = wider
        self.layers = nn.Sequential(*layers)
        self.to_score = Readout(channels, rows, columns, bias=bias)
        self.apply(initialise)

    def forward(self, images: Tensor, label: Tensor | None = None) -> Critique:
        features: Tensor = self.layers(images)
        return Critique(self.to_score(features), features)


def initialise(module: nn.Module) -> None:
    """Weights N(0, 0.02), BatchNorm scales N(1, 0.02), biases 0."""
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
    else:
        return
    if module.bias is not None:
        nn.init.zeros_(module.bias)
