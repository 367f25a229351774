"""The verb `interpolate` at the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan_lab.storage import checkpoint
from tests.compose import tiny_run

QUICK = ("frames=2", "n=2", "device=cpu")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that has played one round."""
    folder = tmp_path_factory.mktemp("small")
    run = tiny_run(folder, "model=gan_small")
    run.play()
    checkpoint.save(folder / "checkpoints", run.state_dict(), 1)
    return folder


def test_a_grid_and_a_film(
    trained: Callable[..., Path], gan_lab: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    trained("run", "model=cdcgan", "width=4")
    words = ("run=run", "seeds=[5,7]", "label=[3]")
    assert gan_lab("interpolate", *words, *QUICK, "out=loop") == 0
    assert "2 ways in z by slerp, through the seeds 5, 7 and back" in capsys.readouterr().out
    with Image.open("loop/film.webp") as film:
        assert film.n_frames == 4
    with Image.open("loop/grid.png") as grid:
        assert grid.text["Title"] == "synthetic image"
        pixels = np.asarray(grid)
    assert gan_lab("interpolate", *words, *QUICK, "out=open", "loop=false", "kind=lerp") == 0
    assert "2 ways in z by lerp, through the seeds 5, 7\n" in capsys.readouterr().out
    with Image.open("open/film.webp") as film:
        assert film.n_frames == 3
    first, last = (pixels[16:80, left : left + 64] for left in (2, pixels.shape[1] - 66))
    assert np.array_equal(first, last)
    assert gan_lab("interpolate", *words, *QUICK) == 0
    assert sorted(path.name for path in Path("run/interpolations/step-00000002-seeds-5-7").iterdir()) == [
        *("film.webp", "grid.png")
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("seeds=[1]",), "seeds: [1] is not a list of two or more, e.g. seeds=[1,2,3]"),
        (("seeds=[1,-1]",), "seeds: -1 is not a whole number from 0"),
        (("kind=cubic",), "kind: 'cubic' is not one of auto, lerp, slerp"),
        (("n=65",), "n: 65 is too large, 64 is the most"),
        (("fps=1000",), "fps: 1000 is too fast, 100 is the most"),
        (("loop=maybe",), "loop: 'maybe' is neither true nor false"),
        (("label=3",), "label=3: this generator was trained without labels"),
    ],
)
def test_what_is_refused(
    words: tuple[str, ...],
    message: str,
    small: Path,
    gan_lab: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert gan_lab("interpolate", f"run={small}", *QUICK, "out=out", *words) == 2
    err = capsys.readouterr().err
    assert message in err
    assert len(err.strip().splitlines()) == 1
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("model=pix2pix", "dataset=digits", "degradation=edges", "width=4"), "run: this generator has no latents"),
        (("model=points", "dataset=ring"), "run: makes no pictures but tensors of 2 channels"),
    ],
)
def test_runs_without_a_way(
    words: tuple[str, ...],
    message: str,
    trained: Callable[..., Path],
    gan_lab: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    trained("run", *words)
    capsys.readouterr()
    assert gan_lab("interpolate", "run=run", *QUICK, "out=out") == 2
    err = capsys.readouterr().err
    assert message in err
    assert len(err.strip().splitlines()) == 1
