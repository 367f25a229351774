"""Weights divided by their largest singular value (Miyato et al. 2018, arXiv:1802.05957, equations 8 to 11)."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd
from torch.nn.utils import parametrize

from gan_lab.layers.equalized import EqualizedConv2d, EqualizedLinear

ModuleT = TypeVar("ModuleT", bound=nn.Module)


class SpectralNorm(nn.Module):
    """W -> W / sigma(W), sigma = u^T W v, W a matrix with one row per output channel (dimension `rows` of the weight).

    Each forward pass in training mode does the paper's one power iteration (algorithm 1): v = W^T u / |W^T u|,
    u = W v / |W v|, and keeps u; no gradient runs through u and v. Only u is stored: v follows from it. So sigma does
    not depend on the length of u, and the average of a network (its u averaged like a weight, no longer of length 1) is
    still divided by a sigma of its own averaged weight. In evaluation mode the iteration starts from u and is not kept.
    Deviation: u starts after `first_iterations` of them, the authors' is random.
    """

    u: Tensor
    couples_images = True  # two passes are not one pass over twice as much

    def __init__(self, weight: Tensor, rows: int = 0, first_iterations: int = 15) -> None:
        super().__init__()
        self.rows = rows
        u = torch.randn(weight.shape[rows], dtype=weight.dtype, device=weight.device)
        matrix = self._matrix(weight.detach())
        # a random u would make the first sigma too small and the first weights too large
        for _ in range(0 if weight.is_meta else first_iterations):
            u = normalize(matrix @ (matrix.T @ u), dim=0)
        self.register_buffer("u", u)

    def forward(self, weight: Tensor) -> Tensor:
        with torch.autocast(weight.device.type, enabled=False):
            matrix = self._matrix(weight)
            with torch.no_grad():
                v = normalize(matrix.T @ self.u, dim=0)
            product = matrix @ v
            u = normalize(product.detach(), dim=0)
            if self.training:
                self.u.copy_(u)
            return weight / torch.dot(u, product)

    def _matrix(self, weight: Tensor) -> Tensor:
        """(rows, the rest). The order of the columns does not matter: the one that costs no copy is taken."""
        if self.rows == 0 and weight.dim() == 4 and weight.is_contiguous(memory_format=torch.channels_last):
            weight = weight.permute(0, 2, 3, 1)
        return weight.movedim(self.rows, 0).flatten(1)


def spectral_norm(module: ModuleT) -> ModuleT:
    """Constrain every convolution, linear layer and embedding in `module`, in place, and return it.

    A layer that is constrained already, or frozen, is left alone. Raises ValueError for a weight of zeros, which has no
    direction, and for an equalized layer, which scales what it would be given.
    """
    for name, layer in list(module.named_modules()):
        if isinstance(layer, (EqualizedConv2d, EqualizedLinear)):
            raise ValueError(f"spectral norm: {name or type(layer).__name__} is equalized; leave spectral norm out")
        if not isinstance(layer, (_ConvNd, nn.Linear, nn.Embedding)) or parametrize.is_parametrized(layer, "weight"):
            continue
        weight = layer.weight
        if not isinstance(weight, nn.Parameter):
            continue
        if not weight.is_meta and not weight.detach().any():
            where = name or type(layer).__name__
            raise ValueError(f"spectral norm: the weight of {where} starts as all zeros; leave spectral norm out")
        rows = 1 if isinstance(layer, _ConvTransposeNd) else 0
        # unsafe: only the trial run is left out, which the meta device cannot do
        parametrize.register_parametrization(layer, "weight", SpectralNorm(weight, rows), unsafe=True)
    return module
