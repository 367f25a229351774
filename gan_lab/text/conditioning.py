"""Conditioning augmentation: a caption is a little cloud of embeddings."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ConditioningAugmentation(nn.Module):
    """Around a text encoder: c ~ N(mu(t), sigma(t)^2), both linear in its embedding t, so that images in the
    neighbourhood of a caption's have to do for it, too (StackGAN, Zhang et al. 2016, arXiv:1612.03242, section 3.2).

    Deviation: in use it is mu alone, so that a request's images depend on its seed and captions alone; there it is
    drawn as well. `distribution` is what the regularizer `conditioning` keeps near N(0, 1).
    """

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.dim: int = encoder.dim  # type: ignore[assignment]
        self.to_moments = nn.Linear(self.dim, 2 * self.dim)

    def distribution(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens (N, L) to mu and log sigma, (N, E) each."""
        mean, log_deviation = self.to_moments(self.encoder(tokens)).float().chunk(2, 1)
        return mean, log_deviation

    def forward(self, tokens: Tensor) -> Tensor:
        mean, log_deviation = self.distribution(tokens)
        return mean + log_deviation.exp() * torch.randn_like(mean) if self.training else mean
