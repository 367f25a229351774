"""FastGAN's generator (Liu et al. 2021, arXiv:2101.04775): its trunk (`fastgan_trunk`) and one more convolution. Its
discriminator is `fastgan_discriminator`.

The first doubling and then each second one is two convolutions with noise, the others one. Every convolution has
spectral norm and no bias. `width=64` is the paper's.

Deviations: the image passes a Tanh at every size (the authors' code at 1024 pixels alone); the paper's generator gives
a second image from its map of 128 pixels, for the small branch of the discriminator. Here that branch sees the image
itself made smaller, as it does of real ones: so nothing but images goes from one player to the other, and every
technique goes with them.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from gan_lab.layers.spectral_norm import spectral_norm
from gan_lab.models.fastgan_trunk import Trunk, initialise


class Generator(Trunk):
    """Latent (N, D) to images (N, C, H, W) in [-1, 1]; `width` channels at 128 pixels. Refuses what its trunk does."""

    def __init__(self, image_shape: Sequence[int], latent_dim: int, width: int = 64) -> None:
        super().__init__(image_shape, latent_dim, width, noisy=lambda step: step % 2 == 1)
        self.to_image = nn.Sequential(nn.Conv2d(self.channels, image_shape[0], 3, padding=1, bias=False), nn.Tanh())
        spectral_norm(self.apply(initialise))

    def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        images: Tensor = self.to_image(self.largest(latent))
        return images
