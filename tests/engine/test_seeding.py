"""One seed for what comes before the rounds, one for each round."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from gan_lab.engine.seeding import round_seed, seed_everything, seed_round


def draw() -> tuple[float, float, float, float]:
    return random.random(), float(np.random.rand()), float(np.random.randn()), float(torch.randn(()))


def test_same_seed_same_numbers() -> None:
    seed_everything(3)
    first = draw()
    seed_everything(3)
    assert draw() == first
    seed_everything(4)
    assert all(a != b for a, b in zip(draw(), first, strict=True))


def test_the_seed_of_a_round_is_one_of_both_numbers() -> None:
    seeds = {round_seed(seed, step) for seed in (0, 1, 11) for step in (0, 1, 10, 11, 110)}
    assert len(seeds) == 15  # 1 and 11 is not 11 and 1
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert round_seed(0, 1) == 639239771104584395  # on every machine, in every version


def test_a_round_draws_the_same_whatever_was_drawn_before() -> None:
    drawn = []
    for before in (0, 7):
        torch.randn(before)
        seed_round(5, 12, torch.device("cpu"))
        drawn.append(torch.randn(20).tolist())
    assert drawn[0] == drawn[1]
    seed_round(5, 13, torch.device("cpu"))
    assert torch.randn(20).tolist() != drawn[0]


class Cuda:
    """A device's generator that takes down its seed."""

    seed = -1

    def manual_seed(self, seed: int) -> None:
        self.seed = seed


@pytest.mark.parametrize("name", ["cuda:1", "cuda"])
def test_the_devices_generator_too(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    generators = (Cuda(), Cuda())
    monkeypatch.setattr(torch.cuda, "default_generators", generators)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)
    seed_round(5, 12, torch.device(name))
    assert [generator.seed for generator in generators] == [-1, round_seed(5, 12)]
