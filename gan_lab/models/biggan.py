"""BigGAN (Brock et al. 2018, arXiv:1809.11096, appendix B, tables 4 to 6), sized by the image.

Residual blocks, spectral normalization in both players, a projection discriminator. The latent is split: one chunk
makes the first map, each of the others, behind a class embedding that all blocks share, sets scale and shift of one
block's BatchNorms. Self-attention on the 64x64 map, or the largest below the image. From 64 to 512 pixels the channels
are the authors'; up to 32 pixels those of their CIFAR-10 networks, 4 times `width` everywhere, two downsampling blocks
and two plain ones, no attention. Without classes the embedding and the projection are left out.

Weights start orthogonal, biases at 0. As in the authors' code the class embedding is not spectrally normalised.
Deviations: a latent that does not divide by the number of chunks gives its first chunks one number more; where every
BatchNorm has a table of its own, its scales start at 1 for all classes, which the authors' are drawn around.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from gan_lab.layers.attention import Attention, doublings
from gan_lab.layers.class_projection import ClassProjection
from gan_lab.layers.conditional_norm import ClassNorm, PlainNorm, VectorNorm
from gan_lab.layers.critique import Critique
from gan_lab.layers.first_map import first_map
from gan_lab.layers.labels import LabelTable, require_label
from gan_lab.layers.latent_weights import placed
from gan_lab.layers.projection import Projection
from gan_lab.layers.residual import DownBlock, UpBlock
from gan_lab.layers.spectral_norm import spectral_norm

SMALL = 3  # doublings of the CIFAR-10 networks
# Channels in units of the width, by the number of doublings: from the first map to the image; after each block back.
GENERATOR = {
    4: (16, 16, 8, 4, 2),
    5: (16, 16, 8, 4, 2, 1),
    6: (16, 16, 8, 8, 4, 2, 1),
    7: (16, 16, 8, 8, 4, 2, 1, 1),
}
DISCRIMINATOR = {
    4: (1, 2, 4, 8, 16),
    5: (1, 2, 4, 8, 16, 16),
    6: (1, 2, 4, 8, 8, 16, 16),
    7: (1, 1, 2, 4, 8, 8, 16, 16),
}


class Generator(nn.Module):
    """Latent (N, D) and labels (N,), if there are classes, to images (N, C, H, W) in [-1, 1].

    `hierarchical` splits the latent; `shared_dim` is the size of the class embedding, 0 gives every BatchNorm a table
    of its own, which only goes without the split. `attention`: the largest side of the map that attends, 0 = none.
    `weights`: "orthogonal" or "normal", N(0, 0.02). Raises ValueError for another one, for an image size that does not
    halve down to a first map of 4 to 7 pixels in at most 7 halvings, for a latent with fewer numbers than chunks, and
    when called without labels that it needs.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        latent_dim: int,
        width: int = 96,
        num_classes: int | None = None,
        shared_dim: int = 128,
        hierarchical: bool = True,
        attention: int = 64,
        weights: str = "orthogonal",
    ) -> None:
        super().__init__()
        self.num_classes = num_classes or 0
        blocks, rows, columns = first_map(image_shape)
        if self.num_classes and hierarchical and shared_dim < 1:
            raise ValueError("shared_dim must be at least 1 where the latent is hierarchical")
        self.chunks = chunks(latent_dim, blocks + 1) if hierarchical else [latent_dim]
        embedded = self.num_classes > 0 and shared_dim > 0
        self.embedding = LabelTable(self.num_classes, shared_dim) if embedded else None
        norms = [self._norm((shared_dim if embedded else 0) + size) for size in [*self.chunks[1:], *[0] * blocks]]
        channels = [width * times for times in multipliers(GENERATOR, blocks)]
        self.project = Projection(self.chunks[0], channels[0], rows, columns, bias=True)
        self.blocks = nn.ModuleList(
            UpBlock(wide, narrow, norm) for (wide, narrow), norm in zip(pairwise(channels), norms, strict=False)
        )
        self.attend_after = 0
        if attention and blocks > SMALL:
            self.attend_after = doublings(rows, columns, blocks - 1, attention)
            self.attention = Attention(channels[self.attend_after])
        self.norm = PlainNorm(channels[-1])
        self.to_image = nn.Conv2d(channels[-1], image_shape[0], 3, padding=1)
        initialise(self, weights)
        for name, part in self.named_children():
            if name != "embedding":
                spectral_norm(part)

    def _norm(self, condition_dim: int) -> Callable[[int], nn.Module]:
        if condition_dim:
            return partial(VectorNorm, condition_dim=condition_dim)
        return partial(ClassNorm, num_classes=self.num_classes) if self.num_classes else PlainNorm

    def latent_weights(self) -> list[Tensor]:
        """See `gan_lab.layers.latent_weights`: of the first map, which goes to a BatchNorm and past it, and of the
        scales and shifts of each block that has a chunk of its own."""
        total, start = sum(self.chunks), self.chunks[0]
        found = [placed(self.project.weight, 0, total)]
        for block, size in zip(self.blocks, self.chunks[1:], strict=False):
            vectors = [
                part for norm in block.modules() if isinstance(norm, VectorNorm) for part in (norm.scale, norm.shift)
            ]
            found.append(placed(torch.cat([part.weight[:, -size:] for part in vectors]), start, total))
            start += size
        return found

    def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        label = require_label(label, self.num_classes)
        first, *others = latent.split(self.chunks, dim=1)
        condition = label if self.embedding is None else self.embedding(label)
        features = self.project(first)
        for index, block in enumerate(self.blocks):
            parts = [part for part in (condition, *others[index : index + 1]) if part is not None]
            features = block(features, torch.cat(parts, 1) if len(parts) > 1 else next(iter(parts), None))
            if index + 1 == self.attend_after:
                features = self.attention(features)
        images: Tensor = self.to_image(relu(self.norm(features), inplace=True))
        return images.tanh()


