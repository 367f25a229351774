"""How far two batches of images are apart: 0-d, the mean over samples, channels and places."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor

from gan_lab.layers.lab import AB, to_lab


class Distance(ABC):
    """Between what was made and what was wanted, both `(N, C, H, W)`."""

    @abstractmethod
    def __call__(self, made: Tensor, wanted: Tensor) -> Tensor:
        """A 0-d tensor; 0 where both are equal (`Charbonnier`: its epsilon)."""


class L1(Distance):
    """E|x - y|: blurs less than squares do (Isola et al. 2016, arXiv:1611.07004, equation 3)."""

    def __call__(self, made: Tensor, wanted: Tensor) -> Tensor:
        return (made - wanted).abs().mean()


class MSE(Distance):
    """E(x - y)^2, which a high PSNR asks for."""

    def __call__(self, made: Tensor, wanted: Tensor) -> Tensor:
        return (made - wanted).square().mean()


class Frobenius(Distance):
    """E ||x - y||_2 over whole samples: the gradient is of one size however near they are, and 0 where they are equal.
    BasicSR's `fro` is that of a whole batch."""

    def __call__(self, made: Tensor, wanted: Tensor) -> Tensor:
        norms: Tensor = torch.linalg.vector_norm((made - wanted).flatten(1), dim=1)
        return norms.mean()


class Charbonnier(Distance):
    """E sqrt((x - y)^2 + eps^2): |x - y| with a rounded corner (Lai et al. 2017, arXiv:1704.03915, section 3.2, where
    eps is 1e-3). Raises ValueError for an `eps` that is not positive."""

    def __init__(self, eps: float = 1e-3) -> None:
        if not (math.isfinite(eps) and eps > 0):
            raise ValueError(f"eps must be a positive number, not {eps}")
        self.eps = eps

    def __call__(self, made: Tensor, wanted: Tensor) -> Tensor:
        return ((made - wanted).square() + self.eps**2).sqrt().mean()


class BandedMSE(Distance):
    """E w (x - y)^2 of a part of an image whose outer band, `band` of its shorter side wide, is known already, so that
    errors there count `factor` times: w is `factor` in the band, else 1 (Pathak et al. 2016, arXiv:1604.07379, section
    3.2; 4 of 64 pixels and 10 in the authors' code). Raises ValueError for a band that is no share below a half, and
    for a negative factor."""

    def __init__(self, band: float = 1 / 16, factor: float = 10.0) -> None:
        if not 0 <= band < 0.5:
            raise ValueError(f"band must be a share from 0 to below 0.5, not {band}")
        if not (math.isfinite(factor) and factor >= 0):
            raise ValueError(f"factor must be a finite number of at least 0, not {factor}")
        self.band, self.factor = band, factor

    def __call__(self, made: Tensor, wanted: Tensor) -> Tensor:
        errors = (made - wanted).square()
        wide = round(self.band * min(made.shape[2:]))
        inside = errors[..., wide : made.shape[2] - wide, wide : made.shape[3] - wide]
        return (self.factor * errors.sum() - (self.factor - 1) * inside.sum()) / errors.numel()


class ColourL1(Distance):
    """E|x - y| of CIELAB's a and b over 110, of images in colour: what colorization pays, whose lightness is given."""

    def __call__(self, made: Tensor, wanted: Tensor) -> Tensor:
        return (to_lab(made)[:, 1:] - to_lab(wanted)[:, 1:]).abs().mean() / AB
