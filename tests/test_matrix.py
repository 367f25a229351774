"""Every model with every loss and every regularizer: one round is finite, moves both players, each only in its move."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from gan_lab.algorithms.noise_to_image import NoiseToImage
from tests.compose import choices, tiny_run

MODELS, LOSSES, REGULARIZERS = choices("model"), choices("loss"), choices("loss/regularizers")


def weights(network: torch.nn.Module) -> list[torch.Tensor]:
    return [parameter.detach().clone() for parameter in network.parameters()]


def same(before: list[torch.Tensor], after: list[torch.Tensor]) -> list[bool]:
    return [torch.equal(a, b) for a, b in zip(before, after, strict=True)]


def play(folder: Path, *overrides: str) -> None:
    """A round of the trainer, then each move alone."""
    run = tiny_run(folder, *overrides)
    start = {role: weights(network) for role, network in run.algorithm.networks.items()}
    run.trainer.round(run)
    assert all(math.isfinite(float(value)) for value in run.metrics.values()), run.metrics
    for role, network in run.algorithm.networks.items():
        assert not all(same(start[role], weights(network))), f"{role} did not move"

    game = run.algorithm
    assert isinstance(game, NoiseToImage)
    due, batch = game.due(0), run.stream.next()
    for mover, move in (("discriminator", game._discriminator_move), ("generator", game._generator_move)):
        before = {role: weights(network) for role, network in game.networks.items()}
        move(batch, due, None)
        still = {role: all(same(before[role], weights(network))) for role, network in game.networks.items()}
        assert still == {role: role != mover for role in game.networks}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("model", MODELS)
def test_model_with_loss(model: str, loss: str, tmp_path: Path) -> None:
    play(tmp_path, f"model={model}", f"loss={loss}")


@pytest.mark.parametrize("regularizer", REGULARIZERS)
@pytest.mark.parametrize("model", MODELS)
def test_model_with_regularizer(model: str, regularizer: str, tmp_path: Path) -> None:
    play(tmp_path, f"model={model}", f"loss/regularizers=[{regularizer}]")
