"""Images from a run folder alone: the verb and the Python call."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import gan_lab as package
from gan_lab import checkpoint
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.images import to_bytes


def test_sample_writes_a_grid_and_singles_that_say_what_they_are(
    trained: Callable[..., Path], gan_lab: Callable[..., int], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = trained("run")
    moved = here / "elsewhere"
    shutil.move(run, moved)  # neither the place nor the dataset matters
    os.environ["GAN_LAB_DATA"], kept = str(here / "no-data"), os.environ["GAN_LAB_DATA"]
    try:
        assert gan_lab("sample", f"run={moved}", "n=5", "seed=3", "out=pictures") == 0
    finally:
        os.environ["GAN_LAB_DATA"] = kept
    assert sorted(p.name for p in (here / "pictures").iterdir()) == [*(f"{i:05d}.png" for i in range(5)), "grid.png"]
    expected = to_bytes(package.load(moved).sample(5, seed=3))
    for index in range(5):
        with Image.open(here / "pictures" / f"{index:05d}.png") as image:
            assert image.text["Title"] == "synthetic image"
            assert image.text["gan-lab:step"] == "2"
            assert image.text["gan-lab:seed"] == "3"
            assert "elsewhere" in image.text["gan-lab:run"]
            assert np.array_equal(np.asarray(image), expected[index, 0].numpy())
    assert "pictures/grid.png" in capsys.readouterr().out
    assert not (here / "no-data").exists()


def test_samples_come_from_the_average_and_from_the_seed(trained: Callable[..., Path]) -> None:
    run = trained("run", "algorithm.ema.decay=0.5", "trainer.max_steps=3")
    loaded = package.load(run, device="cpu")
    images = loaded.sample(4, seed=1)
    assert images.shape == (4, 1, 16, 16)
    assert images.abs().max() <= 1
    assert torch.equal(images, package.load(run / "checkpoints" / "last.pt").sample(4, seed=1))
    assert not torch.equal(images, loaded.sample(4, seed=2))
    assert loaded.step == 3
    state = checkpoint.load(run / "checkpoints" / "last.pt")
    state["ema"]["generator"] = state["networks"]["generator"]
    torch.save(state, run / "raw.pt")
    assert not torch.equal(images, package.load(run / "raw.pt").sample(4, seed=1))


def test_an_older_checkpoint_by_step(trained: Callable[..., Path]) -> None:
    run = trained("run", "trainer.checkpoint_every=1")
    assert package.load(run, checkpoint="1").step == 1
    with pytest.raises(ConfigError, match="checkpoint=9: no such checkpoint"):
        package.load(run, checkpoint="9")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["run=nowhere"], "run=nowhere: no such run folder"),
        (["run=."], "not a run folder"),
        (["run=.", "n=0"], "n: 0 is not a whole number"),
        (["run=.", "seed=-1"], "seed: -1 is not"),
    ],
)
def test_bad_input_is_one_line(
    words: list[str], complaint: str, gan_lab: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert gan_lab("sample", *words) == 2
    message = capsys.readouterr().err
    assert complaint in message
    assert message.count("\n") == 1


def test_a_foreign_class_in_a_checkpoint_is_not_built(trained: Callable[..., Path], tmp_path: Path) -> None:
    run = trained("run")
    state = checkpoint.load(run / "checkpoints" / "last.pt")
    mark = tmp_path / "executed"
    state["config"]["model"]["generator"] = {"_target_": "pathlib.Path.touch", "_args_": [str(mark)]}
    torch.save(state, tmp_path / "hostile.pt")
    with pytest.raises(ConfigError, match=r"model\.generator names pathlib\.Path\.touch"):
        package.load(tmp_path / "hostile.pt")
    assert not mark.exists()


def test_weights_that_do_not_fit_are_one_line(trained: Callable[..., Path], tmp_path: Path) -> None:
    run = trained("run")
    state = checkpoint.load(run / "checkpoints" / "last.pt")
    state["config"]["model"]["generator"]["width"] = 16
    torch.save(state, tmp_path / "odd.pt")
    with pytest.raises(GanLabError, match="do not fit"):
        package.load(tmp_path / "odd.pt")
