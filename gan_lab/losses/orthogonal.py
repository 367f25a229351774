"""Filters that do not repeat each other (Brock et al. 2018, arXiv:1809.11096, section 3.1)."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from gan_lab.losses.regularizers import Regularizer, Turn


class Orthogonal(Regularizer):
    """||W^T W * (1 - I)||_F^2, summed over the weight matrices of `player` (equation 3; `weight` is beta, 1e-4).

    The paper's W has one filter a column, as its framework lays kernels out; ours have one a row, so this is the Gram
    matrix of the rows, one for each output channel: filters are made orthogonal and their norms are left free.
    Filters are the weights of convolutions and linear layers: what a layer looks up (embeddings, the scales and shifts
    of a conditional BatchNorm, which start equal for all classes) or a learned picture is left out, and so are vectors
    (a matrix with a single row or column). Where a weight is computed from others (spectral normalization), those that
    train are meant. The authors' own code adds half of this equation's gradient.
    """

    def __init__(self, weight: float = 1e-4, every: int = 1, player: str = "generator") -> None:
        super().__init__(weight, every)
        self.player = player

    def __call__(self, turn: Turn) -> Tensor:
        assert turn.mover is not None
        with torch.autocast(turn.real.device.type, enabled=False):
            return turn.real.new_zeros(()) + sum(overlap(matrix) for matrix in matrices(turn.mover))


def matrices(network: nn.Module) -> Iterator[Tensor]:
    """Every trained weight of a convolution or linear layer as (filters, inputs), without vectors."""
    for module in network.modules():
        if not isinstance(module, (_ConvNd, nn.Linear)):
            continue
        for weight in _trained(module):
            if weight.dim() < 2:
                continue
            rows = weight.transpose(0, 1) if isinstance(module, _ConvTransposeNd) else weight
            matrix = rows.flatten(1)
            if min(matrix.shape) > 1:
                yield matrix


def _trained(module: nn.Module) -> Iterator[Tensor]:
    """The module's own parameters, and those that its computed ones are made from."""
    yield from (p for p in module.parameters(recurse=False) if p.requires_grad)
    computed = getattr(module, "parametrizations", None)
    if isinstance(computed, nn.ModuleDict):
        for originals in computed.values():
            yield from (p for p in originals.parameters(recurse=False) if p.requires_grad)


def overlap(matrix: Tensor) -> Tensor:
    """The sum of the squared products of any two different rows. The Gram matrices of rows and of columns have the same
    norm: the smaller is built."""
    filters, inputs = matrix.shape
    if filters <= inputs:
        return 2 * (matrix @ matrix.T).triu(1).square().sum()
    return (matrix.T @ matrix).square().sum() - matrix.square().sum(1).square().sum()
