"""Noise priors: what a generator starts from."""

from __future__ import annotations

import copy
import math
from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor

from gan_lab.engine.seeding import generator_of
from gan_lab.errors import ConfigError

BLOCK = 64  # latents that are drawn together: how many an operation draws at once decides which numbers come


class Latent(ABC):
    """A prior over vectors of `dim` numbers. `curve` is how one goes from one of them to another among those that it
    gives: straight (lerp), or along the sphere that nearly all of them lie on (slerp). Raises ValueError for a `dim`
    below 1."""

    curve: ClassVar[str] = "lerp"

    def __init__(self, dim: int) -> None:
        if dim < 1:
            raise ValueError(f"dim must be at least 1, not {dim}")
        self.dim = dim

    def __call__(self, n: int, device: torch.device | str, generator: torch.Generator | None = None) -> Tensor:
        """Draw (n, dim) on `device`.

        With a `generator` the numbers are drawn on its device and moved, so that a CPU generator gives the same latents
        on every device; without one they come from the default generator of `device`.
        """
        where = torch.device(device) if generator is None else generator.device
        return self._draw(torch.empty(n, self.dim, device=where), generator).to(device)

    def of_dim(self, dim: int) -> Latent:
        """The same prior over vectors of another length."""
        other = copy.copy(self)
        other.dim = dim
        return other

    def drawn(self, n: int, seed: int, truncation: float | None = None, start: int = 0) -> Tensor:
        """(n, dim) on the CPU, the rows from `start` on: row i depends on `seed` and i alone, whatever n. No number is
        beyond `truncation` in size; raises ConfigError where that cannot be."""
        blocks = []
        first = start // BLOCK
        for number in range(first, -(-(start + n) // BLOCK)):
            generator = generator_of(f"latents {seed} {number}")
            if truncation is None:
                blocks.append(self(BLOCK, "cpu", generator))
            else:
                blocks.append(self.truncated(BLOCK, truncation, generator))
        return torch.cat(blocks)[start - first * BLOCK :][:n]

    def truncated(self, n: int, threshold: float, generator: torch.Generator) -> Tensor:
        """(n, dim) on the generator's device, no number beyond `threshold` in size. Raises ConfigError where this prior
        has no such form or `threshold` is not positive."""
        raise ConfigError(f"truncation: a {type(self).__name__} latent cannot be truncated")

    def nearest(self, codes: Tensor) -> Tensor:
        """Codes `(N, dim)` moved to where nearly all draws lie; those that lie there stay as they are."""
        return codes

    @abstractmethod
    def _draw(self, empty: Tensor, generator: torch.Generator | None) -> Tensor:
        """Fill `empty` with draws."""


class Normal(Latent):
    """N(0, I): the prior of most papers since WGAN."""

    curve = "slerp"

    def _draw(self, empty: Tensor, generator: torch.Generator | None) -> Tensor:
        return empty.normal_(generator=generator)

    def truncated(self, n: int, threshold: float, generator: torch.Generator) -> Tensor:
        """The truncation trick: numbers beyond the threshold are drawn anew (Brock et al. 2018, arXiv:1809.11096,
        section 3.1); here by the inverse of the distribution function between -threshold and threshold."""
        if not (math.isfinite(threshold) and threshold > 0):
            raise ConfigError(f"truncation: {threshold} is not a positive number")
        empty = torch.empty(n, self.dim, dtype=torch.float64, device=generator.device)
        bound = math.erf(threshold / math.sqrt(2))
        latents = torch.erfinv(empty.uniform_(-bound, bound, generator=generator)) * math.sqrt(2)
        return latents.clamp(-threshold, threshold).float()

    def nearest(self, codes: Tensor) -> Tensor:
        """No further out than three deviations of the norm, which is nearly sqrt(dim) with one of sqrt(1/2)."""
        reach = math.sqrt(self.dim) + 3 * math.sqrt(0.5)
        size: Tensor = torch.linalg.vector_norm(codes, dim=-1, keepdim=True)
        return codes * (reach / size.clamp(min=1e-12)).clamp(max=1)


class Uniform(Latent):
    """U[-1, 1) in each coordinate: the prior of DCGAN's paper and of the code of LSGAN. No model here chooses it."""

    def _draw(self, empty: Tensor, generator: torch.Generator | None) -> Tensor:
        return empty.uniform_(-1.0, 1.0, generator=generator)

    def nearest(self, codes: Tensor) -> Tensor:
        return codes.clamp(-1, 1)


class Signs(Latent):
    """-1 or 1 in each coordinate, equally likely: Bernoulli {0, 1} of Brock et al. 2018 (arXiv:1809.11096, appendix E),
    centred. A prior in pieces, for data in pieces: a generator need not be steep between them."""

    def _draw(self, empty: Tensor, generator: torch.Generator | None) -> Tensor:
        return empty.bernoulli_(0.5, generator=generator).mul_(2).sub_(1)

    def nearest(self, codes: Tensor) -> Tensor:
        """Between the corners: what lies there is no draw, but on the way from one to another."""
        return codes.clamp(-1, 1)
