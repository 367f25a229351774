"""The verb `sample` for a generator that reads captions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

SMALL = (
    "dataset=coloured_shapes",
    "dataset.source.count=60",
    "dataset.source.size=16",
    "dataset.image_shape=[3,16,16]",
)


def test_images_of_words(gan_lab: Callable[..., int], here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        gan_lab("train", "model=gan_cls", *SMALL, "trainer=debug", "text_encoder=bag_of_words", "hydra.run.dir=run")
        == 0
    )
    assert "gan-lab sample run=run 'text=what is to be seen'" in capsys.readouterr().out
    (here / "lines.txt").write_text("a red circle\n\nthe square, it is blue\n")
    assert gan_lab("sample", "run=run", "text=a red circle, and a zebra", "n=1", "out=one") == 0
    said = capsys.readouterr()
    assert "this run has never read and, zebra" in said.out + said.err
    assert gan_lab("sample", "run=run", "text=[a red circle,blue square]", "n=3", "out=list") == 0
    assert gan_lab("sample", "run=run", "text=lines.txt", "n=2", "out=file") == 0
    assert len(list((here / "list").glob("0*.png"))) == 3
    first = [Image.open(here / folder / "00000.png").tobytes() for folder in ("list", "file")]
    assert first[0] == first[1]  # the same words, the same seed
    for words, told in (
        (["text=...", "n=1"], "has no word"),
        (["text=[]", "n=1"], "is no caption"),
        (["text=none.txt", "n=1"], "there is no such file"),
        (["text=lines.txt", "n=1"], "fewer images than the 2 captions"),
        (["n=1"], "caption: missing"),
        (["text=a cat", "n=1", "out=lines.txt"], "out: lines.txt is a file; name a folder"),
    ):
        assert gan_lab("sample", "run=run", *words) == 2
        assert told in capsys.readouterr().err
    for verb in ("project", "interpolate", "edit"):
        given = ["input=one"] if verb == "project" else []
        assert gan_lab(verb, "run=run", *given) == 2
        assert "run: this generator makes its images from captions" in capsys.readouterr().err


def test_text_for_who_reads_none(gan_lab: Callable[..., int], here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert gan_lab("train", "model=gan_small", "trainer=debug", "hydra.run.dir=run") == 0
    assert gan_lab("sample", "run=run", "text=a red heart", "n=1") == 2
    assert capsys.readouterr().err.strip().endswith("text: this generator does not read captions")
