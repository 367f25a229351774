"""StyleGAN (Karras et al. 2018, arXiv:1812.04948): it grows as Progressive GAN does, and has a style in between.

A mapping network makes a style w of a latent; a synthesis network makes an image of a learned constant, whose maps get
noise of a learned strength, and take their mean and deviation from the styles (AdaIN), behind each convolution. What is
doubled is smoothed by [1, 2, 1]. The discriminator is Progressive GAN's, smoothed before it halves.

4 * 2^k pixels are the authors'; a first map of 4 to 7 rows and columns makes other sizes. The map of 4 * 2^k pixels,
counted along a side of 4 at the start, has `width` channels up to `full` pixels and `width * full / pixels` beyond.

With classes each has a vector, which stands beside the latent, and both are normalised together; the discriminator has
a score for each class, and the label picks its own.

Deviations: noise is a stored picture in evaluation, where the authors' code draws it for its metrics; biases of the
mapping network move sqrt(2) times as fast (as StyleGAN2's); the second latent of style mixing is drawn from N(0, I).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gan_lab.layers.first_map import channels_of, first_map
from gan_lab.layers.labels import LabelTable, require_label
from gan_lab.layers.mapping import Mapping, mix
from gan_lab.models.style_generator import StyleGenerator
from gan_lab.models.stylegan_synthesis import Synthesis


class Generator(StyleGenerator):
    """Latents (N, D) and labels (N,), if there are classes, to images (N, C, H, W): `synthesise(style(z, label))`.

    `mixing`: how often, in training, a batch has the styles of other latents from a layer on that is drawn among those
    there are. `depth`: layers of the mapping network. `style_decay`: of the average style. Raises ValueError for an
    image size that does not halve down to a first map of 4 to 7 pixels, for a setting that there is not, and when
    called without labels that it needs.
    """

    synthesis: Synthesis
    layer: Tensor

    def __init__(
        self,
        image_shape: Sequence[int],
        latent_dim: int,
        width: int = 512,
        full: int = 32,
        style_dim: int = 512,
        depth: int = 8,
        num_classes: int | None = None,
        noise: str = "random",
        mixing: float = 0.9,
        style_decay: float = 0.995,
    ) -> None:
        super().__init__()
        if not 0 <= mixing <= 1:
            raise ValueError(f"mixing must lie in [0, 1], not {mixing}")
        self.num_classes = num_classes or 0
        self.mixing = mixing
        first = first_map(image_shape)
        self.of_label = LabelTable(self.num_classes, latent_dim) if self.num_classes else None
        inputs = latent_dim * (2 if self.num_classes else 1)
        self.mapping = Mapping(inputs, style_dim, depth, decay=style_decay)
        channels = channels_of(first, width, full)
        self.synthesis = Synthesis(image_shape[0], first, channels, style_dim, noise)
        self.num_ws = self.synthesis.num_ws
        self.register_buffer("layer", torch.arange(self.num_ws), persistent=False)

    def style(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        """Styles (N, num_ws, style_dim), one for each layer: the same for all, but where styles are mixed."""
        label = require_label(label, self.num_classes)
        styles = self._map(latent, label).expand(-1, self.num_ws, -1)
        if not (self.training and self.mixing):
            return styles
        others = self._map(torch.randn_like(latent), label, follow=False)
        return mix(styles, others, self.layer, 2 * self.synthesis.level + 2, self.mixing)

    def _map(self, latent: Tensor, label: Tensor | None, follow: bool = True) -> Tensor:
        known = [] if self.of_label is None else [self.of_label(label)]
        style: Tensor = self.mapping(torch.cat([latent, *known], 1), follow=follow)
        return style[:, None]
