"""Histograms of scores: what is asked, that a run does not notice, and that a game of several duels has several."""

from __future__ import annotations

import copy
import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from gan_lab.callbacks.scores import ScoreHistograms
from gan_lab.layers.critique import of
from gan_lab.loggers.base import Logger, Loggers
from gan_lab.storage.writer import AtOnce
from gan_lab.training.assemble import assemble
from gan_lab.training.run import Run
from tests.compose import composed, tiny_run
from tests.conftest import TINY, equal
from tests.toys.test_toys import TOYS


class Remembering(Logger):
    def __init__(self) -> None:
        self.seen: dict[str, Tensor] = {}

    def histogram(self, step: int, name: str, values: Tensor) -> None:
        self.seen[name] = values


def histograms(run: Run, count: int, step: int = 2) -> dict[str, Tensor]:
    """What a run at `step` shows; the debug trainer draws samples every second step."""
    logger = Remembering()
    run.loggers = Loggers({"remembering": logger}, AtOnce())
    run.step = step
    ScoreHistograms(count).on_step_end(run)
    return logger.seen


@pytest.mark.parametrize(("count", "asked"), [(8, 8), (11, 8), (2, 4)])
def test_whole_batches_of_the_runs_size_are_scored_as_they_are_played(count: int, asked: int, tmp_path: Path) -> None:
    run = tiny_run(tmp_path, "model=dcgan")
    seen = histograms(run, count)
    assert {name: values.shape for name, values in seen.items()} == {
        "score/real/histogram": (asked,),
        "score/fake/histogram": (asked,),
    }
    discriminator = copy.deepcopy(run.algorithm.networks["discriminator"])
    images = run.stream.peek(asked).image
    with torch.no_grad():  # BatchNorm sees four images at a time, in the mode it is played in
        wanted = torch.cat([of(discriminator(part, None)).scores.flatten() for part in images.split(4)])
    assert torch.allclose(seen["score/real/histogram"], wanted)


def test_only_at_the_interval_of_the_samples(tmp_path: Path) -> None:
    assert histograms(tiny_run(tmp_path), 4, step=1) == {}


def test_a_run_goes_on_as_if_nobody_had_asked(tmp_path: Path) -> None:
    states: list[dict[str, Any]] = []
    for watched in (False, True):
        run = tiny_run(tmp_path, "model=sngan", "augmentation=adaptive")
        for _ in range(3):
            run.play()
            if watched:
                assert histograms(run, 8, run.step) or run.step % 2
        states.append(run.state_dict())
    assert all(equal(states[0][key], states[1][key]) for key in ("networks", "ema", "optimizers", "augmentation"))


def test_the_same_step_shows_the_same(tmp_path: Path) -> None:
    run = tiny_run(tmp_path)
    assert equal(histograms(run, 8), histograms(run, 8))
    assert not equal(histograms(run, 8), histograms(run, 8, step=4))


def test_each_duel_has_its_own(tmp_path: Path) -> None:
    run = assemble(composed(*TINY, "model=toy_cycle", configs=TOYS), tmp_path)[0]
    seen = histograms(run, 4)
    assert set(seen) == {f"score/{kind}_{side}/histogram" for kind in ("real", "fake") for side in ("ab", "ba")}


def test_scores_that_are_no_numbers_are_left_out(tmp_path: Path) -> None:
    run = tiny_run(tmp_path)
    for weight in run.algorithm.networks["discriminator"].parameters():
        weight.data.fill_(float("nan"))
    assert histograms(run, 4) == {}


def test_a_failure_is_told_and_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)

    def fail(count: int) -> Any:
        raise RuntimeError("no images\ntoday")

    run, callback = tiny_run(tmp_path), ScoreHistograms()
    monkeypatch.setattr(run.stream, "peek", fail)
    run.step = 2
    callback.on_step_end(run)
    (record,) = caplog.records
    assert record.getMessage().startswith("the histograms of scores of step 2 failed: ")
