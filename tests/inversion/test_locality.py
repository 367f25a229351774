"""What lies around the codes of a tuned generator."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from gan_lab.algorithms.latents import Normal
from gan_lab.algorithms.noise_sampler import NoiseSampler
from gan_lab.engine.engine import Engine
from gan_lab.inversion.distance import Distance, squares
from gan_lab.inversion.locality import Locality
from gan_lab.inversion.pivotal import tune
from gan_lab.sampling.space import Space

CPU = Engine(device="cpu", precision="fp32")


class Linear(nn.Module):
    """Images are the latent itself, times a number that is learned for each pixel."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(dim))

    def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        return (latent * self.gain).view(len(latent), 1, 1, -1)


def space_of(network: nn.Module, dim: int) -> Space:
    return NoiseSampler(network, Normal(dim), CPU).space()


def test_places_lie_on_the_way_to_draws() -> None:
    space = space_of(Linear(9), 9)
    codes = space.codes(3, 0)
    locality = Locality(space, codes, None, Distance(), 0.1, seed=4)
    apart = torch.cdist(codes, space.codes(64, 4)).mean()
    assert locality.radius == pytest.approx(float(apart) / 2)
    for step in (0, 7):
        way, draw = locality.around(step) - codes, space.codes(3, 5 + step) - codes
        assert_close(way.norm(dim=1), torch.full((3,), locality.radius))
        assert_close(torch.cosine_similarity(way, draw), torch.ones(3))
    assert not torch.equal(locality.around(0), locality.around(1))


def test_the_gradient_is_that_of_the_distance_to_what_it_was() -> None:
    """d/dg of w mean over pictures and pixels of (x g - x)^2 is 2 w mean x^2 (g - 1), per pixel."""
    network = Linear(5)
    space = space_of(network, 5)
    locality = Locality(space, space.codes(4, 0), None, Distance(), 0.3)
    locality.backward(2)
    assert network.gain.grad is not None
    assert not network.gain.grad.any()  # nothing has moved yet
    with torch.no_grad():
        network.gain += torch.arange(5.0)
    locality.backward(2)
    wanted = 2 * 0.3 * locality.around(2).square().mean(0) / 5 * torch.arange(5.0)
    assert_close(network.gain.grad, wanted)
    assert network.gain.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]  # as before it was asked


def test_around_a_tuned_generator_less_has_changed() -> None:
    """Of the same pictures, tuned to with and without."""
    changed = []
    for weight in (0.0, 10.0):
        torch.manual_seed(0)
        network = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 16), nn.Unflatten(1, (1, 4, 4)))
        network.forward = lambda latent, label=None, parts=network: parts[3](parts[2](parts[1](parts[0](latent))))  # type: ignore[method-assign]
        space = space_of(network, 6)
        codes, others = space.codes(2, 0), space.codes(50, 9)
        with torch.no_grad():
            wanted, before = space.made(codes.flip(0)), space.made(others)
        beside = Locality(space, codes, None, Distance(), weight).backward
        tune(space, codes, None, wanted, Distance(), 200, beside=beside)
        with torch.no_grad():
            changed.append(float(squares(space.made(others), before).mean()))
    assert changed[1] < 0.5 * changed[0]
