"""Spectral normalisation of a discriminator that was built without (Miyato et al. 2018, arXiv:1802.05957)."""

from __future__ import annotations

from torch.nn.utils.parametrize import is_parametrized

from gan_lab.layers.spectral_norm import spectral_norm
from gan_lab.wrappers.base import Build, Wrapper


class SpectralNorm(Wrapper):
    """Every convolution, linear layer and embedding inside has a weight of spectral norm 1.

    A layer that is constrained already stays as it is, so a discriminator built with spectral normalisation is the
    same with this around it. Raises ValueError where there is no such layer.
    """

    def __init__(self, build: Build) -> None:
        super().__init__(spectral_norm(build()))
        if not any(is_parametrized(layer) for layer in self.inside.modules()):
            raise ValueError("the discriminator inside has no convolution, linear layer or embedding to normalise")
