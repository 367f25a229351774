"""Lengths by the styles of a linear generator: image = sum over the layers of A w_l, so J^T y is A^T y for each."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from gan_lab.errors import ConfigError
from gan_lab.losses.path_length_style import StylePathLength
from gan_lab.losses.regularizers import Turn

LAYERS, DIM = 3, 6
A = torch.randn(DIM, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(1))  # images of 3x2x2
LATENT = torch.randn(6, DIM, dtype=torch.float64, generator=torch.Generator().manual_seed(3))


class Styled(nn.Module):
    """Keeps what it was asked for."""

    def __init__(self, a: Tensor) -> None:
        super().__init__()
        self.a = a
        self.asked: list[Any] = []

    def style(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        self.asked += [latent, label]
        return (latent + 0 * self.a[:, :1].T)[:, None].expand(-1, LAYERS, -1)

    def synthesise(self, styles: Tensor) -> Tensor:
        return (styles.sum(1) @ self.a).view(-1, 3, 2, 2)


def turn(mover: nn.Module, latent: Tensor = LATENT, labels: Tensor | None = None) -> Turn:
    images = torch.zeros(len(latent), 3, 2, 2)
    return Turn(images, images, lambda x: x, latent=latent, labels=labels, mover=mover)


def test_a_linear_generator() -> None:
    """The mean over the layers: each has ||A y||, and so has their mean; of every other latent."""
    a, term = A.clone().requires_grad_(), StylePathLength()
    torch.manual_seed(5)
    value = term(turn(Styled(a)))
    torch.manual_seed(5)
    products = torch.randn(3, 3, 2, 2).double().flatten(1) / 2 @ A.T  # images are cast to fp32: so is the noise
    lengths = products.norm(dim=1)
    mean = 0.01 * lengths.mean()
    assert_close(value.detach().double(), (lengths - mean).square().mean(), rtol=1e-5, atol=0)
    assert_close(term.state_dict()["length"].double(), mean, rtol=1e-5, atol=0)


def test_the_length_on_average() -> None:
    """E ||J^T y||^2 = ||A||^2 / (H W), whatever the number of layers."""
    mover, term = Styled(A.clone().requires_grad_()), StylePathLength(decay=1e-12)
    torch.manual_seed(0)
    value = term(turn(mover, LATENT.repeat(2000, 1)))
    assert_close(value.detach().double(), A.square().sum() / 4, rtol=0.03, atol=0)


def test_half_of_the_batch_with_its_labels() -> None:
    mover, labels = Styled(A.clone().requires_grad_()), torch.arange(6)
    StylePathLength()(turn(mover, labels=labels))
    latent, label = mover.asked
    assert torch.equal(latent, LATENT[[0, 2, 4]])
    assert torch.equal(label, torch.tensor([0, 2, 4]))
    StylePathLength()(turn(mover, LATENT[:1]))
    assert len(mover.asked[2]) == 1


def test_settings() -> None:
    term = StylePathLength()
    assert (term.weight, term.every, term.player, term.decay) == (2.0, 4, "generator", 0.01)


def test_a_generator_without_styles_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"which this generator has not; take loss/regularizers=\[path_length\]"):
        StylePathLength()(turn(nn.Linear(2, 2)))
