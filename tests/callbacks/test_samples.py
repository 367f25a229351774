"""Pictures of samples: what a configuration gets wrong is told at once (what fails later is in `test_metrics.py`)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image

from gan_lab.callbacks.samples import SampleGrids
from gan_lab.sampling.sampler import Sampler
from gan_lab.training.run import Run
from tests.compose import tiny_run
from tests.conftest import TINY
from tests.sampling.stand_ins import Converter


@pytest.mark.parametrize(
    ("override", "key"),
    [("callbacks.samples.count=0", "callbacks.samples.count"), ("+dataset.picture={_target_: a.b}", "dataset: ")],
)
def test_a_mistake_in_the_configuration_ends_a_run_at_its_start(
    override: str, key: str, gan_lab: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert gan_lab("train", *TINY, override, "hydra.run.dir=run") == 2
    said = capsys.readouterr().err
    assert key in said
    assert said.count("\n") == 1


def pairs(folder: Path, *splits: str) -> tuple[str, ...]:
    """Pairs side by side, a folder for each split: training's targets are gray, all others' white, inputs black."""
    for split in splits:
        (folder / "pairs" / split).mkdir(parents=True)
        for number in range(3):
            picture = Image.new("L", (32, 16), 0)
            picture.paste(128 + number if split == "train" else 255, (0, 0, 16, 16))
            picture.save(folder / "pairs" / split / f"{number}.png")
    data = ("dataset=paired", f"dataset.path={folder / 'pairs'}", "dataset.image_shape=[1,16,16]")
    return ("model=pix2pix", *data, "dataset.layout=side_by_side", "dataset.direction=b2a", "metrics=paired")


class Black(Converter):
    """Makes a black image of everything; its inputs are black as well. What it was shown is remembered."""

    def __init__(self) -> None:
        super().__init__(torch.nn.Identity())
        self.shown: list[torch.Tensor] = []

    def panel(self, shown: torch.Tensor, seed: int) -> dict[str, torch.Tensor]:  # type: ignore[override]
        found = super().panel(shown, seed)  # type: ignore[arg-type]
        self.shown.append(found["target"])
        return found


def with_sampler(run: Run, sampler: Sampler, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(run, "sampler", lambda: sampler)
    monkeypatch.setattr(run.writer, "submit", lambda work: work())
    return run


@pytest.mark.parametrize(
    ("splits", "value", "told"),
    [
        (("train", "test"), 1.0, "split test (3 samples, not trained on)"),
        (("train", "val"), 1.0, "split val (3 samples, not trained on)"),
        (("train",), None, "data that is trained on (paired has no test split)"),
    ],
)
def test_what_is_made_from_inputs_is_made_from_those_of_a_test_split(
    splits: tuple[str, ...],
    value: float | None,
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    sampler = Black()
    run = with_sampler(tiny_run(tmp_path / "run", *pairs(tmp_path, *splits)), sampler, monkeypatch)
    grids = SampleGrids()
    run.step = 7
    with caplog.at_level(logging.INFO):
        grids.on_fit_start(run)
    grids.on_fit_end(run)
    assert f"samples    are made from inputs of the {told}" in caplog.messages
    (shown,) = sampler.shown
    assert shown.shape == (3, 1, 16, 16)
    assert bool((shown == value).all()) if value else bool((shown < 0.1).all())
    with Image.open(tmp_path / "run" / "samples" / "step-00000007.png") as picture:
        assert picture.info["gan-lab:inputs"] == told
