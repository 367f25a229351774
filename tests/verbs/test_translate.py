"""`gan-lab translate` and `gan-lab upscale`: files in, files out, by runs that were trained on toys."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
import torch
from PIL import Image

import gan_lab as package
from gan_lab.data.photo import read_photo
from gan_lab.pictures.png import encode_sixteen
from gan_lab.sampling.any_size import AnySize
from gan_lab.storage import checkpoint
from tests.compose import composed
from tests.conftest import TINY
from tests.toys.test_toys import TOYS

TRUST = "trust=[tests.toys.games,tests.toys.networks]"
Call = Callable[..., int]


def toy_run(folder: Path, *overrides: str) -> Path:
    """The folder of a toy that has played two rounds."""
    from gan_lab.training.assemble import assemble

    run = assemble(composed(*TINY, *overrides, configs=TOYS), folder)[0]
    for _ in range(2):
        run.play()
    checkpoint.save(folder / "checkpoints", run.state_dict(), 1)
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("runs")
    mask = ("degradation=mask", "model.generator.inputs=2", "model.discriminator.conditions=2")
    larger = ("degradation=downscale", "degradation.scale=2")
    return {
        "same": toy_run(root / "same", "model=toy_translation"),
        "cycle": toy_run(root / "cycle", "model=toy_cycle"),
        "mask": toy_run(root / "mask", "model=toy_translation", *mask),
        "larger": toy_run(root / "larger", "model=toy_enlarging", *larger),
        "noise": toy_run(root / "noise", "model=gan"),
    }


def noise(*shape: int, dtype: Any = np.uint8, seed: int = 0) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def save(path: Path, values: np.ndarray[Any, Any], **settings: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path, **settings)


def tree(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def call(gan_lab: Call, verb: str, run: Path, *words: str) -> int:
    return gan_lab(verb, f"run={run}", TRUST, "device=cpu", *words)


def test_a_folder_is_mirrored(
    runs: dict[str, Path], gan_lab: Call, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Names stay but for their endings, which stay where two pictures would be called alike; notes are no pictures, a
    film is said; each file is what Python makes of the picture."""
    for name in ("b/1.png", "b/2.JPG", "a.png", "a.bmp", "b/c/x y,=[1].png"):
        save(here / "given" / name, noise(12 + len(name), 20))
    (here / "given" / "notes.txt").write_text("a")
    (here / "given" / ".hidden.png").write_text("a")
    (here / "given" / "film.mp4").write_text("a")
    assert call(gan_lab, "translate", runs["same"], "input=given", "out=made") == 0
    said = "".join(capsys.readouterr())
    assert tree(here / "made") == ["a.bmp.png", "a.png.png", "b/1.png", "b/2.png", "b/c/x y,=[1].png"]
    assert "5 pictures in made (step 2, " in said
    assert "left out, no pictures by their names: film.mp4" in said
    loaded = package.load(runs["same"], device="cpu", trust=["tests.toys.games", "tests.toys.networks"])
    with Image.open(here / "given" / "b" / "1.png") as given, Image.open(here / "made" / "b" / "1.png") as made:
        assert np.array_equal(np.asarray(loaded.translate(given)), np.asarray(made))
        assert made.info["Software"] == "gan-lab"
        assert made.info["gan-lab:step"] == "2"
    tensors = torch.rand(2, 1, 11, 13) * 2 - 1
    torch.testing.assert_close(loaded.translate(tensors), loaded.sample(2, input=tensors))


def test_one_picture_and_archives(runs: dict[str, Path], gan_lab: Call, here: Path) -> None:
    save(here / "my photo.png", noise(12, 20))
    assert call(gan_lab, "translate", runs["same"], "input=my photo.png", "out=one") == 0
    assert tree(here / "one") == ["my photo.png"]
    with ZipFile(here / "all.zip", "w") as archive:
        archive.write("my photo.png", "x/y/1.png")
        archive.write("my photo.png", "x/2.png")
    assert call(gan_lab, "translate", runs["same"], "input=all.zip", "out=zip") == 0
    assert tree(here / "zip") == ["x/2.png", "x/y/1.png"]
    assert call(gan_lab, "translate", runs["same"], "input=all.zip/x/y", "out=part") == 0
    assert tree(here / "part") == ["1.png"]
    assert (here / "part" / "1.png").read_bytes() == (here / "one" / "my photo.png").read_bytes()


