"""Every model with every loss, regularizer and technique, pairwise: one round is finite and moves every player, each
only in its own move; or the pair is refused in a line that says why."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra.utils import get_class

from gan_lab.algorithms.base import Algorithm
from gan_lab.algorithms.game import kind_of
from gan_lab.algorithms.ganomaly import Ganomaly
from gan_lab.algorithms.style_transfer import StyleTransfer
from gan_lab.errors import ConfigError
from gan_lab.losses.adversarial import NoGame, Unscored
from gan_lab.losses.historical_averaging import HistoricalAveraging
from gan_lab.training.assemble import assemble
from tests.compose import choices, composed, unpaired_regularizers, variants
from tests.conftest import TINY

LOSSES = choices("loss")
REGULARIZERS = unpaired_regularizers()
MODELS = [name for name in choices("model") if name not in variants()]
TECHNIQUES = choices("technique")

TARGETED = ("Minimax", "NonSaturating", "Unscored", "LeastSquares")
ALL = os.environ.get("GAN_LAB_TESTS") == "all"


def some(
    first: Sequence[str], second: Sequence[str], begin: int = 0, count: int | None = None
) -> list[tuple[str, str]]:
    """One pair for each of `second`, or for `count` of them, with those of `first` in turn from number `begin` on: what
    the other pairs would show is rarely anything else. All of them (GAN_LAB_TESTS=all) take two cores ten minutes."""
    if ALL:
        return list(itertools.product(first, second))
    step = 1 if count is None else max(1, len(second) // count)
    return [(first[(begin + index) % len(first)], name) for index, name in enumerate(second[::step])]


WITH_BLOCKS = (
    "biggan",
    "dfgan",
    "fastgan",
    "r3gan",
    "resnet",
    "sagan",
    "sngan.",
    "srresnet.Generator",
    "stylegan2",
    "stylegan3",
)


def refusals(config: dict[str, Any]) -> list[str]:
    """What cannot be had together, in words that the refusal must hold."""
    loss = config["loss"]
    alone = not any(role.startswith("discriminator") for role in config["model"])  # a generator without a game
    game = next((node for role, node in config["model"].items() if role.startswith("discriminator")), {"_target_": "."})
    networks = [node["_target_"].removeprefix("gan_lab.models.") for node in config["model"].values()]
    regularizers = [node for node in loss["regularizers"].values() if node]
    wrappers = (config["wrappers"].get("discriminator") or {}).keys()
    kind = loss["adversarial"]["_target_"].rpartition(".")[2]
    found = []
    if "unrolled" in config["algorithm"]["_target_"] and any(
        "input_shape" in node for node in config["model"].values()
    ):
        found.append("makes images from images")
    reads = any("encoder" in node and "_target_" in (node["encoder"] or {}) for node in config["model"].values())
    if "conditioning" in loss["regularizers"] and "text_encoder" not in config:
        found.append("reads no captions")
    numbers = "input_shape" in game or game["_target_"].split(".")[-2] in ("deepfill", "egbad")  # images and codes
    if "matching_aware" in loss["regularizers"] and not (reads or numbers):
        found += ["is told captions", "embeds captions"]
    if reads and "unrolled" in config["algorithm"]["_target_"]:
        found.append("it reads captions")
    if reads and "several_discriminators" in wrappers:
        found.append("networks read captions")
    if "unrolled" in config["algorithm"]["_target_"] and "generator" not in config["model"]:
        found.append("model.generator: missing")
    if "unrolled" in config["algorithm"]["_target_"] and {"encoder", "generator_encoder"} & set(config["model"]):
        found.append("has no part in Unrolled")
    if alone and "unrolled" in config["algorithm"]["_target_"]:
        found.append("Unrolled needs generator, discriminator")
    if alone:
        kinds: list[Any] = [get_class(node["_target_"]) for node in regularizers]
        players = {node.get("player") or each.player for node, each in zip(regularizers, kinds, strict=True)}
        if "discriminator" in players:
            found.append("its player 'discriminator' is not in this game")
        pays = "style_transfer" in config["algorithm"]["_target_"]  # of itself
        if pays and regularizers:
            found.append("style transfer pays none")
        if not pays and not any(node["every"] == 1 for node in regularizers):
            found.append("the generator has nothing to minimise")
        if "feature_matching" in loss["regularizers"]:
            found.append("feature matching needs a discriminator")
    always = [node for node in regularizers if "_target_" in node and node["every"] == 1]
    owed = {node.get("player") or get_class(node["_target_"]).player for node in always}
    if kind == "Unscored" and "generator" not in owed:
        found.append("it has nothing to minimise")
    if "label_smoothing" in loss["adversarial"] and kind not in TARGETED:
        found.append("takes no label_smoothing")
    if "classify_real" in loss["regularizers"] and "acgan" not in game["_target_"]:
        found.append("class logits")
    if "packing" in wrappers and "num_classes" in game:
        found.append("label")
    if (
        "packing" in wrappers
        and "patchgan" in game["_target_"]
        and "input_shape" in game
        and game.get("condition", "input")
    ) or ("packing" in wrappers and "egbad" in game["_target_"]):
        found.append("a pack of images has no input")
    if {"minibatch_stddev", "minibatch_discrimination"} & wrappers and "real_esrgan" in game["_target_"]:
        found.append("returns plain scores")
    if "packing" in wrappers and "encoder" in game:
        found.append("a pack of images has no input")
    if "packing" in wrappers and "deepfill" in game["_target_"]:
        found.append("is to be told the mask")
    if "spectral_norm" in wrappers and "r3gan" in game["_target_"]:
        found.append("all zeros")
    if "spectral_norm" in wrappers and any(name in game["_target_"] for name in ("stylegan", "progressive")):
        found.append("is equalized")
    asks_styles = any("path_length_style" in node.get("_target_", "") for node in loss["regularizers"].values() if node)
    if asks_styles and not any(each.startswith("stylegan") for each in networks):
        found.append("which this generator has not")
    autoencodes = any("AutoEncoding" in node.get("_target_", "") for node in regularizers)
    if autoencodes and (not any("fastgan" in each for each in networks) or "several_discriminators" in wrappers):
        found.append("makes images again")
    if "activation_checkpointing" in wrappers and not all(each.startswith(WITH_BLOCKS) for each in networks):
        found.append("has no blocks")
    known: tuple[str, ...] = get_class(config["algorithm"]["_target_"]).pairs
    if any(node.get("pair") and node["pair"] not in known for node in regularizers):
        found.append("is not in this game")
    if any("_target_" not in node for node in regularizers):
        found.append("has no _target_")
    return found


def weights(game: Algorithm) -> dict[str, list[torch.Tensor]]:
    """The weights of every network, as they are now."""
    return {
        role: [parameter.detach().clone() for parameter in network.parameters()]
        for role, network in game.networks.items()
    }


def idle(game: Algorithm) -> set[str]:
    """The networks that have nothing to move them: nobody asks the projector, or nobody plays."""
    coded = any(regularizer.pair == "latent" for regularizer in game.regularizers.values())
    contrast = any(regularizer.patches for regularizer in game.regularizers.values())
    paying = {regularizer.player for regularizer in game.regularizers.values()}
    scored = [each for each in game.regularizers.values() if not isinstance(each, HistoricalAveraging)]  # 0 at first
    if isinstance(game.game.adversarial, Unscored) and not any(each.player == "generator" for each in scored):
        return {role for role in game.networks if kind_of(role) == "generator"}
    nobody = isinstance(game.game.adversarial, NoGame) and not isinstance(game, StyleTransfer)  # which pays itself
    return {
        role
        for role in game.networks
        if (role == "generator_projector" and not contrast)
        or (role == "generator_encoder" and isinstance(game, Ganomaly) and not coded)
        or (nobody and kind_of(role) not in paying)
    }


def play(folder: Path, config: dict[str, Any]) -> None:
    """A round of the trainer, in which every move moves all networks of its player and no other."""
    run, _ = assemble(config, folder)
    game = run.algorithm
    game.due = lambda step: game.all_due()  # type: ignore[method-assign]
    players, still = set(), idle(game)

    def watched(player: str, *rest: Any) -> Any:
        before = weights(game)
        metrics = moving(player, *rest)
        after = weights(game)
        moved = {role for role in before if not all(map(torch.equal, before[role], after[role]))}
        assert moved == {role for role in before if kind_of(role) == player} - still, player
        players.add(player)
        return metrics

    moving, game.move = game.move, watched  # type: ignore[method-assign]
    run.play()
    assert all(math.isfinite(float(value)) for value in run.metrics.values()), run.metrics
    assert players == {kind_of(role) for role in game.networks}


def play_or_be_refused(folder: Path, *overrides: str) -> None:
    config = composed(*TINY, *overrides)
    reasons = refusals(config)
    if not reasons:
        play(folder, config)
        return
    with pytest.raises(ConfigError) as refusal:
        play(folder, config)
    assert any(reason in str(refusal.value) for reason in reasons), str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(("model", "loss"), some(MODELS, LOSSES))
def test_model_with_loss(model: str, loss: str, tmp_path: Path) -> None:
    play_or_be_refused(tmp_path, f"model={model}", f"loss={loss}")


@pytest.mark.parametrize(("model", "regularizer"), some(MODELS, REGULARIZERS, len(LOSSES)))
def test_model_with_regularizer(model: str, regularizer: str, tmp_path: Path) -> None:
    play_or_be_refused(tmp_path, f"model={model}", f"loss/regularizers=[{regularizer}]")


@pytest.mark.parametrize(("model", "technique"), some(MODELS, TECHNIQUES, len(LOSSES) + len(REGULARIZERS)))
def test_model_with_technique(model: str, technique: str, tmp_path: Path) -> None:
    """Under the loss that the model prescribes."""
    play_or_be_refused(tmp_path, f"model={model}", f"+technique=[{technique}]")


@pytest.mark.parametrize(("loss", "technique"), some(LOSSES, TECHNIQUES, count=6))
def test_loss_with_technique(loss: str, technique: str, tmp_path: Path) -> None:
    play_or_be_refused(tmp_path, "model=gan", f"loss={loss}", f"+technique=[{technique}]")


@pytest.mark.parametrize(
    ("one", "other"), [(a, b) for a, b in some(TECHNIQUES, TECHNIQUES, 3, count=6) if a < b or not ALL]
)
def test_two_techniques(one: str, other: str, tmp_path: Path) -> None:
    play_or_be_refused(tmp_path, "model=dcgan", f"+technique=[{one},{other}]")
