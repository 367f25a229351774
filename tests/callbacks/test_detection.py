"""What a detector's run keeps at its end: scores of normal pictures nobody trained on, and what it is worth."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gan_lab.callbacks.detection import Detection
from gan_lab.data.dataset import build_dataset
from gan_lab.detection.normals import Normals
from gan_lab.errors import ConfigError
from gan_lab.sampling.trained import load


def test_a_run_keeps_scores_of_held_out_normals_and_its_figures(trained: Callable[..., Path]) -> None:
    run = trained("run", "model=ganomaly", "dataset.classes=[3]", "dataset.held_out=0.2")
    kept = json.loads((run / "detector.json").read_text())
    assert (kept["count"], kept["step"], kept["quantile"]) == (36, 2, 0.95)
    again = load(run)
    assert again.sampler.detector is not None
    data = build_dataset(again.config["dataset"])
    scores = again.sampler.detector(data.rest.store.read(np.arange(36))).scores
    np.testing.assert_allclose(kept["scores"], np.sort(scores.numpy()), rtol=1e-5)
    assert kept["threshold"] == kept["scores"][34]  # 35 of 36 are 97%, 34 are 94%
    found = json.loads((run / "summary.json").read_text())["metrics"]
    assert set(found) == {
        f"{name}{suffix}/{tag}-1650"  # 36 and the 1614 other digits
        for name in ("auroc", "auprc", "fpr95")
        for suffix, tag in (("", "detector"), ("_pca", "pixels"), ("_nearest", "pixels"))
    }
    assert found["auroc_pca/pixels-1650"]["value"] > 0.98
    assert found["auroc/detector-1650"]["card"]["settings"] == {"normal": ["3"], "anomalous": 1614}


def test_a_run_of_no_classes_is_not_measured(trained: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    """All ten digits are normal, and there is nothing else."""
    run = trained("run", "model=ganomaly")
    assert "is not measured: normal: all of the" in capsys.readouterr().out
    assert Normals.read(run) is not None


def test_nothing_held_out(trained: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    run = trained("run", "model=ganomaly", "dataset.held_out=0", "callbacks.detection.measure=false")
    assert (
        "detector: no threshold can be taken, since no pictures are held out; dataset.held_out=0.1"
        in capsys.readouterr().out
    )
    assert Normals.read(run) is None


def test_other_runs_are_left_alone(trained: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    run = trained("run", "model=gan_small")
    assert not (run / "detector.json").exists()
    assert "detector" not in capsys.readouterr().out


@pytest.mark.parametrize("quantile", [0, 1.1, -1])
def test_a_quantile_is_a_share(quantile: float) -> None:
    with pytest.raises(ConfigError, match=r"^callbacks.detection.quantile: .* is no share"):
        Detection(quantile)