def test_a_stopped_job_goes_on(
    runs: dict[str, Path], gan_lab: Call, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is there is left alone, also where the results lie below what was given, or above it."""
    for index in range(3):
        save(here / "given" / f"{index}.png", noise(12, 20, seed=index))
    words = ("translate", runs["same"], "input=given", "out=given/made")
    assert call(gan_lab, *words) == 0
    first = {name: (here / "given/made" / name).read_bytes() for name in tree(here / "given/made")}
    (here / "given/made/1.png").unlink()
    (here / "given/made/0.png").write_bytes(b"kept")
    capsys.readouterr()
    assert call(gan_lab, *words) == 0
    said = "".join(capsys.readouterr())
    assert "1 pictures in given/made" in said
    assert "2 were there already; overwrite=true makes them again" in said
    assert (here / "given/made/0.png").read_bytes() == b"kept"
    assert call(gan_lab, *words, "overwrite=true") == 0
    assert {name: (here / "given/made" / name).read_bytes() for name in tree(here / "given/made")} == first
    assert call(gan_lab, "translate", runs["same"], "input=given/made", "out=given", "format=webp") == 0
    assert {"0.webp", "1.webp", "2.webp"} < set(tree(here / "given"))


def test_what_a_photo_has_it_keeps(runs: dict[str, Path], gan_lab: Call, here: Path) -> None:
    (here / "given").mkdir()
    deep = noise(12, 20, 2, dtype=np.uint16)
    (here / "given" / "deep.png").write_bytes(encode_sixteen(deep, {}))
    exif = Image.Exif()
    exif[0x0112] = 6
    save(here / "given" / "turned.png", noise(12, 20), exif=exif)
    assert call(gan_lab, "translate", runs["same"], "input=given", "out=made") == 0
    made = read_photo(here / "made" / "deep.png")
    assert made.colours.dtype == np.uint16
    assert len(np.unique(made.colours)) > 200  # not 8 bits scaled up
    assert made.alpha is not None
    assert np.array_equal(made.alpha, deep[..., 1])
    assert read_photo(here / "made" / "turned.png").size == (20, 12)
    for kind, mode in (("jpg", "L"), ("webp", "RGBA")):
        assert call(gan_lab, "translate", runs["same"], "input=given/deep.png", f"out={kind}", f"format={kind}") == 0
        with Image.open(here / kind / f"deep.{kind}") as image:
            assert (image.size, image.mode) == ((20, 12), mode)


def test_both_ways(runs: dict[str, Path], gan_lab: Call, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(here / "x.png", noise(12, 20))
    found = []
    for words in ((), ("direction=a2b",), ("direction=b2a",)):
        assert call(gan_lab, "translate", runs["cycle"], "input=x.png", "out=made", "overwrite=true", *words) == 0
        found.append(np.asarray(Image.open(here / "made" / "x.png")))
    assert np.array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])
    capsys.readouterr()
    assert call(gan_lab, "translate", runs["same"], "input=x.png", "out=b", "direction=b2a") == 2
    assert capsys.readouterr().err == "gan-lab translate: direction=b2a: this run goes a2b\n"


def test_masks(runs: dict[str, Path], gan_lab: Call, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One for all, or one by name; what is not missing stays bit for bit."""
    hole = noise(12, 20) > 128
    for name in ("a", "b.c"):
        save(here / "given" / f"{name}.png", noise(12, 20))
        save(here / "masks" / f"{name}.bmp", hole.astype(np.uint8) * 255)
    for mask in ("masks", "masks/a.bmp"):
        assert (
            call(gan_lab, "translate", runs["mask"], "input=given", "out=made", f"mask={mask}", "overwrite=true") == 0
        )
        for name in ("a.png", "b.c.png"):
            made, given = (np.asarray(Image.open(here / folder / name)) for folder in ("made", "given"))
            assert np.array_equal(made[~hole], given[~hole])
            assert not np.array_equal(made, given)
    save(here / "masks" / "b.c.bmp", noise(4, 5))
    capsys.readouterr()
    refused = {
        (): "mask: missing; this run fills holes: mask=MASK.png, white where something is missing",
        ("mask=nowhere",): f"mask: {here}/nowhere does not exist",
        ("mask=given/a.png", "input=masks/b.c.bmp"): "mask: b.c.bmp: is 20x12, and the picture 5x4",
    }
    for words, told in refused.items():
        assert call(gan_lab, "translate", runs["mask"], "input=given", "out=no", *words) == 2
        assert capsys.readouterr().err == f"gan-lab translate: {told}\n"
    assert call(gan_lab, "translate", runs["mask"], "input=given", "out=no", "mask=masks") == 2
    assert capsys.readouterr().err == (
        "gan-lab translate: mask: 1 of 2 are of another size: b.c.png: is 5x4, and the picture 20x12\n"
    )
    assert not (here / "no").exists()
    (here / "masks" / "b.c.bmp").unlink()
    assert call(gan_lab, "translate", runs["mask"], "input=given", "out=no", "mask=masks") == 2
    assert "mask: 1 of 2 pictures have none (b.c.png)" in capsys.readouterr().err
    assert call(gan_lab, "translate", runs["same"], "input=given", "out=no", "mask=masks") == 2
    assert "mask: this run was not trained to fill holes" in capsys.readouterr().err


def difference(said: str) -> float:
    return float(said.partition("max |tiled - whole| = ")[2].split()[0])


def test_upscale(
    runs: dict[str, Path],
    gan_lab: Call,
    here: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In tiles as in one piece, to a level; transparency grows with it."""
    save(here / "x.png", noise(50, 70, 4))
    assert call(gan_lab, "upscale", runs["larger"], "input=x.png", "out=tiles", "tile=24", "check=true") == 0
    said = "".join(capsys.readouterr())
    assert difference(said) < 1e-5
    assert "over 44x44 pixels of x.png" in said  # twice 24 less twice the 2 that it sees
    assert call(gan_lab, "upscale", runs["larger"], "input=x.png", "out=no", "tile=24", "overlap=0", "check=true") == 0
    assert difference("".join(capsys.readouterr())) > 1e-3
    seen = []
    tiled = AnySize.tiled
    monkeypatch.setattr(AnySize, "tiled", lambda self, tile: seen.append(tile) or tiled(self, tile))
    assert call(gan_lab, "upscale", runs["larger"], "input=x.png", "out=whole", "tile=whole") == 0
    assert not seen
    one, two = (np.asarray(Image.open(here / name / "x.png")).astype(int) for name in ("tiles", "whole"))
    assert one.shape == (100, 140, 2)  # the network is one of gray
    assert np.abs(one - two).max() <= 1
    assert call(gan_lab, "upscale", runs["same"], "input=x.png", "out=no") == 2
    assert "makes pictures of the size of its inputs: gan-lab translate" in capsys.readouterr().err


def test_a_mask_lies_as_its_picture_is_held(runs: dict[str, Path], gan_lab: Call, here: Path) -> None:
    """A picture that was held upright is as large as it is seen."""
    exif = Image.Exif()
    exif[0x0112] = 6
    for name in ("x.jpg", "x.png"):
        save(here / name, noise(20, 12), exif=exif)
        save(here / "mask.bmp", (noise(12, 20) > 128).astype(np.uint8) * 255)
        assert call(gan_lab, "translate", runs["mask"], f"input={name}", f"out={name[2:]}", "mask=mask.bmp") == 0


def test_a_network_that_looks_at_the_whole_is_given_no_tiles(
    runs: dict[str, Path],
    gan_lab: Call,
    here: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What does not enlarge is told so first: it has no use for tile=whole."""
    save(here / "x.png", noise(12, 20))
    monkeypatch.setattr(AnySize, "reach", None)
    assert call(gan_lab, "upscale", runs["larger"], "input=x.png", "out=no") == 2
    told = capsys.readouterr().err
    assert told.startswith("gan-lab upscale: tile: this network looks at the whole picture at once")
    assert told.endswith("tile=whole\n")
    assert call(gan_lab, "upscale", runs["same"], "input=x.png", "out=no") == 2
    assert "makes pictures of the size of its inputs: gan-lab translate" in capsys.readouterr().err
    assert not (here / "no").exists()
    assert call(gan_lab, "upscale", runs["larger"], "input=x.png", "out=whole", "tile=whole") == 0


@pytest.mark.parametrize("verb", ["translate", "upscale"])
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("out=o",), "input is missing"),
        (("input=x.png",), "out is missing"),
        (("input=nothing.png", "out=o"), "nothing.png does not exist"),
        (("input=empty", "out=o"), "input: there are no pictures in "),
        (("input=films", "out=o"), "a.mp4 is a video; save its frames as pictures first: ffmpeg -i a.mp4 FOLDER"),
        (("input=films/a.mp4", "out=o"), "films/a.mp4 is a video; save its frames"),
        (("input=table.csv", "out=o"), "table.csv is no picture; give one, or a folder"),
        (("input=given", "out=given"), "out: given is the folder that the pictures lie in"),
        (("input=given/x.png", "out=given"), "out: given/x.png is the picture that is given"),
        (("input=given", "out=o", "tile=-4"), "tile: -4 is not a whole number of at least 1, or whole"),
        (("input=given", "out=o", "tile=large"), "tile: 'large' is not a whole number"),
        (("input=given", "out=o", "tile=8", "overlap=8"), "overlap: 8 must lie between"),
        (("input=given", "out=o", "overlap=-1"), "overlap: -1 is not a whole number"),
        (("input=given", "out=o", "format=gif"), "format: 'gif' is not one of png, jpg, webp"),
        (("input=given", "out=o", "label=[1]"), "label: [1] is no class"),
        (("input=given", "out=o", "label=3"), "label=3: this generator was trained without labels"),
        (("input=given", "out=o", "overwrite=2"), "overwrite: 2 is neither true nor false"),
        (("input=given", "out=o", "run=nowhere"), "run=nowhere: no such run folder"),
        (("input=given", "out=o", "run=NOISE"), "run: makes images from noise and takes no pictures"),
        (("input=given", "out=o", "tile=100", "check=true"), "check: no picture is larger than a tile of 100 pixels"),
        (("input=given", "out=o", "tile=whole", "check=true"), "check: nothing is cut; tile=256"),
    ],
)
def test_what_is_refused(
    verb: str,
    words: tuple[str, ...],
    told: str,
    runs: dict[str, Path],
    gan_lab: Call,
    here: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In one line, and nothing is left of it."""
    save(here / "given" / "x.png", noise(12, 20))
    for name in ("empty/notes.txt", "films/a.mp4", "films/b.mov", "table.csv"):
        (here / name).parent.mkdir(exist_ok=True)
        (here / name).touch()
    words = tuple(word.replace("NOISE", str(runs["noise"])) for word in words)
    assert call(gan_lab, verb, runs["larger"], *words) == 2
    err = capsys.readouterr().err
    assert told in err
    assert err.count("\n") == 1
    assert not (here / "o").exists()


def test_a_way_that_nobody_goes(gan_lab: Call, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(here / "x.png", noise(12, 20))
    assert gan_lab("translate", "run=x", "input=x.png", "out=o", "direction=up") == 2
    assert "direction: 'up' is not one of a2b, b2a" in capsys.readouterr().err


def test_unreadable_pictures_are_counted_and_the_others_made(
    runs: dict[str, Path], gan_lab: Call, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "c"):
        save(here / "given" / f"{name}.png", noise(12, 20))
    whole = (here / "given" / "a.png").read_bytes()
    (here / "given" / "b.png").write_bytes(whole[: len(whole) // 2])
    (here / "given" / "d.png").write_bytes(b"")
    assert call(gan_lab, "translate", runs["same"], "input=given", "out=made") == 1
    said = capsys.readouterr()
    assert "2 of 4 pictures could not be made: b.png: damaged (" in said.err
    assert "d.png: not an image (empty)" in said.err
    assert said.err.count("\n") == 1
    assert tree(here / "made") == ["a.png", "c.png"]
    assert call(gan_lab, "translate", runs["same"], "input=given/b.png", "out=made") == 1
    assert "gan-lab translate: b.png: damaged (" in capsys.readouterr().err
    assert tree(here / "made") == ["a.png", "c.png"]


def test_what_cannot_be_written_ends_it(
    runs: dict[str, Path], gan_lab: Call, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(here / "given" / "a.png", noise(12, 20))
    (here / "made" / "a.png" / "folder").mkdir(parents=True)
    assert call(gan_lab, "translate", runs["same"], "input=given", "out=made", "overwrite=true") == 1
    assert "cannot write" in capsys.readouterr().err
    (here / "file").write_text("a file")
    assert call(gan_lab, "translate", runs["same"], "input=given", "out=file") == 2
    assert "out: file is a file; name a folder" in capsys.readouterr().err


def test_neither_the_data_nor_the_place_of_the_run_matters(runs: dict[str, Path], gan_lab: Call, here: Path) -> None:
    shutil.copytree(runs["same"], here / "elsewhere")
    save(here / "x.png", noise(12, 20))
    before = os.environ["GAN_LAB_DATA"]
    os.environ["GAN_LAB_DATA"] = str(here / "none")
    try:
        assert call(gan_lab, "translate", here / "elsewhere", "input=x.png", "out=made") == 0
    finally:
        os.environ["GAN_LAB_DATA"] = before
    assert not (here / "none").exists()
