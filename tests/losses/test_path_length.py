"""Lengths of a linear generator: J^T y is A y / sqrt(H W), the noise being drawn again from the same seed."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from torch.testing import assert_close

from gan_lab.losses.path_length import PathLength
from gan_lab.losses.regularizers import Turn

A = torch.randn(6, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(1))  # images of 3x2x2
Z = torch.randn(5, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(3))


def turn(a: Tensor) -> Turn:
    images = torch.zeros(5, 3, 2, 2, dtype=torch.float64)
    return Turn(images, images, lambda x: x, latent=Z, generator=lambda z: (z @ a).view(-1, 3, 2, 2))


def directions() -> Tensor:
    return torch.randn(5, 3, 2, 2, dtype=torch.float64).flatten(1) @ A.T / 2  # (5, 6), sqrt(H W) = 2


def test_a_linear_generator() -> None:
    """The average is 0.01 of the mean length after one turn; by A: E 2 (l - a) / l (J^T y) y^T / 2."""
    a, term = A.clone().requires_grad_(), PathLength()
    torch.manual_seed(5)
    value = term(turn(a))
    torch.manual_seed(5)
    noise = torch.randn(5, 12, dtype=torch.float64) / 2
    products = noise @ A.T
    lengths = products.norm(dim=1)
    mean = 0.01 * lengths.mean()
    assert_close(value.detach(), (lengths - mean).square().mean())
    assert_close(term.state_dict()["length"], mean)
    factor = 2 * (lengths - mean) / lengths / 5
    assert_close(torch.autograd.grad(value, a)[0], (factor[:, None] * products).T @ noise)


def test_the_average_follows() -> None:
    term = PathLength(decay=0.5)
    torch.manual_seed(5)
    for _ in range(3):
        term(turn(A))
    torch.manual_seed(5)
    expected = torch.zeros((), dtype=torch.float64)
    for _ in range(3):
        expected = expected + 0.5 * (directions().norm(dim=1).mean() - expected)
    assert_close(term.state_dict()["length"], expected)


def test_the_latent_on_the_table_is_left_alone() -> None:
    PathLength()(turn(A))
    assert not Z.requires_grad


def test_settings() -> None:
    term = PathLength()
    assert (term.weight, term.every, term.player) == (2.0, 4, "generator")
    for decay in (0.0, 1.5):
        with pytest.raises(ValueError, match="decay must lie in"):
            PathLength(decay=decay)


def test_attention_in_a_generator() -> None:
    """It is differentiated by its formula: torch's fused kernels have no second derivative."""
    scale = torch.ones((), requires_grad=True)
    images = torch.zeros(2, 1, 16, 8)

    def generator(latent: Tensor) -> Tensor:
        rows = latent.view(2, 1, 16, 8)
        return scaled_dot_product_attention(scale * rows, rows, rows)

    latent = torch.randn(2, 128, generator=torch.Generator().manual_seed(1))
    PathLength()(Turn(images, images, lambda x: x, latent=latent, generator=generator)).backward()
    assert scale.grad is not None
    assert scale.grad != 0
