"""The verb `project` at the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open

import gan_lab as package
from gan_lab.storage import checkpoint
from tests.compose import tiny_run

QUICK = ("steps=3", "tune_steps=2", "device=cpu")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of classes that has played one round."""
    folder = tmp_path_factory.mktemp("told")
    run = tiny_run(folder, "model=cgan", "width=4")
    run.play()
    checkpoint.save(folder / "checkpoints", run.state_dict(), 1)
    return folder


@pytest.fixture
def pictures(here: Path) -> Path:
    random = np.random.default_rng(0)
    (here / "pictures").mkdir()
    for name in "ab":
        Image.fromarray(random.integers(0, 256, (16, 16), dtype=np.uint8)).save(here / "pictures" / f"{name}.png")
    return here / "pictures"


def test_pictures_are_found_edited_and_tuned_to(
    told: Path, pictures: Path, gan_lab: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert gan_lab("project", f"run={told}", f"input={pictures}", *QUICK, "out=found", "tune=true") == 0
    said = capsys.readouterr().out
    assert "distance: pixels and the features of the run's discriminator" in said
    assert "label: each of the 10 classes was tried for 60 steps" in said
    assert sorted(path.name for path in Path("found").iterdir()) == [
        *("codes.safetensors", "distance.png", "images", "projected.png", "run")
    ]
    assert sorted(path.name for path in Path("found/images").iterdir()) == ["a.png", "b.png"]
    with safe_open("found/codes.safetensors", "pt") as file:
        codes, label = file.get_tensor("codes"), file.get_tensor("label")
        assert file.metadata() == {"space": "z", "pictures": '["a", "b"]'}
    assert codes.shape == (2, 100)
    assert gan_lab("edit", "run=found/run", "codes=found/codes.safetensors", "count=1", "out=moved", "device=cpu") == 0
    tuned, before = (package.load(run, device="cpu").sampler.space() for run in ("found/run", told))
    made = tuned.images(codes, label)
    with Image.open("found/images/a.png") as image:
        assert np.abs(np.asarray(image) - (made[0, 0].numpy() + 1) * 127.5).max() <= 0.51
        assert image.text["Title"] == "synthetic image"
    assert not torch.equal(made, before.images(codes, label))
    assert gan_lab("project", f"run={told}", f"input={pictures}", *QUICK, "out=found", "tune=true") == 2
    assert "found/run already holds a run" in capsys.readouterr().err


def test_styles_and_their_noise(trained: Callable[..., Path], pictures: Path, gan_lab: Callable[..., int]) -> None:
    trained("run", "model=stylegan2", "width=4", "model.generator.style_dim=8")
    words = ("project", "run=run", f"input={pictures / 'a.png'}", *QUICK, "label=3")
    assert gan_lab(*words, "tune=true", "tune_locality=0.1") == 0
    assert package.load("run/projections/a/run", device="cpu").step == 2
    with safe_open("run/projections/a/codes.safetensors", "pt") as file:
        names = list(file.keys())
        assert file.get_tensor("codes").shape == (1, 6, 8)
    assert sum(name.startswith("noise.") for name in names) == 5
    assert "label" not in names  # a style knows its class


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("tune_locality=0.1",), "tune_locality=0.1: is of the tuning; say tune=true, too"),
        (("tune=true", "tune_locality=-1"), "tune_locality: -1 must be at least 0"),
        (("input=none",), "input: "),
        (("input=empty",), "input: there are no pictures in"),
        (("out=pictures/a.png",), "out: pictures/a.png is a file; name a folder"),
        (("starts=0",), "starts: 0 is not a whole number"),
        (("noise=3",), "noise: 3 is neither true nor false"),
        (("label=all",), "label: a picture is of one class"),
        (("label=[1,2,3]",), "label: 3 classes for 2 pictures"),
        (("label=ten",), "label=ten: not one of the 10 classes"),
    ],
)
def test_what_is_refused(
    words: tuple[str, ...],
    message: str,
    told: Path,
    pictures: Path,
    gan_lab: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("empty").mkdir()
    given = () if words[0].startswith("input") else (f"input={pictures}",)
    assert gan_lab("project", f"run={told}", *given, *QUICK, "out=out", *words) == 2
    err = capsys.readouterr().err
    assert message in err
    assert len(err.strip().splitlines()) == 1
    assert not Path("out").exists()
