"""The verb `stylize` at the command line, with random weights in the place of VGG's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.vgg import random_state

QUICK = ("size=32", "steps=2", "device=cpu")


@pytest.fixture
def pictures(here: Path) -> tuple[str, str]:
    """A photo in 48x40, and gray stripes with an alpha channel."""
    random = np.random.default_rng(0)
    Image.fromarray(random.integers(0, 256, (40, 48, 3), dtype=np.uint8)).save(here / "photo.jpg")
    stripes = np.tile((np.arange(64) % 8 < 4).astype(np.uint8)[None] * 255, (64, 1))
    Image.fromarray(np.stack([stripes, np.full_like(stripes, 128)], 2)).save(here / "stripes.png")
    return "content=photo.jpg", "style=stripes.png"


def array(path: str) -> np.ndarray[Any, Any]:
    with Image.open(path) as image:
        return np.asarray(image).astype(int)


def test_by_descent(pictures: tuple[str, str], gan_lab: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    sizes = ("size=40", "steps=2", "device=cpu", "weights=null")
    assert gan_lab("stylize", *pictures, *sizes, "out=pictures/made.png") == 0
    said = capsys.readouterr().out
    assert "after 2 steps: style " in said
    assert "photo.jpg in the style of stripes.png: pictures/made.png" in said
    with Image.open("pictures/made.png") as made:
        assert (made.size, made.info["Title"]) == ((40, 33), "synthetic image")
    assert not Path("outputs").exists()
    assert gan_lab("stylize", *pictures, *sizes, "out=again.png") == 0
    assert (array("again.png") == array("pictures/made.png")).all()


def test_weights_are_what_is_weighed(pictures: tuple[str, str], gan_lab: Callable[..., int]) -> None:
    """Content alone stays where it begins; noise does not depend on the photo, but on the seed."""
    alone = ("content_weight=1", "style_weight=0")
    assert gan_lab("stylize", *pictures, *QUICK, *alone, "out=content.png") == 0
    with Image.open("photo.jpg") as photo:
        whole = photo.resize((32, 27), Image.Resampling.BILINEAR)
    assert abs(array("content.png") - np.asarray(whole)).max() <= 3
    assert gan_lab("stylize", *pictures, *QUICK, "style_weight=1", "out=styled.png") == 0
    assert abs(array("styled.png") - array("content.png")).max() > 3
    none = ("content_weight=0", "style_weight=0", "start=noise")
    for seed in (0, 0, 1):
        assert gan_lab("stylize", *pictures, *QUICK, *none, f"seed={seed}", f"out={seed}.png") == 0
    assert (array("0.png") != array("1.png")).mean() > 0.9
    assert array("0.png").shape == (27, 32, 3)


def test_random_weights_are_said(
    pictures: tuple[str, str], gan_lab: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert gan_lab("stylize", *pictures, *QUICK, "weights=random", "steps=1") == 0
    assert "vgg19 has random weights (weights=random)" in capsys.readouterr().out
    assert Path("stylized.png").exists()


def test_a_file_of_weights(pictures: tuple[str, str], gan_lab: Callable[..., int], here: Path) -> None:
    import torch

    torch.save(random_state("vgg19", 3), here / "vgg.pth")
    assert gan_lab("stylize", *pictures, *QUICK, "weights=vgg.pth") == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("content=nothing.png",), "content: nothing.png cannot be read"),
        (("style=words.txt",), "style: words.txt cannot be read"),
        (("content=thin.png",), "content: thin.png comes to 7x256 pixels, at least 16 are needed of each side"),
        (("size=8",), "size: 8 is not a whole number of at least 16"),
        (("steps=0",), "steps: 0 is not a whole number of at least 1"),
        (("start=middle",), "start: 'middle' is not one of content, noise"),
        (("style_weight=-1",), "style_weight: -1 must be at least 0"),
        (("out=made.jpg",), "out: made.jpg is not the name of a PNG; write out=made.png"),
        (("weights=nothing.pth",), "weights: there is no file nothing.pth"),
        (("device=cuda:99",), "device: "),
    ],
)
def test_what_is_refused(
    words: tuple[str, ...],
    message: str,
    pictures: tuple[str, str],
    gan_lab: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    here: Path,
) -> None:
    (here / "words.txt").write_text("no picture")
    Image.new("RGB", (8, 300)).save(here / "thin.png")
    given = [word for word in pictures if word.partition("=")[0] not in {each.partition("=")[0] for each in words}]
    assert gan_lab("stylize", *given, "steps=1", *words) in (1, 2)
    err = capsys.readouterr().err
    assert message in err
    assert len(err.strip().splitlines()) == 1
    assert not Path("stylized.png").exists()


def test_missing_weights(
    pictures: tuple[str, str],
    root: Path,
    gan_lab: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def offline(*_: object, **__: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr("torch.hub.download_url_to_file", offline)
    assert gan_lab("stylize", *pictures, *QUICK) == 1
    err = capsys.readouterr().err
    assert "vgg19's weights could not be downloaded (no network); copy https://" in err
    assert "or say weights=FILE, or weights=random" in err
    assert len(err.strip().splitlines()) == 1
