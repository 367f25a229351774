"""Every model with every loss, regularizer and technique, pairwise: one round is finite and moves both players (with a
model's losses and techniques: each only in its own move); or the pair is refused in a line that says why."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from gan_lab.algorithms.game import kind_of
from gan_lab.algorithms.noise_to_image import NoiseToImage
from gan_lab.algorithms.translation import Translation
from gan_lab.config import CONFIG_DIR
from gan_lab.errors import ConfigError
from gan_lab.training.assemble import assemble
from tests.compose import choices, composed, unpaired_regularizers
from tests.conftest import TINY

LOSSES = [name for name in choices("loss") if name != "regression"]  # which is no game
REGULARIZERS = unpaired_regularizers()
# a generator alone has no loss to choose and nothing that a technique is put around
ALONE = {
    name for name in choices("model") if "  discriminator: null" in (CONFIG_DIR / "model" / f"{name}.yaml").read_text()
}
MODELS = [name for name in choices("model") if name not in ALONE]
TECHNIQUES = choices("technique")

TARGETED = ("Minimax", "NonSaturating", "LeastSquares")
ALL = os.environ.get("GAN_LAB_TESTS") == "all"


def some(first: Sequence[str], second: Sequence[str]) -> list[tuple[str, str]]:
    """A twelfth of all pairs, every choice of either among them (all of them where GAN_LAB_TESTS=all): what the others
    would show is rarely anything else, and all of them take two cores ten minutes."""
    pairs = itertools.product(range(len(first)), range(len(second)))
    return [(first[i], second[j]) for i, j in pairs if ALL or (i + j) % 12 == 0]


WITH_BLOCKS = ("biggan", "r3gan", "resnet", "sagan", "sngan")


def refusals(config: dict[str, Any]) -> list[str]:
    """What cannot be had together, in words that the refusal must hold."""
    loss = config["loss"]
    game = next((node for role, node in config["model"].items() if role.startswith("discriminator")), {"_target_": ""})
    wrappers = (config["wrappers"].get("discriminator") or {}).keys()
    kind = loss["adversarial"]["_target_"].rpartition(".")[2]
    found = []
    if "unrolled" in config["algorithm"]["_target_"] and any(
        "input_shape" in node for node in config["model"].values()
    ):
        found.append("makes images from images")
    if "label_smoothing" in loss["adversarial"] and kind not in TARGETED:
        found.append("takes no label_smoothing")
    if "classify_real" in loss["regularizers"] and "acgan" not in game["_target_"]:
        found.append("class logits")
    if "packing" in wrappers and "num_classes" in game:
        found.append("label")
    if "packing" in wrappers and "deepfill" in game["_target_"]:
        found.append("is to be told the mask")
    if "spectral_norm" in wrappers and "r3gan" in game["_target_"]:
        found.append("all zeros")
    if "activation_checkpointing" in wrappers and game["_target_"].split(".")[2] not in WITH_BLOCKS:
        found.append("has no blocks")
    regularizers = [node for node in loss["regularizers"].values() if node]
    from_noise = config["algorithm"]["_target_"].split(".")[2] in ("noise_to_image", "unrolled")
    if from_noise and any(node.get("pair") for node in regularizers):
        found.append("is not in this game")
    if any("_target_" not in node for node in regularizers):
        found.append("has no _target_")
    return found


def weights(network: torch.nn.Module) -> list[torch.Tensor]:
    return [parameter.detach().clone() for parameter in network.parameters()]


def same(before: list[torch.Tensor], after: list[torch.Tensor]) -> list[bool]:
    return [torch.equal(a, b) for a, b in zip(before, after, strict=True)]


def play(folder: Path, config: dict[str, Any], moves: bool) -> None:
    """A round of the trainer; with `moves`, then each move alone."""
    run, _ = assemble(config, folder)
    start = {role: weights(network) for role, network in run.algorithm.networks.items()}
    run.play()
    assert all(math.isfinite(float(value)) for value in run.metrics.values()), run.metrics
    contrast = any(regularizer.patches for regularizer in run.algorithm.regularizers.values())
    for role, network in run.algorithm.networks.items():
        if role == "generator_projector" and not contrast:
            continue  # nobody asks it
        assert not all(same(start[role], weights(network))), f"{role} did not move"
    if not moves:
        return

    game: Any = run.algorithm
    if not isinstance(game, (NoiseToImage, Translation)):
        return  # its moves are tests/algorithms/test_wiring.py's
    due, batch = game.due(0), run.stream.next()
    for mover, move in (("discriminator", game.move_discriminator), ("generator", game.move_generator)):
        before = {role: weights(network) for role, network in game.networks.items()}
        move(batch, due)
        still = {role: all(same(before[role], weights(network))) for role, network in game.networks.items()}
        assert still == {role: kind_of(role) != mover for role in game.networks}


def play_or_be_refused(folder: Path, *overrides: str, moves: bool = False) -> None:
    config = composed(*TINY, *overrides)
    reasons = refusals(config)
    if not reasons:
        play(folder, config, moves)
        return
    with pytest.raises(ConfigError) as refusal:
        play(folder, config, moves)
    assert any(reason in str(refusal.value) for reason in reasons), str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(("model", "loss"), some(MODELS, LOSSES))
def test_model_with_loss(model: str, loss: str, tmp_path: Path) -> None:
    play_or_be_refused(tmp_path, f"model={model}", f"loss={loss}", moves=True)


@pytest.mark.parametrize(("model", "regularizer"), some(MODELS, REGULARIZERS))
def test_model_with_regularizer(model: str, regularizer: str, tmp_path: Path) -> None:
    play_or_be_refused(tmp_path, f"model={model}", f"loss/regularizers=[{regularizer}]")


@pytest.mark.parametrize(("model", "technique"), some(MODELS, TECHNIQUES))
def test_model_with_technique(model: str, technique: str, tmp_path: Path) -> None:
    """Under the loss that the model prescribes."""
    play_or_be_refused(tmp_path, f"model={model}", f"+technique=[{technique}]", moves=True)


@pytest.mark.parametrize(("loss", "technique"), some(LOSSES, TECHNIQUES))
def test_loss_with_technique(loss: str, technique: str, tmp_path: Path) -> None:
    play_or_be_refused(tmp_path, "model=gan", f"loss={loss}", f"+technique=[{technique}]")


@pytest.mark.parametrize(("one", "other"), [(a, b) for a, b in some(TECHNIQUES, TECHNIQUES) if a < b])
def test_two_techniques(one: str, other: str, tmp_path: Path) -> None:
    play_or_be_refused(tmp_path, "model=dcgan", f"+technique=[{one},{other}]")
