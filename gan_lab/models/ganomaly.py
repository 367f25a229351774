"""GANomaly (Akcay et al. 2018, arXiv:1805.06725): an autoencoder of normal images, and an encoder of what it made.

Encoder and decoder are DCGAN's networks (arXiv:1511.06434), as in the paper; the discriminator is DCGAN's, too.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from gan_lab.models import dcgan
from gan_lab.models.image_encoder import Encoder


class Generator(nn.Module):
    """Images `(N, C, H, W)` to images in [-1, 1], through codes `(N, D)`. The second encoder, which is another role of
    the game, is `image_encoder.Encoder`.

    Raises ValueError for inputs of another shape than images.
    """

    def __init__(
        self, image_shape: Sequence[int], input_shape: Sequence[int], latent_dim: int = 100, width: int = 64
    ) -> None:
        super().__init__()
        if list(input_shape) != list(image_shape):
            raise ValueError(f"input_shape: inputs are images, of {list(image_shape)}, and not of {list(input_shape)}")
        self.encoder = Encoder(image_shape, latent_dim, width)
        self.decoder = dcgan.Generator(image_shape, latent_dim, width)

    def forward(self, input: Tensor, label: Tensor | None = None, code: Tensor | None = None) -> Tensor:
        """`code` is what the encoder made of the input, where somebody has it already."""
        images: Tensor = self.decoder(self.encoder(input) if code is None else code)
        return images
