"""2 + 2 rounds through a checkpoint equal 4, bit for bit, for every model, regularizer and technique: whatever keeps a
state (moments, moving averages, power iterations, adaptive strengths, histories) goes on where it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from gan_lab.storage import checkpoint
from gan_lab.training.assemble import assemble
from gan_lab.training.run import Run
from tests.compose import choices, composed, unpaired_regularizers
from tests.conftest import TINY, equal
from tests.data.conftest import encoded, noise, write_tree

PARTS = ("networks", "ema", "optimizers", "algorithm", "augmentation", "rng", "stream")


def rounds(run: Run, count: int) -> None:
    run.restore_rng()
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


@pytest.mark.parametrize("model", choices("model"))
def test_models(model: str, tmp_path: Path) -> None:
    check(tmp_path, f"model={model}")


@pytest.mark.parametrize("technique", choices("technique"))
def test_techniques(technique: str, tmp_path: Path) -> None:
    model = "wgan_gp_resnet" if technique == "activation_checkpointing" else "dcgan"  # it needs blocks
    check(tmp_path, f"model={model}", f"+technique=[{technique}]")


@pytest.mark.parametrize("regularizer", unpaired_regularizers())
def test_regularizers(regularizer: str, tmp_path: Path) -> None:
    model = "acgan" if "classifier" in regularizer else "dcgan"
    check(tmp_path, f"model={model}", f"loss/regularizers=[{regularizer}]")


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
