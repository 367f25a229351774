"""Noise priors: moments, ranges, and the same draws from the same generator."""

from __future__ import annotations

import math

import pytest
import torch
from torch.testing import assert_close

from gan_lab.algorithms.latents import Latent, Normal, Signs, Uniform
from gan_lab.errors import ConfigError


@pytest.mark.parametrize(("prior", "variance"), [(Normal, 1.0), (Uniform, 1 / 3)])
def test_moments(prior: type[Latent], variance: float) -> None:
    draws = prior(100)(20_000, "cpu", torch.Generator().manual_seed(0))
    assert draws.shape == (20_000, 100)
    assert draws.dtype == torch.float32
    assert_close(draws.mean(), torch.tensor(0.0), atol=5e-3, rtol=0)  # 5 standard errors of 2 million draws are 3.5e-3
    assert_close(draws.var(), torch.tensor(variance), atol=5e-3, rtol=0)


def test_uniform_fills_minus_one_to_one() -> None:
    draws = Uniform(100)(10_000, "cpu", torch.Generator().manual_seed(0))
    assert draws.min() >= -1
    assert draws.max() <= 1
    assert_close(torch.stack([draws.min(), draws.max()]), torch.tensor([-1.0, 1.0]), atol=1e-4, rtol=0)


@pytest.mark.parametrize("prior", [Normal, Uniform])
def test_the_generator_decides(prior: type[Latent]) -> None:
    latent = prior(8)
    first = latent(4, "cpu", torch.Generator().manual_seed(3))
    torch.manual_seed(99)  # the default generator plays no part
    assert torch.equal(first, latent(4, "cpu", torch.Generator().manual_seed(3)))
    assert not torch.equal(first, latent(4, "cpu", torch.Generator().manual_seed(4)))


@pytest.mark.parametrize("prior", [Normal, Uniform])
def test_without_a_generator_the_default_one_draws(prior: type[Latent]) -> None:
    torch.manual_seed(5)
    first, second = prior(8)(4, "cpu"), prior(8)(4, "cpu")
    torch.manual_seed(5)
    assert torch.equal(first, prior(8)(4, "cpu"))
    assert not torch.equal(first, second)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_cpu_generator_draws_the_same_on_every_device() -> None:
    there = Normal(8)(4, "cuda", torch.Generator().manual_seed(3))
    assert there.device.type == "cuda"
    assert torch.equal(there.cpu(), Normal(8)(4, "cpu", torch.Generator().manual_seed(3)))


@pytest.mark.parametrize("prior", [Normal, Uniform])
def test_dim_is_checked(prior: type[Latent]) -> None:
    with pytest.raises(ValueError, match="dim must be at least 1, not 0"):
        prior(0)


@pytest.mark.parametrize("threshold", [0.1, 0.5, 2.0])
def test_truncated_normal(threshold: float) -> None:
    """Inside the threshold, and there as N(0, 1) is: its variance in closed form, within 5 standard errors."""
    draws = Normal(50).truncated(2000, threshold, torch.Generator().manual_seed(0)).double()
    assert draws.shape == (2000, 50)
    assert draws.abs().max() <= threshold
    density = math.exp(-(threshold**2) / 2) / math.sqrt(2 * math.pi)
    variance = 1 - 2 * threshold * density / math.erf(threshold / math.sqrt(2))
    error = math.sqrt(draws.square().var() / draws.numel())
    assert abs(float(draws.square().mean()) - variance) < 5 * error
    again = Normal(50).truncated(2000, threshold, torch.Generator().manual_seed(0))
    assert torch.equal(again.double(), draws)


def test_truncations_that_mean_nothing() -> None:
    with pytest.raises(ConfigError, match="truncation: a Uniform latent cannot be truncated"):
        Uniform(8).truncated(1, 0.5, torch.Generator())
    with pytest.raises(ConfigError, match="truncation: 0 is not a positive number"):
        Normal(8).truncated(1, 0, torch.Generator())


def test_signs() -> None:
    latents = Signs(5)(4000, "cpu", torch.Generator().manual_seed(0))
    assert set(latents.unique().tolist()) == {-1.0, 1.0}
    assert_close(latents.mean(0), torch.zeros(5), atol=0.06, rtol=0)
    assert_close(latents.T.cov(), torch.eye(5), atol=0.06, rtol=0)


def test_the_same_prior_over_other_vectors() -> None:
    latent = Uniform(8)
    assert torch.equal(latent.of_dim(5).drawn(3, 1), Uniform(5).drawn(3, 1))
    assert latent.dim == 8


def test_the_nearest_place_of_draws() -> None:
    """Draws stay where they are; what lies further out comes to the border of where nearly all of them lie."""
    for prior in (Normal(64), Uniform(64), Signs(64)):
        codes = prior.drawn(100, 0)
        torch.testing.assert_close(prior.nearest(codes), codes)
    far = torch.full((1, 64), 5.0)
    torch.testing.assert_close(Normal(64).nearest(far).norm(), torch.tensor(8 + 3 / 2**0.5))
    assert torch.equal(Uniform(64).nearest(far), torch.ones(1, 64))
    assert torch.equal(Signs(64).nearest(-far), -torch.ones(1, 64))
