"""Wrappers as techniques: alone and one in another, under a gradient penalty and lazy R1, resumed and sampled."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from gan_lab.errors import ConfigError
from gan_lab.sampling.trained import load
from tests.compose import tiny_run
from tests.conftest import equal

STACKS = [
    "minibatch_stddev,several_discriminators",
    "several_discriminators,minibatch_discrimination",
    "packing,spectral_norm,minibatch_discrimination,diffaugment",
    "packing,several_discriminators,adaptive_augmentation",
]


@pytest.mark.parametrize("techniques", STACKS)
@pytest.mark.parametrize("model", ["wgan_gp", "rpgan"])
def test_stacks_play_a_round(model: str, techniques: str, tmp_path: Path) -> None:
    run = tiny_run(tmp_path, f"model={model}", f"+technique=[{techniques}]", "algorithm.critic_steps=1")
    players = run.algorithm.networks
    before = {role: [p.detach().clone() for p in network.parameters()] for role, network in players.items()}
    run.play()
    assert all(torch.isfinite(value) for value in run.metrics.values()), run.metrics
    for role, network in players.items():
        assert not all(map(torch.equal, before[role], network.parameters())), f"{role} did not move"


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        (["model=dcgan", "+technique=[packing]", "trainer.accumulation=4"], "packs of 2 do not divide a batch of 1"),
        (["model=cgan", "+technique=[packing]"], "packing needs a discriminator that takes none"),
        (["dataset=ring", "+technique=[diffaugment]"], "too small to augment; leave it out"),
        (["+technique=[packing]", "wrappers.discriminator.packing.size=9"], "size must be 2, 3 or 4"),
    ],
)
def test_nonsense_is_refused_in_one_line(overrides: list[str], line: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=line) as refusal:
        tiny_run(tmp_path, *overrides)
    assert "\n" not in str(refusal.value)


@pytest.mark.whole
def test_a_run_goes_on_as_if_never_stopped_and_is_sampled(trained: Callable[..., Path], gan_lab: object) -> None:
    chosen = (
        "model=dcgan",
        "+technique=[packing,spectral_norm,minibatch_stddev,adaptive_augmentation]",
        "augmentation.adaptive.interval=1",
        "augmentation.adaptive.speed=100",
    )
    whole = trained("whole", *chosen, "trainer.max_steps=4")
    half = trained("half", *chosen, "trainer.max_steps=2")
    assert gan_lab("train", f"resume={half}", "trainer.max_steps=4") == 0  # type: ignore[operator]
    states = [torch.load(run / "checkpoints" / "step-00000004.pt", weights_only=True) for run in (whole, half)]
    for key in ("networks", "ema", "optimizers", "augmentation"):
        assert equal(states[0][key], states[1][key]), key
    assert load(half).sample(2).shape == (2, 1, 16, 16)
