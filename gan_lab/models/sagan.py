"""Self-attention GAN (Zhang et al. 2018, arXiv:1805.08318), sized by the image.

The authors' networks at 128 pixels: residual blocks, 16-16-8-4-2-1 times `width` channels (64) from the first map to
the image, 1-2-4-8-16 and one plain block of 16 back; attention at 32x32 in both; spectral normalization in both; with
classes conditional BatchNorm and a projection discriminator (arXiv:1802.05637), without them neither. Other sizes: one
block per doubling, channels and attention by the same rule; an image below 64 pixels has its attention at the largest
map after a block, which is the full resolution in the generator and half of it in the discriminator.

Weights start Glorot uniform, biases at 0. The tables of the conditional BatchNorm are not spectrally normalised, as in
the authors' code. Two time scales (1e-4 against 4e-4) instead of several discriminator steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

from torch import Tensor, nn
from torch.nn.functional import relu

from gan_lab.layers.attention import Attention, doublings
from gan_lab.layers.class_projection import ClassProjection
from gan_lab.layers.conditional_norm import ClassNorm, PlainNorm
from gan_lab.layers.critique import Critique
from gan_lab.layers.first_map import first_map
from gan_lab.layers.labels import require_label
from gan_lab.layers.projection import Projection
from gan_lab.layers.residual import DownBlock, UpBlock
from gan_lab.layers.spectral_norm import spectral_norm


class Generator(nn.Module):
    """Latent (N, D) and labels (N,), if there are classes, to images (N, C, H, W) in [-1, 1].

    `attention`: the largest side of the map that attends. Raises ValueError for an image size that does not halve down
    to a first map of 4 to 7 pixels, and when called without labels that it needs.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        latent_dim: int,
        width: int = 64,
        num_classes: int | None = None,
        attention: int = 32,
    ) -> None:
        super().__init__()
        self.num_classes = num_classes or 0
        blocks, rows, columns = first_map(image_shape)
        channels = [width * min(2**level, 16) for level in reversed(range(blocks + 1))]
        norm = partial(ClassNorm, num_classes=self.num_classes) if self.num_classes else PlainNorm
        self.project = Projection(latent_dim, channels[0], rows, columns, bias=True)
        self.blocks = nn.ModuleList(UpBlock(wide, narrow, norm) for wide, narrow in pairwise(channels))
        self.attend_after = doublings(rows, columns, blocks, attention)
        self.attention = Attention(channels[self.attend_after])
        self.norm = PlainNorm(width)
        self.to_image = nn.Conv2d(width, image_shape[0], 3, padding=1)
        spectral_norm(self.apply(initialise))

    def latent_weights(self) -> list[Tensor]:
        """See `gan_lab.layers.latent_weights`. The first map goes to a BatchNorm and past it: nothing is folded."""
        return [self.project.weight]

    def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        label = require_label(label, self.num_classes)
        features = self.project(latent)
        for done, block in enumerate(self.blocks, start=1):
            features = block(features, label)
            if done == self.attend_after:
                features = self.attention(features)
        images: Tensor = self.to_image(relu(self.norm(features), inplace=True))
        return images.tanh()


class Discriminator(nn.Module):
    """Images (N, C, H, W) and labels (N,), if there are classes, to scores (N,). Raises ValueError as above."""

    def __init__(
        self, image_shape: Sequence[int], width: int = 64, num_classes: int | None = None, attention: int = 32
    ) -> None:
        super().__init__()
        self.num_classes = num_classes or 0
        halvings, rows, columns = first_map(image_shape)
        channels = [width * min(2**level, 16) for level in range(halvings)]
        blocks: list[nn.Module] = [DownBlock(image_shape[0], width, width, down=True, first=True)]
        blocks += [DownBlock(narrow, wide, wide, down=True) for narrow, wide in pairwise(channels)]
        attend_after = halvings - doublings(rows, columns, halvings - 1, attention)
        blocks.insert(attend_after, Attention(channels[attend_after - 1]))
        self.blocks = nn.Sequential(*blocks, DownBlock(channels[-1], channels[-1], channels[-1], down=False))
        self.to_score = ClassProjection(channels[-1], self.num_classes)
        spectral_norm(self.apply(initialise))

    def forward(self, images: Tensor, label: Tensor | None = None) -> Critique:
        features = relu(self.blocks(images)).sum((2, 3))  # (N, C)
        return Critique(self.to_score(features, label), features)


def initialise(module: nn.Module) -> None:
    """Glorot uniform, biases 0."""
    if isinstance(module, (nn.Conv2d, nn.Linear, nn.Embedding)):
        nn.init.xavier_uniform_(module.weight)
        bias = getattr(module, "bias", None)
        if bias is not None:
            nn.init.zeros_(bias)
