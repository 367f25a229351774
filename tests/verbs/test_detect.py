"""gan-lab detect: pictures in files, the test split, and what is refused."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from gan_lab.data.dataset import build_dataset
from gan_lab.detection.files import heat
from gan_lab.detection.normals import Normals
from gan_lab.errors import ConfigError
from gan_lab.sampling.trained import load
from gan_lab.verbs.detect import data_of, normals_of
from tests.data.conftest import encoded, noise, write_tree

ONE_CLASS = ("model=ganomaly", "dataset.classes=[3]", "dataset.held_out=0.2", "callbacks.detection.measure=false")


@pytest.fixture
def run(trained: Callable[..., Path]) -> Path:
    return trained("run", *ONE_CLASS)


def rows(folder: Path) -> list[dict[str, str]]:
    with open(folder / "scores.csv", newline="") as file:
        return list(csv.DictReader(file))


def test_files_are_scored_the_most_anomalous_first(run: Path, gan_lab: Callable[..., int], here: Path) -> None:
    members = {f"{folder}/{n}.png": encoded(noise(16, 16, seed=n)) for folder in "ab" for n in range(3)}
    given = write_tree(here / "given", members)
    assert gan_lab("detect", f"run={run}", f"input={given}", "out=found") == 0
    table = rows(here / "found")
    assert sorted(row["file"] for row in table) == sorted(members)
    scores = [float(row["score"]) for row in table]
    assert scores == sorted(scores, reverse=True)
    normals = Normals.read(run)
    assert normals is not None
    threshold = normals.threshold(0.95)
    assert [row["anomalous"] for row in table] == ["yes" if score > threshold else "no" for score in scores]
    assert {path.relative_to(here / "found").as_posix() for path in (here / "found").rglob("*.png")} == set(members)
    assert gan_lab("detect", f"run={run}", f"input={given}/a/1.png", "out=one", "heatmaps=false") == 0
    (alone,) = rows(here / "one")
    assert float(alone["score"]) == pytest.approx(
        next(float(row["score"]) for row in table if row["file"] == "a/1.png"), rel=1e-4
    )
    assert not list((here / "one").glob("*.png"))


def test_the_threshold_may_be_ones_own(run: Path, gan_lab: Callable[..., int], here: Path) -> None:
    given = write_tree(here / "given", {f"{n}.png": encoded(noise(16, 16, seed=n)) for n in range(3)})
    for threshold, verdict in (("-1", "yes"), ("1e9", "no")):
        assert gan_lab("detect", f"run={run}", f"input={given}", "out=found", f"threshold={threshold}") == 0
        assert {row["anomalous"] for row in rows(here / "found")} == {verdict}


def test_scores_of_normals_are_taken_anew_where_the_run_keeps_none(
    run: Path, gan_lab: Callable[..., int], here: Path
) -> None:
    kept = Normals.read(run)
    assert kept is not None
    given = write_tree(here / "given", {"1.png": encoded(noise(16, 16))})
    gan_lab("detect", f"run={run}", f"input={given}", "out=one")
    (run / "detector.json").unlink()
    assert gan_lab("detect", f"run={run}", f"input={given}", "out=two") == 0
    assert rows(here / "one") == rows(here / "two")


def test_the_test_split(run: Path, gan_lab: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert gan_lab("detect", f"run={run}") == 0
    assert (
        "1650 pictures (36 of held out and 1614 of other classes), of which the classes 3 are normal"
        in capsys.readouterr().out
    )
    found = json.loads((run / "summary.json").read_text())["metrics"]
    trained = load(run)
    detector: Any = trained.sampler.detector
    data = build_dataset({**trained.config["dataset"], "classes": None, "held_out": 0.0, "num_classes": None})
    data.sha256 = None
    labels = torch.from_numpy(data.store.labels.copy())  # type: ignore[union-attr]
    others = detector(data.store.read((labels != 3).nonzero()[:, 0].numpy())).scores
    rest = build_dataset(trained.config["dataset"]).rest.store
    normal = detector(rest.read(range(len(rest)))).scores
    expected = (others[:, None] > normal).double().mean() + (others[:, None] == normal).double().mean() / 2
    assert found["auroc/detector-1650"]["value"] == pytest.approx(float(expected), abs=1e-9)


REFUSED = {
    ("quantile=1.5",): "quantile: 1.5 is no share",
    ("threshold=much",): "threshold: 'much' is not a number",
    ("heatmaps=maybe",): "heatmaps: 'maybe' is neither true nor false",
    ("input=nowhere",): "input: .*nowhere does not exist",
    ("input=given", "normal=[3]"): "normal: is for the test split",
    ("input=given", "out=given"): "out: given is the folder that the pictures lie in",
    ("normal=[seven]",): "normal: seven is not one of the 10 classes",
}


def test_what_is_refused(
    run: Path, gan_lab: Callable[..., int], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tree(here / "given", {"1.png": encoded(noise(16, 16))})
    for words, told in REFUSED.items():
        assert gan_lab("detect", f"run={run}", *words) == 2
        error = capsys.readouterr().err.strip().splitlines()[-1]
        assert re.search(told, error), error
    assert not (here / "detected").exists()


def test_a_runs_data_is_built_only_where_it_is_trusted(run: Path) -> None:
    """Also where its thresholds have to be taken anew."""
    trained = load(run)
    trained.config["dataset"]["source"]["_target_"] = "os.system"
    (run / "detector.json").unlink()
    for use in (normals_of, data_of):
        with pytest.raises(ConfigError, match=r"os\.system"):
            use(trained, {"run": "run", "trust": [], "threshold": None})


def test_a_run_without_a_detector(
    trained: Callable[..., Path], gan_lab: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    run = trained("plain", "model=gan_small")
    assert gan_lab("detect", f"run={run}", "input=x.png") == 2
    assert "was not trained to detect; models that are: ganomaly, egbad, fanogan" in capsys.readouterr().err


def test_a_file_that_is_none_is_told_and_the_others_are_scored(
    run: Path, gan_lab: Callable[..., int], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = write_tree(here / "given", {"1.png": encoded(noise(16, 16)), "2.png": b"no picture"})
    assert gan_lab("detect", f"run={run}", f"input={given}") == 1
    assert "1 of 2 pictures could not be read: 2.png:" in capsys.readouterr().err
    assert gan_lab("detect", f"run={run}", f"input={given}/2.png", "out=none") == 2
    assert "input: none of the 1 pictures can be read (2.png:" in capsys.readouterr().err
    assert not (here / "none").exists()
    assert [row["file"] for row in rows(here / "detected")] == ["1.png"]


def test_the_colours_of_heat() -> None:
    """Of black against white 0, a quarter, a half and three quarters: black, red, yellow, white."""
    residuals = torch.tensor([0.0, 0.25, 0.5, 0.75]).view(1, 1, 1, 4) * 2 - 1
    colours = heat(residuals)[0, :, 0].T
    assert colours.tolist() == [[-1, -1, -1], [1, -1, -1], [1, 1, -1], [1, 1, 1]]
