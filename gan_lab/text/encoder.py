"""What all text encoders have in common, and the networks that have one."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor, nn
from torch.nn.functional import layer_norm

from gan_lab.errors import ConfigError


class TextEncoder(nn.Module):
    """Tokens (N, L), 0 is padding, to an embedding (N, `dim`) of mean 0 and variance 1.

    That scale is what makes penalties on the gradient by an embedding mean something: an encoder that is trained beside
    a discriminator could escape them by larger numbers. Raises ValueError for `num_tokens` 0: data without captions.
    """

    def __init__(self, num_tokens: int | None, dim: int) -> None:
        super().__init__()
        if not num_tokens:
            raise ValueError("a text encoder needs data with captions (dataset=captioned)")
        if dim < 2:
            raise ValueError(f"dim must be at least 2, not {dim}")
        self.num_tokens, self.dim = num_tokens, dim

    @abstractmethod
    def read(self, tokens: Tensor) -> Tensor:
        """(N, L) to (N, dim) of any scale."""

    def forward(self, tokens: Tensor) -> Tensor:
        return layer_norm(self.read(tokens).float(), (self.dim,))


class CaptionReader(nn.Module):
    """A network that is told captions, with a text encoder of its own: (N, L) int64 tokens, or (N, E) floats that are
    an embedding already.

    Generator and discriminator have an encoder each, trained in its place: a player has one optimizer, and what both
    read by would be pulled two ways.
    """

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.condition_shape: tuple[int, ...] = (encoder.dim,)  # type: ignore[assignment]

    def embed(self, caption: Tensor | None) -> Tensor:
        """(N, E). Raises ValueError where there is no caption, and ConfigError for labels in its place: what plays the
        game of labels (`noise_to_image`, `unrolled`) has no captions for it."""
        if caption is None:
            raise ValueError("this network is told captions: call it with one for every sample")
        if caption.dim() != 2:
            raise ConfigError(
                "algorithm: tells this network labels, and it reads captions; take algorithm=text_to_image, and leave "
                "techniques out that bring another (unrolled)"
            )
        if caption.is_floating_point():
            return caption
        embedding: Tensor = self.encoder(caption)
        return embedding
