"""Directions: what each method finds where the answer is known, and the file that keeps them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize
from torch.testing import assert_close

from gan_lab.algorithms.latents import Normal
from gan_lab.algorithms.noise_sampler import NoiseSampler
from gan_lab.editing import attributes, pca
from gan_lab.editing.codes import read_codes, write_codes
from gan_lab.editing.directions import Directions, deviations, read_directions, write_directions
from gan_lab.editing.sefa import sefa
from gan_lab.engine.engine import Engine
from gan_lab.errors import ConfigError
from gan_lab.sampling.space import Space
from gan_lab.storage.tensors import write_tensors

DIM = 8


class Linear(nn.Module):
    """Images `(N, 1, 4, 4)` that are A z, small enough to stay in [-1, 1]."""

    def __init__(self, scale: float = 0.01) -> None:
        super().__init__()
        torch.manual_seed(0)
        left, _ = torch.linalg.qr(torch.randn(16, DIM).double())
        self.right, _ = torch.linalg.qr(torch.randn(DIM, DIM).double())
        self.sizes = scale * torch.arange(DIM, 0, -1).double()
        self.weight = nn.Parameter(left * self.sizes @ self.right.T)

    def latent_weights(self) -> list[Tensor]:
        return [self.weight]

    def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        return (latent.double() @ self.weight.T).view(-1, 1, 4, 4)


def space_of(network: nn.Module) -> Space:
    return NoiseSampler(network, Normal(DIM), Engine(device="cpu", precision="fp32")).space()


def test_sefa_of_a_linear_generator_are_its_right_singular_vectors() -> None:
    network = Linear()
    vectors, values = sefa(space_of(network).weights(), 5)
    cosines = (vectors * network.right.T[:5]).sum(1).abs()
    assert_close(cosines, torch.ones(5).double(), rtol=0, atol=1e-12)
    assert_close(values, network.sizes[:5].square(), rtol=1e-12, atol=0)
    assert_close((vectors @ network.weight.T).square().sum(1), values, rtol=1e-12, atol=0)
    assert (vectors.gather(1, vectors.abs().argmax(1, keepdim=True)) > 0).all()


def test_pca_of_a_linear_generator_is_sefa() -> None:
    space = space_of(Linear())
    codes = space.codes(20_000, 0)
    vectors, values = pca.mapped_back(codes, pca.features_of(space, codes, None, None), 4)
    expected, sizes = sefa(space.weights(), 4)
    cosines = (vectors * expected).sum(1).abs()
    assert cosines.min() > 0.99
    assert_close(values, sizes, rtol=0.05, atol=0)


def test_principal_components_of_codes() -> None:
    spread = torch.tensor([1.0, 5.0, 2.0])
    vectors, values = pca.principal(torch.randn(5000, 3) * spread + 7, 2)
    assert_close(vectors.abs(), torch.eye(3).double()[[1, 2]], rtol=0, atol=0.05)
    assert_close(values, torch.tensor([25.0, 4.0]).double(), rtol=0.1, atol=0)


def test_features_of_a_part_and_of_no_part() -> None:
    network = nn.Sequential(Linear())
    network.forward = lambda latent, label=None: network[0](latent)
    space = space_of(network)
    codes = space.codes(70, 0)
    assert_close(pca.features_of(space, codes, None, "0"), pca.features_of(space, codes, None, None))
    with pytest.raises(ConfigError, match="layer: the generator has no part 'first'; it has 0, and theirs"):
        pca.features_of(space, codes, None, "first")


def test_large_maps_become_small() -> None:
    assert pca.small(torch.ones(2, 3, 64, 32)).shape == (2, 3 * 18 * 18)
    assert pca.small(torch.ones(2, 3, 8, 64)).shape == (2, 3 * 8 * 18)


def test_classes_are_taken_out() -> None:
    label = torch.tensor([0, 1, 0, 1])
    centred = pca.without_classes(torch.tensor([[1.0], [10.0], [3.0], [20.0]]), label)
    assert centred.flatten().tolist() == [-1.0, -5.0, 1.0, 5.0]


def planted(dim: int = 64) -> tuple[Tensor, Tensor]:
    torch.manual_seed(0)
    return torch.randn(10_000, dim), normalize(torch.randn(dim), dim=0)


def test_a_planted_attribute_is_found() -> None:
    codes, wanted = planted()
    along = codes @ wanted
    assert attributes.separating(codes, along > 0) @ wanted.double() > 0.95
    assert attributes.separating(*attributes.extremes(codes, along, 0.02)) @ wanted.double() > 0.95


def test_a_rare_attribute_among_codes_of_unequal_spread() -> None:
    """A hundredth of the codes have it; the numbers of codes differ a thousandfold."""
    codes, wanted = planted(16)
    along = codes @ wanted[:16]
    has = along > along.quantile(0.99)
    scale = torch.logspace(-1.5, 1.5, 16)
    found = attributes.separating(codes * scale, has)
    assert normalize(found * scale, dim=0) @ normalize(wanted[:16].double(), dim=0) > 0.9


def test_extremes_are_the_ends() -> None:
    codes = torch.arange(10.0)[:, None]
    ends, high = attributes.extremes(codes, torch.tensor([3.0, 1, 4, 1, 5, 9, 2, 6, 5, 3]), 0.2)
    assert sorted(ends[high].flatten().tolist()) == [5.0, 7.0]
    assert sorted(ends[~high].flatten().tolist()) == [1.0, 3.0]


def test_an_independent_direction_is_orthogonal() -> None:
    torch.manual_seed(0)
    vector, others = torch.randn(64), torch.randn(3, 64)
    left = attributes.independent_of(vector, others)
    assert_close(others.double() @ left, torch.zeros(3).double(), rtol=0, atol=1e-6)
    assert_close(left.norm(), torch.ones(()).double())
    assert left @ vector.double() > 0


def test_a_file_of_directions(tmp_path: Path) -> None:
    space = space_of(Linear())
    vectors, values = sefa(space.weights(), 3)
    made = Directions(["a", "b", "é 1"], vectors, values, deviations(space, vectors), "z", "sefa")
    write_directions(tmp_path / "some.safetensors", made)
    read = read_directions(tmp_path / "some.safetensors", space)
    assert (read.names, read.space, read.method, read.layers) == (made.names, "z", "sefa", None)
    assert_close(read.vectors, made.vectors, rtol=0, atol=1e-6)
    assert_close(made.deviations, torch.ones(3).double(), rtol=0.05, atol=0)  # of a normal latent
    assert read.chosen(["é 1"]).names == ["é 1"]
    with pytest.raises(ConfigError, match="show: 'c' is not one of a, b, é 1"):
        read.chosen(["c"])


def test_a_file_of_bare_vectors_is_read(tmp_path: Path) -> None:
    write_tensors(tmp_path / "bare.safetensors", {"directions": 3 * torch.eye(DIM)[:2]}, {})
    read = read_directions(tmp_path / "bare.safetensors", space_of(Linear()))
    assert read.names == ["direction-0", "direction-1"]
    assert_close(read.vectors, torch.eye(DIM)[:2].double())


def test_files_that_are_not_of_this_space(tmp_path: Path) -> None:
    space = space_of(Linear())
    write_tensors(tmp_path / "odd.safetensors", {"directions": torch.ones(1, DIM)}, {"names": "one, two"})
    with pytest.raises(ConfigError, match="directions: what .* says of its vectors is no JSON"):
        read_directions(tmp_path / "odd.safetensors", space)
    with pytest.raises(ConfigError, match="directions: there is no file"):
        read_directions(tmp_path / "none.safetensors", space)
    (tmp_path / "text.safetensors").write_text("no tensors")
    with pytest.raises(ConfigError, match="cannot be read as safetensors"):
        read_directions(tmp_path / "text.safetensors", space)
    write_tensors(tmp_path / "other.safetensors", {"directions": torch.ones(1, DIM)}, {"space": "w"})
    with pytest.raises(ConfigError, match=r"\(1, 8\) of w, and codes of this run are of 8 numbers in z"):
        read_directions(tmp_path / "other.safetensors", space)
    with pytest.raises(ConfigError, match="has no codes in it"):
        read_codes(tmp_path / "other.safetensors", space)


def test_a_file_of_codes(tmp_path: Path) -> None:
    space = space_of(Linear())
    write_codes(tmp_path / "codes.safetensors", space, space.codes(2, 1), None, {}, {})
    codes, label = read_codes(tmp_path / "codes.safetensors", space)
    assert label is None
    assert_close(codes, space.codes(2, 1))
    write_codes(tmp_path / "codes.safetensors", space, torch.ones(2, DIM + 1), None, {}, {})
    with pytest.raises(ConfigError, match=r"codes: .* has \(2, 9\) of z, and codes of this run are \(N, 8\) in z"):
        read_codes(tmp_path / "codes.safetensors", space)


def test_a_network_that_does_not_say_its_weights() -> None:
    with pytest.raises(ConfigError, match="method=sefa: Identity does not say by `latent_weights"):
        space_of(nn.Identity()).weights()
