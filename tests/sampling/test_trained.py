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
from torch import Tensor
from torch.nn import Module

import gan_lab as package
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.pictures.grid import MOST, to_bytes
from gan_lab.storage import checkpoint
from gan_lab.storage.lock import lock_folder
from gan_lab.verbs.sample import write_images
from tests.compose import tiny_run


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


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that has played two rounds."""
    folder = tmp_path_factory.mktemp("digits")
    run = tiny_run(folder, "model=dcgan")
    for _ in range(2):
        run.play()
    checkpoint.save(folder / "checkpoints", run.state_dict(), 1)
    return folder


@pytest.mark.parametrize("n", [1, 3, 7, 64, 65, 70])
def test_a_sample_depends_on_the_seed_and_its_index_alone(
    n: int, digits: Path, gan_lab: Callable[..., int], here: Path
) -> None:
    """Whatever number is asked for, of Python or of the command: the codes are the same numbers, the images the same
    but for the rounding of a batch of another size, the files the images to the bit."""
    loaded = package.load(digits, device="cpu")
    many, few = loaded.sample(80, seed=4), loaded.sample(n, seed=4)
    assert torch.equal(loaded.sampler.codes(n, 4), loaded.sampler.codes(80, 4)[:n])
    torch.testing.assert_close(few, many[:n], rtol=0, atol=1e-5)
    assert not torch.allclose(loaded.sample(n, seed=5), few, atol=1e-3)
    assert len(few.flatten(1).unique(dim=0)) == n
    assert gan_lab("sample", f"run={digits}", f"n={n}", "seed=4", "out=pictures", "device=cpu") == 0
    files = sorted((here / "pictures").glob("0*.png"))
    assert len(files) == n
    for file, expected in zip(files, to_bytes(few), strict=True):
        with Image.open(file) as image:
            assert np.array_equal(np.asarray(image), expected[0].numpy())


def test_a_grid_shows_some_and_the_files_are_all(
    digits: Path, gan_lab: Callable[..., int], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gan_lab("sample", f"run={digits}", "n=300", "out=pictures", "device=cpu") == 0
    assert f"grid.png, the first {MOST} of them" in capsys.readouterr().out
    assert len(list((here / "pictures").glob("00*.png"))) == 300
    with Image.open(here / "pictures" / "grid.png") as image:
        assert image.size == (16 * 66 + 2, 16 * 66 + 2)


def test_memory_is_that_of_one_part(digits: Path, here: Path) -> None:
    """Images are written as they come: each part is on the disk before the next one is made."""
    loaded = package.load(digits, device="cpu")
    seen = []

    def counted(*arguments: Tensor) -> Tensor:
        seen.append(len(list(here.glob("out/0*.png"))))
        return network(*arguments)

    network = loaded.sampler.network
    network.eval()
    loaded.sampler.network = Module()
    loaded.sampler.network.forward = counted
    write_images(loaded, loaded.request(150), here / "out")
    assert seen == [0, 64, 128]


def test_a_folder_holds_the_images_of_one_call(
    digits: Path, gan_lab: Callable[..., int], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = ("sample", f"run={digits}", "out=pictures", "device=cpu")
    assert gan_lab(*sample, "n=6") == 0
    (here / "pictures" / "mine.png").write_bytes(b"")
    assert gan_lab(*sample, "n=2", "seed=1") == 0
    assert "removed 7 images that an earlier call had left" in capsys.readouterr().out
    assert sorted(path.name for path in (here / "pictures").iterdir()) == [
        *("00000.png", "00001.png", "grid.png", "mine.png")
    ]
    Image.new("L", (4, 4)).save(here / "pictures" / "00007.png")
    assert gan_lab(*sample, "n=3") == 2
    assert "out: pictures/00007.png was not written by gan-lab sample" in capsys.readouterr().err
    assert len(list((here / "pictures").iterdir())) == 5


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
        (["run=.", f"seed={10**29}"], "is not a whole number from 0 to 4294967295"),
        (["run=.", "n=1e3"], "n: 1000.0 is not a whole number of at least 1; write 1000"),
        (["run=.", f"n={10**29}"], "is too large"),
        (["run=.", "label=3.5"], "label: 3.5 is no class"),
        (["run=.", "label=[]"], "label: [] is no class"),
        (["run=.", "label=[0,null]"], "label: [0, None] is no class"),
        (["run=.", "label=true"], "label: True is no class"),
        (["run=.", "label={a: 1}"], "label: {'a': 1} is no class"),
        (["run=.", "truncation=nan"], "truncation: nan is not a number"),
        (["run=.", "truncation=small"], "truncation: 'small' is not a number"),
    ],
)
def test_bad_input_is_one_line(
    words: list[str], complaint: str, gan_lab: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert gan_lab("sample", *words) == 2
    message = capsys.readouterr().err
    assert complaint in message
    assert message.count("\n") == 1


def test_a_run_before_its_first_checkpoint(here: Path) -> None:
    run = here / "my run"
    (run / "checkpoints").mkdir(parents=True)
    (run / "config.yaml").touch()
    with pytest.raises(
        ConfigError, match=r"no checkpoint yet \(state: interrupted\); go on with it: gan-lab train 'resume=my run'"
    ):
        package.load(run)
    with lock_folder(run), pytest.raises(ConfigError, match=r"no checkpoint yet \(state: running\); wait"):
        package.load(run)
    (run / "summary.json").write_text('{"state": "failed"}')
    with pytest.raises(ConfigError, match=r"no checkpoint yet \(state: failed\)"):
        package.load(run, checkpoint="best")


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


def test_a_label_asks_for_a_class(
    trained: Callable[..., Path], gan_lab: Callable[..., int], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = trained("run", "model=cgan")
    loaded = package.load(run)
    assert loaded.classes == [str(digit) for digit in range(10)]
    one, seven = loaded.sample(3, label=1), loaded.sample(3, label=7)
    assert not torch.equal(one, seven)  # the same latents
    assert torch.equal(loaded.sample(3, label="7"), seven)
    assert torch.equal(loaded.sample(3, label=[7, 1])[[0, 2]], seven[[0, 2]])
    assert torch.equal(loaded.sample(3, label=[7, 1])[1], one[1])
    assert torch.equal(loaded.sample(12)[1], loaded.sample(12, label=1)[1])  # no label: every class in turn
    assert torch.equal(loaded.sample(12)[11], loaded.sample(12, label=1)[11])
    table = loaded.by_class([1, 7], rows=3)
    torch.testing.assert_close(table[0::2], one)
    torch.testing.assert_close(table[1::2], seven)

    assert gan_lab("sample", f"run={run}", "n=3", "label=7", "out=pictures") == 0
    with Image.open(here / "pictures" / "00002.png") as image:
        assert np.array_equal(np.asarray(image), to_bytes(seven)[2, 0].numpy())
    assert gan_lab("sample", f"run={run}", "n=20", "label=all") == 0
    assert gan_lab("sample", f"run={run}", "n=2", "label=[1,7]") == 0
    assert (run / "samples" / "step-00000002-seed-0-label-_1_7_" / "00001.png").exists()
    assert gan_lab("sample", f"run={run}", "label=horse") == 2
    assert "label=horse: not one of the 10 classes (0, 1, 2" in capsys.readouterr().err


def test_names_of_classes(trained: Callable[..., Path], here: Path) -> None:
    for name in ("cat", "dog", "1"):
        (here / "pets" / name).mkdir(parents=True)
        for index in range(2):
            Image.new("L", (16, 16), 40 * index).save(here / "pets" / name / f"{index}.png")
    run = trained("run", "model=cgan", "dataset=folder", "dataset.path=pets", "dataset.image_shape=[1,16,16]")
    loaded = package.load(run)
    assert loaded.classes == ["1", "cat", "dog"]
    assert loaded.labels("dog") == [2]
    assert loaded.labels([0, "1", "2"]) == [0, 0, 2]  # a name first, a number second
    assert loaded.sample(4).shape == (4, 1, 16, 16)


def test_what_an_unconditional_generator_is_not_asked(
    trained: Callable[..., Path], gan_lab: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    run = trained("run")
    assert package.load(run).classes == []
    assert gan_lab("sample", f"run={run}", "label=7") == 2
    assert "label=7: this generator was trained without labels" in capsys.readouterr().err


def test_truncation(
    trained: Callable[..., Path], gan_lab: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    run = trained("run")
    loaded = package.load(run)
    assert torch.equal(loaded.sample(4, truncation=0.5), loaded.sample(4, truncation=0.5))
    spread = [float(loaded.sample(16, truncation=t).var(0).mean()) for t in (0.01, 0.5, 100.0)]
    assert spread == sorted(spread)
    assert gan_lab("sample", f"run={run}", "n=2", "truncation=0.5") == 0
    assert gan_lab("sample", f"run={run}", "n=2", "truncation=-1") == 2
    assert "truncation: -1 must be above 0" in capsys.readouterr().err
    uniform = trained("uniform", "algorithm.latent._target_=gan_lab.algorithms.latents.Uniform")
    assert gan_lab("sample", f"run={uniform}", "n=2", "truncation=0.5") == 2
    assert "a Uniform latent cannot be truncated" in capsys.readouterr().err


def test_attributes_by_name(
    trained: Callable[..., Path], gan_lab: Callable[..., int], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those that are asked for are there, others as the seed draws them; labels are what the generator was given."""
    for index in range(8):
        Image.new("L", (8, 8), 30 * index).save(here / f"{index}.png")
    table = "file,smiling,hat\n" + "".join(f"{index}.png,{index % 2},{int(index < 2)}\n" for index in range(8))
    (here / "table.csv").write_text(table)
    data = ("dataset=folder", f"dataset.path={here}", "dataset.labels=table.csv", "dataset.image_shape=[1,8,8]")
    run = trained("run", "model=cdcgan", *data)
    loaded = package.load(run)
    assert (loaded.classes, loaded.attributes) == ([], ["smiling", "hat"])
    request = loaded.request(20, seed=1, attributes=["-hat"])
    assert request.label is not None
    assert request.label.shape == (20, 2)
    assert request.label[:, 1].tolist() == [0] * 20
    assert torch.equal(loaded.request(20, seed=1).label[:, 0], request.label[:, 0])  # type: ignore[index]
    assert not torch.equal(loaded.request(20, seed=2).label, loaded.request(20, seed=1).label)  # type: ignore[arg-type]
    both = loaded.sample(3, attributes=["smiling", "hat"])
    assert not torch.equal(both, loaded.sample(3, attributes=["smiling", "-hat"]))
    assert gan_lab("sample", f"run={run}", "n=3", "attributes=[smiling,-hat]") == 0
    assert (run / "samples" / "step-00000002-seed-0-attributes-_smiling_-hat_" / "grid.png").exists()
    capsys.readouterr()
    for words, told in (
        ("attributes=[smilling]", "attributes: smilling is not one of smiling, hat; nearest: smiling"),
        ("attributes=[hat,-hat]", "attributes: hat is asked for with and without a -"),
        ("attributes=hat", "attributes: 'hat' is no list of names, e.g. attributes=[smiling,-hat]"),
        ("label=0", "label=0: this generator knows attributes (smiling, hat): attributes=[...]"),
    ):
        assert gan_lab("sample", f"run={run}", words) == 2
        assert told in capsys.readouterr().err
    with pytest.raises(ConfigError, match=r"attributes=hat: this generator was trained with no labels"):
        package.load(trained("plain")).sample(1, attributes=["hat"])
