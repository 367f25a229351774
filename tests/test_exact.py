"""2 + 2 rounds through a checkpoint equal 4, bit for bit, for every model, regularizer and technique: whatever keeps a
state (moments, moving averages, power iterations, adaptive strengths, histories) goes on where it was."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from gan_lab.storage import checkpoint
from gan_lab.training.assemble import assemble
from gan_lab.training.run import Run
from tests.compose import choices, composed, unpaired_regularizers
from tests.conftest import TINY, equal, in_part
from tests.data.conftest import encoded, noise, write_tree

PARTS = ("networks", "ema", "optimizers", "algorithm", "augmentation", "stream")


def rounds(run: Run, count: int) -> None:
    for _ in range(count):
        run.play()


def check(folder: Path, *overrides: str) -> None:
    overrides = (*TINY, *overrides)
    straight, _ = assemble(composed(*overrides), folder)
    rounds(straight, 4)
    first, _ = assemble(composed(*overrides), folder)
    rounds(first, 2)
    path = checkpoint.save(folder / "checkpoints", first.state_dict(), 1)
    second, _ = assemble(composed(*overrides), folder, checkpoint.load(path))
    rounds(second, 2)
    one, two = straight.state_dict(), second.state_dict()
    different = [part for part in PARTS if not equal(one[part], two[part])]
    assert not different


@pytest.mark.parametrize("model", in_part(choices("model"), 4))
def test_models(model: str, tmp_path: Path) -> None:
    check(tmp_path, f"model={model}")


@pytest.mark.parametrize("technique", choices("technique"))
def test_techniques(technique: str, tmp_path: Path) -> None:
    beside = {"activation_checkpointing": "wgan_gp_resnet", "conditioning_augmentation": "gan_cls"}  # blocks, captions
    model = beside.get(technique, "dcgan")
    check(tmp_path, f"model={model}", f"+technique=[{technique}]")


@pytest.mark.parametrize("regularizer", in_part(unpaired_regularizers(), 4))
def test_regularizers(regularizer: str, tmp_path: Path) -> None:
    beside = {"auxiliary_classifier": "acgan", "path_length_style": "stylegan2", "autoencoding": "fastgan"}
    beside["matching_aware"] = "gan_cls"
    model = beside.get(regularizer, "dcgan")
    check(tmp_path, f"model={model}", f"loss/regularizers=[{regularizer}]")


@pytest.mark.parametrize("first", [1, 2, 3])
def test_an_encoder_that_begins_to_learn_before_at_and_after_the_stop(first: int, tmp_path: Path) -> None:
    check(tmp_path, "model=fanogan", f"algorithm.encoder_from={first}")


def test_attributes_and_their_balance(tmp_path: Path) -> None:
    data = ("dataset=attributed_shapes", "dataset.source.count=30", "dataset.balance={red:3}")
    check(tmp_path, "model=acgan", *data)


def test_a_flipped_stream(tmp_path: Path) -> None:
    check(tmp_path, "model=gan_small", "dataset.flip=true")


def test_windows_turns_and_inputs_that_are_drawn(tmp_path: Path) -> None:
    check(tmp_path, "model=gan_small", "dataset.crop=[8,8]", "dataset.turn=true", "degradation=mask")


def test_two_streams(tmp_path: Path) -> None:
    members = {
        f"train{side}/{n}.png": encoded(noise(8, 8, seed=n)) for side in "AB" for n in range(3 if side == "A" else 5)
    }
    data = write_tree(tmp_path / "data", members)
    check(tmp_path, "model=gan_small", "dataset=unpaired", f"dataset.path={data}", "dataset.image_shape=[3,8,8]")


def test_what_is_drawn_between_rounds_changes_none(tmp_path: Path) -> None:
    alone, beside = (assemble(composed(*TINY, "model=gan"), tmp_path)[0] for _ in range(2))
    rounds(alone, 3)
    for _ in range(3):
        torch.randn(5)
        rounds(beside, 1)
    assert equal(alone.state_dict(), beside.state_dict())


def test_another_seed_is_another_game_from_there_on(tmp_path: Path) -> None:
    """Whoever insists on another `seed` (resume_force=true) goes on with other latents, and other data."""
    first, _ = assemble(composed(*TINY, "model=gan_small"), tmp_path)
    rounds(first, 2)
    state = checkpoint.load(checkpoint.save(tmp_path / "checkpoints", first.state_dict(), 1))
    runs = [assemble(composed(*TINY, "model=gan_small", f"seed={seed}"), tmp_path, state)[0] for seed in (0, 1)]
    for run in runs:
        assert equal(run.algorithm.state_dict()["networks"], state["networks"])
        rounds(run, 1)
        assert run.state_dict()["stream"]["seed"] == run.config["seed"]
    assert not torch.equal(*(run.stream.next().image for run in runs))
    assert not equal(runs[0].state_dict()["networks"], runs[1].state_dict()["networks"])
