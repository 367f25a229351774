"""The overlap of filters, by hand and against the paper's formula with filters in columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm, weight_norm
from torch.testing import assert_close
from torch.utils._python_dispatch import TorchDispatchMode

from gan_lab.layers.conditional_norm import ClassNorm
from gan_lab.losses.orthogonal import Orthogonal, matrices, overlap
from gan_lab.losses.regularizers import Turn
from gan_lab.models import biggan, sagan, sngan
from gan_lab.models.r3gan import Basis

IMAGES = torch.zeros(2, 1, 2, 2)


def penalty(network: nn.Module) -> Tensor:
    return Orthogonal()(Turn(real=IMAGES, fake=IMAGES, critic=lambda x: x, mover=network))


def with_weight(module: nn.Module, weight: Tensor) -> nn.Module:
    with torch.no_grad():
        module.weight.copy_(weight)
    return module


def test_two_rows_by_hand() -> None:
    """Rows (1, 2) and (3, 4) overlap by 11, twice; their norms cost nothing. By W: 4 (G off the diagonal) W."""
    linear = with_weight(nn.Linear(2, 2), torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    value = penalty(linear)
    assert_close(value.detach(), torch.tensor(2 * 11.0**2))
    value.backward()
    assert_close(linear.weight.grad, 44 * torch.tensor([[3.0, 4.0], [1.0, 2.0]]))
    assert linear.bias.grad is None


def test_orthogonal_filters_of_any_length_cost_nothing() -> None:
    torch.manual_seed(0)
    rows = torch.linalg.qr(torch.randn(6, 6)).Q[:4] * torch.tensor([[1.0], [2.0], [0.1], [5.0]])
    assert_close(penalty(with_weight(nn.Linear(6, 4), rows)).detach(), torch.tensor(0.0))


def test_the_papers_formula_for_every_kind_of_layer() -> None:
    torch.manual_seed(0)
    layers = nn.ModuleList([nn.Linear(5, 3), nn.Conv2d(2, 4, 3), nn.ConvTranspose2d(3, 6, 4)])
    columns = [  # W with a filter, i.e. an output channel, in every column
        layers[0].weight.T,
        layers[1].weight.permute(2, 3, 1, 0).reshape(-1, 4),
        layers[2].weight.permute(2, 3, 0, 1).reshape(-1, 6),
    ]
    expected = sum((w.T @ w * (1 - torch.eye(w.shape[1]))).square().sum() for w in columns)
    assert_close(penalty(layers), expected)


@pytest.mark.parametrize(("filters", "inputs"), [(3, 5), (5, 5), (7, 3), (40, 2)])
def test_the_smaller_gram_matrix_has_the_same_norm(filters: int, inputs: int) -> None:
    torch.manual_seed(0)
    matrix = torch.randn(filters, inputs, dtype=torch.float64, requires_grad=True)
    gram = matrix @ matrix.T
    plain = (gram - gram.diagonal().diag()).square().sum()
    value = overlap(matrix)
    assert_close(value, plain, rtol=1e-12, atol=0)
    assert_close(*(torch.autograd.grad(each, matrix)[0] for each in (value, plain)), rtol=1e-11, atol=1e-11)


def test_many_filters_of_few_inputs_need_no_matrix_of_filters() -> None:
    """No tensor larger than the weight is made: 4096 squared would be 64 MB."""
    matrix = torch.randn(4096, 4, requires_grad=True)
    made: list[int] = []

    class Sizes(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            out = func(*args, **(kwargs or {}))
            made.append(out.numel() if isinstance(out, Tensor) else 0)
            return out

    with Sizes():
        overlap(matrix).backward()
    assert max(made) == matrix.numel()


def test_a_table_of_scales_costs_nothing() -> None:
    """The scales of all classes start equal: as filters they would overlap wholly, and be driven to 0."""
    network = nn.ModuleDict({"norm": ClassNorm(256, 10), "basis": Basis(8, 16, 4, 4), "own": MinibatchTensor()})
    assert [tuple(matrix.shape) for matrix in matrices(network)] == [(16, 8)]  # the basis's linear layer
    assert_close(penalty(network["norm"]), torch.tensor(0.0))


class MinibatchTensor(nn.Module):
    """A module with a matrix of its own that no layer of filters has."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.ones(5, 7))


@pytest.mark.parametrize(
    "make",
    [
        lambda classes: sngan.Generator((3, 16, 16), 8, 4, classes),
        lambda classes: sagan.Generator((3, 16, 16), 8, 4, classes),
        lambda classes: biggan.Generator((3, 16, 16), 8, 4, classes, shared_dim=0, hierarchical=False),
    ],
    ids=["sngan", "sagan", "biggan_cifar"],
)
def test_classes_add_no_filters(make: Callable[[int], nn.Module]) -> None:
    with_classes, without = ([tuple(matrix.shape) for matrix in matrices(make(classes))] for classes in (10, 0))
    assert with_classes == without


def test_embeddings_and_vectors_are_left_out() -> None:
    network = nn.Module()
    network.embedding = nn.Embedding(10, 4)
    network.embedded = spectral_norm(nn.Embedding(10, 4))
    network.norm = nn.BatchNorm2d(4)
    network.one = nn.Linear(4, 1, bias=False)
    network.gain = nn.Parameter(torch.ones(4, 1, 1, 1))
    network.start = nn.Parameter(torch.ones(1, 4, 2, 2))
    network.frozen = nn.Linear(3, 3).requires_grad_(False)
    kept = [tuple(matrix.shape) for matrix in matrices(network)]
    assert kept == []
    assert_close(penalty(network), torch.tensor(0.0))


def test_of_a_computed_weight_the_parameters_are_meant() -> None:
    plain = nn.Linear(3, 3)
    weight = plain.weight.detach().clone()
    expected = penalty(plain)
    normed = spectral_norm(plain)
    assert_close(penalty(normed), expected)
    assert not torch.equal(normed.weight, weight)
    penalty(normed).backward()
    assert normed.parametrizations.weight.original.grad is not None
    assert [tuple(m.shape) for m in matrices(weight_norm(nn.Conv2d(2, 4, 3)))] == [(4, 18)]  # its directions


def test_settings() -> None:
    assert (Orthogonal().weight, Orthogonal().player, Orthogonal(player="discriminator").player) == (
        1e-4,
        "generator",
        "discriminator",
    )


def test_it_is_taken_in_fp32() -> None:
    linear = nn.Linear(7, 5)
    expected = penalty(linear)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(penalty(linear), expected)
