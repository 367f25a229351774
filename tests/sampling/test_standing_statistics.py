"""Statistics of BatchNorm taken anew: of which latents, by which formula, and without a trace."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from gan_lab.algorithms.latents import Normal
from gan_lab.algorithms.noise_sampler import STANDING, NoiseSampler
from gan_lab.engine.engine import Engine
from gan_lab.errors import ConfigError
from gan_lab.sampling.request import Request
from gan_lab.sampling.sampler import all_images
from gan_lab.sampling.standing_statistics import StandingStatistics
from tests.compose import tiny_run

DIM = 3


class Normed(nn.Module):
    """A tenth of the normalised latents, as pictures; remembers what it was given while it took statistics."""

    def __init__(self, num_classes: int = 0) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(DIM, affine=False)
        self.num_classes = num_classes
        self.seen: list[Tensor] = []  # shared with every copy

    def __deepcopy__(self, memory: object) -> Normed:
        copied = Normed(self.num_classes)
        copied.load_state_dict(self.state_dict())
        copied.seen = self.seen
        return copied

    def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        if self.norm.training:
            self.seen += [latent, *([] if label is None else [label])]
        return self.norm(latent).view(-1, DIM, 1, 1) / 10


def sampler(network: nn.Module, standing: StandingStatistics | None) -> NoiseSampler:
    return NoiseSampler(network, Normal(DIM), Engine(device="cpu", precision="fp32"), standing)


@pytest.mark.parametrize("truncation", [None, 0.5])
def test_the_mean_over_passes_of_latents_of_this_truncation(truncation: float | None) -> None:
    standing, latent = StandingStatistics(passes=3, batch=8), Normal(DIM)
    made = all_images(sampler(Normed(), standing), Request(5, 7, truncation=truncation)).flatten(1) * 10
    parts = latent.drawn(24, STANDING, truncation).split(8)
    mean = torch.stack([part.mean(0) for part in parts]).mean(0)
    variance = torch.stack([part.var(0) for part in parts]).mean(0)
    assert_close(made, (latent.drawn(5, 7, truncation) - mean) / (variance + 1e-5).sqrt())


def test_once_for_each_truncation_and_without_a_trace() -> None:
    network = Normed()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    asked = sampler(network, StandingStatistics(passes=2, batch=4))
    first = all_images(asked, Request(70, 0))
    assert len(network.seen) == 2
    assert torch.equal(all_images(asked, Request(3, 0)), first[:3])
    assert len(network.seen) == 2
    all_images(asked, Request(3, 0, truncation=1.0))
    assert len(network.seen) == 4
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])
    plain = all_images(sampler(network, None), Request(3, 0))
    assert not torch.equal(plain, first[:3])


def test_classes_are_equally_likely() -> None:
    network = Normed(num_classes=4)
    all_images(sampler(network, StandingStatistics(passes=20, batch=50)), Request(1))
    counts = torch.cat(network.seen[1::2]).bincount()
    assert len(counts) == 4
    assert float((counts - 250).abs().max()) < 60


def test_a_network_without_statistics_is_itself() -> None:
    network = nn.Linear(2, 2)
    assert StandingStatistics().of(network, lambda n, start: torch.zeros(n, 2), 0, torch.device("cpu")) is network


def test_which_models_take_them(tmp_path: Path) -> None:
    for model, takes in (("biggan", True), ("biggan_cifar", True), ("sagan", False)):
        found = tiny_run(tmp_path / model, f"model={model}").sampler()
        assert isinstance(found, NoiseSampler)
        assert (found.standing is not None) == takes
        if found.standing is not None:
            assert (found.standing.passes, found.standing.batch) == (16, 64)


def test_what_is_refused() -> None:
    for setting in ({"passes": 0}, {"batch": 1}, {"passes": 1.5}):
        with pytest.raises(ConfigError, match=f"algorithm.standing_statistics.{next(iter(setting))}"):
            StandingStatistics(**setting)  # type: ignore[arg-type]
