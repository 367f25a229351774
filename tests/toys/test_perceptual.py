"""Every perceptual term in a game of pairs: it plays, in either precision, waits for nothing and leaves no trace."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from gan_lab.training.run import Run
from tests.compose import choices
from tests.device import contentless, move
from tests.toys.test_toys import ready

PERCEPTUAL = [name for name in choices("loss/regularizers") if name.startswith("perceptual")]


def run_with(name: str, folder: Path, *more: str) -> Run:
    return ready(folder, "model=toy_translation", f"loss/regularizers=[{name}]", *more)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("name", PERCEPTUAL)
def test_it_plays(name: str, precision: str, tmp_path: Path) -> None:
    run = run_with(name, tmp_path, f"precision={precision}")
    run.play()
    value = run.metrics["loss/generator/perceptual"]
    assert value.dtype == torch.float32
    assert 0 < float(value) < float("inf")
    assert run.algorithm.state_dict()["algorithm"]["regularizers"] == {"perceptual": {}}


@pytest.mark.parametrize("name", PERCEPTUAL)
def test_a_round_with_it_never_waits_for_the_device(name: str, tmp_path: Path) -> None:
    run = run_with(name, tmp_path)
    with contentless():
        move(run)
        run.play()
    assert run.metrics["loss/generator/perceptual"].device.type == "meta"