class Discriminator(nn.Module):
    """Images (N, C, H, W) and labels (N,), if there are classes, to scores (N,). Arguments and errors as above."""

    def __init__(
        self,
        image_shape: Sequence[int],
        width: int = 96,
        num_classes: int | None = None,
        attention: int = 64,
        weights: str = "orthogonal",
    ) -> None:
        super().__init__()
        self.num_classes = num_classes or 0
        halvings, rows, columns = first_map(image_shape)
        outputs = [width * times for times in multipliers(DISCRIMINATOR, halvings)]
        down = halvings
        if halvings <= SMALL:
            down = max(halvings - 1, 1)
            outputs = outputs[:1] * (down + 2)
        blocks: list[nn.Module] = [
            DownBlock(narrow, wide, wide, down=index < down, first=index == 0)
            for index, (narrow, wide) in enumerate(pairwise([image_shape[0], *outputs]))
        ]
        if attention and halvings > SMALL:
            attend_after = halvings - doublings(rows, columns, halvings - 1, attention)
            blocks.insert(attend_after, Attention(outputs[attend_after - 1]))
        self.blocks = nn.Sequential(*blocks)
        self.to_score = ClassProjection(outputs[-1], self.num_classes)
        initialise(self, weights)
        spectral_norm(self)

    def forward(self, images: Tensor, label: Tensor | None = None) -> Critique:
        features = relu(self.blocks(images)).sum((2, 3))  # (N, C)
        return Critique(self.to_score(features, label), features)


def multipliers(table: Mapping[int, tuple[int, ...]], doublings: int) -> tuple[int, ...]:
    """The row of `table`; up to 32 pixels 4 throughout. Raises ValueError where the authors have no such network."""
    if doublings > max(table):
        raise ValueError(
            f"image_shape: the networks of BigGAN double at most {max(table)} times, not {doublings}: at "
            f"most {4 * 2 ** max(table)}x{4 * 2 ** max(table)} pixels"
        )
    return (4,) * (doublings + 1) if doublings <= SMALL else table[doublings]


def chunks(latent_dim: int, slots: int) -> list[int]:
    """The sizes of `slots` chunks of the latent, equal where it divides."""
    if latent_dim < slots:
        raise ValueError(f"latent_dim must be at least {slots} to be split into as many chunks, not {latent_dim}")
    return [latent_dim // slots + (index < latent_dim % slots) for index in range(slots)]


def initialise(network: nn.Module, weights: str) -> None:
    """Weights orthogonal or N(0, 0.02), biases 0."""
    if weights not in ("orthogonal", "normal"):
        raise ValueError(f'weights must be "orthogonal" or "normal", not "{weights}"')
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear, nn.Embedding)):
            if weights == "orthogonal":
                nn.init.orthogonal_(module.weight)
            else:
                nn.init.normal_(module.weight, 0.0, 0.02)
            bias = getattr(module, "bias", None)
            if bias is not None:
                nn.init.zeros_(bias)
