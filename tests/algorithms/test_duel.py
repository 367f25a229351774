"""One generator against one discriminator: what each sees, and when both kinds of images go in one pass."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from gan_lab.algorithms.duel import Duel, is_per_image
from gan_lab.training.run import Run
from tests.compose import tiny_run

JOINED = ["gan", "gan_small", "wgan_gp", "wgan_gp_resnet", "r3gan"]
APART = ["dcgan", "wgan", "lsgan", "conv_gan", "cdcgan", "sngan", "sagan", "biggan"]  # BatchNorm, or spectral norm


def duel(run: Run) -> Duel:
    return run.algorithm.duels[""]


@pytest.mark.parametrize("model", [*JOINED, *APART])
def test_which_discriminators(model: str, tmp_path: Path) -> None:
    discriminator = duel(tiny_run(tmp_path, f"model={model}")).discriminator
    assert is_per_image(discriminator) == (model in JOINED)


@pytest.mark.parametrize("technique", ["minibatch_stddev", "minibatch_discrimination", "spectral_norm", "diffaugment"])
def test_what_couples_images_keeps_the_passes_apart(technique: str, tmp_path: Path) -> None:
    assert duel(tiny_run(tmp_path, "model=wgan_gp", "loss=hinge")).one_pass
    assert not duel(tiny_run(tmp_path, "model=wgan_gp", "loss=hinge", f"+technique=[{technique}]")).one_pass


def test_of_a_users_own_module_nothing_is_known() -> None:
    class Mine(nn.Module):
        pass

    assert is_per_image(nn.Sequential(nn.Conv2d(1, 1, 1)))
    assert not is_per_image(nn.Sequential(nn.Conv2d(1, 1, 1), Mine()))


@pytest.mark.parametrize(
    "overrides",
    [
        ["model=wgan_gp", "algorithm.critic_steps=2"],
        ["model=gan", "model.discriminator.dropout=0", "loss=relativistic_r1_r2"],
        ["model=gan_small", "+technique=[feature_matching,packing]"],
        ["model=cgan", "model.discriminator.dropout=0"],
        ["model=gan_small", "+technique=[several_discriminators]"],
    ],
    ids=lambda overrides: "-".join(overrides[:2]),
)
def test_the_numbers_are_the_same(overrides: list[str], tmp_path: Path) -> None:
    together, apart = tiny_run(tmp_path, *overrides), tiny_run(tmp_path, *overrides)
    assert duel(together).one_pass
    duel(apart).one_pass = False
    for _ in range(2):
        figures = []
        for run in (together, apart):
            torch.manual_seed(run.step)
            run.play()
            figures.append(run.metrics.vector)  # type: ignore[attr-defined]
        assert_close(figures[0], figures[1], rtol=5e-3, atol=1e-4)
