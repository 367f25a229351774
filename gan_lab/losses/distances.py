"""How far two batches of images are apart: 0-d, the mean over samples, channels and places."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

from torch import Tensor


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


class Charbonnier(Distance):
    """E sqrt((x - y)^2 + eps^2): |x - y| with a rounded corner (Lai et al. 2017, arXiv:1704.03915, section 3.2, where
    eps is 1e-3). Raises ValueError for an `eps` that is not positive."""

    def __init__(self, eps: float = 1e-3) -> None:
        if not (math.isfinite(eps) and eps > 0):
            raise ValueError(f"eps must be a positive number, not {eps}")
        self.eps = eps

    def __call__(self, made: Tensor, wanted: Tensor) -> Tensor:
        return ((made - wanted).square() + self.eps**2).sqrt().mean()
