"""StyleGAN2 (Karras et al. 2019, arXiv:1912.04958, config F; Karras et al. 2020, arXiv:2006.06676), sized by the image.

A mapping network makes a style w of a latent; a synthesis network makes an image of a learned constant, whose maps are
convolved by kernels that the styles scale (`gan_lab.layers.modulated_convolution`), with noise of a learned strength
behind each convolution. Every resolution adds its image to the sum of those before ("skip"), or the last alone has one
("orig", and "resnet" with shortcuts). The discriminator is residual ("resnet"; or "skip", which sees the image at every
resolution, or "orig"), and its last map is told how much it varies over the batch. All weights are equalized.

4 * 2^k pixels are the authors'; a first map of 4 to 7 rows and columns makes other sizes, 28x28 or 96x64 among them.
The map of 4 * 2^k pixels, counted along a side of 4 at the start, has `width` channels up to `full` pixels and
`width * full / pixels` beyond: 512 and 64 are config F, 512 and 32 its halves (the authors' base of 16384).

With classes: the vector of the class goes into the mapping network beside the latent; the discriminator has a mapping
network of its own, of 8 layers, and a score is the product of its last features with what that makes of the class.

In bf16 the `reduced` largest resolutions compute in it, everything else in fp32, and values are clamped to +-`clamp`
behind every activation; bf16 has the range of fp32, so that nothing is normalised beforehand, as fp16 needs. Images are
not squashed: what the generator makes is nearly in [-1, 1] once it has learned.

Deviations: noise is a stored picture in evaluation, where the authors' code draws it for its metrics; the second latent
of style mixing is drawn from N(0, I), whatever the algorithm's prior; nothing is clamped in fp32.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gan_lab.layers.first_map import channels_of, first_map
from gan_lab.layers.mapping import Mapping, mix
from gan_lab.models.style_generator import StyleGenerator
from gan_lab.models.stylegan2_names import Weights, generator_weights
from gan_lab.models.stylegan2_synthesis import Synthesis


class Generator(StyleGenerator):
    """Latents (N, D) and labels (N,), if there are classes, to images (N, C, H, W): `synthesise(style(z, label))`.

    `mixing`: how often, in training, a batch has the styles of other latents from a layer on that is drawn (style
    mixing, arXiv:1812.04948, section 3.1). `depth`: layers of the mapping network. `style_decay`: of the average style.

    Raises ValueError for an image size that does not halve down to a first map of 4 to 7 pixels, for a setting that
    there is not, and when called without labels that it needs.
    """

    layer: Tensor

    def __init__(
        self,
        image_shape: Sequence[int],
        latent_dim: int,
        width: int = 512,
        full: int = 64,
        style_dim: int = 512,
        depth: int = 8,
        num_classes: int | None = None,
        architecture: str = "skip",
        noise: str = "random",
        mixing: float = 0.9,
        reduced: int = 4,
        clamp: float | None = 256.0,
        style_decay: float = 0.995,
    ) -> None:
        super().__init__()
        if not 0 <= mixing <= 1:
            raise ValueError(f"mixing must lie in [0, 1], not {mixing}")
        self.num_classes = num_classes or 0
        self.mixing = mixing
        first = first_map(image_shape)
        self.mapping = Mapping(latent_dim, style_dim, depth, self.num_classes, decay=style_decay)
        channels = channels_of(first, width, full)
        self.synthesis = Synthesis(image_shape[0], first, channels, style_dim, architecture, noise, reduced, clamp)
        self.num_ws = self.synthesis.num_ws
        self.register_buffer("layer", torch.arange(self.num_ws), persistent=False)

    def style(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        """Styles (N, num_ws, style_dim), one for each layer: the same for all, but where styles are mixed."""
        styles: Tensor = self.mapping(latent, label)[:, None].expand(-1, self.num_ws, -1)
        if not (self.training and self.mixing):
            return styles
        others = self.mapping(torch.randn_like(latent), label, follow=False)[:, None]
        return mix(styles, others, self.layer, self.num_ws, self.mixing)

    def published_names(self, weights: Weights) -> Weights:
        """Weights by the names that they have here, where they have those of StyleGAN2-ADA's files."""
        return generator_weights(weights) if "mapping.fc0.weight" in weights else weights
