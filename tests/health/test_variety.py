"""Data without variety, and figures that would have to be divided by it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from gan_lab.health.run_report import report_run
from gan_lab.health.variety import LEAST, check_variety, spread
from tests.conftest import TINY
from tests.health.broken import uniform


def test_less_than_half_a_gray_level_is_none() -> None:
    images = torch.zeros(4, 3, 5, 5)
    images[::2] += 1.6 * LEAST  # two of three pairs differ
    assert spread(images) == pytest.approx(1.6 * LEAST * 75**0.5 * 2 / 3)
    assert spread(images / 2) == 0.0
    assert spread(images, torch.tensor([0, 1, 0, 1])) == spread(images)  # within classes there is none


def test_some_of_many_are_looked_at() -> None:
    asked: list[list[int]] = []

    def read(places: Any) -> torch.Tensor:
        asked.append(places.tolist())
        return torch.zeros(len(places), 1, 2, 2)

    class Many(SimpleNamespace):
        def __len__(self) -> int:
            return 1000

    alarm = check_variety(Many(read=read), 7)  # type: ignore[arg-type]
    assert alarm is not None
    assert (alarm.name, alarm.step, alarm.since) == ("no_variety", 7, 0)
    assert alarm.saw == "the data has no variety: 128 images out of all 1000 are the same"
    assert (len(asked[0]), asked[0][0], asked[0][-1]) == (128, 0, 999)


def test_doctor_says_no_absurd_number(gan_lab: Callable[..., int], here: Path) -> None:
    words = ("dataset=folder", f"dataset.path={uniform(here)}", "dataset.image_shape=[3,8,8]", "model=gan_small")
    assert gan_lab("train", *TINY, *words, "callbacks.health=null", "hydra.run.dir=run") == 0
    lines = report_run(here / "run")
    assert lines[-3].startswith("bad  no_variety the data has no variety: all 4 images are the same; try another")
    assert lines[-2] == "note samples    not compared: the data has no variety"
